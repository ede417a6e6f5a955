package dev.mimalloc;

import dev.mimalloc.core.Options;
import java.util.Locale;

/**
 * The options. Each is a {@code long}, whose meaning its {@link #kind} tells. From outside {@link #PURGE_DELAY} is
 * given by the environment variable {@code MIMALLOC_PURGE_DELAY}, or by the system property
 * {@code dev.mimalloc.purge.delay}, which goes first; a switch also understands {@code yes}, {@code on}, {@code no} and
 * {@code off}. Many options are looked at only when a thread, or the allocator, starts: set those before anything else.
 * Options of the C interface that have no effect any more are left out. All methods may be called by any thread.
 */
public enum Option {
    /** Prints errors and warnings. */
    SHOW_ERRORS(Options.SHOW_ERRORS, Kind.SWITCH),
    /** Prints statistics when the process ends. */
    SHOW_STATS(Options.SHOW_STATS, Kind.SWITCH),
    /** Prints what happens. */
    VERBOSE(Options.VERBOSE, Kind.SWITCH),
    /**
     * Whether an arena is committed as a whole: 0 no, but what is wanted; 1 yes; 2 by steps of 2 MiB, if the system backs
     * memory only when it is touched, and otherwise as 0.
     */
    ARENA_EAGER_COMMIT(Options.ARENA_EAGER_COMMIT, Kind.NUMBER),
    /** Whether a purge decommits memory, or only resets it. */
    PURGE_DECOMMITS(Options.PURGE_DECOMMITS, Kind.SWITCH),
    /** Whether to ask for large OS pages, of 2 or 4 MiB. */
    ALLOW_LARGE_OS_PAGES(Options.ALLOW_LARGE_OS_PAGES, Kind.SWITCH),
    /** How many huge OS pages, of 1 GiB, to reserve at the start. */
    RESERVE_HUGE_OS_PAGES(Options.RESERVE_HUGE_OS_PAGES, Kind.NUMBER),
    /** The NUMA node of these pages; -1 for any. */
    RESERVE_HUGE_OS_PAGES_AT(Options.RESERVE_HUGE_OS_PAGES_AT, Kind.NUMBER),
    /** How much memory to reserve at the start, in KiB. */
    RESERVE_OS_MEMORY(Options.RESERVE_OS_MEMORY, Kind.SIZE),
    /** Milliseconds, once to twice, that free memory waits before it goes back to the system; -1 for ever. */
    PURGE_DELAY(Options.PURGE_DELAY, Kind.NUMBER),
    /** Pretends that there are so many NUMA nodes; 0 for as many as there are. */
    USE_NUMA_NODES(Options.USE_NUMA_NODES, Kind.NUMBER),
    /** Takes no more memory from the system than was reserved. */
    DISALLOW_OS_ALLOC(Options.DISALLOW_OS_ALLOC, Kind.SWITCH),
    /** The tag of the memory, on systems that have tags. */
    OS_TAG(Options.OS_TAG, Kind.NUMBER),
    /** So many errors are printed; -1 for all. */
    MAX_ERRORS(Options.MAX_ERRORS, Kind.NUMBER),
    /** So many warnings are printed; -1 for all. */
    MAX_WARNINGS(Options.MAX_WARNINGS, Kind.NUMBER),
    /** Gives all memory back when the process ends; in C only, as the JVM's threads may run to its very end. */
    DESTROY_ON_EXIT(Options.DESTROY_ON_EXIT, Kind.SWITCH),
    /** How much an arena reserves, in KiB; more than a tebibyte is no use. */
    ARENA_RESERVE(Options.ARENA_RESERVE, Kind.SIZE),
    /** By what {@link #PURGE_DELAY} is multiplied for arenas. */
    ARENA_PURGE_MULT(Options.ARENA_PURGE_MULT, Kind.NUMBER),
    /** Takes no memory from arenas. */
    DISALLOW_ARENA_ALLOC(Options.DISALLOW_ARENA_ALLOC, Kind.SWITCH),
    /** Milliseconds to try again when there is no memory; on Windows only. */
    RETRY_ON_OOM(Options.RETRY_ON_OOM, Kind.NUMBER),
    /** Lets visitors see the pages of threads that have ended. */
    VISIT_ABANDONED(Options.VISIT_ABANDONED, Kind.SWITCH),
    /** The smallest block that is guarded, in bytes. */
    GUARDED_MIN(Options.GUARDED_MIN, Kind.NUMBER),
    /** The largest block that is guarded, in bytes. */
    GUARDED_MAX(Options.GUARDED_MAX, Kind.NUMBER),
    /** Puts a guarded block right before its guard page, whatever its alignment. */
    GUARDED_PRECISE(Options.GUARDED_PRECISE, Kind.SWITCH),
    /** Guards one block in so many; 0 for none. */
    GUARDED_SAMPLE_RATE(Options.GUARDED_SAMPLE_RATE, Kind.NUMBER),
    /** Where the sampling starts; 0 for somewhere. */
    GUARDED_SAMPLE_SEED(Options.GUARDED_SAMPLE_SEED, Kind.NUMBER),
    /** A thread collects after so many allocations that had to look for a page. */
    GENERIC_COLLECT(Options.GENERIC_COLLECT, Kind.NUMBER),
    /** Whether a free takes over a page of an ended thread: -1 never, 0 if the thread had it before, 1 always. */
    PAGE_RECLAIM_ON_FREE(Options.PAGE_RECLAIM_ON_FREE, Kind.NUMBER),
    /** A thread keeps so many full pages of each size; -1 for all. */
    PAGE_FULL_RETAIN(Options.PAGE_FULL_RETAIN, Kind.NUMBER),
    /** So many pages are looked at to find the fullest one. */
    PAGE_MAX_CANDIDATES(Options.PAGE_MAX_CANDIDATES, Kind.NUMBER),
    /** The highest bit of an address; 0 to find out. */
    MAX_VABITS(Options.MAX_VABITS, Kind.NUMBER),
    /** Commits the page map as a whole. */
    PAGEMAP_COMMIT(Options.PAGEMAP_COMMIT, Kind.SWITCH),
    /** Commits a page bit by bit. */
    PAGE_COMMIT_ON_DEMAND(Options.PAGE_COMMIT_ON_DEMAND, Kind.SWITCH),
    /** A thread takes back so many of its own pages by frees; -1 for any number. */
    PAGE_MAX_RECLAIM(Options.PAGE_MAX_RECLAIM, Kind.NUMBER),
    /** A thread takes over so many pages of others by frees. */
    PAGE_CROSS_THREAD_MAX_RECLAIM(Options.PAGE_CROSS_THREAD_MAX_RECLAIM, Kind.NUMBER),
    /**
     * Transparent huge pages, if the system has them: 0 none in the whole process, 1 for what is allocated beyond the
     * first MiB, 2 for all memory.
     */
    ALLOW_THP(Options.ALLOW_THP, Kind.NUMBER),
    /** Nothing smaller is purged, in KiB. */
    MINIMAL_PURGE_SIZE(Options.MINIMAL_PURGE_SIZE, Kind.SIZE),
    /** Larger blocks come straight from the system, in KiB. */
    ARENA_MAX_OBJECT_SIZE(Options.ARENA_MAX_OBJECT_SIZE, Kind.SIZE),
    /** Keeps the arenas of NUMA nodes apart. */
    ARENA_IS_NUMA_LOCAL(Options.ARENA_IS_NUMA_LOCAL, Kind.SWITCH);

