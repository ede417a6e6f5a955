package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Memory;

/**
 * The one piece of static memory, from which all mutable state of the allocator is reached. It is there, and zero,
 * before anything has been initialised, as the first malloc of a process may come at any time; so zero is what each of
 * its words begins with. The structs of {@code Main} lie behind it.
 *
 * <p>All threads read and write it, in the order that a word's row says; a word without one is written when no other
 * thread runs, or before it can matter to one.
 */
public final class Root {
    public static final int SHARED_MAX = 256;
    private static final long STATE = 0; // 8 acquire: 0 before, 1 during, 2 after the process' initialisation
    private static final long META_FREED = STATE + 8; // 8 atomic, a hint: bytes of meta-data freed since Meta.collect
    private static final long META_PAGES = META_FREED + 8; // 8 acquire: the latest meta-data page; pages are only added
    private static final long SHARED_COUNT = META_PAGES + 8; // 8 acquire: theaps that virtual threads share: 2^n
    private static final long FORKED = SHARED_COUNT + 8; // 8: 1 in a process that a fork made
    private static final long DEFERRED = FORKED + 8; // 16 acquire: the deferred-free function, and its argument
    private static final long OUTPUT = DEFERRED + 16; // 16 acquire: the output function, and its argument
    private static final long ERROR = OUTPUT + 16; // 16 acquire: the error function, and its argument
    private static final long ERRORS = ERROR + 16; // 8 atomic: how many errors were shown
    private static final long WARNINGS = ERRORS + 8; // 8 atomic: how many warnings were shown
    private static final long SEQUENCE = WARNINGS + 8; // 8 atomic: numbers for threads
    private static final long START = SEQUENCE + 8; // 8 once: when the process began, monotonic ms
    private static final long LOCK = START + 8; // 8: held while a heap gets a slot, a subprocess begins or ends
    private static final long SLOT_COUNT = LOCK + 8; // 8 lock: slots that have been given out
    private static final long FREE_SLOT = SLOT_COUNT + 8; // 8 lock: a slot that is free again, plus one
    private static final long SUBPROCESSES = FREE_SLOT + 8; // 8 lock: list, beginning with the latest
    private static final long LIMIT = SUBPROCESSES + 8; // 8 relaxed: bytes that all pages together may have, 0 for any
    private static final long CHARGED = LIMIT + 8; // 8 atomic: bytes that they have
    private static final long AT_LIMIT = CHARGED + 8; // 16 acquire: the function to call at a limit, and its argument
    private static final long DESTROYED = AT_LIMIT + 16; // 8: 1 after all memory has gone with blocks in it
    private static final long OVERCOMMITS = DESTROYED + 8; // 8 relaxed: 0 not asked yet, 1 no, 2 yes; see OsConfig
    private static final long GUARDED = OVERCOMMITS + 8; // 8 acquire: the table of guarded blocks, 0 before the first
    private static final long HARDENING = GUARDED + 8; // 8 relaxed, once: features beyond the secure build's: Secret
    private static final long KEYS = HARDENING + 8; // 16 once: see Secret
    private static final long MAPPINGS = KEYS + 2 * WORD; // 8 atomic: mappings whose address was drawn: see Random
    private static final long PROFILERS = MAPPINGS + 8; // 8 acquire, written under lock: the latest profiler; they are only added
    private static final long REQUESTS = PROFILERS + 8; // 8 acquire, once: what the environment asks for: Requests; 0 for nothing
    private static final long RELIEF_DUE = REQUESTS + 8; // 8 relaxed: from when on, in ms, want of memory purges; -1 never
    private static final long OPTIONS = RELIEF_DUE + 8; // see Options
    private static final long SHARED_DATA = OPTIONS + Options.COUNT * Options.SIZE + LINE - 1 & -LINE; // acquire: ThreadData
    private static final long SLOTS = SHARED_DATA + SHARED_MAX * WORD; // Table, lock: the free slot behind a free one
    private static final long DENSITY = SLOTS + Table.SIZE + LINE - 1 & -LINE; // relaxed: see Density
    public static final long SIZE = DENSITY + Long.SIZE * WORD + LINE - 1 & -LINE;
    /** In the two words of a function. */
    private static final long ARGUMENT = 8;

    private Root() {}

    public static long at(long offset) { return Memory.root() + offset; }

    public static long stateAcquire() { return getAcquire(at(STATE)); }
    public static boolean casState(long expected, long state) { return compareAndSet(at(STATE), expected, state); }
    public static void setStateRelease(long state) { putRelease(at(STATE), state); }

    static long metaPagesAcquire() { return getAcquire(at(META_PAGES)); }
    static boolean casMetaPages(long expected, long page) { return compareAndSet(at(META_PAGES), expected, page); }

    static long metaFreedRelaxed() { return getRelaxed(at(META_FREED)); }
    static void addMetaFreed(long bytes) { fetchAdd(at(META_FREED), bytes); }
    static long clearMetaFreed() { return exchange(at(META_FREED), 0); }
    public static long sharedCountAcquire() { return getAcquire(at(SHARED_COUNT)); }
    public static void raiseSharedCount() {
        long count = sharedCountAcquire();
        if (count < SHARED_MAX) compareAndSet(at(SHARED_COUNT), count, count * 2);
    }
    public static void setSharedCount(long count) { putLong(at(SHARED_COUNT), count); }

