package dev.mimalloc.machine;

/**
 * Tells a tool that watches each access of memory which bytes belong to a live block: valgrind, or AddressSanitizer. Only
 * C libraries that are built for it have one: there the definitions {@code MI_TRACK_VALGRIND} and {@code MI_TRACK_ASAN}
 * turn this on. It is a constant of the compiler, so that other builds have nothing of it, and the JVM has none.
 *
 * <p>Where it is on, each malloc and free takes the slow path, as in a process that options harden, and each block has a
 * red zone behind it: bytes that no user has.
 */
public final class Track {
    private Track() {}

    /** Whether a tool is told. The answer never changes. */
    public static boolean isOn() { return false; }

    /** How many bytes of a block behind those of its user are no user's, where blocks have padding. */
    public static long redZone() { return 1; }

    /**
     * A user has {@code size} bytes from {@code p} on, which lies in a block of {@code blockSize} bytes; no others of
     * that block may be touched.
     */
    public static void allocated(long p, long size, boolean zero, long block, long blockSize) {}

    /**
     * A user frees {@code p}, which lies in a block of {@code blockSize} bytes, 0 if no block is there. Told before the
     * allocator looks at it, so that the tool can say what it knows of an address that cannot be freed.
     */
    public static void freed(long p, long block, long blockSize) {}

    /** All of so many blocks of a size are gone, whoever had them. */
    public static void destroyed(long start, long blockSize, long blocks) {}
}
