package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.machine.Os;

/**
 * What is known of a profiler: a user's own, whose functions hear of samples, or the built-in one, which counts them by
 * stack and writes them to files. Heaps refer to it.
 *
 * <p>A thread may have read a heap's profiler just before another thread takes it away. So the struct stays for ever and
 * serves again, and a generation tells its uses apart: what a sample was for an earlier one concerns the next no more.
 */
public final class Profiler {
    private static final long NEXT = 0; // 8 once: made before this one
    private static final long USER = NEXT + 8; // 8 relaxed, written under root's lock: the user's struct; 0 if it serves nobody
    private static final long GENERATION = USER + 8; // 8 atomic
    private static final long COUNTING = GENERATION + 8; // 8 atomic: threads that count something for it
    private static final long RATE = COUNTING + 8; // 8 relaxed: of how many bytes one is a sample; 0 when stopped
    private static final long RESUME_RATE = RATE + 8; // 8 relaxed: the rate to start with
    private static final long ON_ALLOC = RESUME_RATE + 8; // 8 relaxed: the user's function, or 0
    private static final long ON_FREE = ON_ALLOC + 8; // 8 relaxed
    private static final long DATA_SIZE = ON_FREE + 8; // 8 relaxed: bytes of a sample that are the user's
    private static final long STACKS = DATA_SIZE + 8; // 8 relaxed: the built-in profiler's, whose fields all the next ones are; or 0
    private static final long OWN_START = STACKS + 8; // 8 relaxed: where the allocator's code begins; 0 if that is the program's
    private static final long OWN_LIMIT = OWN_START + 8; // 8 relaxed
    private static final long ALLOC_INTERVAL = OWN_LIMIT + 8; // 8 relaxed: bytes allocated from one snapshot to the next; 0 for any
    private static final long INUSE_INTERVAL = ALLOC_INTERVAL + 8; // 8 relaxed: bytes of growth
    private static final long TIME_INTERVAL = INUSE_INTERVAL + 8; // 8 relaxed: milliseconds
    private static final long ALLOCATED = TIME_INTERVAL + 8; // 8 atomic: bytes so far
    private static final long IN_USE = ALLOCATED + 8; // 8 atomic: bytes now
    private static final long IN_USE_MARK = IN_USE + 8; // 8 atomic: when so many are in use there is a snapshot
    private static final long DUE = IN_USE_MARK + 8; // 8 atomic: when the next snapshot is due, monotonic ms
    private static final long SNAPSHOTS = DUE + 8; // 8 atomic: how many were written
    private static final long SNAPSHOT_LOCK = SNAPSHOTS + 8; // 8: held while one is written
    private static final long STARTED = SNAPSHOT_LOCK + 8; // 8 relaxed: when, in nanoseconds since 1970
    private static final long HAS_PROCESS = STARTED + 8; // 8 relaxed: 1 if the names of files have the process' number
    private static final long IS_TEXT = HAS_PROCESS + 8; // 8 relaxed: 1 for the older format
    /** The built-in profiler's own struct of the user's kind: see {@code mi_profiler_t}. */
    private static final long STRUCT = IS_TEXT + 8; // as the user's
    private static final long NAME = STRUCT + 8 * WORD; // once: what the names of files begin with, with its zero
    /** The longest name that every system takes, with what is put behind it. */
    static final long NAME_MAX = 4000;
    private static final long SIZE = NAME + NAME_MAX;

    private Profiler() {}

