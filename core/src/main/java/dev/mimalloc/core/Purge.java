package dev.mimalloc.core;

import dev.mimalloc.machine.Os;

/**
 * Gives the memory of free slices back to the OS, some time after they became free, since most are wanted again soon.
 * Any thread that comes by does it for all; on the JVM a housekeeper also does when nobody comes by. So that memory
 * does not stay in a program that falls silent, what waits is bounded too: by half of what is in use.
 */
public final class Purge {
    /** Up to so many slices (64 MiB) may wait whatever is in use. */
    private static final long WAITING_MIN = 1024;

    private Purge() {}

    /** Purges if it is time. */
    public static void tick(long subprocess) {
        long expire = Subprocess.purgeExpire(subprocess);
        if (expire != 0 && Os.clock() >= expire) run(subprocess);
    }

    /** After slices were given back: purges if too many wait. */
    static void afterFree(long subprocess) {
        long waiting = Subprocess.purgeable(subprocess);
        long most = Config.max(WAITING_MIN, (Root.charged() >>> Config.SLICE_SHIFT) / 2);
        if (waiting > most) run(subprocess, most / 2);
    }

    /** Purges all that waits, unless another thread is doing so. */
    static void run(long subprocess) { run(subprocess, 0); }

    /**
     * The same, but leaves so many slices waiting: those with the lowest addresses, since these are the next ones to
     * be claimed.
     */
    private static void run(long subprocess, long keep) {
        long lock = Subprocess.purgeLock(subprocess);
        if (!Lock.tryAcquire(lock)) return;
        // What is left waits for its time.
        if (keep == 0) Subprocess.clearPurgeExpire(subprocess);
        long least = Config.max(1, Options.getSize(Options.MINIMAL_PURGE_SIZE) >>> Config.SLICE_SHIFT);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena != 0) keep = purgeArena(subprocess, arena, least, keep);
        }
        Statistics.add(Subprocess.statistics(subprocess), Statistics.ARENA_PURGES, 1);
        Lock.release(lock);
    }

    /** Returns how many slices are still to be left in the next arena. */
    private static long purgeArena(long subprocess, long arena, long least, long keep) {
        long purge = Arena.purge(arena);
        long slices = Arena.slices(arena);
        long at = 0;
        while ((at = Bitmap.nextSet(purge, at, slices)) >= 0) {
            long length = Bitmap.runLength(purge, at, slices);
            if (length == 0) continue;
            if (keep > 0) {
                length = Config.min(keep, length);
                keep -= length;
            } else if (length >= least) {
                Subprocess.addPurgeable(subprocess, -Bitmap.clear(purge, at, length));
                purgeFree(arena, at, at + length);
            }
            at += length;
        }
        return keep;
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
