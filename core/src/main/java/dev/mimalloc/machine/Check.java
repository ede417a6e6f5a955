package dev.mimalloc.machine;

/**
 * The level of the debug build, and the invariants of the allocator, checked where they must hold. On the JVM the system
 * property {@code dev.mimalloc.debug} sets the level for a whole process, in C the definition {@code MI_DEBUG} when the
 * library is compiled; neither the JIT nor the C compiler leaves anything of what the level has not, as long as the
 * question comes first:
 *
 * <pre>{@code
 * if (Check.isOn()) Check.that(Page.isEmpty(page));
 * }</pre>
 */
public final class Check {
    private static final int LEVEL = read(System.getProperty("dev.mimalloc.debug", "0"));

    private Check() {}

    /** What is no level is 0, and told of later: there is no logger yet. */
    private static int read(String level) { return level.matches("[0-3]") ? level.charAt(0) - '0' : 0; }

    /**
     * The same for as long as the process lives: 0, no debug build; 1, blocks are filled, and their misuse is found; 2,
     * invariants are checked, too; 3, all structures are walked over now and then.
     */
    public static int level() { return LEVEL; }

    /** Whether invariants are checked. */
    public static boolean isOn() { return LEVEL >= 2; }

    /** Whether structures are walked over. */
    public static boolean isFull() { return LEVEL >= 3; }

    /** An error that says what is wrong, and where. In C the process says so, and aborts. */
    public static void fail(long text, long address) {
        throw new AssertionError("an invariant of the allocator does not hold: %s 0x%x".formatted(Text.string(text), address));
    }

    /** An error when the invariant does not hold. In C the process says in which function, and aborts. */
    public static void that(boolean holds) {
        if (!holds) throw new AssertionError("an invariant of the allocator does not hold");
    }
}