    static long first() { return Root.profilersAcquire(); }
    static long next(long profiler) { return getLong(profiler + NEXT); }
    /** Relaxed, as the fields below: who reads them without the lock compares the generation before and after. */
    static long user(long profiler) { return getRelaxed(profiler + USER); }
    /** Release: whoever sees the generation sees no field of an earlier one. */
    static long generation(long profiler) { return getAcquire(profiler + GENERATION); }
    /**
     * Begins to count for a profiler; false if it serves another one meanwhile. Each thread first says that it counts and
     * then looks at the generation, and {@link #giveBack} does so the other way round; both are sequentially consistent. So
     * either this thread does not count, or it is waited for.
     */
    static boolean tryCount(long profiler, long generation) {
        fetchAdd(profiler + COUNTING, 1);
        if (getVolatile(profiler + GENERATION) == generation) return true;
        endCount(profiler);
        return false;
    }
    static void endCount(long profiler) { fetchAdd(profiler + COUNTING, -1); }
    /** In the child of a fork: the threads that counted are not there any more. */
    static void forgetCounting(long profiler) { exchange(profiler + COUNTING, 0); }
    /** A hint: samples that come a little early or late are as good. 0 for no profiler. */
    public static long rate(long profiler) { return profiler == 0 ? 0 : getRelaxed(profiler + RATE); }
    static void setRate(long profiler, long bytes) { putRelaxed(profiler + RATE, bounded(bytes)); }
    /** A size_t may have its highest bit set. */
    private static long bounded(long rate) { return rate < 0 ? Exponential.MEAN_MAX : Config.min(rate, Exponential.MEAN_MAX); }
    static long resumeRate(long profiler) { return getRelaxed(profiler + RESUME_RATE); }
    static void setResumeRate(long profiler, long bytes) { putRelaxed(profiler + RESUME_RATE, bounded(bytes)); }
    static long onAlloc(long profiler) { return getRelaxed(profiler + ON_ALLOC); }
    static long onFree(long profiler) { return getRelaxed(profiler + ON_FREE); }
    static long dataSize(long profiler) { return getRelaxed(profiler + DATA_SIZE); }
    static long stacks(long profiler) { return getRelaxed(profiler + STACKS); }
    static void setStacks(long profiler, long stacks) { putRelaxed(profiler + STACKS, stacks); }
    static long ownStart(long profiler) { return getRelaxed(profiler + OWN_START); }
    static long ownLimit(long profiler) { return getRelaxed(profiler + OWN_LIMIT); }
    static void setOwn(long profiler, long start, long limit) {
        putRelaxed(profiler + OWN_START, start);
        putRelaxed(profiler + OWN_LIMIT, limit);
    }
    static void setFunctions(long profiler, long onAlloc, long onFree, long dataSize) {
        putRelaxed(profiler + ON_ALLOC, onAlloc);
        putRelaxed(profiler + ON_FREE, onFree);
        putRelaxed(profiler + DATA_SIZE, dataSize);
    }
    static long allocInterval(long profiler) { return getRelaxed(profiler + ALLOC_INTERVAL); }
    static long inUseInterval(long profiler) { return getRelaxed(profiler + INUSE_INTERVAL); }
    static long timeInterval(long profiler) { return getRelaxed(profiler + TIME_INTERVAL); }
    static void setIntervals(long profiler, long alloc, long inUse, long ms) {
        putRelaxed(profiler + ALLOC_INTERVAL, alloc);
        putRelaxed(profiler + INUSE_INTERVAL, inUse);
        putRelaxed(profiler + TIME_INTERVAL, ms);
        exchange(profiler + IN_USE_MARK, inUse);
        exchange(profiler + DUE, Os.clock() + ms);
    }
    /** Returns how many bytes it was before. */
    static long addAllocated(long profiler, long bytes) { return fetchAdd(profiler + ALLOCATED, bytes); }
    static void addInUse(long profiler, long bytes) { fetchAdd(profiler + IN_USE, bytes); }
    static long inUse(long profiler) { return getRelaxed(profiler + IN_USE); }
    static long inUseMark(long profiler) { return getRelaxed(profiler + IN_USE_MARK); }
    /** Many threads may find that there is to be a snapshot: the one that sets the next mark, or time, writes it. */
    static boolean casInUseMark(long profiler, long expected, long bytes) {
        return compareAndSet(profiler + IN_USE_MARK, expected, bytes);
    }
    static long due(long profiler) { return getRelaxed(profiler + DUE); }
    static boolean casDue(long profiler, long expected, long ms) { return compareAndSet(profiler + DUE, expected, ms); }
    static long countSnapshot(long profiler) { return fetchAdd(profiler + SNAPSHOTS, 1) + 1; }
    static long snapshotLock(long profiler) { return profiler + SNAPSHOT_LOCK; }
    static long started(long profiler) { return getRelaxed(profiler + STARTED); }
    static void setStarted(long profiler, long ns) { putRelaxed(profiler + STARTED, ns); }
    static boolean hasProcess(long profiler) { return getRelaxed(profiler + HAS_PROCESS) != 0; }
    static boolean isText(long profiler) { return getRelaxed(profiler + IS_TEXT) != 0; }
    static void setNaming(long profiler, boolean process, boolean text) {
        putRelaxed(profiler + HAS_PROCESS, process ? 1 : 0);
        putRelaxed(profiler + IS_TEXT, text ? 1 : 0);
    }
    static long struct(long profiler) { return profiler + STRUCT; }
    static long name(long profiler) { return profiler + NAME; }

    /**
     * One that serves nobody, for a user's struct from now on, or for 0 as the built-in one; under root's lock. 0 if there
     * is no memory. One that has stacks keeps them, and stays a built-in one.
     */
    static long take(long user) {
        long profiler = first();
        while (profiler != 0 && (user(profiler) != 0 || user != 0 && stacks(profiler) != 0)) profiler = next(profiler);
        if (profiler == 0) {
            profiler = Meta.allocate(SIZE);
            if (profiler == 0) return 0;
            putLong(profiler + NEXT, first());
            Root.setProfilersRelease(profiler);
        }
        putRelaxed(profiler + USER, user != 0 ? user : struct(profiler));
        return profiler;
    }

    /** It serves nobody any more; under root's lock. */
    static void giveBack(long profiler) {
        setRate(profiler, 0);
        fetchAdd(profiler + GENERATION, 1);
        // No thread calls a function of the user's, or waits, while it counts.
        while (getVolatile(profiler + COUNTING) != 0) Os.yield();
        if (stacks(profiler) != 0) Stacks.clear(stacks(profiler));
        exchange(profiler + ALLOCATED, 0);
        exchange(profiler + IN_USE, 0);
        exchange(profiler + SNAPSHOTS, 0);
        putRelaxed(profiler + USER, 0);
    }
}
