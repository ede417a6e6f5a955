package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * A thread-local heap: a thread's own part of a heap. All plain: only its thread touches it, or who holds the lock
 * that the class Heaps names; the queues have a lock of their own.
 *
 * <pre>
 * offset width field
 *      0  1032 direct         for 0 to 128 words, the page that malloc tries first
 *   1032     8 data           the thread's data; written once
 *   1040     8 heap           written once
 *   1048     8 generic        generic allocations so far
 *   1056     8 pageCount      pages in the queues
 *   1064     4 retireFirst    bins between which an empty page waits to be retired
 *   1068     4 retireLast
 *   1072     8 nextInThread   the thread's list; livesLock
 *   1080     8 prevInThread
 *   1088     8 nextInHeap     the heap's list; livesLock
 *   1096     8 prevInHeap
 *   1104     8 retainMore     full pages of a bin that stay beyond option page_full_retain, in slices; see FindPage
 *   1112     8 fullRetain     option page_full_retain
 *   1120     8 maxReclaim     option page_max_reclaim
 *   1128     8 reclaimOnFree  option page_reclaim_on_free
 *   1136     8 candidates     option page_max_candidates
 *   1144     8 collectCycles  option generic_collect
 *   1152    72 counters       EXTENDED to MADE_BYTES; added to the heap's statistics when the theap ends
 *   1224  3552 queues         PageQueue: one for each bin, and behind them one for each bin's full pages
 *   4776   592 filled         for each bin, how many blocks were put where malloc takes them from; for single blocks
 *                           their bytes; as the counters
 *   5368   592 made           for each bin, how many pages; as the counters
 *   5960     8 sampleIn       bytes to the next sample
 *   5968     8 sampleInterval the interval that they were drawn for; 0 at first
 *   5976     8 lock           held while the queues change; only the owner ever waits for it
 *   5984     8 kept           1 when the theap's thread may come back to it after its heap has ended
 *   5992     8 orphan         1 in the list of orphans; livesLock
 * </pre>
 */
public final class Theap {
    private static final long FILLED = 1224 + 2 * SizeClass.COUNT * 24L;
    private static final long MADE = FILLED + SizeClass.COUNT * 8L;
    private static final long SAMPLE = MADE + SizeClass.COUNT * 8L;
    private static final long LOCK = SAMPLE + 16;
    static final long SIZE = LOCK + 24;

    /** Counters of what happens too often for an atomic one. */
    static final int EXTENDED = 0;
    static final int RETIRED = 1;
    static final int SEARCHES = 2;
    static final int SEARCHES_COUNT = 3;
    static final int RECLAIM_ON_ALLOC = 4;
    static final int RECLAIM_ON_FREE = 5;
    static final int REABANDON_FULL = 6;
    static final int ABANDONED = 7;
    static final int MADE_BYTES = 8;

    private Theap() {}

