package dev.mimalloc.core.malloc;

import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.ThreadSlot;

/**
 * A block that each thread keeps at hand: for memory that is wanted for a moment, again and again, borrowing it and
 * putting it back costs even less than malloc and free. Only one borrower at a time can have it. JVM only.
 */
public final class Spare {
    /** Bytes of the block. */
    public static final long SIZE = 4096;

    private Spare() {}

    /** The lender of the current thread, 0 if it has none: for {@link #borrow} and {@link #putBack} in this thread. */
    public static long lender() {
        long theap = ThreadSlot.theap();
        return theap == 0 ? 0 : Theap.data(theap);
    }

    /** The spare block, with arbitrary contents; 0 if it is lent already, or there is no memory. */
    public static long borrow(long lender) {
        long block = ThreadData.spare(lender);
        if (block == ThreadData.LENT) return 0;
        if (block == 0) block = allocate(lender);
        if (block != 0) ThreadData.setSpare(lender, ThreadData.LENT);
        return block;
    }

    /** Makes the spare block. At a memory limit malloc may call a function of the user's, which may make one, too. */
    private static long allocate(long lender) {
        ThreadData.setSpare(lender, 0); // where there is stack for this, there is when we have a block
        long block = Allocate.malloc(SIZE);
        long other = ThreadData.spare(lender);
        if (other == 0) return block;
        Free.free(block);
        return other == ThreadData.LENT ? 0 : other;
    }

    public static void putBack(long lender, long block) { ThreadData.setSpare(lender, block); }

    /** Frees the block of a thread that has ended; before {@link Threads#done}, which ends its theaps. */
    public static void threadEnded(long theap) {
        long data = Theap.data(theap);
        // With its subprocess the block has gone as well.
        if (ThreadData.subprocess(data) != 0) Free.free(ThreadData.takeSpare(data));
    }
}
