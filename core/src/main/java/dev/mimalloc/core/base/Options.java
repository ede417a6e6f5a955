package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;
import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Variant;

/**
 * The options: read from the environment when first asked for, or set by a call. The one table of them is here: a
 * constant with the option's text, and a row with its name, kind, default and limits. The header mimalloc.h, the API's
 * {@code Option} and docs/options.md are written from it, and a test compares them.
 *
 * <p>In static memory an option has two words: the value as it was given; and what it comes to within the option's
 * limits, with two bits that say whether it has been determined. Both are atomic, and nobody needs them to agree. Sizes
 * are kept in KiB.
 *
 * <p>The allocator itself asks whether a switch is on, and for the {@link #bounded} value of all others, so that no
 * value of the user's can overflow anything, or make it count for ever.
 */
public final class Options {
    private static final long VALUE = 0; // 8 relaxed: as it was given
    private static final long STATE = VALUE + 8; // 8 acquire: what it comes to, and two bits: UNKNOWN to INVALID
    static final long SIZE = STATE + 8;

    /** Prints errors and warnings. */
    public static final int SHOW_ERRORS = 0;
    /** Prints statistics when the process ends. */
    public static final int SHOW_STATS = 1;
    /** Prints the options at the start, statistics at the end, errors and warnings. */
    public static final int VERBOSE = 2;
    /** No effect any more. */
    public static final int DEPRECATED_EAGER_COMMIT = 3;
    /** Commits an arena at once: 0 no, 1 yes, 2 by steps of 2 MiB where the system overcommits. */
    public static final int ARENA_EAGER_COMMIT = 4;
    /** A purge decommits memory; 0: the system takes it when it needs it, until then it counts as resident. */
    public static final int PURGE_DECOMMITS = 5;
    /** Uses OS pages of 2 MiB, which the system must have reserved. */
    public static final int ALLOW_LARGE_OS_PAGES = 6;
    /** OS pages of 1 GiB to reserve at the start. */
    public static final int RESERVE_HUGE_OS_PAGES = 7;
    /** The NUMA node of the pages of 1 GiB; -1 for all nodes in equal parts. */
    public static final int RESERVE_HUGE_OS_PAGES_AT = 8;
    /** Memory to reserve at the start, in KiB. */
    public static final int RESERVE_OS_MEMORY = 9;
    /** No effect any more. */
    public static final int DEPRECATED_SEGMENT_CACHE = 10;
    /** No effect any more. */
    public static final int DEPRECATED_PAGE_RESET = 11;
    /** No effect any more. */
    public static final int DEPRECATED_ABANDONED_PAGE_PURGE = 12;
    /** No effect any more. */
    public static final int DEPRECATED_SEGMENT_RESET = 13;
    /** No effect any more. */
    public static final int DEPRECATED_EAGER_COMMIT_DELAY = 14;
    /** Milliseconds, once to twice, until free memory goes back to the system; 0 at once, -1 never. */
    public static final int PURGE_DELAY = 15;
    /** The number of NUMA nodes to act for; 0 asks the system. */
    public static final int USE_NUMA_NODES = 16;
    /** Takes no memory from the system beyond what was reserved. */
    public static final int DISALLOW_OS_ALLOC = 17;
    /** No effect: the tag of memory from the system, which only macOS has. */
    public static final int OS_TAG = 18;
    /** The most errors that are printed; -1 for all. */
    public static final int MAX_ERRORS = 19;
    /** The most warnings that are printed; -1 for all. */
    public static final int MAX_WARNINGS = 20;
    /** No effect any more. */
    public static final int DEPRECATED_MAX_SEGMENT_RECLAIM = 21;
    /** Frees all memory when the process ends. No effect on the JVM, whose threads run to its very end. */
    public static final int DESTROY_ON_EXIT = 22;
    /** Addresses that an arena reserves, in KiB; memory is taken only where it is used. */
    public static final int ARENA_RESERVE = 23;
    /** Free memory of arenas waits purge_delay times this number. C mimalloc 3.6 has 4. */
    public static final int ARENA_PURGE_MULT = 24;
    /** No effect any more. */
    public static final int DEPRECATED_PURGE_EXTEND_DELAY = 25;
    /** Takes each page straight from the system, not from arenas. */
    public static final int DISALLOW_ARENA_ALLOC = 26;
    /** No effect: milliseconds to try again when there is no memory, on Windows. */
    public static final int RETRY_ON_OOM = 27;
    /** No effect: abandoned blocks can always be visited. */
    public static final int DEPRECATED_VISIT_ABANDONED = 28;
    /** The smallest block that is guarded, in bytes. */
    public static final int GUARDED_MIN = 29;
    /** The largest block that is guarded, in bytes. */
    public static final int GUARDED_MAX = 30;
    /** A guarded block ends exactly at its guard page, and so may begin at any address. */
    public static final int UNSAFE_GUARDED_PRECISE = 31;
    /** Of how many blocks one, on average, ends at a page that cannot be touched; 0 guards none. */
    public static final int GUARDED_SAMPLE_RATE = 32;
    /** Where the random numbers of each thread begin that choose the guarded blocks; 0 for anywhere. */
    public static final int GUARDED_SAMPLE_SEED = 33;
    /** Allocations that had to look for a page, after which a thread collects its empty pages. */
    public static final int GENERIC_COLLECT = 34;
    /** A free takes over an abandoned page: -1 never, 0 if its thread had it, 1 always. C mimalloc 3.6 has 1. */
    public static final int PAGE_RECLAIM_ON_FREE = 35;
    /** Full pages of a size that a thread keeps, of small blocks in proportion; -1 for all. */
    public static final int PAGE_FULL_RETAIN = 36;
    /** Pages that are looked at to find the fullest one. */
    public static final int PAGE_MAX_CANDIDATES = 37;
    /** No effect: addresses of 48 bits are always covered. */
    public static final int MAX_VABITS = 38;
    /** No effect: each table of the page map is committed as a whole when it is first needed. */
    public static final int PAGEMAP_COMMIT = 39;
    /** No effect: a page is committed as a whole, and backed where it is touched. */
    public static final int PAGE_COMMIT_ON_DEMAND = 40;
    /** A free takes over a page only by a thread with fewer pages of its size; -1 for any number. */
    public static final int PAGE_MAX_RECLAIM = 41;
    /** A free takes over another thread's page only by a thread with fewer pages of its size. */
    public static final int PAGE_CROSS_THREAD_MAX_RECLAIM = 42;
    /** Transparent huge pages: 0 none in the process, 1 where they pay, 2 for all memory. C mimalloc 3.6 has 2. */
    public static final int ALLOW_THP = 43;
    /** Nothing smaller is purged, in KiB. */
    public static final int ARENA_PURGE_MIN_SIZE = 44;
    /** Larger blocks come straight from the system, in KiB. */
    public static final int ARENA_MAX_OBJECT_SIZE = 45;
    /** Ties an arena to the NUMA node of the thread that reserves it; threads of other nodes use it last. */
    public static final int ARENA_IS_NUMA_LOCAL = 46;
    /** No effect: what a heap's statistics say always has its theaps' in it. */
    public static final int STATS_MERGE_ON_COLLECT = 47;
    /** Bytes allocated from one file of MIMALLOC_PROFILE to the next; 0 for any. No effect on the JVM. */
    public static final int PROFILE_ALLOC_INTERVAL = 48;
    /** Bytes of growth from one such file to the next; 0 for any. No effect on the JVM. */
    public static final int PROFILE_INUSE_INTERVAL = 49;
    /** Seconds from one such file to the next; 0 for any. No effect on the JVM. */
    public static final int PROFILE_TIME_INTERVAL = 50;
    /** Of how many bytes MIMALLOC_PROFILE samples one, on average; 0 as the default. No effect on the JVM. */
    public static final int PROFILE_SAMPLE_RATE = 51;
    /** No effect: see stats_merge_on_collect. */
    public static final int STATS_MERGE_THRESHOLD = 52;
    /** Pieces of this size and more are purged when they are free, in KiB. C mimalloc 3.6 has 32 MiB. */
    public static final int ARENA_PURGE_IMMEDIATE_SIZE = 53;
    /** A thread gives free memory back also if nobody calls. No effect on the JVM, which always has one. */
    public static final int PURGE_THREAD = 54;
    /** A fault at a guarded block is reported with the block's story. No effect on the JVM. */
    public static final int GUARDED_REPORT = 55;
    /** Hardens any build: 1 frees, 2 also overflows, 3 also use after free; 0 as the secure_ options say. */
    public static final int HARDEN = 56;
    /** Frees are checked: of the start of a block, once. */
    public static final int SECURE_TAGS = 57;
    /** A page's blocks are given out in random order. */
    public static final int SECURE_SHUFFLE = 58;
    /** Bytes behind each block show at its free that nobody wrote past its end. */
    public static final int SECURE_PADDING = 59;
    /** A block is zeroed when it is freed. */
    public static final int SECURE_ZERO = 60;
    /** A block is given out again only if nobody has written to it since it was freed. */
    public static final int SECURE_REUSE = 61;
    /** Ends a C program at misuse: 0 never, 1 always, 2 if hardened, 3 if so and it is more than a free's form. */
    public static final int ABORT_ON_MISUSE = 62;
    /** How much that was freed waits before it is given out again, in KiB, for each thread and heap. */
    public static final int SECURE_QUARANTINE = 63;
    /** How many addresses of freed large blocks cannot be touched for a while, in KiB, for each thread and heap. */
    public static final int SECURE_QUARANTINE_LARGE = 64;
    /** The number of a signal at which MIMALLOC_PROFILE writes a file; 0 for none. No effect on the JVM. */
    public static final int PROFILE_SIGNAL = 65;
    /** The number of a signal at which MIMALLOC_DUMP writes a file; 12 is USR2 on Linux. No effect on the JVM. */
    public static final int DUMP_SIGNAL = 66;
    /** Prints at the end which calls' blocks are live: 1 all, else one byte in so many. No effect on the JVM. */
    public static final int LEAKS = 67;
    /** All free memory goes back when Linux is short of it, by the purge thread. No effect on the JVM. */
    public static final int PURGE_ON_PRESSURE = 68;
    public static final int COUNT = 69;