    /** What an option's value means. */
    public enum Kind {
        /** 0 for off, 1 for on. */
        SWITCH,
        /** A number; what of is in the option's documentation. */
        NUMBER,
        /** A size in KiB. From outside it is given with a unit, as in {@code 64MiB}, or in bytes. */
        SIZE
    }

    private final int index;
    private final Kind kind;
    private final long min;
    private final long max;

    Option(int index, Kind kind) {
        this.index = index;
        this.kind = kind;
        this.min = Options.min(index);
        this.max = kind == Kind.SWITCH ? 1 : Options.max(index);
    }

    /**
     * What the value means.
     *
     * @return the kind
     */
    public Kind kind() { return kind; }

    /**
     * The smallest value there is.
     *
     * @return the smallest value, in the unit of the kind
     */
    public long min() { return min; }

    /**
     * The largest value there is.
     *
     * @return the largest value, in the unit of the kind
     */
    public long max() { return max; }

    /**
     * The value where nobody has given another.
     *
     * @return the value, in the unit of the kind
     */
    public long defaultValue() { return Options.defaultOf(index); }

    /**
     * The environment variable that gives the value from outside.
     *
     * @return the name of the variable
     */
    public String variable() { return "MIMALLOC_" + name(); }

    /**
     * The system property that gives the value from outside, and goes before the environment variable.
     *
     * @return the name of the property
     */
    public String property() { return "dev.mimalloc." + name().toLowerCase(Locale.ROOT).replace('_', '.'); }

    /**
     * The value. What was given from outside may be one that {@link #set} refuses: then there was a warning at the start,
     * and the nearest one that it would not refuse is in force. Stands for {@code mi_option_get}.
     *
     * @return the value, in the unit of the kind
     */
    public long get() { return Options.get(index); }

    /**
     * Whether the value is not 0. Stands for {@code mi_option_is_enabled}.
     *
     * @return false for 0
     */
    public boolean isEnabled() { return Options.isEnabled(index); }

    /**
     * The value of a size in bytes. Stands for {@code mi_option_get_size}.
     *
     * @return the size in bytes
     * @throws UnsupportedOperationException if this option is no size
     */
    public long bytes() {
        if (kind != Kind.SIZE) throw new UnsupportedOperationException(this + " is not a size");
        return Options.getSize(index);
    }

    /**
     * Sets the value. Stands for {@code mi_option_set}.
     *
     * @param value the new value
     * @throws IllegalArgumentException if the option cannot have this value
     */
    public void set(long value) { Options.set(index, checked(value)); }

    /**
     * Sets the value unless it was given from outside or set before. Stands for {@code mi_option_set_default}.
     *
     * @param value the new value
     * @throws IllegalArgumentException if the option cannot have this value
     */
    public void setDefault(long value) { Options.setDefault(index, checked(value)); }

    /**
     * Switches something on or off. Stands for {@code mi_option_set_enabled}.
     *
     * @param enabled true for on
     * @throws UnsupportedOperationException if this option is no switch
     */
    public void setEnabled(boolean enabled) {
        if (kind != Kind.SWITCH) throw new UnsupportedOperationException(this + " is not a switch");
        Options.setEnabled(index, enabled);
    }

    private long checked(long value) {
        if (value >= min && value <= max) return value;
        String unit = kind == Kind.SIZE ? " KiB" : "";
        String most = max == Long.MAX_VALUE ? " or more" : " to " + max;
        throw new IllegalArgumentException(this + " cannot be " + value + unit + ", only " + min + most + unit);
    }
}
