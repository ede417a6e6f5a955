package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * A subprocess: arenas and heaps that threads of one kind share. Usually there is one.
 *
 * <pre>
 * offset width field
 *      0     8 livesLock    held while a heap, or a thread's part of one, begins or ends
 *      8     8 arenaLock    held while an arena is added
 *     16     8 osLock       held while the lists of pages straight from the OS change
 *     24     8 purgeLock    held while somebody purges
 *     32     8 mainHeap     written once
 *     40     8 heaps        list of all heaps; livesLock
 *     48     8 arenaCount   atomic
 *     56     8 purgeExpire  when slices are due to be purged, monotonic ms; 0 when there are none; atomic
 *     64     8 purgeable    slices waiting to be purged; atomic, approximate
 *     72     8 purgeNext    how many of them it takes for the next purge by amount; relaxed, a hint
 *     80     8 next         in the list of all subprocesses; the root's lock
 *     88     8 purger       the thread that purges, 0 for nobody; relaxed
 *     96     8 claimLock    held while a purge has slices claimed, and by who wants to search without such a gap
 *    104     8 wanted       slices that were purged because too many waited, and claimed again soon; relaxed, a hint
 *    112     8 waitPeak     the most that waited since time was up; relaxed, a hint
 *    120     8 purgedAt     when slices were last purged because too many waited, monotonic ms; relaxed
 *    128   128 arenas       Table
 *    256       statistics
 *   4544     8 scavengeDue   when emptied pages are to be looked for, monotonic ms; atomic; this and the next: Scavenge
 *   4552     8 scavengeMark  the bytes in use at which they are before it is time; relaxed
 *   4560     8 scavengeWait  for how many delays the next look waits, from the last; livesLock
 *   4568     8 scavenged     how many pages were found in this round; livesLock
 *   4576     8 cursor        the theap where to go on, 0 for the first; livesLock
 *   4584     8 emptied       pages that were found and are to be freed; livesLock
 *   4592     8 endedTheaps   orphans that are to be freed, too; livesLock
 *   4600     8 visitors      who shows pages to a visitor: they must not go meanwhile; atomic
 *   4608     8 finishing     who frees what was found; atomic
 *   4616     8 kept         list of mappings that wait, see Kept; osLock, and read without it
 *   4624     8 collectLock  held while somebody gives back all that can be, see Threads.collectEverything
 *   4632     8 collections  how often that has begun; written under the lock, read without it; atomic
 *   4640     8 collector    the thread that does it, 0 for nobody; relaxed
 * </pre>
 */
final class Subprocess {
    private static final long SCAVENGE = 4544;
    static final long SIZE = SCAVENGE + 128;

    private Subprocess() {}

