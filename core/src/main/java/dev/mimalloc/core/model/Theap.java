package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Track;

/**
 * A thread-local heap: the pages of a heap that one thread allocates from. For each bin it has a queue of pages with
 * room and a queue of full ones. Its direct table leads from a small size to the first page with room in one load, or
 * to a page without blocks where there is none.
 *
 * <p>Only the theap's thread touches a field for which the layout has no other word. The queues change under the
 * theap's own lock, since {@code Scavenge} takes pages out of other threads' queues, and what lies behind the blocks of
 * the first ones.
 *
 * <p>What happens too often for an atomic counter is counted here, by plain stores; a report adds it to the heap's
 * statistics, and so does the theap's end. {@code FILLED} counts for each bin the blocks that were put in a page's
 * {@code free}, and for blocks with a page to themselves their bytes.
 */
public final class Theap {
    /** Counters of what happens too often for an atomic one. */
    public static final int EXTENDED = 0;
    public static final int RETIRED = 1;
    public static final int SEARCHES = 2;
    public static final int SEARCHES_COUNT = 3;
    public static final int RECLAIM_ON_ALLOC = 4;
    public static final int RECLAIM_ON_FREE = 5;
    public static final int REABANDON_FULL = 6;
    public static final int ABANDONED = 7;
    static final int MADE_BYTES = 8;
    private static final int COUNTER_COUNT = MADE_BYTES + 1;

    private static final long DIRECT = 0; // for 0 to 128 words, the page that malloc tries first
    private static final long DATA = DIRECT + (Config.SMALL_SIZE_MAX / WORD + 1) * WORD; // 8 once: the thread's data
    private static final long HEAP = DATA + 8; // 8 once
    private static final long GENERIC = HEAP + 8; // 8: allocations so far that found free empty: see Allocate.generic
    private static final long WATCHED = GENERIC + 8; // 8 atomic: GUARDED and PROFILED, or 0
    private static final long PAGE_COUNT = WATCHED + 8; // 8: pages in the queues
    private static final long RETIRE_FIRST = PAGE_COUNT + 8; // 4: bins between which an empty page waits to be retired
    private static final long RETIRE_LAST = RETIRE_FIRST + 4; // 4
    private static final long NEXT_IN_THREAD = RETIRE_LAST + 4; // 8 livesLock: the thread's list
    private static final long PREV_IN_THREAD = NEXT_IN_THREAD + 8; // 8 livesLock
    private static final long NEXT_IN_HEAP = PREV_IN_THREAD + 8; // 8 livesLock: the heap's list
    private static final long PREV_IN_HEAP = NEXT_IN_HEAP + 8; // 8 livesLock
    private static final long RETAIN_MORE = PREV_IN_HEAP + 8; // 8: slices in full pages beyond FULL_RETAIN: FindPage
    private static final long FULL_RETAIN = RETAIN_MORE + 8; // 8: option page_full_retain
    private static final long MAX_RECLAIM = FULL_RETAIN + 8; // 8: option page_max_reclaim
    private static final long RECLAIM_FREE = MAX_RECLAIM + 8; // 8: option page_reclaim_on_free
    private static final long CANDIDATES = RECLAIM_FREE + 8; // 8: option page_max_candidates
    private static final long COLLECT_CYCLES = CANDIDATES + 8; // 8: option generic_collect
    private static final long COUNTERS = COLLECT_CYCLES + 8; // EXTENDED to MADE_BYTES; others read relaxed
    private static final long QUEUES = COUNTERS + COUNTER_COUNT * WORD; // one for each bin, then one for its full pages
    private static final long FILLED = QUEUES + 2 * SizeClass.COUNT * PageQueue.SIZE; // of a bin, as the counters
    private static final long MADE = FILLED + SizeClass.COUNT * WORD; // of a bin, as the counters: pages
    private static final long SAMPLE_IN = MADE + SizeClass.COUNT * WORD; // 8: bytes to the next sample
    private static final long SAMPLE_INTERVAL = SAMPLE_IN + 8; // 8: the interval that they were drawn for; 0 at first
    private static final long SAMPLE_DRAWN = SAMPLE_INTERVAL + 8; // 8: as SAMPLE_IN when it was drawn
    private static final long SAMPLE_SINCE = SAMPLE_DRAWN + 8; // 8: the one before
    private static final long SAMPLE_RANDOM = SAMPLE_SINCE + 8; // 8: the state of its random numbers; 0 before the first
    private static final long GUARD_RATE = SAMPLE_RANDOM + 8; // 8: of how many allocations one is guarded; 0 for none
    private static final long GUARD_IN = GUARD_RATE + 8; // 8: allocations to the next guarded one
    private static final long GUARD_RANDOM = GUARD_IN + 8; // 8: the state of its random numbers
    private static final long GUARD_MIN = GUARD_RANDOM + 8; // 8: bytes of the smallest block to guard
    private static final long GUARD_MAX = GUARD_MIN + 8; // 8: bytes of the largest one
    private static final long LOCK = GUARD_MAX + 8; // 8: held while the queues change; only the owner waits
    private static final long KEPT = LOCK + 8; // 8 acquire: 1 when the thread may come back to it after its heap's end
    private static final long ORPHAN = KEPT + 8; // 8 livesLock: 1 in the list of orphans
    private static final long QUARANTINES = ORPHAN + 8; // 16: one for blocks and one for large ones; 0 before the first
    public static final long SIZE = QUARANTINES + 16;
    /** An odd number, so that a row of random numbers has all that there are. */
    private static final long RANDOM_STEP = 0x9E3779B97F4A7C15L;
    /** Why allocations are looked at one by one: some are guarded, or the heap has a profiler. */
    private static final long GUARDED = 1;
    private static final long PROFILED = 2;
    /** Kinds of quarantine: for blocks of pages, and for those that have a page to themselves. */
    public static final int QUARANTINE = 0;
    public static final int QUARANTINE_LARGE = 1;
    /**
     * Where a theap is linked into its thread's list, or that of its orphans, and into its heap's: see {@link Links}.
     */
    public static final long IN_THREAD = NEXT_IN_THREAD;
    public static final long IN_HEAP = NEXT_IN_HEAP;

