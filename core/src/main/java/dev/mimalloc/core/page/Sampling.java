package dev.mimalloc.core.page;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.profile.Exponential;
import dev.mimalloc.core.profile.Profiler;
import dev.mimalloc.core.profile.Samples;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * Which allocations are samples, for heap profiles: each byte that is allocated is one with equal probability,
 * independently of all others. The fast paths know nothing of it.
 *
 * <p>A theap counts down the bytes to its next sample. A malloc comes by here only when its page's free list has run
 * empty, or when its block gets a page to itself. When the list is filled it is known how many blocks it has, and
 * whether the sample is among them. If it is, the list is cut before that block, and the page marked: when malloc comes
 * by next, it is for the sample. A block that is not allocated before its page is given back is no sample, as it should
 * be.
 *
 * <p>Where a page changes hands with blocks in its lists, or an aligned allocation takes a block from a page of many, a
 * few blocks count twice or not at all. On the JVM a listener hears of all samples ({@link Trace}), in C each heap may
 * have a profiler ({@link Profiler}).
 */
public final class Sampling {
    /** Of a block of so many intervals one byte at least is a sample, but for once in 2981 times. */
    private static final long CERTAIN = 8;

    private Sampling() {}

    /** Is anything of a theap's allocations sampled, or guarded? */
    public static boolean isOn(long theap) { return Trace.sampleInterval() != 0 || Theap.isWatchedRelaxed(theap); }

    /** One in how many bytes that are allocated in a heap is sampled; 0 for none. */
    public static long interval(long heap) {
        if (Trace.sampleInterval() != 0) return Trace.sampleInterval();
        return Profiler.rate(Heap.profilerAcquire(heap));
    }

    /**
     * May a block grow in its place to {@code size} bytes? Where samples are taken, growth is no allocation that could be
     * one. So only a block that is a sample anyway grows, or will be one with a probability of 0.9997; and it stays one. The
     * JVM's listener does not hear of growth.
     */
    public static boolean mayGrow(long heap, long size) {
        return Trace.sampleInterval() == 0 && size / CERTAIN >= interval(heap);
    }

    /** A block with a page to itself has grown in its place by some bytes. */
    static void grow(long page, long bytes) {
        if (Page.has(page, Page.SAMPLED)) Samples.grow(page, bytes);
    }

    /** How many bytes an allocation counts: those of its block, unless that has a page of its own. */
    public static long bytes(long size) { return SizeClass.isHuge(size) ? size : SizeClass.goodSize(size); }

    /**
     * What is this allocation: a sample ({@link Page#SAMPLE_NEXT}), to be guarded ({@link Page#GUARD_NEXT}), or neither
     * (0)? Asked once for each allocation that the fast path does not serve, as the answer counts the allocation.
     *
     * @param page the page that would serve it, whose free list is empty; 0 if there is none
     * @param asked what the user asked for, which is what bounds for guarded blocks are about
     */
    public static int next(long theap, long page, long size, long asked) {
        if (interval(Theap.heap(theap)) != 0 && isSample(theap, page, size)) return Page.SAMPLE_NEXT;
        boolean guarded = Theap.guardRate(theap) != 0 && Theap.mayGuard(theap, asked, asked);
        if (page == 0 || !Page.has(page, Page.GUARD_NEXT)) guarded = guarded && Theap.countGuard(theap, 1);
        else Page.clearFlag(page, Page.GUARD_NEXT);
        return guarded ? Page.GUARD_NEXT : 0;
    }

    private static boolean isSample(long theap, long page, long size) {
        long left = left(theap);
        if (page != 0 && Page.has(page, Page.SAMPLE_NEXT)) {
            Page.clearFlag(page, Page.SAMPLE_NEXT);
            return true;
        }
        if (size < 0) return false;
        left -= bytes(size);
        if (left > 0) Theap.setSampleIn(theap, left);
        else draw(theap);
        return left <= 0;
    }

    /**
     * Counts the blocks that a page's free list was filled with, all but the first: that one is for the allocation that
     * needed the list, which {@link #next} has counted. The method has 35 bytecodes at most, so that the JIT takes it
     * into its caller.
     */
    public static void countList(long theap, long page) {
        long left = known(theap) - Page.listBytes(page) + Page.blockSize(page);
        if (left > 0) Theap.setSampleIn(theap, left);
        else countListSlow(theap, page);
    }

