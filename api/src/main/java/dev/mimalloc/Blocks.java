package dev.mimalloc;

/**
 * Where an arena's blocks come from: a heap, or the main heap if that is null. A heap knows how many arenas are open
 * in it, and does not end before them.
 */
final class Blocks {
    private Blocks() {}

    /** A new arena allocates in the heap. */
    static void enter(Heap heap) {
        if (heap != null) heap.enterArena();
    }

    /** An arena has freed all its blocks. */
    static void leave(Heap heap) {
        if (heap != null) heap.leaveArena();
    }

    /** From here to {@link #end} the heap does not end, even if the arena does; for arenas of several threads. */
    static int begin(Heap heap) { return heap == null ? 0 : heap.enter(); }

    static void end(Heap heap, int place) {
        if (heap != null) heap.leave(place);
    }

    /**
     * Frees a block of an arena that ends. If it has been written to past its end, the others are freed all the same:
     * returns what was wrong so far, or null.
     */
    static RuntimeException free(long block, RuntimeException before) {
        try {
            Mimalloc.free(block);
            return before;
        } catch (RuntimeException wrong) {
            if (before == null) return wrong;
            before.addSuppressed(wrong);
            return before;
        }
    }

    static long allocate(Heap heap, long size, long alignment) {
        if (alignment <= 8 || alignment <= 16 && size > 8) {
            return heap == null ? Mimalloc.malloc(size) : heap.malloc(size);
        }
        return heap == null ? Mimalloc.mallocAligned(size, alignment) : heap.mallocAligned(size, alignment);
    }

    static long allocateZeroed(Heap heap, long size, long alignment) {
        if (alignment <= 8 || alignment <= 16 && size > 8) {
            return heap == null ? Mimalloc.zalloc(size) : heap.zalloc(size);
        }
        return heap == null ? Mimalloc.zallocAligned(size, alignment) : heap.zallocAligned(size, alignment);
    }
}
