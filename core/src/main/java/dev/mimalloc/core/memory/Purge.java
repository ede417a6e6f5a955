package dev.mimalloc.core.memory;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Gives the memory of free slices back to the OS when they have been free for some time, since most are wanted again
 * soon. When the time is up, those slices go that were already waiting when it was up before. Any thread that comes by
 * purges for all. When nobody comes by, the JVM's housekeeper does, and in C the thread of option {@code purge_thread}.
 *
 * <p>So that memory does not stay in a program that falls silent, the number of slices that wait is bounded, too: what
 * is too much goes at the free itself. The bound is learned. Slices that went early, for the bound, are marked for a
 * delay, and a malloc that claims marked ones raises the bound by as many. So a burst goes at once; memory that comes
 * and goes in shorter cycles than the delay is purged once, and then kept; and no more is purged in vain than what is
 * free at most. The bound falls with the peak of what waits: slices that have not waited since the time was up last are
 * not expected again.
 */
public final class Purge {
    /** More slices than {@link Config#WAITING_MIN} may wait if they are less than a sixteenth of what is in use. */
    private static final long WAITING_PART = 16;

    /** Which slices go: those that have waited for a whole delay. */
    private static final int AGED = 0;
    /** Which slices go: all but those in a huge page that is still in use. */
    private static final int WHOLE = 1;
    /** Which slices go: all that wait. */
    private static final int ALL = 2;

    private Purge() {}

    /** Purges if it is time. */
    public static void tick(long subprocess) { tick(subprocess, false); }

    /** Purges if it is time; when {@code quiet}, without calling a function of the user's. */
    private static void tick(long subprocess, boolean quiet) {
        long expire = Subprocess.purgeExpire(subprocess);
        if (expire == 0) return;
        long late = Os.clock() - expire;
        // When nobody has looked at the time for one more delay, all slices have waited that long.
        if (late >= 0) run(subprocess, late < Arena.purgeDelay() ? AGED : ALL, 0, quiet);
    }

    /**
     * How many slices may wait: the larger of 64 MiB and a sixteenth of what is in use, and those that were wanted
     * again.
     */
    private static long most(long subprocess) {
        long used = Root.charged() >>> Config.SLICE_SHIFT;
        return Config.max(Config.WAITING_MIN, used / WAITING_PART) + Subprocess.wanted(subprocess);
    }

    /**
     * After slices were given back: purges if too many wait. Pieces of huge pages go only when twice as many wait, as
     * they break the huge page. Slices that are left are not looked at again before there are more. The caller may hold
     * a lock, so no function of the user's is called.
     */
    public static void afterFree(long subprocess) {
        if (Subprocess.waiting(subprocess) <= Config.WAITING_MIN) return;
        tick(subprocess, true);
        long waiting = Subprocess.waiting(subprocess);
        if (waiting > Subprocess.waitPeak(subprocess)) Subprocess.setWaitPeak(subprocess, waiting);
        long most = most(subprocess);
        if (waiting <= most || waiting < Subprocess.earlyFrom(subprocess)) return;
        boolean all = waiting >= 2 * most;
        run(subprocess, all ? ALL : WHOLE, most - Config.WAITING_MIN / 2, true);
        long next = Subprocess.waiting(subprocess) + Config.WAITING_MIN / 4;
        Subprocess.setEarlyFrom(subprocess, all ? next : Config.min(next, 2 * most));
    }

    /**
     * Purges all slices that wait. When another thread purges this one waits for it, since the other may have passed by
     * the slices that the caller has freed. Nothing happens where a purge has called a function of the user's that
     * calls this.
     */
    public static void run(long subprocess) {
        if (isPurger(subprocess)) return;
        Lock.acquire(Subprocess.purgeLock(subprocess));
        runLocked(subprocess, ALL, 0, false);
    }

    /**
     * Purges the slices that {@code which} names, unless another thread is purging. Leaves {@code keep} slices waiting:
     * those with the lowest addresses, since these are the next ones to be claimed.
     */
    private static void run(long subprocess, int which, long keep, boolean quiet) {
        if (Lock.tryAcquire(Subprocess.purgeLock(subprocess))) runLocked(subprocess, which, keep, quiet);
    }

    private static boolean isPurger(long subprocess) { return Subprocess.purger(subprocess) == ThreadSlot.id(); }

