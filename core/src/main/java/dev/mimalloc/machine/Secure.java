package dev.mimalloc.machine;

/**
 * The level of the secure build. On the JVM the system property {@code dev.mimalloc.secure} sets it for a whole
 * process, in C the definition {@code MI_SECURE} when the library is compiled. It is a constant of either compiler, so
 * that what a level has stands in the fast paths, and what it has not leaves nothing behind.
 */
public final class Secure {
    private static final int LEVEL = read(System.getProperty("dev.mimalloc.secure", "0"));

    private Secure() {}

    private static int read(String level) {
        if (!level.matches("[0-5]")) throw new IllegalArgumentException("dev.mimalloc.secure is 0 to 5, not " + level);
        return level.charAt(0) - '0';
    }

    /** From 0, not hardened, to 5; the same for as long as the process lives. */
    public static int level() { return LEVEL; }
}
