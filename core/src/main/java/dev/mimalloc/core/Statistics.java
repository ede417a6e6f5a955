package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * Statistics of a heap or a subprocess, in the layout of {@code mi_stats_t}. A count has a total, a peak and a
 * current value, a counter only a total; each is a word, and all are atomic: events that are counted are rare (pages,
 * arenas, calls of the OS).
 *
 * <p>Pages are counted by their theaps, without atomics: how many were made. How many there are Report sees. The peaks
 * of PAGES and PAGE_COMMITTED are kept when a page is made, or more of it used, the latter as limits count; those of PAGE_BINS and
 * PAGES_ABANDONED are the most that a report has shown.
 *
 * <p>Blocks are not counted when they come and go, for that would cost the fast paths. What is in use Report sees from
 * the pages: exact when nothing runs. How many were ever given out, MALLOC_BINS' total, is counted when a page's free
 * list is filled, and what is left of the list is taken off when the page goes, where that can be told without a walk:
 * so it may be ahead by some of the blocks that were put there, and is never behind. MALLOC_NORMAL and
 * MALLOC_NORMAL_COUNT follow from the bins. The peak of what is in use is the most that a report has shown;
 * PAGE_COMMITTED's is a bound to what nobody has seen. What was asked for is not kept with a block, so MALLOC_REQUESTED
 * stays 0, as in any build of mimalloc without detailed statistics. CHUNK_BINS shows the moment.
 */
public final class Statistics {
    public static final int PAGES = 16;
    public static final int RESERVED = 40;
    public static final int COMMITTED = 64;
    public static final int RESET = 88;
    public static final int PURGED = 96;
    public static final int PAGE_COMMITTED = 104;
    public static final int PAGES_ABANDONED = 128;
    public static final int THREADS = 152;
    public static final int MALLOC_NORMAL = 176;
    public static final int MALLOC_HUGE = 200;
    public static final int MALLOC_REQUESTED = 224;
    public static final int MMAP_CALLS = 248;
    public static final int COMMIT_CALLS = 256;
    public static final int RESET_CALLS = 264;
    public static final int PURGE_CALLS = 272;
    public static final int ARENA_COUNT = 280;
    public static final int MALLOC_NORMAL_COUNT = 288;
    public static final int MALLOC_HUGE_COUNT = 296;
    public static final int MALLOC_GUARDED_COUNT = 304;
    public static final int ARENA_ROLLBACK_COUNT = 312;
    public static final int ARENA_PURGES = 320;
    public static final int PAGES_EXTENDED = 328;
    public static final int PAGES_RETIRE = 336;
    public static final int PAGE_SEARCHES = 344;
    public static final int PAGE_SEARCHES_COUNT = 352;
    public static final int HEAPS = 456;
    public static final int THEAPS = 480;
    public static final int PAGES_RECLAIM_ON_ALLOC = 504;
    public static final int PAGES_RECLAIM_ON_FREE = 512;
    public static final int PAGES_REABANDON_FULL = 520;
    public static final int PAGES_UNABANDON_BUSY_WAIT = 528;
    public static final int HEAPS_DELETE_WAIT = 536;
    public static final int MALLOC_BINS = 544;
    public static final int PAGE_BINS = MALLOC_BINS + SizeClass.COUNT * 24;
    public static final int CHUNK_BINS = PAGE_BINS + SizeClass.COUNT * 24;
    public static final int SIZE = CHUNK_BINS + 6 * 24;
    public static final int VERSION = 5;

    private Statistics() {}

    static void init(long stats) {
        putLong(stats, SIZE);
        putLong(stats + 8, VERSION);
    }

    /** Whether somebody's struct is one of ours: its size and its version are in it. */
    static boolean fits(long stats) { return stats != 0 && getLong(stats) == SIZE && getLong(stats + 8) == VERSION; }

    public static long total(long stats, int field) { return getRelaxed(stats + field); }
    public static long peak(long stats, int field) { return getRelaxed(stats + field + 8); }
    public static long current(long stats, int field) { return getRelaxed(stats + field + 16); }

