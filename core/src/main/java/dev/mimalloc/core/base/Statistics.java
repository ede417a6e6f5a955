package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

/**
 * Statistics of a heap or a subprocess, in the layout of {@code mi_stats_t}. A count has a total, a peak and a
 * current value, a counter only a total; each is a word, and all are atomic: events that are counted are rare (pages,
 * arenas, calls of the OS).
 *
 * <p>How many pages were made their theaps count, without atomics. How many there are a report counts. The peaks
 * of PAGES and PAGE_COMMITTED are kept when a page is made, or more of it used, the latter as limits count; those of
 * PAGE_BINS and PAGES_ABANDONED are the most that a report has shown.
 *
 * <p>Blocks are not counted when they come and go, for that would cost the fast paths. What is in use a report adds up
 * from the pages: exact when nothing runs. How many were ever given out, MALLOC_BINS' total, is counted when a page's
 * free list is filled, and what is left of the list is taken off when the page goes, where that can be told without a
 * walk: so it may be ahead by some of the blocks that were put there, and is never behind. MALLOC_NORMAL and
 * MALLOC_NORMAL_COUNT follow from the bins, ALLOCATED and MALLOC_COUNT from all blocks, and what was freed is what was
 * given out and is not in use. The peak of what is in use is the most that a report has shown;
 * PAGE_COMMITTED's is a bound to what nobody has seen. What was asked for is not kept with a block, so MALLOC_REQUESTED
 * stays 0, as in any build of mimalloc without detailed statistics. CHUNK_BINS shows the moment.
 *
 * <p>The debug build counts each block when it is given out, and what was asked for: with it, MALLOC_BINS' total and
 * all of MALLOC_REQUESTED are exact.
 */
public final class Statistics {
    /** In a count, behind its total. */
    private static final int PEAK = 8;
    private static final int CURRENT = PEAK + 8;
    public static final int COUNT_SIZE = CURRENT + 8;
    /** The bytes of a counter, which has only a total. */
    public static final int COUNTER_SIZE = 8;
    /** How many CHUNK_BINS there are. */
    public static final int CHUNK_KINDS = 6;
    public static final int VERSION = 6;

