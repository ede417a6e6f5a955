package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;

/**
 * A mutex in one word: 0 free, 1 held, 2 held and somebody may be asleep. It cannot be taken twice by one thread. In
 * memory that is zero it is free, so that no lock needs to be made.
 *
 * <p>It guards the rare events: a heap or a thread begins or ends, an arena is reserved, slices are purged, a theap's
 * queues change. The fast paths of malloc and free take none; malloc's slow path may wait for one. Which locks there
 * are, and in what order they are taken, is in docs/design/ownership.md.
 */
public final class Lock {
    /** How often a thread looks whether the lock is free before it sleeps: most locks are held for less. */
    private static final int SPINS = 100;

    private Lock() {}

    public static boolean tryAcquire(long lock) { return compareAndSet(lock, 0, 1); }

    public static void acquire(long lock) {
        // On the JVM an error in the middle of what the lock guards would keep it for ever.
        ThreadSlot.probeStackAgain();
        for (int i = 0; i < SPINS; i++) {
            if (getRelaxed(lock) == 0 && tryAcquire(lock)) return;
            pause();
        }
        // From here on the word says 2 while this thread holds the lock: it cannot know whether others are asleep, too.
        while (exchange(lock, 2) != 0) Os.waitOn(lock, 2);
    }

    /** Releases a lock for which only the caller ever waits: there is nobody to wake. */
    public static void releaseUnawaited(long lock) {
        if (Check.isOn()) Check.that(getRelaxed(lock) != 0);
        putRelease(lock, 0);
    }

    /** For the holder: is a thread asleep until the lock is free? */
    public static boolean isAwaited(long lock) { return getRelaxed(lock) == 2; }

    public static void release(long lock) {
        if (Check.isOn()) Check.that(getRelaxed(lock) != 0);
        if (exchange(lock, 0) == 2) Os.wake(lock);
    }
}