    /** Adds to a counter. */
    static void add(long stats, int field, long amount) { fetchAdd(stats + field, amount); }

    /** A count rises. */
    static void increase(long stats, int field, long amount) {
        if (amount == 0) return;
        fetchAdd(stats + field, amount);
        raisePeak(stats, field, fetchAdd(stats + field + 16, amount) + amount);
    }

    /** A count falls. */
    static void decrease(long stats, int field, long amount) {
        if (amount != 0) fetchAdd(stats + field + 16, -amount);
    }

    /** The current value alone rises. */
    static void raise(long stats, int field, long amount) { fetchAdd(stats + field + 16, amount); }

    static void raisePeak(long stats, int field, long current) {
        long peak = peak(stats, field);
        while (current > peak && !compareAndSet(stats + field + 8, peak, current)) peak = peak(stats, field);
    }

    /** Adds all of {@code from} to {@code to}. Peaks at different times do not add up: the larger one stays. */
    static void merge(long from, long to) {
        for (int field = PAGES; field < SIZE;) {
            if (total(from, field) != 0) fetchAdd(to + field, total(from, field));
            if (!isCount(field)) {
                field += 8;
                continue;
            }
            long current = current(from, field);
            if (current != 0) current = fetchAdd(to + field + 16, current) + current;
            raisePeak(to, field, Config.max(current, peak(from, field)));
            field += 24;
        }
    }

    /**
     * Counters begin from 0 again, totals and peaks from what is current.
     *
     * @param reported what is said of these statistics, with all that others still count for them
     */
    static void reset(long stats, long reported) {
        for (int field = PAGES; field < SIZE; field += isCount(field) ? 24 : 8) {
            long current = isCount(field) ? current(reported, field) : 0;
            fetchAdd(stats + field, current - total(reported, field));
            if (isCount(field)) putRelaxed(stats + field + 8, current);
        }
    }

    /** Remembers the peaks that a report shows: no later one shows less. */
    static void keepPeaks(long stats, long reported) {
        for (int field = PAGES; field < SIZE; field += isCount(field) ? 24 : 8) {
            if (!isCount(field)) continue;
            raisePeak(stats, field, Config.max(current(reported, field), peak(reported, field)));
            raisePeak(reported, field, peak(stats, field));
        }
    }

    /** In a report: completes what malloc has given out from what is known of the bins. */
    static void completeMalloc(long reported) {
        long bytes = 0;
        long blocks = 0;
        long live = 0;
        for (int bin = 1; bin < SizeClass.HUGE; bin++) {
            int field = MALLOC_BINS + bin * 24;
            // Pages and counters were not looked at in the same moment.
            long total = Config.max(total(reported, field), current(reported, field));
            putRelaxed(reported + field, total);
            bytes += total;
            blocks += total / SizeClass.binSize(bin);
            live += current(reported, field);
        }
        for (int field = PAGES; field < SIZE; field += isCount(field) ? 24 : 8) {
            if (!isCount(field)) continue;
            putRelaxed(reported + field, Config.max(total(reported, field), current(reported, field)));
        }
        int huge = MALLOC_BINS + SizeClass.HUGE * 24;
        putRelaxed(reported + MALLOC_HUGE + 16, current(reported, huge));
        putRelaxed(reported + MALLOC_HUGE, Config.max(total(reported, MALLOC_HUGE), current(reported, huge)));
        putRelaxed(reported + huge, total(reported, MALLOC_HUGE));
        putRelaxed(reported + MALLOC_NORMAL, bytes);
        putRelaxed(reported + MALLOC_NORMAL + 16, live);
        putRelaxed(reported + MALLOC_NORMAL_COUNT, blocks);
    }

    private static boolean isCount(int field) {
        return field < RESET || field >= PAGE_COMMITTED && field < MMAP_CALLS
                || field > PAGE_SEARCHES_COUNT && field < PAGES_RECLAIM_ON_ALLOC || field >= MALLOC_BINS;
    }
}