    private static void runLocked(long subprocess, int which, long keep, boolean quiet) {
        Subprocess.setPurger(subprocess, ThreadSlot.id());
        // An early purge leaves the time alone: slices that stay wait for it.
        boolean early = keep > 0;
        if (early) {
            Subprocess.setPurgedAt(subprocess, Os.clock());
        } else {
            Subprocess.clearPurgeExpire(subprocess);
            Subprocess.setEarlyFrom(subprocess, 0);
            forget(subprocess);
        }
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0 || quiet && Arena.isCommittedByUser(arena)) continue;
            keep = purgeArena(subprocess, arena, which, early, keep);
        }
        if (!early) Subprocess.setWaitPeak(subprocess, Subprocess.waiting(subprocess));
        // Some slices have not waited long enough, or the OS has refused them: they have a next time.
        if (isWaiting(subprocess)) Arena.schedulePurge(subprocess);
        Statistics.add(Subprocess.statistics(subprocess), Statistics.ARENA_PURGES, 1);
        Subprocess.setPurger(subprocess, 0);
        Lock.release(Subprocess.purgeLock(subprocess));
    }

    /** Nobody purges from now on until {@link #resume}: before a fork, which a function of the user's may make. */
    public static void suspend(long subprocess) {
        if (isPurger(subprocess)) return;
        Lock.acquire(Subprocess.purgeLock(subprocess));
        Lock.acquire(Subprocess.claimLock(subprocess));
    }

    public static void resume(long subprocess) {
        if (isPurger(subprocess)) return;
        Lock.release(Subprocess.claimLock(subprocess));
        Lock.release(Subprocess.purgeLock(subprocess));
    }

    /**
     * Claims slices, as {@link Arena#claim}, also those that a purge has claimed for a moment: when there are no others
     * it waits until the purge has given them up, and searches again while no purge can claim anything. A function of
     * the user's that the purge has called cannot wait for the purge, and so does without.
     */
    static long claim(long arena, long count, long alignment, boolean sparse) {
        long before = Arena.purgeClaims(arena);
        long slice = Arena.claim(arena, count, alignment, sparse);
        if (slice >= 0 || (before & 1) == 0 && Arena.purgeClaims(arena) == before) return slice;
        long subprocess = Arena.subprocess(arena);
        if (isPurger(subprocess)) return slice;
        Lock.acquire(Subprocess.claimLock(subprocess));
        slice = Arena.claim(arena, count, alignment, sparse);
        Lock.release(Subprocess.claimLock(subprocess));
        return slice;
    }

    /**
     * When the time is up: slices that did not wait since it was up last are no longer expected, and marks of early
     * purges that are older than a delay are cleared. The bound stays a quarter above the peak of what waited, since
     * cycles differ a little.
     */
    private static void forget(long subprocess) {
        long wanted = Subprocess.waitPeak(subprocess) / 4 * 5 - Config.WAITING_MIN;
        if (wanted < Subprocess.wanted(subprocess)) Subprocess.setWanted(subprocess, Config.max(0, wanted));
        if (Os.clock() - Subprocess.purgedAt(subprocess) < Arena.purgeDelay()) return;
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena != 0) Bitmap.clear(Arena.early(arena), 0, Arena.slices(arena));
        }
    }

    private static boolean isWaiting(long subprocess) {
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena != 0 && Bitmap.nextSet(Arena.waiting(arena), 0, Arena.slices(arena)) >= 0) return true;
        }
        return false;
    }

    /** Purges in one arena; returns how many slices are still to be left waiting in the next one. */
    private static long purgeArena(long subprocess, long arena, int which, boolean early, long keep) {
        long least = Options.boundedSize(Options.ARENA_PURGE_MIN_SIZE) >>> Config.SLICE_SHIFT;
        long waiting = Arena.waiting(arena);
        long slices = Arena.slices(arena);
        long at = 0;
        while ((at = Bitmap.nextSet(waiting, at, slices)) >= 0) {
            long length = Bitmap.runLength(waiting, at, slices);
            if (keep > 0) {
                length = Config.min(keep, length);
                keep -= length;
            } else if (length > 0 && length >= least) {
                at = purgeRun(subprocess, arena, at, at + length, which, early);
                continue;
            }
            at += length;
        }
        return keep;
    }

    /**
     * Purges the slices that {@code which} names in a run that waits. A huge page that is free goes as a whole or not
     * at all, with the slices in it that nobody has ever used; so the place where to go on, which is returned, may be
     * behind the run's end.
     */
    private static long purgeRun(long subprocess, long arena, long at, long end, int which, boolean early) {
        long from = at; // from here up to at, slices go together
        while (at < end) {
            long first = Config.alignDown(at, Arena.HUGE_PAGE);
            boolean huge = HugePages.isHuge(arena, at);
            boolean whole = huge && countSet(Arena.free(arena), first) == Arena.HUGE_PAGE;
            long next = whole ? first + Arena.HUGE_PAGE : Config.min(end, first + Arena.HUGE_PAGE);
            boolean goes = whole || !huge || which != WHOLE;
            if (which == AGED && whole) {
                goes = countSet(Arena.aged(arena), first) >= countSet(Arena.waiting(arena), first);
                if (!goes) ageAll(arena, Arena.waiting(arena), at, next);
            } else if (which == AGED) {
                long aged = Bitmap.runLength(Arena.aged(arena), at, next);
                goes = aged > 0;
                next = goes ? at + aged : age(arena, at, next);
            }
            if (!goes) purgeSlices(subprocess, arena, from, at, early);
            else if (whole && from == at) from = first;
            at = next;
            if (!goes) from = at;
        }
        purgeSlices(subprocess, arena, from, at, early);
        return at;
    }

    /**
     * Gives back what nobody has ever used of huge pages in use, which came with their first touch: if it was so at the
     * last call, too, or {@code now}. What is left of these are small pages. Nothing happens while somebody purges.
     */
    public static void trim(long subprocess, boolean now) {
        if (!Lock.tryAcquire(Subprocess.purgeLock(subprocess))) return;
        Subprocess.setPurger(subprocess, ThreadSlot.id());
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            boolean may = arena != 0 && Arena.isAdvisable(arena) && !Arena.isCommittedByUser(arena) && Arena.purgeDelay() >= 0;
            long end = may ? Arena.slices(arena) / Arena.HUGE_PAGE : 0;
            for (long region = 0; (region = Bitmap.nextSet(Arena.huge(arena), region, end)) >= 0; region++) {
                trim(subprocess, arena, region * Arena.HUGE_PAGE, now);
            }
        }
        Subprocess.setPurger(subprocess, 0);
        Lock.release(Subprocess.purgeLock(subprocess));
    }

    private static void trim(long subprocess, long arena, long first, boolean now) {
        long free = countSet(Arena.free(arena), first);
        if (free == 0 || free == Arena.HUGE_PAGE || !now && countSet(Arena.waiting(arena), first) != 0) return;
        if (now || countSet(Arena.aged(arena), first) >= free) {
            purgeSlices(subprocess, arena, first, first + Arena.HUGE_PAGE, false);
        } else {
            ageAll(arena, Arena.free(arena), first, first + Arena.HUGE_PAGE);
        }
    }

    private static long countSet(long bitmap, long first) { return Bitmap.countSet(bitmap, first, Arena.HUGE_PAGE); }

    private static void purgeSlices(long subprocess, long arena, long from, long to, boolean early) {
        if (from == to) return;
        if (early) Bitmap.set(Arena.early(arena), from, to - from);
        Subprocess.addWaiting(subprocess, -Bitmap.clear(Arena.waiting(arena), from, to - from));
        Bitmap.clear(Arena.aged(arena), from, to - from);
        purgeFree(subprocess, arena, from, to);
    }

    /** Notes of all slices in a bitmap from {@code at} to {@code end} that they were in it when the time was up. */
    private static void ageAll(long arena, long slices, long at, long end) {
        while ((at = Bitmap.nextSet(slices, at, end)) >= 0) {
            long length = Bitmap.runLength(slices, at, end);
            if (length > 0) Bitmap.set(Arena.aged(arena), at, length);
            at += length;
        }
    }

    /**
     * Notes that slices have waited when the time was up, up to the first of which that is known already, and returns
     * that one. A slice that was claimed meanwhile may be noted, too: it will be purged a little early next time.
     */
    private static long age(long arena, long at, long end) {
        long next = Bitmap.nextSet(Arena.aged(arena), at, end);
        if (next < 0) next = end;
        Bitmap.set(Arena.aged(arena), at, next - at);
        return next;
    }

    /** Purges those slices of a range that are free. */
    private static void purgeFree(long subprocess, long arena, long at, long end) {
        while ((at = Bitmap.nextSet(Arena.free(arena), at, end)) >= 0) {
            // At most a chunk at a time, to the end of a huge page: meanwhile no malloc can have these slices.
            long most = Config.alignDown(at, Arena.HUGE_PAGE) + Bitmap.CHUNK;
            long length = Bitmap.runLength(Arena.free(arena), at, Config.min(end, most));
            if (length == 0) continue;
            Lock.acquire(Subprocess.claimLock(subprocess));
            Arena.countPurgeClaim(arena);
            boolean claimed = Bitmap.tryClaim(Arena.free(arena), at, length);
            if (claimed) purgeClaimed(subprocess, arena, at, length);
            Arena.countPurgeClaim(arena);
            Lock.release(Subprocess.claimLock(subprocess));
            if (claimed) at += length;
        }
    }

    /**
     * Purges claimed slices, and gives them up. Slices that the OS refuses wait on: their bits are set before they are
     * free, so that a malloc that claims them clears the bits.
     */
    private static void purgeClaimed(long subprocess, long arena, long slice, long count) {
        HugePages.breakUp(arena, slice, count);
        if (!Arena.purge(arena, slice, count)) {
            Subprocess.addWaiting(subprocess, Bitmap.set(Arena.waiting(arena), slice, count));
        }
        Arena.unclaim(arena, slice, count);
    }
}