    /** Kinds: off or on, a number, a size in KiB. */
    public static final int SWITCH = 0;
    public static final int NUMBER = 1;
    public static final int KIB = 2;

    /** Columns of the table. */
    private static final int NAME = 0;
    private static final int KIND = 1;
    private static final int DEFAULT_VALUE = 2;
    private static final int LEAST = 3;
    private static final int MOST = 4;

    /** No largest value: what is more than {@link #ENOUGH}, or {@link #ENOUGH_KIB}, has the effect of that. */
    private static final long ANY = Config.MAX_SIZE;
    private static final long ANY_KIB = ANY >>> 10;
    /** 34 years in milliseconds. Two of them still have a sum. */
    private static final long ENOUGH = 1L << 40;
    /** KiB of all addresses there can be. */
    private static final long ENOUGH_KIB = 1L << 38;

    /** States of a value: not looked at yet, the default, given by the user. */
    private static final long UNKNOWN = 0;
    private static final long DEFAULT = 1;
    private static final long GIVEN = 2;
    /** The environment has something that is no value; the default serves. */
    private static final long INVALID = 3;

    private static final int STATE_BITS = 2;

    /** The longest value that is read, or name that is looked at, with its zero. */
    static final long VALUE_MAX = 64;

    private Options() {}

    /** One field of the table. A row has the name of the environment variable, the default, the least and the most. */
    private static long field(int option, int column) {
        return switch (option) {
            case SHOW_ERRORS -> onOff(column, literal("MIMALLOC_SHOW_ERRORS"), 0);
            case SHOW_STATS -> onOff(column, literal("MIMALLOC_SHOW_STATS"), 0);
            case VERBOSE -> onOff(column, literal("MIMALLOC_VERBOSE"), 0);
            case DEPRECATED_EAGER_COMMIT -> number(column, literal("MIMALLOC_DEPRECATED_EAGER_COMMIT"), 1);
            case ARENA_EAGER_COMMIT -> number(column, literal("MIMALLOC_ARENA_EAGER_COMMIT"), 2, 0, 2);
            case PURGE_DECOMMITS -> onOff(column, literal("MIMALLOC_PURGE_DECOMMITS"), 1);
            case ALLOW_LARGE_OS_PAGES -> onOff(column, literal("MIMALLOC_ALLOW_LARGE_OS_PAGES"), 0);
            case RESERVE_HUGE_OS_PAGES -> number(column, literal("MIMALLOC_RESERVE_HUGE_OS_PAGES"), 0, 0, 1 << 20);
            case RESERVE_HUGE_OS_PAGES_AT -> number(column, literal("MIMALLOC_RESERVE_HUGE_OS_PAGES_AT"), -1, -1, 1 << 16);
            case RESERVE_OS_MEMORY -> size(column, literal("MIMALLOC_RESERVE_OS_MEMORY"), 0, ANY_KIB);
            case DEPRECATED_SEGMENT_CACHE -> number(column, literal("MIMALLOC_DEPRECATED_SEGMENT_CACHE"), 0);
            case DEPRECATED_PAGE_RESET -> number(column, literal("MIMALLOC_DEPRECATED_PAGE_RESET"), 0);
            case DEPRECATED_ABANDONED_PAGE_PURGE -> number(column, literal("MIMALLOC_DEPRECATED_ABANDONED_PAGE_PURGE"), 0);
            case DEPRECATED_SEGMENT_RESET -> number(column, literal("MIMALLOC_DEPRECATED_SEGMENT_RESET"), 0);
            case DEPRECATED_EAGER_COMMIT_DELAY -> number(column, literal("MIMALLOC_DEPRECATED_EAGER_COMMIT_DELAY"), 1);
            case PURGE_DELAY -> number(column, literal("MIMALLOC_PURGE_DELAY"), 1000, -1, ANY);
            case USE_NUMA_NODES -> number(column, literal("MIMALLOC_USE_NUMA_NODES"), 0, 0, 1 << 16);
            case DISALLOW_OS_ALLOC -> onOff(column, literal("MIMALLOC_DISALLOW_OS_ALLOC"), 0);
            case OS_TAG -> number(column, literal("MIMALLOC_OS_TAG"), 100, 0, 255);
            case MAX_ERRORS -> number(column, literal("MIMALLOC_MAX_ERRORS"), 32, -1, ANY);
            case MAX_WARNINGS -> number(column, literal("MIMALLOC_MAX_WARNINGS"), 32, -1, ANY);
            case DEPRECATED_MAX_SEGMENT_RECLAIM -> number(column, literal("MIMALLOC_DEPRECATED_MAX_SEGMENT_RECLAIM"), 10);
            case DESTROY_ON_EXIT -> onOff(column, literal("MIMALLOC_DESTROY_ON_EXIT"), 0);
            case ARENA_RESERVE -> size(column, literal("MIMALLOC_ARENA_RESERVE"), 1 << 20, 1 << 30);
            case ARENA_PURGE_MULT -> number(column, literal("MIMALLOC_ARENA_PURGE_MULT"), 1, 1, 1 << 16);
            case DEPRECATED_PURGE_EXTEND_DELAY -> number(column, literal("MIMALLOC_DEPRECATED_PURGE_EXTEND_DELAY"), 1);
            case DISALLOW_ARENA_ALLOC -> onOff(column, literal("MIMALLOC_DISALLOW_ARENA_ALLOC"), 0);
            case RETRY_ON_OOM -> number(column, literal("MIMALLOC_RETRY_ON_OOM"), 400);
            case DEPRECATED_VISIT_ABANDONED -> onOff(column, literal("MIMALLOC_DEPRECATED_VISIT_ABANDONED"), 1);
            case GUARDED_MIN -> number(column, literal("MIMALLOC_GUARDED_MIN"), 0);
            case GUARDED_MAX -> number(column, literal("MIMALLOC_GUARDED_MAX"), 1 << 30);
            case UNSAFE_GUARDED_PRECISE -> onOff(column, literal("MIMALLOC_UNSAFE_GUARDED_PRECISE"), 0);
            case GUARDED_SAMPLE_RATE -> number(column, literal("MIMALLOC_GUARDED_SAMPLE_RATE"), 0);
            case GUARDED_SAMPLE_SEED -> number(column, literal("MIMALLOC_GUARDED_SAMPLE_SEED"), 0);
            case GENERIC_COLLECT -> number(column, literal("MIMALLOC_GENERIC_COLLECT"), 10000, 1, ANY);
            case PAGE_RECLAIM_ON_FREE -> number(column, literal("MIMALLOC_PAGE_RECLAIM_ON_FREE"), 0, -1, 1);
            case PAGE_FULL_RETAIN -> number(column, literal("MIMALLOC_PAGE_FULL_RETAIN"), 2, -1, Integer.MAX_VALUE);
            case PAGE_MAX_CANDIDATES -> number(column, literal("MIMALLOC_PAGE_MAX_CANDIDATES"), 4, 1, ANY);
            case MAX_VABITS -> number(column, literal("MIMALLOC_MAX_VABITS"), 0, 0, 64);
            case PAGEMAP_COMMIT -> onOff(column, literal("MIMALLOC_PAGEMAP_COMMIT"), 0);
            case PAGE_COMMIT_ON_DEMAND -> onOff(column, literal("MIMALLOC_PAGE_COMMIT_ON_DEMAND"), 0);
            case PAGE_MAX_RECLAIM -> number(column, literal("MIMALLOC_PAGE_MAX_RECLAIM"), -1, -1, ANY);
            case PAGE_CROSS_THREAD_MAX_RECLAIM -> number(column, literal("MIMALLOC_PAGE_CROSS_THREAD_MAX_RECLAIM"), 32);
            case ALLOW_THP -> number(column, literal("MIMALLOC_ALLOW_THP"), 1, 0, 2);
            case ARENA_PURGE_MIN_SIZE -> size(column, literal("MIMALLOC_ARENA_PURGE_MIN_SIZE"), 0, ANY_KIB);
            case ARENA_MAX_OBJECT_SIZE -> size(column, literal("MIMALLOC_ARENA_MAX_OBJECT_SIZE"), 2 << 20, ANY_KIB);
            case ARENA_IS_NUMA_LOCAL -> onOff(column, literal("MIMALLOC_ARENA_IS_NUMA_LOCAL"), 0);
            case STATS_MERGE_ON_COLLECT -> onOff(column, literal("MIMALLOC_STATS_MERGE_ON_COLLECT"), 1);
            case PROFILE_ALLOC_INTERVAL -> number(column, literal("MIMALLOC_PROFILE_ALLOC_INTERVAL"), 1 << 30);
            case PROFILE_INUSE_INTERVAL -> number(column, literal("MIMALLOC_PROFILE_INUSE_INTERVAL"), 0);
            case PROFILE_TIME_INTERVAL -> number(column, literal("MIMALLOC_PROFILE_TIME_INTERVAL"), 0);
            case PROFILE_SAMPLE_RATE -> number(column, literal("MIMALLOC_PROFILE_SAMPLE_RATE"), 512 << 10);
            case STATS_MERGE_THRESHOLD -> number(column, literal("MIMALLOC_STATS_MERGE_THRESHOLD"), 512 << 10);
            case ARENA_PURGE_IMMEDIATE_SIZE -> size(column, literal("MIMALLOC_ARENA_PURGE_IMMEDIATE_SIZE"), 1 << 30, ANY_KIB);
            case PURGE_THREAD -> onOff(column, literal("MIMALLOC_PURGE_THREAD"), 0);
            case GUARDED_REPORT -> onOff(column, literal("MIMALLOC_GUARDED_REPORT"), 1);
            case HARDEN -> number(column, literal("MIMALLOC_HARDEN"), 0, 0, 3);
            case SECURE_TAGS -> onOff(column, literal("MIMALLOC_SECURE_TAGS"), 0);
            case SECURE_SHUFFLE -> onOff(column, literal("MIMALLOC_SECURE_SHUFFLE"), 0);
            case SECURE_PADDING -> onOff(column, literal("MIMALLOC_SECURE_PADDING"), 0);
            case SECURE_ZERO -> onOff(column, literal("MIMALLOC_SECURE_ZERO"), 0);
            case SECURE_REUSE -> onOff(column, literal("MIMALLOC_SECURE_REUSE"), 0);
            case ABORT_ON_MISUSE -> number(column, literal("MIMALLOC_ABORT_ON_MISUSE"), 2, 0, 3);
            case SECURE_QUARANTINE -> size(column, literal("MIMALLOC_SECURE_QUARANTINE"), 0, 1 << 20);
            case SECURE_QUARANTINE_LARGE -> size(column, literal("MIMALLOC_SECURE_QUARANTINE_LARGE"), 0, ANY_KIB);
            case DUMP_SIGNAL -> number(column, literal("MIMALLOC_DUMP_SIGNAL"), 12, 1, 64);
            case PROFILE_SIGNAL -> number(column, literal("MIMALLOC_PROFILE_SIGNAL"), 0, 0, 64);
            case LEAKS -> number(column, literal("MIMALLOC_LEAKS"), 0);
            case PURGE_ON_PRESSURE -> onOff(column, literal("MIMALLOC_PURGE_ON_PRESSURE"), 0);
            default -> 0;
        };
    }

