package dev.mimalloc.arena;

import dev.mimalloc.base.Settings;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.malloc.Free;
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

    /** Counts the memory of a block that is about to be allocated, and returns how much that is. */
    static long reserve(long size) {
        long bytes = SizeClass.goodSize(size);
        if (!tryReserve(bytes)) reserveSlow(size, bytes);
        return bytes;
    }

    /** The block may have more, as for a large alignment: counts what it has instead, and returns that. */
    static long correct(long counted, long block) {
        long bytes = Free.usableSize(block);
        if (bytes != counted) used.addAndGet(bytes - counted);
        return bytes;
    }

    private static void reserveSlow(long size, long bytes) {
        boolean interrupted = false;
        try {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                System.gc();
                try {
                    Thread.sleep(1L << attempt); // what was found unreachable is freed by another thread
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                if (tryReserve(bytes)) return;
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
        throw new OutOfMemoryError("no memory for " + size + " bytes; automatic arenas have " + used + " of " + MAX
                + " (-Ddev.mimalloc.automatic.max)");
    }

    private static boolean tryReserve(long bytes) {
        long before;
        do {
            before = used.get();
            if (bytes > MAX - before) return false;
        } while (!used.compareAndSet(before, before + bytes));
        return true;
    }

    static void release(long bytes) { used.addAndGet(-bytes); }
}
