package dev.mimalloc.core;

import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * Which allocations a listener is told of: each byte that is allocated is a sample with the same probability,
 * independently of all others. The fast paths know nothing of it.
 *
 * <p>A theap counts down the bytes to its next sample. A malloc comes by here only when its page's free list has run
 * empty, or when its block gets a page to itself. Then it is known how many blocks the list will have next, and whether
 * the sample is among them. If it is, the list is cut before that block, and the page marked: when malloc comes by next,
 * it is for the sample. Blocks that are not allocated before the page is given back are no samples, as it should be.
 *
 * <p>Where a page changes hands with blocks in its lists, or an aligned allocation takes a block from a page of many, a
 * few blocks count twice or not at all. In C nobody listens, and all of this is compiled away.
 */
final class Sampling {
    private Sampling() {}

    /** For an allocation whose page has no free block: true if it is a sample. */
    static boolean isNext(long page) {
        if (!Page.has(page, Page.SAMPLE_NEXT)) return false;
        Page.clearFlag(page, Page.SAMPLE_NEXT);
        return true;
    }

    /** How many bytes an allocation counts: those of its block, unless that has a page of its own. */
    static long bytes(long size) { return size <= Config.LARGE_OBJECT_MAX ? SizeClass.goodSize(size) : size; }

    /** Counts one allocation; true if it is a sample. */
    static boolean reached(long theap, long size) {
        long left = left(theap) - bytes(size);
        Theap.setSampleIn(theap, left > 0 ? left : Trace.distance());
        return left <= 0;
    }

    /**
     * Counts what a page's free list has got; true if the allocation that needed it is a sample. Of 35 bytecodes at
     * most: so the JIT takes it into its caller.
     */
    static boolean refilled(long theap, long page, long interval) {
        long left = known(theap, interval) - Page.listBytes(page);
        if (left <= 0) return refilledSlow(theap, page);
        Theap.setSampleIn(theap, left);
        return false;
    }

    private static boolean refilledSlow(long theap, long page) {
        long bytes = Page.listBytes(page);
        long data = Theap.data(theap);
        // As in Allocate.heartbeat: now, and not with a list cut in two.
        if (!ThreadData.isShared(data)) ThreadSlot.probeStack();
        long left = left(theap);
        boolean first = left <= Page.blockSize(page);
        // As a sample it takes no block of the list, and the next sample may be in the list as well.
        if (first) left = Trace.distance();
        boolean inList = left <= bytes && Page.localFree(page) == 0;
        if (inList) {
            int blocks = (int) ((left - 1) / Page.blockSize(page));
            // What is put back will be in a list that is filled once more.
            Theap.countFilled(theap, Page.bin(page), blocks - (int) (bytes / Page.blockSize(page)));
            Page.cut(page, blocks);
            Page.setFlag(page, Page.SAMPLE_NEXT);
        }
        Theap.setSampleIn(theap, inList ? Trace.distance() : Config.max(1, left - bytes));
        return first;
    }

    /** The bytes to the theap's next sample; they are drawn at first, and anew when the interval has changed. */
    private static long left(long theap) {
        long interval = Trace.sampleInterval();
        if (Theap.sampleInterval(theap) == interval) return Theap.sampleIn(theap);
        Theap.setSampleInterval(theap, interval);
        return Trace.distance();
    }

    /** The same if nothing must be drawn for it, and otherwise 0. */
    private static long known(long theap, long interval) {
        return Theap.sampleInterval(theap) == interval ? Theap.sampleIn(theap) : 0;
    }
}