    private static long number(int column, long name, long value) { return number(column, name, value, 0, ANY); }

    private static long number(int column, long name, long value, long least, long most) {
        if (column == NAME) return name;
        return column == DEFAULT_VALUE ? value : column == LEAST ? least : column == MOST ? most : NUMBER;
    }

    private static long onOff(int column, long name, long value) {
        return column == KIND ? SWITCH : number(column, name, value, 0, 1);
    }

    private static long size(int column, long name, long value, long most) {
        return column == KIND ? KIB : number(column, name, value, 0, most);
    }

    /** The name of the environment variable. */
    public static long name(int option) { return field(option, NAME); }

    public static int kind(int option) { return (int) field(option, KIND); }

    public static boolean isSize(int option) { return kind(option) == KIB; }

    /** The value of an option that nobody has given. */
    public static long defaultOf(int option) { return Variant.defaultOf(option, field(option, DEFAULT_VALUE)); }

    /** The smallest value that makes sense. */
    public static long min(int option) { return field(option, LEAST); }

    /** The largest value that makes sense. C takes any number for a switch, and all but 0 mean on. */
    public static long max(int option) { return field(option, MOST); }

    private static long value(int option) { return Root.options() + option * SIZE + VALUE; }

    private static long state(int option) { return Root.options() + option * SIZE + STATE; }

