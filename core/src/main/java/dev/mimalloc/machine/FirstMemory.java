package dev.mimalloc.machine;

/**
 * A few MiB of the JDK's memory, from which the first calls are served: to link a function of the system costs the JVM
 * a tenth of a second, which a program that allocates little should not pay ({@link SystemCalls}). It is never given
 * back to the JDK, but what is in it may be purged like all memory. Only where the allocator's classes may be unloaded
 * the JDK frees it with them: then it has the allocator's own structs, and no block that might still be in use.
 */
final class FirstMemory {
    /** What the allocator needs for itself at the start, 1.7 MiB, and an arena of 2 MiB where the classes stay. */
    private static final int SIZE = Unpinned.stays() ? 4 << 20 : 2 << 20;
    private static final int ALIGNMENT = 512 << 10; // what core's first structs want
    private static final long START = Access.allocate(SIZE, ALIGNMENT);

    // From both ends, so that one request for a large alignment leaves no hole. Guarded by the class.
    private static long low = START;
    private static long high = START + SIZE;

    private FirstMemory() {}

    /** Zeroed memory; 0 if there is no room for it. The size and the alignment are whole OS pages. */
    static synchronized long take(long size, long alignment) {
        if (size > high - low || alignment > ALIGNMENT) return 0;
        if (alignment == ALIGNMENT) {
            long taken = low + alignment - 1 & -alignment;
            if (size > high - taken) return 0;
            low = taken + size;
            return taken;
        }
        long taken = high - size & -alignment;
        if (taken < low) return 0;
        high = taken;
        return taken;
    }

    /** Takes memory for an arena, where users' blocks lie; 0 also where it would go with the allocator's classes. */
    static long takeForBlocks(long size, long alignment) { return Unpinned.stays() ? take(size, alignment) : 0; }

    static boolean contains(long address) { return address - START >= 0 && address - START < SIZE; }
}