    /** Counts a list's blocks when the next sample may be among them: then the list is cut before it. */
    private static void countListSlow(long theap, long page) {
        long size = Page.blockSize(page);
        long bytes = Page.listBytes(page) - size;
        // An error thrown later would leave a list cut in two. A thread that has a lease has looked at the stack
        // before.
        if (!ThreadData.isShared(Theap.data(theap))) ThreadSlot.probeStack();
        if (Theap.guardRate(theap) != 0) bytes = countBlocks(theap, page, bytes / size) * size;
        if (interval(Theap.heap(theap)) == 0) return;
        long left = left(theap);
        if (left > bytes || Page.localFree(page) != 0) {
            Theap.setSampleIn(theap, Config.max(1, left - bytes));
            return;
        }
        int blocks = (int) (1 + (left - 1) / size);
        // The blocks that are cut off come back in a later list, and are counted then.
        Theap.countListed(theap, Page.bin(page), blocks - (int) (1 + bytes / size));
        Page.cut(page, blocks);
        Page.setFlag(page, Page.SAMPLE_NEXT);
        draw(theap);
    }

    /**
     * Counts a list's blocks behind the first as allocations; the list is cut before one that is to be guarded. Returns how
     * many are left.
     */
    private static long countBlocks(long theap, long page, long blocks) {
        // Smaller blocks may lie in the page as well: whether one is within the bounds is known when it is asked for.
        if (!Theap.mayGuard(theap, Page.blockSize(page) / 2, Page.blockSize(page))) return blocks;
        long left = Theap.guardIn(theap);
        // A list that cannot be cut is as if it ended before that one.
        if (!Theap.countGuard(theap, Page.localFree(page) != 0 ? Config.min(left - 1, blocks) : blocks)) return blocks;
        Theap.countListed(theap, Page.bin(page), (int) (left - 1 - blocks));
        Page.cut(page, (int) left);
        Page.setFlag(page, Page.GUARD_NEXT);
        return left - 1;
    }

    /** The bytes to the theap's next sample; they are drawn at first, and anew when the interval has changed. */
    private static long left(long theap) {
        if (Theap.sampleInterval(theap) == interval(Theap.heap(theap))) return Theap.sampleIn(theap);
        dropMarks(theap);
        draw(theap);
        return Theap.sampleIn(theap);
    }

    /** Samples that were drawn at another interval would count for too many bytes, or too few. */
    private static void dropMarks(long theap) {
        Theap.lock(theap);
        for (int index = 0; index < 2 * SizeClass.COUNT; index++) {
            for (long page = PageQueue.first(Theap.queue(theap, index)); page != 0; page = Page.next(page)) Page.clearFlag(page, Page.SAMPLE_NEXT);
        }
        Theap.unlock(theap);
    }

    private static void draw(long theap) {
        long interval = interval(Theap.heap(theap));
        Theap.setSampleInterval(theap, interval);
        long distance = Trace.sampleInterval() != 0 ? Trace.distance() : Exponential.draw(interval, Theap.nextSampleRandom(theap));
        Theap.setSampleSince(theap, Theap.sampleDrawn(theap));
        Theap.setSampleDrawn(theap, distance);
        Theap.setSampleIn(theap, distance);
    }

    /** Shall an allocation become a sample? If so, {@link #begin} follows, if there is memory. How many bytes it stands for, or 0. */
    public static long weigh(long size) {
        return Trace.sampleInterval() != 0 ? Trace.weigh(bytes(size)) : 1;
    }

    /** A block has become a sample; nobody has seen it yet. At the end of an allocation: see {@link Samples#add}. */
    public static void begin(long heap, long page, long block, long asked, long size, long weight, long rate, long since) {
        if (Trace.sampleInterval() != 0) Trace.allocated(block, asked, weight, Heap.sequence(heap));
        else Samples.add(heap, page, block, asked, bytes(size), rate, since);
    }

    /** The block of a sample's page is free again. */
    static void end(long page, long heap) {
        Trace.freed(Page.start(page));
        Samples.remove(page, heap);
    }

    /** The bytes to the theap's next sample, as {@link #left}; 0 where they must be drawn, or blocks count as well. */
    private static long known(long theap) {
        if (Theap.guardRate(theap) != 0) return 0;
        return Theap.sampleInterval(theap) == interval(Theap.heap(theap)) ? Theap.sampleIn(theap) : 0;
    }
}
