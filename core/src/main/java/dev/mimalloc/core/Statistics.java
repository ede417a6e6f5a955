package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * Statistics of a heap or a subprocess, in the layout of {@code mi_stats_t}. A count has a total, a peak and a
 * current value, a counter only a total; each is a word, and all are atomic: events that are counted are rare (pages,
 * arenas, calls of the OS). Blocks are not counted when they come and go: see Visit, which derives them from the
 * pages.
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
    static final int VERSION = 5;

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

    static void change(long stats, int field, long amount) {
        if (amount < 0) decrease(stats, field, -amount);
        else increase(stats, field, amount);
    }

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

    /** Counters become 0, totals and peaks what is current. */
    static void reset(long stats) {
        for (int field = PAGES; field < SIZE; field += isCount(field) ? 24 : 8) {
            long current = isCount(field) ? current(stats, field) : 0;
            putRelaxed(stats + field, current);
            if (isCount(field)) putRelaxed(stats + field + 8, current);
        }
    }

    private static boolean isCount(int field) {
        return field < RESET || field >= PAGE_COMMITTED && field < MMAP_CALLS
                || field > PAGE_SEARCHES_COUNT && field < PAGES_RECLAIM_ON_ALLOC || field >= MALLOC_BINS;
    }
}