    public static boolean forked() { return getLong(at(FORKED)) != 0; }
    public static void setForked() { putLong(at(FORKED), 1); }

    public static long deferredAcquire() { return getAcquire(at(DEFERRED)); }
    public static long deferredArgumentAcquire() { return getAcquire(at(DEFERRED + ARGUMENT)); }
    public static void setDeferred(long function, long argument) { set(DEFERRED, function, argument); }

    static long outputAcquire() { return getAcquire(at(OUTPUT)); }
    static long outputArgumentAcquire() { return getAcquire(at(OUTPUT + ARGUMENT)); }
    static void setOutput(long function, long argument) { set(OUTPUT, function, argument); }

    static long errorAcquire() { return getAcquire(at(ERROR)); }
    static long errorArgumentAcquire() { return getAcquire(at(ERROR + ARGUMENT)); }
    static void setError(long function, long argument) { set(ERROR, function, argument); }

    static long countError() { return fetchAdd(at(ERRORS), 1); }
    static long countWarning() { return fetchAdd(at(WARNINGS), 1); }
    public static long nextSequence() { return fetchAdd(at(SEQUENCE), 1); }

    public static long start() { return getLong(at(START)); }
    public static void setStart(long ms) { putLong(at(START), ms); }

    public static long lock() { return at(LOCK); }
    public static long slotCount() { return getLong(at(SLOT_COUNT)); }
    public static void setSlotCount(long count) { putLong(at(SLOT_COUNT), count); }
    public static long freeSlot() { return getLong(at(FREE_SLOT)); }
    public static void setFreeSlot(long slot) { putLong(at(FREE_SLOT), slot); }
    public static long subprocesses() { return getLong(at(SUBPROCESSES)); }
    public static long subprocessesWord() { return at(SUBPROCESSES); }
    public static long slots() { return at(SLOTS); }

    public static long limitRelaxed() { return getRelaxed(at(LIMIT)); }
    public static void setLimitRelaxed(long bytes) { putRelaxed(at(LIMIT), bytes); }
    public static long charged() { return getRelaxed(at(CHARGED)); }
    public static void addCharged(long bytes) { fetchAdd(at(CHARGED), bytes); }
    public static long chargedWord() { return at(CHARGED); }
    public static long atLimitAcquire() { return getAcquire(at(AT_LIMIT)); }
    public static long atLimitArgumentAcquire() { return getAcquire(at(AT_LIMIT + ARGUMENT)); }
    public static void setAtLimit(long function, long argument) { set(AT_LIMIT, function, argument); }

    public static long profilersAcquire() { return getAcquire(at(PROFILERS)); }
    public static void setProfilersRelease(long profiler) { putRelease(at(PROFILERS), profiler); }

    public static long requestsAcquire() { return getAcquire(at(REQUESTS)); }
    public static void setRequestsRelease(long requests) { putRelease(at(REQUESTS), requests); }

    public static long reliefDueRelaxed() { return getRelaxed(at(RELIEF_DUE)); }
    public static void setReliefDueRelaxed(long ms) { putRelaxed(at(RELIEF_DUE), ms); }

    public static boolean isDestroyed() { return getLong(at(DESTROYED)) != 0; }
    public static void setDestroyed() { putLong(at(DESTROYED), 1); }

    static long overcommitsRelaxed() { return getRelaxed(at(OVERCOMMITS)); }
    public static void setOvercommitsRelaxed(long answer) { putRelaxed(at(OVERCOMMITS), answer); }
    static int hardeningRelaxed() { return (int) getRelaxed(at(HARDENING)); }
    static void setHardeningRelaxed(int features) { putRelaxed(at(HARDENING), features); }
    static long key(long index) { return getLong(at(KEYS + index * WORD)); }
    static void setKey(long index, long key) { putLong(at(KEYS + index * WORD), key); }

    static long countMapping() { return fetchAdd(at(MAPPINGS), 1) + 1; }

    /** As at the start of the process. */
    public static void clear() { fill(at(STATE), SIZE, 0); }

    public static long guardedAcquire() { return getAcquire(at(GUARDED)); }
    public static boolean casGuarded(long expected, long table) { return compareAndSet(at(GUARDED), expected, table); }

    static long options() { return at(OPTIONS); }

    public static long density(long power) { return at(DENSITY + power * WORD); }

    public static long sharedDataAcquire(long index) { return getAcquire(at(SHARED_DATA + index * WORD)); }
    public static boolean casSharedData(long index, long data) { return compareAndSet(at(SHARED_DATA + index * WORD), 0, data); }

    /**
     * A function and its argument: without the function first, so that nobody calls the new one with the old argument.
     * Nor the old one with the new argument: who reads them looks once more, after the argument, whether the function is
     * the same, and goes on as without a function if it is not, as there was none for a moment.
     */
    private static void set(long offset, long function, long argument) {
        putRelease(at(offset), 0);
        putRelease(at(offset + ARGUMENT), argument);
        putRelease(at(offset), function);
    }
}