    private static long stateOf(int option) { return getAcquire(state(option)) & (1 << STATE_BITS) - 1; }

    /** Has the user given the value of an option that was looked at before? */
    static boolean isGiven(int option) { return stateOf(option) == GIVEN; }

    /** The value of an option within its limits, and small enough to reckon with. */
    public static long bounded(int option) {
        if (unlikely(stateOf(option) == UNKNOWN)) read(option);
        return getAcquire(state(option)) >> STATE_BITS;
    }

    /** The value, in bytes, of an option that is a size: within its limits, and small enough to reckon with. */
    public static long boundedSize(int option) { return bounded(option) << 10; }

    /** What is wrong with the value that was given, and which one serves: a text, or 0. */
    static long fault(int option) {
        long value = get(option);
        if (stateOf(option) == INVALID) return literal("not a value for this option, its default is used: ");
        if (kind(option) == SWITCH || value >= min(option) && value <= max(option)) return 0;
        return literal("beyond the limits of this option, the nearest value is used: ");
    }

    /** The value of an option; 0 for one that does not exist. */
    @Export("long mi_option_get(mi_option_t option)")
    public static long get(int option) {
        if (option < 0 || option >= COUNT) return 0;
        if (unlikely(stateOf(option) == UNKNOWN)) read(option);
        return getRelaxed(value(option));
    }

