package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;

/**
 * A subprocess: some heaps, the arenas that their pages lie in, and the threads that allocate there. A thread has
 * theaps for heaps of its own subprocess only, so that a part of a program can be ended with all its memory. Most
 * programs have just the main one.
 *
 * <p>The struct is what these threads share: a lock for each kind of rare event, the lists of heaps and of arenas, and
 * what the purge and the scavenger keep in mind. The fast paths touch none of it.
 */
public final class Subprocess {
    private static final long LIVES_LOCK = 0; // 8: held while a heap, or a thread's part of one, begins or ends
    private static final long ARENA_LOCK = LIVES_LOCK + 8; // 8: held while an arena is added
    private static final long OS_LOCK = ARENA_LOCK + 8; // 8: held while the lists of pages straight from the OS change
    private static final long PURGE_LOCK = OS_LOCK + 8; // 8: held while somebody purges
    private static final long MAIN_HEAP = PURGE_LOCK + 8; // 8 once
    private static final long HEAPS = MAIN_HEAP + 8; // 8 livesLock: list of all heaps
    private static final long ARENA_COUNT = HEAPS + 8; // 8 acquire
    private static final long PURGE_EXPIRE = ARENA_COUNT + 8; // 8 atomic: when slices are due, monotonic ms; 0 for none
    private static final long WAITING = PURGE_EXPIRE + 8; // 8 atomic, approximate: slices waiting to be purged
    private static final long EARLY_FROM = WAITING + 8; // 8 relaxed, a hint: waiting slices from which more go early
    private static final long NEXT = EARLY_FROM + 8; // 8 root's lock: in the list of all subprocesses
    private static final long PREV = NEXT + 8; // 8 root's lock
    private static final long PURGER = PREV + 8; // 8 relaxed: the thread that purges, 0 for nobody
    private static final long CLAIM_LOCK = PURGER + 8; // 8: held while a purge claims, or to search without a gap
    private static final long WANTED = CLAIM_LOCK + 8; // 8 relaxed, a hint: slices purged early and claimed again
    private static final long WAIT_PEAK = WANTED + 8; // 8 relaxed, a hint: the most that waited since time was up
    private static final long PURGED_AT = WAIT_PEAK + 8; // 8 relaxed: when slices were last purged early, monotonic ms
    private static final long ARENAS = PURGED_AT + 8; // Table
    private static final long STATISTICS = ARENAS + Table.SIZE; // Statistics
    private static final long SCAVENGE_DUE = STATISTICS + Statistics.SIZE + LINE - 1 & -LINE; // 8 atomic: see Scavenge
    private static final long SCAVENGE_MARK = SCAVENGE_DUE + 8; // 8 relaxed: bytes in use from which it is time anyway
    private static final long SCAVENGE_WAIT = SCAVENGE_MARK + 8; // 8 relaxed, under livesLock: delays to the next look
    private static final long SCAVENGED = SCAVENGE_WAIT + 8; // 8 livesLock: pages found in this round
    private static final long CURSOR = SCAVENGED + 8; // 8 livesLock: the theap where to go on, 0 for the first
    private static final long EMPTIED = CURSOR + 8; // 8 livesLock: pages that were found and are to be freed
    private static final long ENDED_THEAPS = EMPTIED + 8; // 8 livesLock: orphans that are to be freed, too
    private static final long VISITORS = ENDED_THEAPS + 8; // 8 atomic: who shows pages to a visitor: these must stay
    private static final long FINISHING = VISITORS + 8; // 8 atomic: who frees what was found
    private static final long KEPT = FINISHING + 8; // 8 relaxed, written under osLock: mappings, see Kept
    private static final long COLLECT_LOCK = KEPT + 8; // 8: held while all that can be is given back, see Threads
    private static final long COLLECTIONS = COLLECT_LOCK + 8; // 8 atomic, written under collectLock: how many
    private static final long COLLECTOR = COLLECTIONS + 8; // 8 relaxed: the thread that does it, 0 for nobody
    private static final long PROFILER = COLLECTOR + 8; // 8 livesLock: the one of heaps to come, 0 for none
    private static final long PUNCH = PROFILER + 8; // 8 livesLock: how the walk makes holes, see Scavenge; 0 if it does not
    private static final long PUNCH_DUE = PUNCH + 8; // 8 relaxed: when to look for holes, monotonic ms
    public static final long SIZE = PUNCH_DUE + 8 + LINE - 1 & -LINE;

