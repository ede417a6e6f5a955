package dev.mimalloc.machine;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tells a listener what the allocator does, on the JVM. In C nobody listens: there each method is empty or a constant,
 * and the C compiler drops whatever depends on it.
 *
 * <p>Core calls from its slow paths only, at moments when no page, list or bitmap is half-way; but it may hold a lock,
 * or a virtual thread's lease. So a listener must neither wait nor call the allocator. What it throws stays here, and
 * when the stack has no room for it, it is not called: the allocator's caller has asked for nothing of the kind.
 */
public final class Trace {
    /** Learns what happens, from the thread that does it. JVM only. */
    public interface Listener {
        /**
         * The allocation of a block of {@code size} bytes is about to become a sample: how many bytes it stands for, or
         * 0 if it shall not be one. {@link #allocated} follows, if there is memory.
         */
        long weigh(long size);

        /**
         * A sample; nobody has seen the block yet.
         *
         * @param size what was asked for
         * @param weight what {@link #weigh} said
         * @param heap the number of its heap
         */
        void allocated(long block, long size, long weight, long heap);

        /** A sample's block was freed, or its heap; its address has not been given out again yet. */
        void freed(long block);

        /** A page for blocks of this size came, or is about to go. */
        void page(boolean fresh, long start, long bytes, long blockSize, long heap);

        /** An arena came, or is about to go. */
        void arena(boolean fresh, long start, long bytes);

        /** Memory is about to be given back to the system; {@link #purged} follows in the same thread. */
        void purging();

        /** Memory was given back to the system; {@code bytes} is 0 if the system has refused. */
        void purged(long start, long bytes);

        /** Some time has gone by. From the housekeeper. */
        void tick();
    }

    private static final AtomicLong LOST = new AtomicLong();
    private static volatile Listener listener;
    private static volatile long interval;

    private Trace() {}

    /** From now on this one listens; null is nobody. Samples want {@link #sampleEvery}, too. JVM only. */
    public static void listener(Listener listener) {
        distance(); // so that its classes are loaded
        Trace.listener = listener;
    }

    /** Samples one byte in this many, on average, as long as somebody listens; none for 0. JVM only. */
    public static void sampleEvery(long bytes) { interval = bytes; }

    /** See {@link Lifecycle#tick}. JVM only. */
    public static void tick() {
        Listener to = to();
        try {
            if (to != null) to.tick();
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    /** How often a listener has thrown something. JVM only. */
    public static long lost() { return LOST.get(); }

    /** One byte in this many is sampled; 0 when none is, as always when nobody listens. */
    public static long sampleInterval() { return listener == null ? 0 : interval; }

    /**
     * How many bytes to go to the next sample, at least 1. Each byte is as likely to be one as any other, whatever was
     * allocated before it: so samples do not fall in step with a program's loops, and a thread that has just begun,
     * or allocates little, is not overlooked.
     */
    public static long distance() {
        return 1 + (long) (interval * -Math.log(1 - ThreadLocalRandom.current().nextDouble()));
    }

    public static long weigh(long size) {
        Listener to = to();
        try {
            return to != null ? to.weigh(size) : 0;
        } catch (Throwable fault) {
            LOST.incrementAndGet();
            return 0;
        }
    }

    public static void allocated(long block, long size, long weight, long heap) {
        Listener to = to();
        try {
            if (to != null) to.allocated(block, size, weight, heap);
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    public static void freed(long block) {
        Listener to = to();
        try {
            if (to != null) to.freed(block);
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    public static void page(boolean fresh, long start, long bytes, long blockSize, long heap) {
        Listener to = to();
        try {
            if (to != null) to.page(fresh, start, bytes, blockSize, heap);
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    public static void arena(boolean fresh, long start, long bytes) {
        Listener to = to();
        try {
            if (to != null) to.arena(fresh, start, bytes);
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    public static void purging() {
        Listener to = to();
        try {
            if (to != null) to.purging();
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    public static void purged(long start, long bytes) {
        Listener to = to();
        try {
            if (to != null) to.purged(start, bytes);
        } catch (Throwable fault) {
            LOST.incrementAndGet();
        }
    }

    /** The listener, unless the stack is too full for it. */
    private static Listener to() {
        Listener to = listener;
        if (to == null) return null;
        try {
            StackProbe.around();
            return to;
        } catch (StackOverflowError e) {
            return null;
        }
    }
}
