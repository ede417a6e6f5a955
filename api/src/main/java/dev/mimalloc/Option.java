package dev.mimalloc;

import dev.mimalloc.core.base.Options;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Locale;

/**
 * The options. Each is a {@code long}, whose meaning its {@link #kind} tells. From outside {@link #PURGE_DELAY} is
 * given by the environment variable {@code MIMALLOC_PURGE_DELAY}, or by the system property
 * {@code dev.mimalloc.purge.delay}, which goes first; a switch also understands {@code yes}, {@code on}, {@code no} and
 * {@code off}. Many options are looked at only when a thread, or the allocator, starts: set those before anything else.
 * Options of the C interface that have no effect on the JVM are left out. All methods may be called by any thread.
 */
public enum Option {
    /** Prints errors and warnings. */
    SHOW_ERRORS(Options.SHOW_ERRORS),
    /** Prints statistics when the process ends. */
    SHOW_STATS(Options.SHOW_STATS),
    /** Prints the options at the start, statistics at the end, errors and warnings. */
    VERBOSE(Options.VERBOSE),
    /** Commits an arena at once: 0 no, 1 yes, 2 by steps of 2 MiB where the system overcommits. */
    ARENA_EAGER_COMMIT(Options.ARENA_EAGER_COMMIT),
    /** A purge decommits memory; 0: the system takes it when it needs it, until then it counts as resident. */
    PURGE_DECOMMITS(Options.PURGE_DECOMMITS),
    /** Uses OS pages of 2 MiB, which the system must have reserved. */
    ALLOW_LARGE_OS_PAGES(Options.ALLOW_LARGE_OS_PAGES),
    /** OS pages of 1 GiB to reserve at the start. */
    RESERVE_HUGE_OS_PAGES(Options.RESERVE_HUGE_OS_PAGES),
    /** The NUMA node of the pages of 1 GiB; -1 for all nodes in equal parts. */
    RESERVE_HUGE_OS_PAGES_AT(Options.RESERVE_HUGE_OS_PAGES_AT),
    /** Memory to reserve at the start, in KiB. */
    RESERVE_OS_MEMORY(Options.RESERVE_OS_MEMORY),
    /** Milliseconds, once to twice, until free memory goes back to the system; 0 at once, -1 never. */
    PURGE_DELAY(Options.PURGE_DELAY),
    /** The number of NUMA nodes to act for; 0 asks the system. */
    USE_NUMA_NODES(Options.USE_NUMA_NODES),
    /** Takes no memory from the system beyond what was reserved. */
    DISALLOW_OS_ALLOC(Options.DISALLOW_OS_ALLOC),
    /** The most errors that are printed; -1 for all. */
    MAX_ERRORS(Options.MAX_ERRORS),
    /** The most warnings that are printed; -1 for all. */
    MAX_WARNINGS(Options.MAX_WARNINGS),
    /** Addresses that an arena reserves, in KiB; memory is taken only where it is used. */
    ARENA_RESERVE(Options.ARENA_RESERVE),
    /** Free memory of arenas waits purge_delay times this number. C mimalloc 3.6 has 4. */
    ARENA_PURGE_MULT(Options.ARENA_PURGE_MULT),
    /** Takes each page straight from the system, not from arenas. */
    DISALLOW_ARENA_ALLOC(Options.DISALLOW_ARENA_ALLOC),
    /** The smallest block that is guarded, in bytes. */
    GUARDED_MIN(Options.GUARDED_MIN),
    /** The largest block that is guarded, in bytes. */
    GUARDED_MAX(Options.GUARDED_MAX),
    /** A guarded block ends exactly at its guard page, and so may begin at any address. */
    UNSAFE_GUARDED_PRECISE(Options.UNSAFE_GUARDED_PRECISE),
    /** Of how many blocks one, on average, ends at a page that cannot be touched; 0 guards none. */
    GUARDED_SAMPLE_RATE(Options.GUARDED_SAMPLE_RATE),
    /** Where the random numbers of each thread begin that choose the guarded blocks; 0 for anywhere. */
    GUARDED_SAMPLE_SEED(Options.GUARDED_SAMPLE_SEED),
    /** Allocations that had to look for a page, after which a thread collects its empty pages. */
    GENERIC_COLLECT(Options.GENERIC_COLLECT),
    /** A free takes over an abandoned page: -1 never, 0 if its thread had it, 1 always. C mimalloc 3.6 has 1. */
    PAGE_RECLAIM_ON_FREE(Options.PAGE_RECLAIM_ON_FREE),
    /** Full pages of a size that a thread keeps, of small blocks in proportion; -1 for all. */
    PAGE_FULL_RETAIN(Options.PAGE_FULL_RETAIN),
    /** Pages that are looked at to find the fullest one. */
    PAGE_MAX_CANDIDATES(Options.PAGE_MAX_CANDIDATES),
    /** A free takes over a page only by a thread with fewer pages of its size; -1 for any number. */
    PAGE_MAX_RECLAIM(Options.PAGE_MAX_RECLAIM),
    /** A free takes over another thread's page only by a thread with fewer pages of its size. */
    PAGE_CROSS_THREAD_MAX_RECLAIM(Options.PAGE_CROSS_THREAD_MAX_RECLAIM),
    /** Transparent huge pages: 0 none in the process, 1 where they pay, 2 for all memory. C mimalloc 3.6 has 2. */
    ALLOW_THP(Options.ALLOW_THP),
    /** Nothing smaller is purged, in KiB. */
    ARENA_PURGE_MIN_SIZE(Options.ARENA_PURGE_MIN_SIZE),
    /** Larger blocks come straight from the system, in KiB. */
    ARENA_MAX_OBJECT_SIZE(Options.ARENA_MAX_OBJECT_SIZE),
    /** Ties an arena to the NUMA node of the thread that reserves it; threads of other nodes use it last. */
    ARENA_IS_NUMA_LOCAL(Options.ARENA_IS_NUMA_LOCAL),
    /** Pieces of this size and more are purged when they are free, in KiB. C mimalloc 3.6 has 32 MiB. */
    ARENA_PURGE_IMMEDIATE_SIZE(Options.ARENA_PURGE_IMMEDIATE_SIZE),
    /** Hardens any build: 1 frees, 2 also overflows, 3 also use after free; 0 as the secure_ options say. */
    HARDEN(Options.HARDEN),
    /** Frees are checked: of the start of a block, once. */
    SECURE_TAGS(Options.SECURE_TAGS),
    /** A page's blocks are given out in random order. */
    SECURE_SHUFFLE(Options.SECURE_SHUFFLE),
    /** Bytes behind each block show at its free that nobody wrote past its end. */
    SECURE_PADDING(Options.SECURE_PADDING),
    /** A block is zeroed when it is freed. */
    SECURE_ZERO(Options.SECURE_ZERO),
    /** A block is given out again only if nobody has written to it since it was freed. */
    SECURE_REUSE(Options.SECURE_REUSE),
    /** Ends a C program at misuse: 0 never, 1 always, 2 if hardened, 3 if so and it is more than a free's form. */
    ABORT_ON_MISUSE(Options.ABORT_ON_MISUSE),
    /** How much that was freed waits before it is given out again, in KiB, for each thread and heap. */
    SECURE_QUARANTINE(Options.SECURE_QUARANTINE),
    /** How many addresses of freed large blocks cannot be touched for a while, in KiB, for each thread and heap. */
    SECURE_QUARANTINE_LARGE(Options.SECURE_QUARANTINE_LARGE);

