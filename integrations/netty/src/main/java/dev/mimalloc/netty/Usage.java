package dev.mimalloc.netty;

import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * How many bytes the direct buffers of one allocator have. A thread of Netty counts the buffers that it makes in a share
 * of its own, which nobody else writes: atomic operations would be a quarter of what a buffer costs. What other threads
 * do with these, and with buffers of their own, is counted by an adder.
 */
final class Usage {
    final MimallocByteBufAllocator allocator;
    private final LongAdder rest = new LongAdder();
    private final Share nobodys = new Share(this, 0, null); // no thread has this id
    private final Map<Long, Share> shares = new HashMap<>(); // by the thread's id; guarded by this
    private long ended; // what threads had counted when they ended; guarded by this
    private final FastThreadLocal<Share> own = new FastThreadLocal<>() {
        @Override
        protected Share initialValue() { return register(Thread.currentThread()); }
    };

    Usage(MimallocByteBufAllocator allocator) { this.allocator = allocator; }

    /** Where the current thread counts a buffer that it makes. */
    Share share() { return Thread.currentThread() instanceof FastThreadLocalThread ? own.get() : nobodys; }

    // A thread may come again, after FastThreadLocal.removeAll().
    private synchronized Share register(Thread thread) {
        shares.values().removeIf(this::hasEnded);
        return shares.computeIfAbsent(thread.threadId(), id -> new Share(this, id, new WeakReference<>(thread)));
    }

    // What a thread has done is seen by who sees that it is no longer alive.
    private boolean hasEnded(Share share) {
        Thread thread = share.thread.get();
        if (thread != null && thread.isAlive()) return false;
        ended += share.get();
        return true;
    }

    synchronized long sum() {
        long sum = ended + rest.sum();
        for (Share share : shares.values()) sum += share.get();
        return sum;
    }

    /** What one thread has counted. */
    static final class Share extends AtomicLong {
        private static final long serialVersionUID = 1;

        final transient Usage usage;
        private final transient long owner;
        private final transient WeakReference<Thread> thread;
        // Keep the counts of two threads out of one cache line.
        private transient long unused1, unused2, unused3, unused4, unused5, unused6, unused7;

        Share(Usage usage, long owner, WeakReference<Thread> thread) {
            this.usage = usage;
            this.owner = owner;
            this.thread = thread;
        }

        /** By any thread. The owner alone writes the share, so that it needs no read-modify-write. */
        void add(int bytes) {
            if (Thread.currentThread().threadId() == owner) setRelease(getPlain() + bytes);
            else usage.rest.add(bytes);
        }
    }
}