    private Theap() {}

    /** The page for blocks of {@code size} bytes, at most {@link Config#SMALL_SIZE_MAX}; never 0. */
    public static long direct(long theap, long size) {
        return address(getLong(theap + DIRECT + ((size + Secret.builtPadding() + 7) >>> 3 << 3)));
    }
    static void setDirect(long theap, long words, long page) { putLong(theap + DIRECT + (words << 3), page); }
    public static long data(long theap) { return getLong(theap + DATA); }
    static void setData(long theap, long data) { putLong(theap + DATA, data); }
    public static long heap(long theap) { return getLong(theap + HEAP); }
    static void setHeap(long theap, long heap) { putLong(theap + HEAP, heap); }
    public static long generic(long theap) { return getLong(theap + GENERIC); }
    public static void setGeneric(long theap, long count) { putLong(theap + GENERIC, count); }
    public static long pageCount(long theap) { return getLong(theap + PAGE_COUNT); }
    static void addPageCount(long theap, long count) { putLong(theap + PAGE_COUNT, pageCount(theap) + count); }
    public static int retireFirst(long theap) { return getInt(theap + RETIRE_FIRST); }
    public static int retireLast(long theap) { return getInt(theap + RETIRE_LAST); }
    public static void setRetire(long theap, int first, int last) {
        putInt(theap + RETIRE_FIRST, first);
        putInt(theap + RETIRE_LAST, last);
    }
    public static long nextInThread(long theap) { return getLong(theap + NEXT_IN_THREAD); }
    public static void setNextInThread(long theap, long next) { putLong(theap + NEXT_IN_THREAD, next); }
    public static long prevInThread(long theap) { return getLong(theap + PREV_IN_THREAD); }
    public static long nextInHeap(long theap) { return getLong(theap + NEXT_IN_HEAP); }
    public static long prevInHeap(long theap) { return getLong(theap + PREV_IN_HEAP); }
    public static long fullRetain(long theap) { return getLong(theap + FULL_RETAIN); }
    public static long retainMore(long theap) { return getLong(theap + RETAIN_MORE); }
    public static void setRetainMore(long theap, long slices) { putLong(theap + RETAIN_MORE, slices); }
    public static long maxReclaim(long theap) { return getLong(theap + MAX_RECLAIM); }
    public static long reclaimOnFree(long theap) { return getLong(theap + RECLAIM_FREE); }
    public static long candidates(long theap) { return getLong(theap + CANDIDATES); }
    public static long collectCycles(long theap) { return getLong(theap + COLLECT_CYCLES); }
    public static void count(long theap, int counter, long amount) {
        putLong(theap + COUNTERS + counter * WORD, getLong(theap + COUNTERS + counter * WORD) + amount);
    }
    private static long counter(long theap, int counter) { return getRelaxed(theap + COUNTERS + counter * WORD); }
    /** A page was made that has {@code bytes} for blocks. */
    public static void countPage(long theap, int bin, long bytes) {
        putLong(theap + MADE + bin * WORD, getLong(theap + MADE + bin * WORD) + 1);
        count(theap, MADE_BYTES, bytes);
        if (bin == SizeClass.HUGE) putLong(theap + FILLED + bin * WORD, getLong(theap + FILLED + bin * WORD) + bytes);
    }
    /**
     * A page's {@code free} was empty and has been filled: its blocks count as given out, so that malloc itself counts
     * nothing. What is left of the list when the page is freed is taken off again.
     */
    public static void countListed(long theap, int bin, long page) {
        // All blocks that are not in use are in that list now.
        countListed(theap, bin, Page.capacity(page) - Page.used(page));
    }
    public static void countListed(long theap, int bin, int blocks) { if (!Secret.isDebug()) countGiven(theap, bin, blocks); }
    /** Blocks were given out; in the debug build each is counted when it is. */
    static void countGiven(long theap, int bin, int blocks) {
        long at = theap + FILLED + bin * WORD;
        putLong(at, getLong(at) + blocks);
    }
    /** Adds the counters to statistics. While the theap's thread runs they are a snapshot. */
    public static void addCounters(long theap, long statistics) {
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            long blocks = getRelaxed(theap + FILLED + bin * WORD);
            if (blocks == 0) continue;
            Statistics.add(statistics, Statistics.MALLOC_BINS + bin * Statistics.COUNT_SIZE, blocks * SizeClass.binSize(bin));
        }
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            if (pagesMade(theap, bin) != 0) addPages(statistics, bin, pagesMade(theap, bin));
        }
        long single = getRelaxed(theap + FILLED + SizeClass.HUGE * WORD);
        addPages(statistics, SizeClass.HUGE, pagesMade(theap, SizeClass.HUGE));
        Statistics.add(statistics, Statistics.PAGE_COMMITTED, counter(theap, MADE_BYTES));
        Statistics.add(statistics, Statistics.MALLOC_HUGE, single);
        Statistics.add(statistics, Statistics.MALLOC_HUGE_COUNT, pagesMade(theap, SizeClass.HUGE));
        for (int i = 0; i <= SEARCHES_COUNT; i++) {
            Statistics.add(statistics, Statistics.PAGES_EXTENDED + i * Statistics.COUNTER_SIZE, counter(theap, i));
        }
        for (int i = RECLAIM_ON_ALLOC; i <= REABANDON_FULL; i++) {
            long field = Statistics.PAGES_RECLAIM_ON_ALLOC + (i - RECLAIM_ON_ALLOC) * WORD;
            Statistics.add(statistics, (int) field, counter(theap, i));
        }
        Statistics.add(statistics, Statistics.PAGES_ABANDONED, counter(theap, ABANDONED));
    }
    /** Begins the counters anew, once they have been added to statistics; for the theap's thread. */
    public static void clearCounters(long theap) {
        fill(theap + COUNTERS, COUNTER_COUNT * WORD, 0);
        fill(theap + FILLED, 2 * SizeClass.COUNT * WORD, 0); // and MADE
    }
    public static long sampleIn(long theap) { return getLong(theap + SAMPLE_IN); }
    public static void setSampleIn(long theap, long bytes) { putLong(theap + SAMPLE_IN, bytes); }
    public static long sampleDrawn(long theap) { return getLong(theap + SAMPLE_DRAWN); }
    public static void setSampleDrawn(long theap, long bytes) { putLong(theap + SAMPLE_DRAWN, bytes); }
    public static long sampleSince(long theap) { return getLong(theap + SAMPLE_SINCE); }
    public static void setSampleSince(long theap, long bytes) { putLong(theap + SAMPLE_SINCE, bytes); }
    /** 64 random bits, for the distance to a sample. */
    public static long nextSampleRandom(long theap) {
        long state = getLong(theap + SAMPLE_RANDOM);
        state = (state != 0 ? state : Secret.draw()) + RANDOM_STEP;
        putLong(theap + SAMPLE_RANDOM, state);
        return Random.mix(Random.mix(state));
    }
    public static long sampleInterval(long theap) { return getLong(theap + SAMPLE_INTERVAL); }
    public static void setSampleInterval(long theap, long bytes) { putLong(theap + SAMPLE_INTERVAL, bytes); }
    /**
     * Is any of its allocations to be guarded, or may it be sampled? Relaxed: another thread gives the heap a profiler, and
     * this one's samples begin a little later.
     */
    public static boolean isWatchedRelaxed(long theap) { return getRelaxed(theap + WATCHED) != 0; }
    private static void setWatched(long theap, long reason, boolean watched) {
        if (watched) fetchOr(theap + WATCHED, reason);
        else fetchAnd(theap + WATCHED, ~reason);
    }
    /** For who holds the lives lock. */
    public static void setProfiled(long theap, boolean profiled) { setWatched(theap, PROFILED, profiled); }
    public static long guardRate(long theap) { return getLong(theap + GUARD_RATE); }
    public static long guardIn(long theap) { return getLong(theap + GUARD_IN); }
    /** May a block of {@code least} to {@code most} bytes be guarded? */
    public static boolean mayGuard(long theap, long least, long most) {
        return most >= getLong(theap + GUARD_MIN) && least <= getLong(theap + GUARD_MAX);
    }
    /** From now on guards one in {@code rate} allocations, none for 0; for the theap's thread. */
    @Export("void mi_theap_guarded_set_sample_rate(mi_theap_t* theap, size_t sample_rate, size_t seed)")
    public static void setGuardRate(long theap, long rate, long seed) {
        // No thread makes more than 2^40 allocations, and twice as many is still a number.
        putLong(theap + GUARD_RATE, Track.isOn() ? 0 : Config.max(0, Config.min(rate, 1L << 40)));
        setWatched(theap, GUARDED, guardRate(theap) != 0);
        putLong(theap + GUARD_RANDOM, seed != 0 || rate == 0 ? seed : Secret.draw());
        drawGuard(theap);
    }
    @Export("void mi_theap_guarded_set_size_bound(mi_theap_t* theap, size_t min, size_t max)")
    public static void setGuardBounds(long theap, long min, long max) {
        putLong(theap + GUARD_MIN, min < 0 ? Config.MAX_SIZE : min);
        putLong(theap + GUARD_MAX, max < 0 ? Config.MAX_SIZE : max);
    }
    /**
     * Draws how many allocations it is to the next guarded one: the rate on average, but not always, since a program's
     * loops would fall in step with it. The upper bits of a linear congruential generator are random enough (Knuth's
     * multiplier, 1997).
     */
    private static void drawGuard(long theap) {
        putLong(theap + GUARD_RANDOM, getLong(theap + GUARD_RANDOM) * 6364136223846793005L + 1);
        long most = Config.max(1, 2 * guardRate(theap) - 1);
        putLong(theap + GUARD_IN, 1 + Long.remainderUnsigned(getLong(theap + GUARD_RANDOM) >>> 20, most));
    }
    /** Counts allocations; true if the next guarded one is among them, and another one is drawn. */
    public static boolean countGuard(long theap, long allocations) {
        long left = guardIn(theap) - allocations;
        if (left > 0) putLong(theap + GUARD_IN, left);
        else drawGuard(theap);
        return left <= 0;
    }
    public static long quarantine(long theap, int kind) { return getLong(theap + QUARANTINES + kind * WORD); }
    public static void setQuarantine(long theap, int kind, long q) { putLong(theap + QUARANTINES + kind * WORD, q); }
    public static long lockWord(long theap) { return theap + LOCK; }
    /** For the owner, before its queues change: other threads take pages out of them, and never wait for the lock. */
    public static void lock(long theap) { Lock.acquire(lockWord(theap)); }
    public static void unlock(long theap) { Lock.releaseUnawaited(lockWord(theap)); }
    /**
     * May the thread come back to the theap even when its heap has ended? Written, with release, before the thread
     * makes the theap its default, and before a call for it calls a function of the user's. A thread that ends the heap
     * after that makes the theap an orphan under the lives lock, and so the next holder of that lock sees the answer.
     */
    public static boolean isKept(long theap) { return getAcquire(theap + KEPT) != 0; }
    public static void setKept(long theap) { putRelease(theap + KEPT, 1); }
    public static boolean isOrphan(long theap) { return getLong(theap + ORPHAN) != 0; }
    /** Enters a theap in its thread's list of orphans, under the lives lock. */
    public static void pushOrphan(long theap) {
        putLong(theap + ORPHAN, 1);
        Links.push(ThreadData.orphansWord(data(theap)), theap, IN_THREAD);
    }
    /** Takes a theap out of its thread's list of orphans, under the lives lock. */
    public static void removeOrphan(long theap) {
        Links.remove(ThreadData.orphansWord(data(theap)), theap, IN_THREAD);
    }
    private static long pagesMade(long theap, int bin) { return getRelaxed(theap + MADE + bin * WORD); }
    private static void addPages(long statistics, int bin, long pages) {
        Statistics.add(statistics, Statistics.PAGES, pages);
        Statistics.add(statistics, Statistics.PAGE_BINS + bin * Statistics.COUNT_SIZE, pages);
    }
    /** The queue of a bin's pages with room, or, for {@code SizeClass.COUNT + bin}, of its full ones. */
    public static long queue(long theap, int index) { return theap + QUEUES + index * PageQueue.SIZE; }

    public static long subprocess(long theap) { return ThreadData.subprocess(data(theap)); }
    /** The subprocess of the calling thread: the main one as long as the thread has no theap. */
    public static long currentSubprocess() {
        long theap = ThreadSlot.theap();
        return theap == 0 ? Main.subprocess() : subprocess(theap);
    }
    public static long threadId(long theap) { return ThreadData.id(data(theap)); }
    static long statistics(long theap) { return Heap.statistics(heap(theap)); }

    /** Sends each malloc to the slow path, until pages are entered in the direct table again. */
    public static void clearDirect(long theap) {
        for (long words = 0; words <= Config.SMALL_SIZE_MAX / 8; words++) setDirect(theap, words, Main.emptyPage());
    }

    /** Makes a theap forget its pages. */
    public static void clearPages(long theap) {
        clearDirect(theap);
        fill(queue(theap, 0), 2 * SizeClass.COUNT * PageQueue.SIZE, 0);
        addPageCount(theap, -pageCount(theap));
        setRetire(theap, SizeClass.COUNT, 0);
    }

    /** Makes a theap in zeroed memory. It is in no list yet. */
    public static void init(long theap, long data, long heap) {
        setData(theap, data);
        setHeap(theap, heap);
        clearPages(theap);
        putLong(theap + FULL_RETAIN, Options.bounded(Options.PAGE_FULL_RETAIN));
        putLong(theap + MAX_RECLAIM, Options.bounded(Options.PAGE_MAX_RECLAIM));
        putLong(theap + RECLAIM_FREE, Options.bounded(Options.PAGE_RECLAIM_ON_FREE));
        putLong(theap + CANDIDATES, Options.bounded(Options.PAGE_MAX_CANDIDATES));
        putLong(theap + COLLECT_CYCLES, Options.bounded(Options.GENERIC_COLLECT));
        setGuardRate(theap, Options.bounded(Options.GUARDED_SAMPLE_RATE), Options.bounded(Options.GUARDED_SAMPLE_SEED));
        setGuardBounds(theap, Options.bounded(Options.GUARDED_MIN), Options.bounded(Options.GUARDED_MAX));
    }
}