    private static final int STRUCT_SIZE = 0; // 8 once: where a size_t is smaller it lies further behind; see of
    private static final int STRUCT_VERSION = STRUCT_SIZE + 8; // 8 once: as well
    public static final int PAGES = STRUCT_VERSION + 8; // 24
    public static final int RESERVED = PAGES + COUNT_SIZE; // 24
    public static final int COMMITTED = RESERVED + COUNT_SIZE; // 24
    public static final int RESET = COMMITTED + COUNT_SIZE; // 8
    public static final int PURGED = RESET + 8; // 8
    public static final int PAGE_COMMITTED = PURGED + 8; // 24
    public static final int PAGES_ABANDONED = PAGE_COMMITTED + COUNT_SIZE; // 24
    public static final int THREADS = PAGES_ABANDONED + COUNT_SIZE; // 24
    public static final int ALLOCATED = THREADS + COUNT_SIZE; // 24
    public static final int MALLOC_COUNT = ALLOCATED + COUNT_SIZE; // 8
    public static final int FREE_COUNT = MALLOC_COUNT + 8; // 8
    public static final int FREED = FREE_COUNT + 8; // 8
    public static final int MALLOC_REQUESTED = FREED + 8; // 8
    public static final int MMAP_CALLS = MALLOC_REQUESTED + 8; // 8
    public static final int COMMIT_CALLS = MMAP_CALLS + 8; // 8
    public static final int RESET_CALLS = COMMIT_CALLS + 8; // 8
    public static final int PURGE_CALLS = RESET_CALLS + 8; // 8
    public static final int ARENA_COUNT = PURGE_CALLS + 8; // 8
    public static final int MALLOC_GUARDED_COUNT = ARENA_COUNT + 8; // 8
    public static final int ARENA_ROLLBACK_COUNT = MALLOC_GUARDED_COUNT + 8; // 8
    public static final int ARENA_PURGES = ARENA_ROLLBACK_COUNT + 8; // 8
    public static final int PAGES_EXTENDED = ARENA_PURGES + 8; // 8
    public static final int PAGES_RETIRE = PAGES_EXTENDED + 8; // 8
    public static final int PAGE_SEARCHES = PAGES_RETIRE + 8; // 8
    public static final int PAGE_SEARCHES_COUNT = PAGE_SEARCHES + 8; // 8
    public static final int SEGMENTS = PAGE_SEARCHES_COUNT + 8; // 24: of older versions, 0
    public static final int SEGMENTS_ABANDONED = SEGMENTS + COUNT_SIZE; // 24: of older versions, 0
    public static final int SEGMENTS_CACHE = SEGMENTS_ABANDONED + COUNT_SIZE; // 24: of older versions, 0
    public static final int SEGMENTS_RESERVED = SEGMENTS_CACHE + COUNT_SIZE; // 24: of older versions, 0
    public static final int HEAPS = SEGMENTS_RESERVED + COUNT_SIZE; // 24
    public static final int THEAPS = HEAPS + COUNT_SIZE; // 24
    public static final int PAGES_OS_ABANDONED = THEAPS + COUNT_SIZE; // 24: 0: there is no list of them
    public static final int PAGES_OS_ALLOCATED = PAGES_OS_ABANDONED + COUNT_SIZE; // 24
    public static final int PAGES_RECLAIM_ON_ALLOC = PAGES_OS_ALLOCATED + COUNT_SIZE; // 8
    public static final int PAGES_RECLAIM_ON_FREE = PAGES_RECLAIM_ON_ALLOC + 8; // 8
    public static final int PAGES_REABANDON_FULL = PAGES_RECLAIM_ON_FREE + 8; // 8
    public static final int PAGES_UNABANDON_BUSY_WAIT = PAGES_REABANDON_FULL + 8; // 8
    public static final int PAGES_UNOWN_CAS_RETRY = PAGES_UNABANDON_BUSY_WAIT + 8; // 8: not counted, 0
    public static final int HEAPS_DELETE_WAIT = PAGES_UNOWN_CAS_RETRY + 8; // 8
    public static final int PAGES_STAT_UPDATES = HEAPS_DELETE_WAIT + 8; // 8: there are none, 0
    public static final int PAGES_STAT_UPDATE_COUNT = PAGES_STAT_UPDATES + 8; // 8: there are none, 0
    public static final int PROFILE_SAMPLES = PAGES_STAT_UPDATE_COUNT + 8; // 8
    public static final int MALLOC_NORMAL = PROFILE_SAMPLES + 8; // 24
    public static final int MALLOC_HUGE = MALLOC_NORMAL + COUNT_SIZE; // 24
    public static final int MALLOC_NORMAL_COUNT = MALLOC_HUGE + COUNT_SIZE; // 8
    public static final int MALLOC_HUGE_COUNT = MALLOC_NORMAL_COUNT + 8; // 8
    private static final int UNUSED_COUNTS = MALLOC_HUGE_COUNT + 8; // 96: for later versions, 0
    private static final int UNUSED_COUNTERS = UNUSED_COUNTS + 4 * COUNT_SIZE; // 32: for later versions, 0
    public static final int MALLOC_BINS = UNUSED_COUNTERS + 4 * COUNTER_SIZE; // for each bin
    public static final int PAGE_BINS = MALLOC_BINS + SizeClass.COUNT * COUNT_SIZE; // for each bin
    public static final int CHUNK_BINS = PAGE_BINS + SizeClass.COUNT * COUNT_SIZE; // for each kind of chunks
    public static final int SIZE = CHUNK_BINS + CHUNK_KINDS * COUNT_SIZE;

    private Statistics() {}

    /**
     * The statistics in a program's {@code mi_stats_t}: the address that its counts are told from. Before the counts it
     * has two words of a size_t, which may have fewer bytes than are left for them here.
     */
    public static long of(long struct) { return struct + 2 * pointerSize() - PAGES; }

    public static void init(long stats) {
        putPointer(stats + PAGES - 2 * pointerSize(), SIZE - PAGES + 2 * pointerSize());
        putPointer(stats + PAGES - pointerSize(), VERSION);
    }

    /** Nothing has been counted, of any program's struct. */
    public static void clear(long stats) {
        fill(stats + PAGES, SIZE - PAGES, 0);
        init(stats);
    }

    /** Is a program's struct one of this version? Its size and its version are in it. */
    public static boolean fits(long struct) {
        return struct != 0 && getPointer(struct) == SIZE - PAGES + 2 * pointerSize()
                && getPointer(struct + pointerSize()) == VERSION;
    }

    /** As they are, without what a report completes. */
    public static void copyTo(long stats, long target) { copy(stats + PAGES, target + PAGES, SIZE - PAGES); }

    public static long total(long stats, int field) { return getRelaxed(stats + field); }
    public static long peak(long stats, int field) { return getRelaxed(stats + field + PEAK); }
    public static long current(long stats, int field) { return getRelaxed(stats + field + CURRENT); }

    /** Adds to a counter. */
    public static void add(long stats, int field, long amount) { fetchAdd(stats + field, amount); }