    static long livesLock(long subprocess) { return subprocess; }
    static long arenaLock(long subprocess) { return subprocess + 8; }
    static long osLock(long subprocess) { return subprocess + 16; }
    static long purgeLock(long subprocess) { return subprocess + 24; }
    static long mainHeap(long subprocess) { return getLong(subprocess + 32); }
    static void setMainHeap(long subprocess, long heap) { putLong(subprocess + 32, heap); }
    static long heaps(long subprocess) { return getLong(subprocess + 40); }
    static void setHeaps(long subprocess, long heap) { putLong(subprocess + 40, heap); }
    /** Acquire: an arena that is counted is complete. */
    static long arenaCount(long subprocess) { return getAcquire(subprocess + 48); }
    static void setArenaCount(long subprocess, long count) { putRelease(subprocess + 48, count); }
    static long purgeExpire(long subprocess) { return getVolatile(subprocess + 56); }
    /** Before the bitmaps are looked at: a bit that is set later finds no time set, and sets one. */
    static void clearPurgeExpire(long subprocess) { exchange(subprocess + 56, 0); }
    static boolean casPurgeExpire(long subprocess, long expected, long ms) {
        return compareAndSet(subprocess + 56, expected, ms);
    }
    static long addPurgeable(long subprocess, long slices) { return fetchAdd(subprocess + 64, slices) + slices; }
    static long purgeable(long subprocess) { return getRelaxed(subprocess + 64); }
    static long purgeNext(long subprocess) { return getRelaxed(subprocess + 72); }
    static void setPurgeNext(long subprocess, long slices) { putRelaxed(subprocess + 72, slices); }
    static long next(long subprocess) { return getLong(subprocess + 80); }
    static void setNext(long subprocess, long next) { putLong(subprocess + 80, next); }
    /** A thread only asks whether it is itself, and what it finds then is what it wrote: no order is needed. */
    static long purger(long subprocess) { return getRelaxed(subprocess + 88); }
    static void setPurger(long subprocess, long thread) { putRelaxed(subprocess + 88, thread); }
    static long claimLock(long subprocess) { return subprocess + 96; }
    static long scavengeDue(long subprocess) { return getRelaxed(subprocess + SCAVENGE); }
    /** One of those who find that it is time gets to set the next time. */
    static boolean casScavengeDue(long subprocess, long expected, long ms) {
        return compareAndSet(subprocess + SCAVENGE, expected, ms);
    }
    static long scavengeMark(long subprocess) { return getRelaxed(subprocess + SCAVENGE + 8); }
    static void setScavengeMark(long subprocess, long bytes) { putRelaxed(subprocess + SCAVENGE + 8, bytes); }
    /** Relaxed, as who has found that it is time reads it without the lock. */
    static long scavengeWait(long subprocess) { return getRelaxed(subprocess + SCAVENGE + 16); }
    static void setScavengeWait(long subprocess, long delays) { putRelaxed(subprocess + SCAVENGE + 16, delays); }
    static long scavenged(long subprocess) { return getLong(subprocess + SCAVENGE + 24); }
    static void setScavenged(long subprocess, long pages) { putLong(subprocess + SCAVENGE + 24, pages); }
    static long cursor(long subprocess) { return getLong(subprocess + SCAVENGE + 32); }
    static void setCursor(long subprocess, long theap) { putLong(subprocess + SCAVENGE + 32, theap); }
    static long emptied(long subprocess) { return getLong(subprocess + SCAVENGE + 40); }
    static void setEmptied(long subprocess, long page) { putLong(subprocess + SCAVENGE + 40, page); }
    static long endedTheaps(long subprocess) { return getLong(subprocess + SCAVENGE + 48); }
    static void setEndedTheaps(long subprocess, long theap) { putLong(subprocess + SCAVENGE + 48, theap); }
    static long addVisitors(long subprocess, long count) { return fetchAdd(subprocess + SCAVENGE + 56, count) + count; }
    static long addFinishing(long subprocess, long count) { return fetchAdd(subprocess + SCAVENGE + 64, count) + count; }
    static long kept(long subprocess) { return getRelaxed(subprocess + SCAVENGE + 72); }
    static void setKept(long subprocess, long page) { putRelaxed(subprocess + SCAVENGE + 72, page); }
    static long wanted(long subprocess) { return getRelaxed(subprocess + 104); }
    static void setWanted(long subprocess, long slices) { putRelaxed(subprocess + 104, slices); }
    static long waitPeak(long subprocess) { return getRelaxed(subprocess + 112); }
    static void setWaitPeak(long subprocess, long slices) { putRelaxed(subprocess + 112, slices); }
    static long purgedAt(long subprocess) { return getRelaxed(subprocess + 120); }
    static void setPurgedAt(long subprocess, long ms) { putRelaxed(subprocess + 120, ms); }
    static long collectLock(long subprocess) { return subprocess + SCAVENGE + 80; }
    /** A collection that has begun after this was read sees all that was freed before. */
    static long collections(long subprocess) { return getVolatile(subprocess + SCAVENGE + 88); }
    static void countCollection(long subprocess) { fetchAdd(subprocess + SCAVENGE + 88, 1); }
    /** A thread only asks whether it is itself, and what it finds then is what it wrote: no order is needed. */
    static long collector(long subprocess) { return getRelaxed(subprocess + SCAVENGE + 96); }
    static void setCollector(long subprocess, long thread) { putRelaxed(subprocess + SCAVENGE + 96, thread); }
    /** In a fork's child: the thread that collected may have stayed behind. */
    static void endCollection(long subprocess) {
        setCollector(subprocess, 0);
        putRelease(collectLock(subprocess), 0);
    }
    static long arenas(long subprocess) { return subprocess + 128; }
    static long statistics(long subprocess) { return subprocess + 256; }

    /** The arena with this index. */
    static long arena(long subprocess, long index) { return Table.get(arenas(subprocess), index); }
}