    @Export("long mi_option_get_clamp(mi_option_t option, long min, long max)")
    public static long getClamped(int option, long min, long max) {
        return Config.max(min, Config.min(get(option), max));
    }

    /** The value in bytes of an option that is a size in KiB. */
    @Export("size_t mi_option_get_size(mi_option_t option)")
    public static long getSize(int option) {
        long value = get(option);
        if (value < 0) return 0;
        if (!isSize(option)) return value;
        return value > Config.MAX_SIZE >>> 10 ? Config.MAX_SIZE : value << 10;
    }

    @Export("bool mi_option_is_enabled(mi_option_t option)")
    public static boolean isEnabled(int option) { return get(option) != 0; }

    @Export("void mi_option_set(mi_option_t option, long value)")
    public static void set(int option, long value) { store(option, value, GIVEN); }

    /** Changes the default: an option that the user has given keeps its value. */
    @Export("void mi_option_set_default(mi_option_t option, long value)")
    public static void setDefault(int option, long value) {
        get(option);
        if (option >= 0 && option < COUNT && stateOf(option) != GIVEN) store(option, value, DEFAULT);
    }

    @Export("void mi_option_set_enabled(mi_option_t option, bool enable)")
    public static void setEnabled(int option, boolean enable) { set(option, enable ? 1 : 0); }

