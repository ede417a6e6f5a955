package dev.mimalloc;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How much memory waits for the garbage collector: that of automatic arenas. The collector does not see it, and might
 * run too late or never; so there is a bound, at which it is asked to run and given a little time.
 */
final class AutomaticMemory {
    /** As for the JDK's own such memory: as much as the Java heap, unless the property says something else. */
    private static final long MAX = Settings.number("automatic.max", Runtime.getRuntime().maxMemory());
    private static final int ATTEMPTS = 10;

    private static final AtomicLong used = new AtomicLong();

    private AutomaticMemory() {}

    /** Counts memory that is about to be allocated. */
    static void reserve(long size) {
        if (tryReserve(size)) return;
        boolean interrupted = false;
        try {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                System.gc();
                try {
                    Thread.sleep(1L << attempt); // what was found unreachable is freed by another thread
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                if (tryReserve(size)) return;
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
        throw new OutOfMemoryError("no memory for " + size + " bytes; automatic arenas have " + used + " of " + MAX
                + " (-Ddev.mimalloc.automatic.max)");
    }

    private static boolean tryReserve(long size) {
        long before;
        do {
            before = used.get();
            if (size > MAX - before) return false;
        } while (!used.compareAndSet(before, before + size));
        return true;
    }

    static void release(long size) { used.addAndGet(-size); }
}