    /** A count rises. */
    public static void increase(long stats, int field, long amount) {
        if (amount == 0) return;
        fetchAdd(stats + field, amount);
        raisePeak(stats, field, fetchAdd(stats + field + CURRENT, amount) + amount);
    }

    /** A count falls. */
    public static void decrease(long stats, int field, long amount) {
        if (amount != 0) fetchAdd(stats + field + CURRENT, -amount);
    }

    /** The current value alone rises. */
    public static void raise(long stats, int field, long amount) { fetchAdd(stats + field + CURRENT, amount); }

    public static void raisePeak(long stats, int field, long current) {
        long peak = peak(stats, field);
        while (current > peak && !compareAndSet(stats + field + PEAK, peak, current)) peak = peak(stats, field);
    }

    /** Adds all of {@code from} to {@code to}. Peaks at different times do not add up: the larger one stays. */
    public static void merge(long from, long to) {
        for (int field = PAGES; field < SIZE; field += size(field)) {
            if (total(from, field) != 0) fetchAdd(to + field, total(from, field));
            if (!isCount(field)) continue;
            long current = current(from, field);
            if (current != 0) current = fetchAdd(to + field + CURRENT, current) + current;
            raisePeak(to, field, Config.max(current, peak(from, field)));
        }
    }

    /**
     * Counters begin from 0 again, totals and peaks from what is current.
     *
     * @param reported what is said of these statistics, with all that others still count for them
     */
    public static void reset(long stats, long reported) {
        for (int field = PAGES; field < SIZE; field += size(field)) {
            long current = isCount(field) ? current(reported, field) : 0;
            fetchAdd(stats + field, current - total(reported, field));
            if (isCount(field)) putRelaxed(stats + field + PEAK, current);
        }
    }

    /** Remembers the peaks that a report shows: no later one shows less. */
    public static void keepPeaks(long stats, long reported) {
        for (int field = PAGES; field < SIZE; field += size(field)) {
            if (!isCount(field)) continue;
            raisePeak(stats, field, Config.max(current(reported, field), peak(reported, field)));
            raisePeak(reported, field, peak(stats, field));
        }
    }

    /** In a report: completes what malloc has given out from what is known of the bins. */
    public static void completeMalloc(long reported) {
        long bytes = 0;
        long blocks = 0;
        long live = 0;
        long liveBlocks = current(reported, PAGE_BINS + SizeClass.HUGE * COUNT_SIZE);
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            int field = MALLOC_BINS + bin * COUNT_SIZE;
            // Pages and counters were read one after the other: a total may be behind what is in use.
            long total = Config.max(total(reported, field), current(reported, field));
            putRelaxed(reported + field, total);
            bytes += total;
            blocks += total / SizeClass.binSize(bin);
            live += current(reported, field);
            liveBlocks += current(reported, field) / SizeClass.binSize(bin);
        }
        for (int field = PAGES; field < SIZE; field += size(field)) {
            if (!isCount(field)) continue;
            putRelaxed(reported + field, Config.max(total(reported, field), current(reported, field)));
        }
        int huge = MALLOC_BINS + SizeClass.HUGE * COUNT_SIZE;
        putRelaxed(reported + MALLOC_HUGE + CURRENT, current(reported, huge));
        putRelaxed(reported + MALLOC_HUGE, Config.max(total(reported, MALLOC_HUGE), current(reported, huge)));
        putRelaxed(reported + huge, total(reported, MALLOC_HUGE));
        putRelaxed(reported + MALLOC_NORMAL, bytes);
        putRelaxed(reported + MALLOC_NORMAL + CURRENT, live);
        putRelaxed(reported + MALLOC_NORMAL_COUNT, blocks);
        bytes += total(reported, MALLOC_HUGE);
        live += current(reported, huge);
        blocks += total(reported, MALLOC_HUGE_COUNT);
        putRelaxed(reported + ALLOCATED, bytes);
        putRelaxed(reported + ALLOCATED + CURRENT, live);
        putRelaxed(reported + FREED, bytes - live);
        putRelaxed(reported + MALLOC_COUNT, Config.max(blocks, liveBlocks));
        putRelaxed(reported + FREE_COUNT, Config.max(0, blocks - liveBlocks));
    }

    /** The bytes of a field. */
    public static int size(int field) { return isCount(field) ? COUNT_SIZE : COUNTER_SIZE; }

    public static boolean isCount(int field) {
        return field < RESET || field >= PAGE_COMMITTED && field < MALLOC_COUNT
                || field >= SEGMENTS && field < PAGES_RECLAIM_ON_ALLOC
                || field >= MALLOC_NORMAL && field < MALLOC_NORMAL_COUNT
                || field >= UNUSED_COUNTS && field < UNUSED_COUNTERS || field >= MALLOC_BINS;
    }
}