    @Export("void mi_option_set_enabled_default(mi_option_t option, bool enable)")
    public static void setEnabledDefault(int option, boolean enable) { setDefault(option, enable ? 1 : 0); }

    @Export("void mi_option_enable(mi_option_t option)")
    public static void enable(int option) { set(option, 1); }

    @Export("void mi_option_disable(mi_option_t option)")
    public static void disable(int option) { set(option, 0); }

    /** The option with this name of an environment variable, in any case of letters; -1 if there is none. */
    public static int find(long text) {
        for (int option = 0; option < COUNT; option++) {
            long former = formerName(option);
            if (isSame(text, name(option)) || former != 0 && isSame(text, former)) return option;
        }
        return -1;
    }

    /** Is this one of the variables that have files written? Their values are names, and so they are no options. */
    static boolean isFile(long text) {
        return isSame(text, literal("MIMALLOC_PROFILE")) || isSame(text, literal("MIMALLOC_DUMP")) || isSame(text, literal("MIMALLOC_LIVE"));
    }

    private static boolean isSame(long text, long capitals) {
        for (; upper(getByte(text)) == getByte(capitals); text++, capitals++) {
            if (getByte(capitals) == 0) return true;
        }
        return false;
    }

    private static void store(int option, long value, long state) {
        if (option < 0 || option >= COUNT) return;
        putRelaxed(value(option), value);
        long most = Config.min(max(option), isSize(option) ? ENOUGH_KIB : ENOUGH);
        long bounded = kind(option) == SWITCH && value != 0 ? 1 : Config.max(min(option), Config.min(value, most));
        putRelease(state(option), bounded << STATE_BITS | state);
    }