    private Subprocess() {}

    public static long livesLock(long subprocess) { return subprocess + LIVES_LOCK; }
    public static long arenaLock(long subprocess) { return subprocess + ARENA_LOCK; }
    public static long osLock(long subprocess) { return subprocess + OS_LOCK; }
    public static long purgeLock(long subprocess) { return subprocess + PURGE_LOCK; }
    public static long mainHeap(long subprocess) { return getLong(subprocess + MAIN_HEAP); }
    static void setMainHeap(long subprocess, long heap) { putLong(subprocess + MAIN_HEAP, heap); }
    public static long heaps(long subprocess) { return getLong(subprocess + HEAPS); }
    static void setHeaps(long subprocess, long heap) { putLong(subprocess + HEAPS, heap); }
    static long heapsWord(long subprocess) { return subprocess + HEAPS; }
    /** Acquire: an arena that is counted is complete. */
    public static long arenaCount(long subprocess) { return getAcquire(subprocess + ARENA_COUNT); }
    public static void setArenaCount(long subprocess, long count) { putRelease(subprocess + ARENA_COUNT, count); }
    public static long purgeExpire(long subprocess) { return getVolatile(subprocess + PURGE_EXPIRE); }
    /** A purge does this before it looks at the bitmaps: whoever sets a bit later finds no time set, and sets one. */
    public static void clearPurgeExpire(long subprocess) { exchange(subprocess + PURGE_EXPIRE, 0); }
    public static boolean casPurgeExpire(long subprocess, long expected, long ms) {
        return compareAndSet(subprocess + PURGE_EXPIRE, expected, ms);
    }
    public static long addWaiting(long subprocess, long slices) { return fetchAdd(subprocess + WAITING, slices) + slices; }
    public static long waiting(long subprocess) { return getRelaxed(subprocess + WAITING); }
    public static long earlyFrom(long subprocess) { return getRelaxed(subprocess + EARLY_FROM); }
    public static void setEarlyFrom(long subprocess, long slices) { putRelaxed(subprocess + EARLY_FROM, slices); }
    public static long profiler(long subprocess) { return getLong(subprocess + PROFILER); }
    public static void setProfiler(long subprocess, long profiler) { putLong(subprocess + PROFILER, profiler); }
    public static long next(long subprocess) { return getLong(subprocess + NEXT); }
    /** A thread only asks whether it is itself, and what it finds then is what it wrote: no order is needed. */
    public static long purger(long subprocess) { return getRelaxed(subprocess + PURGER); }
    public static void setPurger(long subprocess, long thread) { putRelaxed(subprocess + PURGER, thread); }
    public static long claimLock(long subprocess) { return subprocess + CLAIM_LOCK; }
    public static long scavengeDueRelaxed(long subprocess) { return getRelaxed(subprocess + SCAVENGE_DUE); }
    /** Many threads may find that it is time to scavenge: the one that sets the next time looks. */
    public static boolean casScavengeDue(long subprocess, long expected, long ms) {
        return compareAndSet(subprocess + SCAVENGE_DUE, expected, ms);
    }
    public static long scavengeMarkRelaxed(long subprocess) { return getRelaxed(subprocess + SCAVENGE_MARK); }
    public static void setScavengeMarkRelaxed(long subprocess, long bytes) { putRelaxed(subprocess + SCAVENGE_MARK, bytes); }
    /** Relaxed, as a thread that finds that it is time reads it without the lock. */
    public static long scavengeWaitRelaxed(long subprocess) { return getRelaxed(subprocess + SCAVENGE_WAIT); }
    public static void setScavengeWaitRelaxed(long subprocess, long delays) { putRelaxed(subprocess + SCAVENGE_WAIT, delays); }
    public static long scavenged(long subprocess) { return getLong(subprocess + SCAVENGED); }
    public static void setScavenged(long subprocess, long pages) { putLong(subprocess + SCAVENGED, pages); }
    public static long cursor(long subprocess) { return getLong(subprocess + CURSOR); }
    public static void setCursor(long subprocess, long theap) { putLong(subprocess + CURSOR, theap); }
    public static long emptied(long subprocess) { return getLong(subprocess + EMPTIED); }
    public static void setEmptied(long subprocess, long page) { putLong(subprocess + EMPTIED, page); }
    public static long endedTheaps(long subprocess) { return getLong(subprocess + ENDED_THEAPS); }
    public static void setEndedTheaps(long subprocess, long theap) { putLong(subprocess + ENDED_THEAPS, theap); }
    public static long punch(long subprocess) { return getLong(subprocess + PUNCH); }
    public static void setPunch(long subprocess, long punch) { putLong(subprocess + PUNCH, punch); }
    public static long punchDueRelaxed(long subprocess) { return getRelaxed(subprocess + PUNCH_DUE); }
    public static void setPunchDueRelaxed(long subprocess, long ms) { putRelaxed(subprocess + PUNCH_DUE, ms); }
    public static long addVisitors(long subprocess, long count) { return fetchAdd(subprocess + VISITORS, count) + count; }
    public static long addFinishing(long subprocess, long count) { return fetchAdd(subprocess + FINISHING, count) + count; }
    public static long keptRelaxed(long subprocess) { return getRelaxed(subprocess + KEPT); }
    public static void setKeptRelaxed(long subprocess, long page) { putRelaxed(subprocess + KEPT, page); }
    public static long wanted(long subprocess) { return getRelaxed(subprocess + WANTED); }
    public static void setWanted(long subprocess, long slices) { putRelaxed(subprocess + WANTED, slices); }
    public static long waitPeak(long subprocess) { return getRelaxed(subprocess + WAIT_PEAK); }
    public static void setWaitPeak(long subprocess, long slices) { putRelaxed(subprocess + WAIT_PEAK, slices); }
    public static long purgedAt(long subprocess) { return getRelaxed(subprocess + PURGED_AT); }
    public static void setPurgedAt(long subprocess, long ms) { putRelaxed(subprocess + PURGED_AT, ms); }
    public static long collectLock(long subprocess) { return subprocess + COLLECT_LOCK; }
    /** A collection that has begun after this was read sees all that was freed before. */
    public static long collectionsVolatile(long subprocess) { return getVolatile(subprocess + COLLECTIONS); }
    public static void countCollection(long subprocess) { fetchAdd(subprocess + COLLECTIONS, 1); }
    /** A thread only asks whether it is itself, and what it finds then is what it wrote: no order is needed. */
    public static long collectorRelaxed(long subprocess) { return getRelaxed(subprocess + COLLECTOR); }
    public static void setCollectorRelaxed(long subprocess, long thread) { putRelaxed(subprocess + COLLECTOR, thread); }
    /** In a fork's child: the thread that collected may have stayed behind. */
    public static void endCollection(long subprocess) {
        setCollectorRelaxed(subprocess, 0);
        putRelease(collectLock(subprocess), 0);
    }
    public static long arenas(long subprocess) { return subprocess + ARENAS; }
    public static long statistics(long subprocess) { return subprocess + STATISTICS; }

    /** Makes a subprocess with a main heap in zeroed memory, and enters it in the list of all. */
    static void init(long subprocess, long heap) {
        Statistics.init(statistics(subprocess));
        setMainHeap(subprocess, heap);
        setHeaps(subprocess, heap);
        Statistics.increase(statistics(subprocess), Statistics.HEAPS, 1);
        Lock.acquire(Root.lock());
        Links.push(Root.subprocessesWord(), subprocess, NEXT);
        Lock.release(Root.lock());
    }

    /** Takes a subprocess out of the list of all. */
    public static void unlink(long subprocess) {
        Lock.acquire(Root.lock());
        Links.remove(Root.subprocessesWord(), subprocess, NEXT);
        Lock.release(Root.lock());
    }

    /** The arena with this index. */
    public static long arena(long subprocess, long index) { return Table.get(arenas(subprocess), index); }
}
