package dev.mimalloc.arena;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.base.HeapUsers;
import dev.mimalloc.core.malloc.Spare;
import dev.mimalloc.tracking.Tracker;

/** Where an arena's blocks come from. A heap knows how many arenas are open in it, and does not end before them. */
public final class Blocks {
    /** Those of the main heap, which does not end. */
    public static final Blocks MAIN = new Blocks(null, null);

    private final Heap heap; // null for the main heap, as is the next
    private final HeapUsers users;

    public Blocks(Heap heap, HeapUsers users) {
        this.heap = heap;
        this.users = users;
    }

    /** Who lends the current thread's spare block; 0 for nobody. Where blocks are tracked all are the arena's own. */
    long lender() { return heap == null && !Tracker.ON ? Spare.lender() : 0; }

    /** A new arena allocates in the heap. */
    void enter() {
        if (heap != null) users.enterArena();
    }

    /** An arena has freed all its blocks. */
    void leave() {
        if (heap != null) users.leaveArena();
    }

    /** From here to {@link #end} the heap does not end, even if the arena does; for arenas of several threads. */
    int begin() { return heap == null ? 0 : users.enter(); }

    void end(int place) {
        if (heap != null) users.leave(place);
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

    long allocate(long size, long alignment) {
        if (alignment <= 8 || alignment <= 16 && size > 8) {
            return heap == null ? Mimalloc.malloc(size) : heap.malloc(size);
        }
        return heap == null ? Mimalloc.mallocAligned(size, alignment) : heap.mallocAligned(size, alignment);
    }

    long allocateZeroed(long size, long alignment) {
        if (alignment <= 8 || alignment <= 16 && size > 8) {
            return heap == null ? Mimalloc.zalloc(size) : heap.zalloc(size);
        }
        return heap == null ? Mimalloc.zallocAligned(size, alignment) : heap.zallocAligned(size, alignment);
    }
}