    /** Reads the environment. If that is not possible yet the default serves, and we ask again next time. */
    private static void read(int option) {
        store(option, defaultOf(option), UNKNOWN);
        long buffer = Meta.allocate(VALUE_MAX);
        if (buffer == 0) return;
        long length = Os.environment(name(option), buffer, VALUE_MAX);
        if (length == -1 && formerName(option) != 0) length = Os.environment(formerName(option), buffer, VALUE_MAX);
        if (length >= 0) parse(option, buffer, Config.min(length, VALUE_MAX - 1));
        else if (length == -1) store(option, defaultOf(option), DEFAULT);
        Meta.free(buffer, VALUE_MAX);
    }

    private static void parse(int option, long text, long length) {
        for (long i = 0; i < length; i++) putByte(text + i, upper(getByte(text + i)));
        if (length == 0 || isYes(text)) store(option, 1, GIVEN);
        else if (isNo(text)) store(option, 0, GIVEN);
        else number(option, text);
    }

    private static boolean isYes(long text) {
        return isSame(text, literal("1")) || isSame(text, literal("ON")) || isSame(text, literal("YES"))
                || isSame(text, literal("TRUE"));
    }

    private static boolean isNo(long text) {
        return isSame(text, literal("0")) || isSame(text, literal("OFF")) || isSame(text, literal("NO"))
                || isSame(text, literal("FALSE"));
    }

