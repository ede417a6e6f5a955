package dev.mimalloc.core;

import dev.mimalloc.machine.Os;

/**
 * Gives the memory of free slices back to the OS, when they have been free for some time, since most are wanted again
 * soon: what waits when the time is up, and was waiting when it was up before. Any thread that comes by does it for
 * all; on the JVM a housekeeper also does when nobody comes by. So that memory does not stay in a program that falls
 * silent, what waits is bounded too: by what is in use.
 */
public final class Purge {
    /** Up to so many slices (64 MiB) may wait whatever is in use. */
    private static final long WAITING_MIN = 1024;

    /** What has waited for a whole delay. */
    private static final int AGED = 0;
    /** All of it, but of a huge page that is still in use. */
    private static final int WHOLE = 1;
    private static final int ALL = 2;

    private Purge() {}

    /** Purges if it is time. */
    public static void tick(long subprocess) {
        long expire = Subprocess.purgeExpire(subprocess);
        if (expire == 0) return;
        long late = Os.clock() - expire;
        // After one more delay without a look at the time, all has waited that long.
        if (late >= 0) run(subprocess, late < Arena.purgeDelay() ? AGED : ALL, 0);
    }

    /**
     * After slices were given back: purges if too many wait. Pieces of huge pages may be twice as many; what is left of
     * them is not looked at again before there are more.
     */
    static void afterFree(long subprocess) {
        long waiting = Subprocess.purgeable(subprocess);
        long most = Config.max(WAITING_MIN, Root.charged() >>> Config.SLICE_SHIFT);
        if (waiting > 2 * most) {
            run(subprocess, ALL, most / 2);
        } else if (waiting > most && waiting >= Subprocess.purgeNext(subprocess)) {
            run(subprocess, WHOLE, most / 2);
            Subprocess.setPurgeNext(subprocess, Subprocess.purgeable(subprocess) + most / 4);
        }
    }

    /** Purges all that waits, unless another thread is doing so. */
    static void run(long subprocess) { run(subprocess, ALL, 0); }

    /**
     * The same, of what {@code which} says; and leaves so many slices waiting: those with the lowest addresses, since
     * these are the next ones to be claimed.
     */
    private static void run(long subprocess, int which, long keep) {
        long lock = Subprocess.purgeLock(subprocess);
        if (!Lock.tryAcquire(lock)) return;
        // What is left waits for its time.
        if (keep == 0) Subprocess.clearPurgeExpire(subprocess);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena != 0) keep = purgeArena(subprocess, arena, which, keep);
        }
        if (which == AGED && Subprocess.purgeable(subprocess) > 0) Arena.schedulePurge(subprocess);
        Statistics.add(Subprocess.statistics(subprocess), Statistics.ARENA_PURGES, 1);
        Lock.release(lock);
    }

    /** Returns how many slices are still to be left in the next arena. */
    private static long purgeArena(long subprocess, long arena, int which, long keep) {
        long purge = Arena.purge(arena);
        long slices = Arena.slices(arena);
        long at = 0;
        while ((at = Bitmap.nextSet(purge, at, slices)) >= 0) {
            long length = Bitmap.runLength(purge, at, slices);
            if (length == 0) continue;
            boolean stays = keep > 0;
            if (stays) {
                length = Config.min(keep, length);
                keep -= length;
            } else if (which == AGED) {
                long aged = Bitmap.runLength(Arena.aged(arena), at, at + length);
                stays = aged == 0;
                length = stays ? age(arena, at, length) : aged;
            }
            if (!stays) {
                length = Config.min(length, Config.alignUp(at + 1, Arena.HUGE_PAGE) - at);
                purgePiece(subprocess, arena, at, length, which);
            }
            at += length;
        }
        return keep;
    }

    /**
     * Purges a run that waits, and lies in the place of one huge page: all of this if it is one, and free, with the
     * slices that nobody has ever used, and unless some of it has not waited long enough.
     */
    private static void purgePiece(long subprocess, long arena, long at, long length, int which) {
        if (HugePages.isHuge(arena, at)) {
            long first = Config.alignDown(at, Arena.HUGE_PAGE);
            boolean whole = Bitmap.countSet(Arena.free(arena), first, Arena.HUGE_PAGE) == Arena.HUGE_PAGE;
            if (whole && which == AGED && aged(arena, first) < waiting(arena, first)) return;
            if (!whole && which == WHOLE) return;
            if (whole) {
                at = first;
                length = Arena.HUGE_PAGE;
            }
        }
        if (length < Options.getSize(Options.MINIMAL_PURGE_SIZE) >>> Config.SLICE_SHIFT) return;
        Subprocess.addPurgeable(subprocess, -Bitmap.clear(Arena.purge(arena), at, length));
        Bitmap.clear(Arena.aged(arena), at, length);
        purgeFree(arena, at, at + length);
    }

    private static long aged(long arena, long first) {
        return Bitmap.countSet(Arena.aged(arena), first, Arena.HUGE_PAGE);
    }

    private static long waiting(long arena, long first) {
        return Bitmap.countSet(Arena.purge(arena), first, Arena.HUGE_PAGE);
    }

    /**
     * Notes that slices have waited when time was up; returns how many. It may note of one that was claimed meanwhile:
     * that one will be purged a little early.
     */
    private static long age(long arena, long at, long length) {
        long next = Bitmap.nextSet(Arena.aged(arena), at, at + length);
        if (next >= 0) length = next - at;
        Bitmap.set(Arena.aged(arena), at, length);
        return length;
    }

    /** Purges those slices of a range that are free. */
    private static void purgeFree(long arena, long at, long end) {
        while ((at = Bitmap.nextSet(Arena.free(arena), at, end)) >= 0) {
            // Not more at a time: meanwhile nobody else can have them.
            long length = Bitmap.runLength(Arena.free(arena), at, Config.min(end, at + Bitmap.CHUNK));
            if (length == 0 || !Bitmap.tryClaim(Arena.free(arena), at, length)) continue;
            Arena.purgeMemory(arena, at, length);
            Arena.unclaim(arena, at, length);
            at += length;
        }
    }
}