    /** What an option's value means. */
    public enum Kind {
        /** 0 for off, 1 for on. */
        SWITCH,
        /** A number; what of is in the option's documentation. */
        NUMBER,
        /** A size in KiB. From outside it is given with a unit, as in {@code 64MiB}, or in bytes. */
        SIZE
    }

    private final int number;

    Option(int number) { this.number = number; }

    /** Whether a property's name, without {@code dev.mimalloc}, is that of one of these. */
    static boolean isProperty(String name) {
        try (Arena arena = Arena.ofConfined()) {
            String variable = "MIMALLOC_" + name.toUpperCase(Locale.ROOT).replace('.', '_');
            int number = Options.find(arena.allocateFrom(variable).address());
            return Arrays.stream(values()).anyMatch(option -> option.number == number);
        }
    }

    /**
     * What the value means.
     *
     * @return the kind
     */
    public Kind kind() { return Kind.values()[Options.kind(number)]; }

    /**
     * The smallest value there is.
     *
     * @return the smallest value, in the unit of the kind
     */
    public long min() { return Options.min(number); }

    /**
     * The largest value there is.
     *
     * @return the largest value, in the unit of the kind
     */
    public long max() { return Options.max(number); }

    /**
     * The value where nobody has given another.
     *
     * @return the value, in the unit of the kind
     */
    public long defaultValue() { return Options.defaultOf(number); }

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
    public long get() { return Options.get(number); }

    /**
     * Whether the value is not 0. Stands for {@code mi_option_is_enabled}.
     *
     * @return false for 0
     */
    public boolean isEnabled() { return Options.isEnabled(number); }

    /**
     * The value of a size in bytes. Stands for {@code mi_option_get_size}.
     *
     * @return the size in bytes
     * @throws UnsupportedOperationException if this option is no size
     */
    public long bytes() {
        if (kind() != Kind.SIZE) throw new UnsupportedOperationException(this + " is not a size");
        return Options.getSize(number);
    }

    /**
     * Sets the value. Stands for {@code mi_option_set}.
     *
     * @param value the new value
     * @throws IllegalArgumentException if the option cannot have this value
     */
    public void set(long value) { Options.set(number, checked(value)); }

    /**
     * Sets the value unless it was given from outside or set before. Stands for {@code mi_option_set_default}.
     *
     * @param value the new value
     * @throws IllegalArgumentException if the option cannot have this value
     */
    public void setDefault(long value) { Options.setDefault(number, checked(value)); }

    /**
     * Switches something on or off. Stands for {@code mi_option_set_enabled}.
     *
     * @param enabled true for on
     * @throws UnsupportedOperationException if this option is no switch
     */
    public void setEnabled(boolean enabled) {
        if (kind() != Kind.SWITCH) throw new UnsupportedOperationException(this + " is not a switch");
        Options.setEnabled(number, enabled);
    }

    private long checked(long value) {
        if (value >= min() && value <= max()) return value;
        String unit = kind() == Kind.SIZE ? " KiB" : "";
        String most = max() == Long.MAX_VALUE ? " or more" : " to " + max();
        throw new IllegalArgumentException(this + " cannot be " + value + unit + ", only " + min() + most + unit);
    }
}