    /** A decimal number, which may have a suffix; a size is bytes when it has none. */
    private static void number(int option, long text) {
        boolean negative = getByte(text) == '-';
        long at = negative || getByte(text) == '+' ? text + 1 : text;
        long value = 0;
        boolean good = getByte(at) >= '0' && getByte(at) <= '9';
        for (; getByte(at) >= '0' && getByte(at) <= '9'; at++) {
            int digit = getByte(at) - '0';
            if (value > (Config.MAX_SIZE - digit) / 10) good = false;
            else value = value * 10 + digit;
        }
        int shift = switch (getByte(at)) {
            case 'K' -> 10;
            case 'M' -> 20;
            case 'G' -> 30;
            case 'T' -> 40;
            default -> 0;
        };
        if (shift != 0) at += isSame(at + 1, literal("IB")) ? 3 : isSame(at + 1, literal("B")) ? 2 : 1;
        if (value > Config.MAX_SIZE >>> shift) good = false;
        else if (!isSize(option)) value <<= shift;
        else value = shift >= 10 ? value << shift - 10 : (value + 1023) >>> 10;
        good = good && getByte(at) == 0;
        store(option, good ? negative ? -value : value : defaultOf(option), good ? GIVEN : INVALID);
    }

    private static int upper(int letter) { return letter >= 'a' && letter <= 'z' ? letter - 32 : letter; }

    /** The variable's name in earlier versions, or 0. */
    public static long formerName(int option) {
        return switch (option) {
            case ARENA_EAGER_COMMIT -> literal("MIMALLOC_EAGER_REGION_COMMIT");
            case PURGE_DECOMMITS -> literal("MIMALLOC_RESET_DECOMMITS");
            case ALLOW_LARGE_OS_PAGES -> literal("MIMALLOC_LARGE_OS_PAGES");
            case PURGE_DELAY -> literal("MIMALLOC_RESET_DELAY");
            case DISALLOW_OS_ALLOC -> literal("MIMALLOC_LIMIT_OS_ALLOC");
            case DEPRECATED_PURGE_EXTEND_DELAY -> literal("MIMALLOC_DECOMMIT_EXTEND_DELAY");
            case DEPRECATED_VISIT_ABANDONED -> literal("MIMALLOC_VISIT_ABANDONED");
            case UNSAFE_GUARDED_PRECISE -> literal("MIMALLOC_GUARDED_PRECISE");
            case ARENA_PURGE_MIN_SIZE -> literal("MIMALLOC_MINIMAL_PURGE_SIZE");
            case PAGE_RECLAIM_ON_FREE -> literal("MIMALLOC_ABANDONED_RECLAIM_ON_FREE");
            default -> 0;
        };
    }
}