    /** The page for blocks of {@code size} bytes, at most {@link Config#SMALL_SIZE_MAX}; never 0. */
    static long direct(long theap, long size) { return address(getLong(theap + ((size + 7) >>> 3 << 3))); }
    static void setDirect(long theap, long words, long page) { putLong(theap + (words << 3), page); }
    static long data(long theap) { return getLong(theap + 1032); }
    static void setData(long theap, long data) { putLong(theap + 1032, data); }
    static long heap(long theap) { return getLong(theap + 1040); }
    static void setHeap(long theap, long heap) { putLong(theap + 1040, heap); }
    static long generic(long theap) { return getLong(theap + 1048); }
    static void setGeneric(long theap, long count) { putLong(theap + 1048, count); }
    static long pageCount(long theap) { return getLong(theap + 1056); }
    static void addPageCount(long theap, long count) { putLong(theap + 1056, pageCount(theap) + count); }
    static int retireFirst(long theap) { return getInt(theap + 1064); }
    static int retireLast(long theap) { return getInt(theap + 1068); }
    static void setRetire(long theap, int first, int last) {
        putInt(theap + 1064, first);
        putInt(theap + 1068, last);
    }
    static long nextInThread(long theap) { return getLong(theap + 1072); }
    static void setNextInThread(long theap, long next) { putLong(theap + 1072, next); }
    static long prevInThread(long theap) { return getLong(theap + 1080); }
    static void setPrevInThread(long theap, long prev) { putLong(theap + 1080, prev); }
    static long nextInHeap(long theap) { return getLong(theap + 1088); }
    static void setNextInHeap(long theap, long next) { putLong(theap + 1088, next); }
    static long prevInHeap(long theap) { return getLong(theap + 1096); }
    static void setPrevInHeap(long theap, long prev) { putLong(theap + 1096, prev); }
    static long fullRetain(long theap) { return getLong(theap + 1112); }
    static long retainMore(long theap) { return getLong(theap + 1104); }
    static void setRetainMore(long theap, long slices) { putLong(theap + 1104, slices); }
    static long maxReclaim(long theap) { return getLong(theap + 1120); }
    static long reclaimOnFree(long theap) { return getLong(theap + 1128); }
    static long candidates(long theap) { return getLong(theap + 1136); }
    static long collectCycles(long theap) { return getLong(theap + 1144); }
    static void count(long theap, int counter, long amount) {
        putLong(theap + 1152 + counter * 8L, getLong(theap + 1152 + counter * 8L) + amount);
    }
    private static long counter(long theap, int counter) { return getRelaxed(theap + 1152 + counter * 8L); }
    /** A page was made that has {@code bytes} for blocks. */
    static void countMade(long theap, int bin, long bytes) {
        putLong(theap + MADE + bin * 8L, getLong(theap + MADE + bin * 8L) + 1);
        count(theap, MADE_BYTES, bytes);
        if (bin == SizeClass.HUGE) putLong(theap + FILLED + bin * 8L, getLong(theap + FILLED + bin * 8L) + bytes);
    }
    /**
     * A page's {@code free} was empty and has been filled. So malloc is counted when it has nothing else to do; who
     * frees the page takes off what is left of the list.
     */
    static void countFilled(long theap, int bin, long page) {
        // All blocks that are not in use are in that list now.
        countFilled(theap, bin, Page.capacity(page) - Page.used(page));
    }
    static void countFilled(long theap, int bin, int blocks) {
        long at = theap + FILLED + bin * 8L;
        putLong(at, getLong(at) + blocks);
    }
    /** Adds the counters to statistics; of a running thread's theap a snapshot. */
    static void addCounters(long theap, long statistics) {
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            long blocks = getRelaxed(theap + FILLED + bin * 8L);
            if (blocks == 0) continue;
            Statistics.add(statistics, Statistics.MALLOC_BINS + bin * 24, blocks * SizeClass.binSize(bin));
        }
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            if (made(theap, bin) != 0) addPages(statistics, bin, made(theap, bin));
        }
        long single = getRelaxed(theap + FILLED + SizeClass.HUGE * 8L);
        addPages(statistics, SizeClass.HUGE, made(theap, SizeClass.HUGE));
        Statistics.add(statistics, Statistics.PAGE_COMMITTED, counter(theap, MADE_BYTES));
        Statistics.add(statistics, Statistics.MALLOC_HUGE, single);
        Statistics.add(statistics, Statistics.MALLOC_HUGE_COUNT, made(theap, SizeClass.HUGE));
        for (int i = 0; i <= SEARCHES_COUNT; i++) {
            Statistics.add(statistics, Statistics.PAGES_EXTENDED + i * 8, counter(theap, i));
        }
        for (int i = RECLAIM_ON_ALLOC; i <= REABANDON_FULL; i++) {
            long field = Statistics.PAGES_RECLAIM_ON_ALLOC + (i - RECLAIM_ON_ALLOC) * 8L;
            Statistics.add(statistics, (int) field, counter(theap, i));
        }
        Statistics.add(statistics, Statistics.PAGES_ABANDONED, counter(theap, ABANDONED));
    }
    static long sampleIn(long theap) { return getLong(theap + SAMPLE); }
    static void setSampleIn(long theap, long bytes) { putLong(theap + SAMPLE, bytes); }
    static long sampleInterval(long theap) { return getLong(theap + SAMPLE + 8); }
    static void setSampleInterval(long theap, long bytes) { putLong(theap + SAMPLE + 8, bytes); }
    static long lockWord(long theap) { return theap + LOCK; }
    /** For the owner, before its queues change: others take pages out of them, but never wait for the lock. */
    static void lock(long theap) { Lock.acquire(lockWord(theap)); }
    static void unlock(long theap) { Lock.releaseUnawaited(lockWord(theap)); }
    /**
     * The thread may come back to the theap even when its heap has ended. Written, with release, before the thread makes
     * it its default, and before a call for it calls a function of the user's; so who ends the heap after that, and with
     * the lives lock makes the theap an orphan, lets the next holder of that lock see it.
     */
    static boolean isKept(long theap) { return getAcquire(theap + LOCK + 8) != 0; }
    static void setKept(long theap) { putRelease(theap + LOCK + 8, 1); }
    static boolean isOrphan(long theap) { return getLong(theap + LOCK + 16) != 0; }
    /** Enters a theap in its thread's list of orphans; for who holds the lives lock. */
    static void pushOrphan(long theap) {
        long first = ThreadData.orphans(data(theap));
        putLong(theap + LOCK + 16, 1);
        setPrevInThread(theap, 0);
        setNextInThread(theap, first);
        if (first != 0) setPrevInThread(first, theap);
        ThreadData.setOrphans(data(theap), theap);
    }
    /** Takes it out; the same. */
    static void removeOrphan(long theap) {
        long next = nextInThread(theap);
        long prev = prevInThread(theap);
        if (prev != 0) setNextInThread(prev, next);
        else ThreadData.setOrphans(data(theap), next);
        if (next != 0) setPrevInThread(next, prev);
    }
    private static long made(long theap, int bin) { return getRelaxed(theap + MADE + bin * 8L); }
    private static void addPages(long statistics, int bin, long pages) {
        Statistics.add(statistics, Statistics.PAGES, pages);
        Statistics.add(statistics, Statistics.PAGE_BINS + bin * 24, pages);
    }
    /** The queue of a bin's pages with room, or, for {@code SizeClass.COUNT + bin}, of its full ones. */
    static long queue(long theap, int index) { return theap + 1224 + index * 24L; }

    static long subprocess(long theap) { return ThreadData.subprocess(data(theap)); }
    static long threadId(long theap) { return ThreadData.id(data(theap)); }
    static long statistics(long theap) { return Heap.statistics(heap(theap)); }

    /** Makes a theap forget its pages. */
    static void clearPages(long theap) {
        for (long words = 0; words <= Config.SMALL_SIZE_MAX / 8; words++) setDirect(theap, words, Root.emptyPage());
        fill(queue(theap, 0), 2 * SizeClass.COUNT * 24L, 0);
        addPageCount(theap, -pageCount(theap));
        setRetire(theap, SizeClass.COUNT, 0);
    }

    /** Makes a theap in zeroed memory; it is not in any list yet. */
    static void init(long theap, long data, long heap) {
        setData(theap, data);
        setHeap(theap, heap);
        clearPages(theap);
        putLong(theap + 1112, Options.bounded(Options.PAGE_FULL_RETAIN));
        putLong(theap + 1120, Options.bounded(Options.PAGE_MAX_RECLAIM));
        putLong(theap + 1128, Options.bounded(Options.PAGE_RECLAIM_ON_FREE));
        putLong(theap + 1136, Options.bounded(Options.PAGE_MAX_CANDIDATES));
        putLong(theap + 1144, Options.bounded(Options.GENERIC_COLLECT));
    }
}
