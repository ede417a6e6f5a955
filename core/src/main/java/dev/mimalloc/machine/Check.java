package dev.mimalloc.machine;

/**
 * Invariants of the allocator, checked where they must hold. On the JVM the system property {@code dev.mimalloc.check}
 * turns this on for a whole process, in C the definition {@code MI_DEBUG} when the library is compiled; otherwise neither
 * the JIT nor the C compiler leaves anything of it, as long as the question comes first:
 *
 * <pre>{@code
 * if (Check.isOn()) Check.that(Page.isEmpty(page));
 * }</pre>
 */
public final class Check {
    private static final boolean ON = "true".equals(System.getProperty("dev.mimalloc.check"));

    private Check() {}

    /** Whether invariants are checked. The answer never changes while the process lives. */
    public static boolean isOn() { return ON; }

    /** An error that says what is wrong, and where. In C the process says so, and aborts. */
    public static void fail(long text, long address) {
        throw new AssertionError("an invariant of the allocator does not hold: %s 0x%x".formatted(Text.string(text), address));
    }

    /** An error when the invariant does not hold. In C the process says in which function, and aborts. */
    public static void that(boolean holds) {
        if (!holds) throw new AssertionError("an invariant of the allocator does not hold");
    }
}
