package dev.mimalloc.core;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * Which allocations a listener is told of: each byte that is allocated is a sample with the same probability,
 * independently of all others. The fast paths know nothing of it.
 *
 * <p>A thread counts down the bytes to its next sample. A small block's malloc comes by here only when its page's free
 * list has run empty. Then it is known how many blocks the list will have next, and whether the sample is among them.
 * If it is, the list is cut before that block, and the page marked: when malloc comes by next, it is for the sample.
 * Blocks that are not allocated before the page is given back are no samples, as it should be.
 *
 * <p>Where a page changes hands with blocks in its lists, or an aligned allocation takes a block from a small page, a
 * few blocks count twice or not at all. In C nobody listens, and all of this is compiled away.
 */
final class Sampling {
    private Sampling() {}

    /** For a small allocation whose page has no free block, and any larger one: true if it is a sample. */
    static boolean isNext(long theap, long size) {
        if (Bits.below(Config.SMALL_SIZE_MAX, size)) return size > 0 && reached(theap, size);
        long page = Theap.direct(theap, size);
        if (!Page.has(page, Page.SAMPLE_NEXT)) return false;
        Page.clearFlag(page, Page.SAMPLE_NEXT);
        return true;
    }

    /** How many bytes an allocation counts: a small one, whose size nobody asks for, those of its block. */
    static long bytes(long size) { return size <= Config.SMALL_SIZE_MAX ? SizeClass.goodSize(size) : size; }

    /** Counts one allocation; true if it is a sample. */
    static boolean reached(long theap, long size) {
        long data = Theap.data(theap);
        long left = left(data) - bytes(size);
        ThreadData.setSampleIn(data, left > 0 ? left : Trace.distance());
        return left <= 0;
    }

    /** Counts what a small page's free list has got; true if the allocation that needed it is a sample. */
    static boolean refilled(long theap, long page) {
        long data = Theap.data(theap);
        long bytes = (Page.capacity(page) - Page.used(page)) * Page.blockSize(page);
        long left = left(data) - bytes;
        if (left <= 0) return cutSlow(theap, page, left + bytes, bytes);
        ThreadData.setSampleIn(data, left);
        return false;
    }

    private static boolean cutSlow(long theap, long page, long left, long bytes) {
        long data = Theap.data(theap);
        // As in Allocate.heartbeat: now, and not with a list cut in two.
        if (!ThreadData.isShared(data)) ThreadSlot.probeStack();
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
        ThreadData.setSampleIn(data, inList ? Trace.distance() : Config.max(1, left - bytes));
        return first;
    }

    /** The bytes to the thread's next sample; they are drawn at first, and anew when the interval has changed. */
    private static long left(long data) {
        long interval = Trace.sampleInterval();
        if (ThreadData.sampleInterval(data) == interval) return ThreadData.sampleIn(data);
        ThreadData.setSampleInterval(data, interval);
        return Trace.distance();
    }
}
