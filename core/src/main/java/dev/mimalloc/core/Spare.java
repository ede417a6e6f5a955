package dev.mimalloc.core;

import dev.mimalloc.machine.ThreadSlot;

/**
 * A block that each thread keeps at hand: for memory that is wanted for a moment, again and again, taking it and
 * putting it back costs even less than malloc and free. Only one borrower at a time can have it. It is memory of the
 * allocator's own, as for a struct: so it is no block that {@link Free} would take. JVM only.
 */
public final class Spare {
    /** Bytes of the block. */
    public static final long SIZE = 4096;

    private Spare() {}

    /** Who lends to the current thread: to be handed to the other two, by the same thread. 0 if nobody does. */
    public static long lender() {
        long theap = ThreadSlot.theap();
        return theap == 0 ? 0 : Theap.data(theap);
    }

    /** The spare block, with arbitrary contents; 0 if it is lent already, or there is no memory. */
    public static long take(long lender) {
        long block = ThreadData.spare(lender);
        if (block == ThreadData.LENT) return 0;
        ThreadData.setSpare(lender, block); // where there is stack for this, there is when we have a block
        if (block == 0) block = Meta.allocate(SIZE);
        if (block != 0) ThreadData.setSpare(lender, ThreadData.LENT);
        return block;
    }

    public static void putBack(long lender, long block) { ThreadData.setSpare(lender, block); }

    /** Gives the block back to the process, unless it is lent. */
    static void release(long lender) {
        long block = ThreadData.spare(lender);
        if (block == ThreadData.LENT) return;
        ThreadData.setSpare(lender, 0);
        Meta.free(block, SIZE);
    }
}
