package dev.mimalloc;

import dev.mimalloc.core.Options;

/**
 * The options. Each is a {@code long}; those that switch something are 0 or 1. From outside {@link #PURGE_DELAY} is
 * given by the environment variable {@code MIMALLOC_PURGE_DELAY}, or by the system property
 * {@code dev.mimalloc.purge.delay}, which goes first. Many options are looked at only when a thread, or the allocator,
 * starts: set those before anything else. All methods may be called by any thread.
 */
public enum Option {
    /** Prints errors and warnings. */
    SHOW_ERRORS(Options.SHOW_ERRORS),
    /** Prints statistics when the process ends. */
    SHOW_STATS(Options.SHOW_STATS),
    /** Prints what happens. */
    VERBOSE(Options.VERBOSE),
    /** Whether an arena is committed as a whole: 0 no, 1 yes, 2 if the system backs memory only when it is touched. */
    ARENA_EAGER_COMMIT(Options.ARENA_EAGER_COMMIT),
    /** Whether a purge decommits memory, or only resets it. */
    PURGE_DECOMMITS(Options.PURGE_DECOMMITS),
    /** Whether to ask for large OS pages, of 2 or 4 MiB. */
    ALLOW_LARGE_OS_PAGES(Options.ALLOW_LARGE_OS_PAGES),
    /** How many huge OS pages, of 1 GiB, to reserve at the start. */
    RESERVE_HUGE_OS_PAGES(Options.RESERVE_HUGE_OS_PAGES),
    /** The NUMA node of these pages; -1 for any. */
    RESERVE_HUGE_OS_PAGES_AT(Options.RESERVE_HUGE_OS_PAGES_AT),
    /** How much memory to reserve at the start, in KiB. */
    RESERVE_OS_MEMORY(Options.RESERVE_OS_MEMORY),
    /** Milliseconds that free memory waits before it goes back to the system; -1 for ever. */
    PURGE_DELAY(Options.PURGE_DELAY),
    /** Pretends that there are so many NUMA nodes; 0 for as many as there are. */
    USE_NUMA_NODES(Options.USE_NUMA_NODES),
    /** Takes no more memory from the system than was reserved. */
    DISALLOW_OS_ALLOC(Options.DISALLOW_OS_ALLOC),
    /** The tag of the memory, on systems that have tags. */
    OS_TAG(Options.OS_TAG),
    /** So many errors are printed; -1 for all. */
    MAX_ERRORS(Options.MAX_ERRORS),
    /** So many warnings are printed; -1 for all. */
    MAX_WARNINGS(Options.MAX_WARNINGS),
    /** Frees all memory when the process ends. */
    DESTROY_ON_EXIT(Options.DESTROY_ON_EXIT),
    /** How much an arena reserves, in KiB. */
    ARENA_RESERVE(Options.ARENA_RESERVE),
    /** By what {@link #PURGE_DELAY} is multiplied for arenas. */
    ARENA_PURGE_MULT(Options.ARENA_PURGE_MULT),
    /** Takes no memory from arenas. */
    DISALLOW_ARENA_ALLOC(Options.DISALLOW_ARENA_ALLOC),
    /** Milliseconds to try again when there is no memory; on Windows only. */
    RETRY_ON_OOM(Options.RETRY_ON_OOM),
    /** Lets visitors see the pages of threads that have ended. */
    VISIT_ABANDONED(Options.VISIT_ABANDONED),
    /** The smallest block that is guarded, in bytes. */
    GUARDED_MIN(Options.GUARDED_MIN),
    /** The largest block that is guarded, in bytes. */
    GUARDED_MAX(Options.GUARDED_MAX),
    /** Puts a guarded block right before its guard page, whatever its alignment. */
    GUARDED_PRECISE(Options.GUARDED_PRECISE),
    /** Guards one block in so many; 0 for none. */
    GUARDED_SAMPLE_RATE(Options.GUARDED_SAMPLE_RATE),
    /** Where the sampling starts; 0 for somewhere. */
    GUARDED_SAMPLE_SEED(Options.GUARDED_SAMPLE_SEED),
    /** A thread collects after so many allocations that had to look for a page. */
    GENERIC_COLLECT(Options.GENERIC_COLLECT),
    /** Whether a free takes over a page of an ended thread: -1 never, 0 if the thread had it before, 1 always. */
    PAGE_RECLAIM_ON_FREE(Options.PAGE_RECLAIM_ON_FREE),
    /** A thread keeps so many full pages of each size; -1 for all. */
    PAGE_FULL_RETAIN(Options.PAGE_FULL_RETAIN),
    /** So many pages are looked at to find the fullest one. */
    PAGE_MAX_CANDIDATES(Options.PAGE_MAX_CANDIDATES),
    /** The highest bit of an address; 0 to find out. */
    MAX_VABITS(Options.MAX_VABITS),
    /** Commits the page map as a whole. */
    PAGEMAP_COMMIT(Options.PAGEMAP_COMMIT),
    /** Commits a page bit by bit. */
    PAGE_COMMIT_ON_DEMAND(Options.PAGE_COMMIT_ON_DEMAND),
    /** A thread takes back so many of its own pages by frees; -1 for any number. */
    PAGE_MAX_RECLAIM(Options.PAGE_MAX_RECLAIM),
    /** A thread takes over so many pages of others by frees. */
    PAGE_CROSS_THREAD_MAX_RECLAIM(Options.PAGE_CROSS_THREAD_MAX_RECLAIM),
    /** Transparent huge pages: 0 none in the whole process, 1 as the system likes, 2 aligned to them. */
    ALLOW_THP(Options.ALLOW_THP),
    /** Nothing smaller is purged, in KiB. */
    MINIMAL_PURGE_SIZE(Options.MINIMAL_PURGE_SIZE),
    /** Larger blocks come straight from the system, in KiB. */
    ARENA_MAX_OBJECT_SIZE(Options.ARENA_MAX_OBJECT_SIZE),
    /** Keeps the arenas of NUMA nodes apart. */
    ARENA_IS_NUMA_LOCAL(Options.ARENA_IS_NUMA_LOCAL);

    private final int index;

    Option(int index) { this.index = index; }

    /** The value. Stands for {@code mi_option_get}. */
    public long get() { return Options.get(index); }

    /** Sets the value. Stands for {@code mi_option_set}. */
    public void set(long value) { Options.set(index, value); }

    /** Sets the value unless it was given from outside or set before. Stands for {@code mi_option_set_default}. */
    public void setDefault(long value) { Options.setDefault(index, value); }
}
