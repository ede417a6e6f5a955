package dev.mimalloc.tests;

/** The options by their numbers in the C interface. */
final class Option {
    static final int SHOW_ERRORS = 0;
    static final int SHOW_STATS = 1;
    static final int VERBOSE = 2;
    static final int ARENA_EAGER_COMMIT = 4;
    static final int PURGE_DECOMMITS = 5;
    static final int ALLOW_LARGE_OS_PAGES = 6;
    static final int PURGE_DELAY = 15;
    static final int MAX_ERRORS = 19;
    static final int MAX_WARNINGS = 20;
    static final int ARENA_RESERVE = 23;
    static final int ARENA_PURGE_MULT = 24;
    static final int DISALLOW_ARENA_ALLOC = 26;
    static final int GENERIC_COLLECT = 34;
    static final int PAGE_RECLAIM_ON_FREE = 35;
    static final int PAGE_FULL_RETAIN = 36;
    static final int PAGE_MAX_CANDIDATES = 37;
    static final int PAGE_MAX_RECLAIM = 41;
    static final int PAGE_CROSS_THREAD_MAX_RECLAIM = 42;
    static final int ALLOW_THP = 43;
    static final int ARENA_MAX_OBJECT_SIZE = 45;
    static final int LAST = 46;

    /** Those that are numbers or sizes. */
    static final int[] NUMBERS = {4, 7, 8, 9, 15, 16, 18, 19, 20, 23, 24, 27, 29, 30, 32, 33, 34, 35, 36, 37, 38, 41, 42,
            43, 44, 45};

    private Option() {}
}
