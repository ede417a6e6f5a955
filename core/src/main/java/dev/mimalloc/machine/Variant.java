package dev.mimalloc.machine;

/** What a C library can be built to do unasked, by definitions with mimalloc's names. The JVM has nothing of it. */
public final class Variant {
    private Variant() {}

    /** The default of an option: {@code value}, unless the library was built with another one. */
    public static long defaultOf(int option, long value) { return value; }

    /** Does it show errors in its debug build? On the JVM a misuse is an exception, and other errors have a result of their own. */
    public static boolean showsErrors() { return false; }

    /** Does the process end when there is no memory? */
    public static boolean abortsWithoutMemory() { return false; }
}
