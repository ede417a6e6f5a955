package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * The options: read from the environment when first asked for, or set by a call. In static memory two words each: the
 * value as it was given; and what it comes to within the option's limits, with two bits that say whether it has been
 * determined. Both are atomic, and nobody needs them to agree. Sizes are kept in KiB.
 *
 * <p>The allocator itself only asks for {@link #bounded} values, so that no value of the user's can overflow anything,
 * or make it count for ever.
 */
public final class Options {
    private static final long VALUE = 0; // 8 relaxed: as it was given
    private static final long STATE = VALUE + 8; // 8 acquire: what it comes to, and two bits: UNKNOWN to INVALID
    static final long SIZE = STATE + 8;

    public static final int SHOW_ERRORS = 0;
    public static final int SHOW_STATS = 1;
    public static final int VERBOSE = 2;
    public static final int DEPRECATED_EAGER_COMMIT = 3;
    public static final int ARENA_EAGER_COMMIT = 4;
    public static final int PURGE_DECOMMITS = 5;
    public static final int ALLOW_LARGE_OS_PAGES = 6;
    public static final int RESERVE_HUGE_OS_PAGES = 7;
    public static final int RESERVE_HUGE_OS_PAGES_AT = 8;
    public static final int RESERVE_OS_MEMORY = 9;
    public static final int DEPRECATED_SEGMENT_CACHE = 10;
    public static final int DEPRECATED_PAGE_RESET = 11;
    public static final int DEPRECATED_ABANDONED_PAGE_PURGE = 12;
    public static final int DEPRECATED_SEGMENT_RESET = 13;
    public static final int DEPRECATED_EAGER_COMMIT_DELAY = 14;
    public static final int PURGE_DELAY = 15;
    public static final int USE_NUMA_NODES = 16;
    public static final int DISALLOW_OS_ALLOC = 17;
    public static final int OS_TAG = 18;
    public static final int MAX_ERRORS = 19;
    public static final int MAX_WARNINGS = 20;
    public static final int DEPRECATED_MAX_SEGMENT_RECLAIM = 21;
    public static final int DESTROY_ON_EXIT = 22;
    public static final int ARENA_RESERVE = 23;
    public static final int ARENA_PURGE_MULT = 24;
    public static final int DEPRECATED_PURGE_EXTEND_DELAY = 25;
    public static final int DISALLOW_ARENA_ALLOC = 26;
    public static final int RETRY_ON_OOM = 27;
    public static final int VISIT_ABANDONED = 28;
    public static final int GUARDED_MIN = 29;
    public static final int GUARDED_MAX = 30;
    public static final int GUARDED_PRECISE = 31;
    public static final int GUARDED_SAMPLE_RATE = 32;
    public static final int GUARDED_SAMPLE_SEED = 33;
    public static final int GENERIC_COLLECT = 34;
    public static final int PAGE_RECLAIM_ON_FREE = 35;
    public static final int PAGE_FULL_RETAIN = 36;
    public static final int PAGE_MAX_CANDIDATES = 37;
    public static final int MAX_VABITS = 38;
    public static final int PAGEMAP_COMMIT = 39;
    public static final int PAGE_COMMIT_ON_DEMAND = 40;
    public static final int PAGE_MAX_RECLAIM = 41;
    public static final int PAGE_CROSS_THREAD_MAX_RECLAIM = 42;
    public static final int ALLOW_THP = 43;
    public static final int MINIMAL_PURGE_SIZE = 44;
    public static final int ARENA_MAX_OBJECT_SIZE = 45;
    public static final int ARENA_IS_NUMA_LOCAL = 46;
    static final int COUNT = 47;

    /** In the second word: not looked at yet, the default, given by the user. */
    private static final long UNKNOWN = 0;
    private static final long DEFAULT = 1;
    private static final long GIVEN = 2;
    /** The environment has something that is no value; the default serves. */
    private static final long INVALID = 3;

    private static final int STATE_BITS = 2;

    /** The longest value that is read, or name that is looked at, with its zero. */
    static final long VALUE_MAX = 64;

    /** More than anybody can mean: 34 years in milliseconds. Two of them still have a sum. */
    private static final long MOST = 1L << 40;
    /** KiB of all addresses there can be. */
    private static final long MOST_KIB = 1L << 38;
    /** KiB of a terabyte: an arena writes a bit for each of its slices, so a larger one would cost memory at once. */
    private static final long MOST_ARENA_KIB = 1L << 30;

    private Options() {}

    private static long value(int option) { return Root.options() + option * SIZE + VALUE; }

    private static long state(int option) { return Root.options() + option * SIZE + STATE; }

    private static long stateOf(int option) { return getAcquire(state(option)) & (1 << STATE_BITS) - 1; }

    /** The smallest value that makes sense. */
    public static long min(int option) {
        return switch (option) {
            case RESERVE_HUGE_OS_PAGES_AT, PURGE_DELAY, MAX_ERRORS, MAX_WARNINGS -> -1;
            case PAGE_RECLAIM_ON_FREE, PAGE_FULL_RETAIN, PAGE_MAX_RECLAIM -> -1;
            case GENERIC_COLLECT, PAGE_MAX_CANDIDATES -> 1;
            default -> 0;
        };
    }

    /** The largest value that makes sense, {@code Long.MAX_VALUE} for any. For a switch, which may be any number, too. */
    public static long max(int option) {
        return switch (option) {
            case ARENA_EAGER_COMMIT, ALLOW_THP -> 2;
            case PAGE_RECLAIM_ON_FREE -> 1;
            case OS_TAG -> 255;
            case MAX_VABITS -> 64;
            case USE_NUMA_NODES, ARENA_PURGE_MULT -> 1 << 16;
            case RESERVE_HUGE_OS_PAGES -> 1 << 20;
            case RESERVE_HUGE_OS_PAGES_AT, PAGE_FULL_RETAIN -> Integer.MAX_VALUE;
            default -> isSize(option) ? Config.MAX_SIZE >>> 10 : Config.MAX_SIZE;
        };
    }

    private static long most(int option) {
        return option == ARENA_RESERVE ? MOST_ARENA_KIB : isSize(option) ? MOST_KIB : MOST;
    }

    /** The value of an option within its limits, and small enough to reckon with. */
    static long bounded(int option) {
        if (unlikely(stateOf(option) == UNKNOWN)) read(option);
        return getAcquire(state(option)) >> STATE_BITS;
    }

    /** The same in bytes, of an option that is a size. */
    static long boundedSize(int option) { return bounded(option) << 10; }

    /** The value that was given is none for this option: another one serves. */
    static boolean isBeyond(int option) { return get(option) < min(option) || get(option) > max(option); }

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

    static boolean isSize(int option) {
        return option == RESERVE_OS_MEMORY || option == ARENA_RESERVE || option == MINIMAL_PURGE_SIZE
                || option == ARENA_MAX_OBJECT_SIZE;
    }

    static boolean isInvalid(int option) { return stateOf(option) == INVALID; }

    /** Is there an option with this name of an environment variable? In any case of letters. */
    public static boolean isName(long text) {
        for (int option = 0; option < COUNT; option++) {
            if (isSame(text, name(option)) || legacyName(option) != 0 && isSame(text, legacyName(option))) return true;
        }
        return false;
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
        long bounded = Config.max(min(option), Config.min(value, Config.min(max(option), most(option))));
        putRelease(state(option), bounded << STATE_BITS | state);
    }

    /** Reads the environment. If that is not possible yet the default serves, and we ask again next time. */
    private static void read(int option) {
        store(option, defaultOf(option), UNKNOWN);
        long buffer = Meta.allocate(VALUE_MAX);
        if (buffer == 0) return;
        long length = Os.environment(name(option), buffer, VALUE_MAX);
        if (length == -1 && legacyName(option) != 0) length = Os.environment(legacyName(option), buffer, VALUE_MAX);
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
        return is(text, Text.literal("1")) || is(text, Text.literal("TRUE")) || is(text, Text.literal("YES"))
                || is(text, Text.literal("ON"));
    }

    private static boolean isNo(long text) {
        return is(text, Text.literal("0")) || is(text, Text.literal("FALSE")) || is(text, Text.literal("NO"))
                || is(text, Text.literal("OFF"));
    }

    /** A decimal number; a size may have a suffix, and is bytes when it has none. */
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
        if (isSize(option)) {
            int shift = 0;
            int suffix = getByte(at);
            if (suffix == 'K') shift = 10;
            else if (suffix == 'M') shift = 20;
            else if (suffix == 'G') shift = 30;
            else if (suffix == 'T') shift = 40;
            if (shift != 0) at += is(at + 1, Text.literal("IB")) ? 3 : is(at + 1, Text.literal("B")) ? 2 : 1;
            if (value > Config.MAX_SIZE >>> shift) good = false;
            else value = shift >= 10 ? value << shift - 10 : (value + 1023) >>> 10;
        }
        good = good && getByte(at) == 0;
        store(option, good ? negative ? -value : value : defaultOf(option), good ? GIVEN : INVALID);
    }

    private static int upper(int letter) { return letter >= 'a' && letter <= 'z' ? letter - 32 : letter; }

    private static boolean is(long text, long other) {
        for (; getByte(text) == getByte(other); text++, other++) {
            if (getByte(text) == 0) return true;
        }
        return false;
    }

    /** The value of an option that nobody has given. */
    public static long defaultOf(int option) {
        return switch (option) {
            case DEPRECATED_EAGER_COMMIT -> 1;
            case ARENA_EAGER_COMMIT -> 2;
            case PURGE_DECOMMITS -> 1;
            case RESERVE_HUGE_OS_PAGES_AT -> -1;
            case DEPRECATED_EAGER_COMMIT_DELAY -> 1;
            case PURGE_DELAY -> 1000;
            case OS_TAG -> 100;
            case MAX_ERRORS -> 32;
            case MAX_WARNINGS -> 32;
            case DEPRECATED_MAX_SEGMENT_RECLAIM -> 10;
            case ARENA_RESERVE -> 1L << 20;
            case ARENA_PURGE_MULT -> 1;
            case DEPRECATED_PURGE_EXTEND_DELAY -> 1;
            case RETRY_ON_OOM -> 400;
            case GUARDED_MAX -> 1L << 30;
            case GENERIC_COLLECT -> 10000;
            case PAGE_FULL_RETAIN -> 2;
            case PAGE_MAX_CANDIDATES -> 4;
            case PAGE_MAX_RECLAIM -> -1;
            case PAGE_CROSS_THREAD_MAX_RECLAIM -> 32;
            case ALLOW_THP -> 1;
            case ARENA_MAX_OBJECT_SIZE -> 2L << 20;
            default -> 0;
        };
    }

    /** The name of the environment variable. */
    static long name(int option) {
        return switch (option) {
            case SHOW_ERRORS -> Text.literal("MIMALLOC_SHOW_ERRORS");
            case SHOW_STATS -> Text.literal("MIMALLOC_SHOW_STATS");
            case VERBOSE -> Text.literal("MIMALLOC_VERBOSE");
            case DEPRECATED_EAGER_COMMIT -> Text.literal("MIMALLOC_DEPRECATED_EAGER_COMMIT");
            case ARENA_EAGER_COMMIT -> Text.literal("MIMALLOC_ARENA_EAGER_COMMIT");
            case PURGE_DECOMMITS -> Text.literal("MIMALLOC_PURGE_DECOMMITS");
            case ALLOW_LARGE_OS_PAGES -> Text.literal("MIMALLOC_ALLOW_LARGE_OS_PAGES");
            case RESERVE_HUGE_OS_PAGES -> Text.literal("MIMALLOC_RESERVE_HUGE_OS_PAGES");
            case RESERVE_HUGE_OS_PAGES_AT -> Text.literal("MIMALLOC_RESERVE_HUGE_OS_PAGES_AT");
            case RESERVE_OS_MEMORY -> Text.literal("MIMALLOC_RESERVE_OS_MEMORY");
            case DEPRECATED_SEGMENT_CACHE -> Text.literal("MIMALLOC_DEPRECATED_SEGMENT_CACHE");
            case DEPRECATED_PAGE_RESET -> Text.literal("MIMALLOC_DEPRECATED_PAGE_RESET");
            case DEPRECATED_ABANDONED_PAGE_PURGE -> Text.literal("MIMALLOC_DEPRECATED_ABANDONED_PAGE_PURGE");
            case DEPRECATED_SEGMENT_RESET -> Text.literal("MIMALLOC_DEPRECATED_SEGMENT_RESET");
            case DEPRECATED_EAGER_COMMIT_DELAY -> Text.literal("MIMALLOC_DEPRECATED_EAGER_COMMIT_DELAY");
            case PURGE_DELAY -> Text.literal("MIMALLOC_PURGE_DELAY");
            case USE_NUMA_NODES -> Text.literal("MIMALLOC_USE_NUMA_NODES");
            case DISALLOW_OS_ALLOC -> Text.literal("MIMALLOC_DISALLOW_OS_ALLOC");
            case OS_TAG -> Text.literal("MIMALLOC_OS_TAG");
            case MAX_ERRORS -> Text.literal("MIMALLOC_MAX_ERRORS");
            case MAX_WARNINGS -> Text.literal("MIMALLOC_MAX_WARNINGS");
            case DEPRECATED_MAX_SEGMENT_RECLAIM -> Text.literal("MIMALLOC_DEPRECATED_MAX_SEGMENT_RECLAIM");
            case DESTROY_ON_EXIT -> Text.literal("MIMALLOC_DESTROY_ON_EXIT");
            case ARENA_RESERVE -> Text.literal("MIMALLOC_ARENA_RESERVE");
            case ARENA_PURGE_MULT -> Text.literal("MIMALLOC_ARENA_PURGE_MULT");
            case DEPRECATED_PURGE_EXTEND_DELAY -> Text.literal("MIMALLOC_DEPRECATED_PURGE_EXTEND_DELAY");
            case DISALLOW_ARENA_ALLOC -> Text.literal("MIMALLOC_DISALLOW_ARENA_ALLOC");
            case RETRY_ON_OOM -> Text.literal("MIMALLOC_RETRY_ON_OOM");
            case VISIT_ABANDONED -> Text.literal("MIMALLOC_VISIT_ABANDONED");
            case GUARDED_MIN -> Text.literal("MIMALLOC_GUARDED_MIN");
            case GUARDED_MAX -> Text.literal("MIMALLOC_GUARDED_MAX");
            case GUARDED_PRECISE -> Text.literal("MIMALLOC_GUARDED_PRECISE");
            case GUARDED_SAMPLE_RATE -> Text.literal("MIMALLOC_GUARDED_SAMPLE_RATE");
            case GUARDED_SAMPLE_SEED -> Text.literal("MIMALLOC_GUARDED_SAMPLE_SEED");
            case GENERIC_COLLECT -> Text.literal("MIMALLOC_GENERIC_COLLECT");
            case PAGE_RECLAIM_ON_FREE -> Text.literal("MIMALLOC_PAGE_RECLAIM_ON_FREE");
            case PAGE_FULL_RETAIN -> Text.literal("MIMALLOC_PAGE_FULL_RETAIN");
            case PAGE_MAX_CANDIDATES -> Text.literal("MIMALLOC_PAGE_MAX_CANDIDATES");
            case MAX_VABITS -> Text.literal("MIMALLOC_MAX_VABITS");
            case PAGEMAP_COMMIT -> Text.literal("MIMALLOC_PAGEMAP_COMMIT");
            case PAGE_COMMIT_ON_DEMAND -> Text.literal("MIMALLOC_PAGE_COMMIT_ON_DEMAND");
            case PAGE_MAX_RECLAIM -> Text.literal("MIMALLOC_PAGE_MAX_RECLAIM");
            case PAGE_CROSS_THREAD_MAX_RECLAIM -> Text.literal("MIMALLOC_PAGE_CROSS_THREAD_MAX_RECLAIM");
            case ALLOW_THP -> Text.literal("MIMALLOC_ALLOW_THP");
            case MINIMAL_PURGE_SIZE -> Text.literal("MIMALLOC_MINIMAL_PURGE_SIZE");
            case ARENA_MAX_OBJECT_SIZE -> Text.literal("MIMALLOC_ARENA_MAX_OBJECT_SIZE");
            case ARENA_IS_NUMA_LOCAL -> Text.literal("MIMALLOC_ARENA_IS_NUMA_LOCAL");
            default -> 0;
        };
    }

    private static long legacyName(int option) {
        return switch (option) {
            case ARENA_EAGER_COMMIT -> Text.literal("MIMALLOC_EAGER_REGION_COMMIT");
            case PURGE_DECOMMITS -> Text.literal("MIMALLOC_RESET_DECOMMITS");
            case ALLOW_LARGE_OS_PAGES -> Text.literal("MIMALLOC_LARGE_OS_PAGES");
            case PURGE_DELAY -> Text.literal("MIMALLOC_RESET_DELAY");
            case DISALLOW_OS_ALLOC -> Text.literal("MIMALLOC_LIMIT_OS_ALLOC");
            case DEPRECATED_PURGE_EXTEND_DELAY -> Text.literal("MIMALLOC_DECOMMIT_EXTEND_DELAY");
            case PAGE_RECLAIM_ON_FREE -> Text.literal("MIMALLOC_ABANDONED_RECLAIM_ON_FREE");
            default -> 0;
        };
    }
}
