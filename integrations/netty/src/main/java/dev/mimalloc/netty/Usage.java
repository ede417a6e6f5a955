package dev.mimalloc.netty;

import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * How many bytes the direct buffers of one allocator have. A thread of Netty counts in a share of its own, which nobody
 * else writes: atomic operations would be a quarter of what a buffer costs. What a thread releases of another's, and all
 * that other threads do, is counted by an adder.
 */
final class Usage {
    final MimallocByteBufAllocator allocator;
    private final LongAdder rest = new LongAdder();
    private final Set<Share> shares = ConcurrentHashMap.newKeySet();
    private final Share nobodys = new Share(this, 0); // no thread has this id
    private final FastThreadLocal<Share> own = new FastThreadLocal<>() {
        @Override
        protected Share initialValue() {
            var share = new Share(Usage.this, Thread.currentThread().threadId());
            shares.add(share);
            return share;
        }

        // The thread ends, or wants no such values any more; its buffers may live on.
        @Override
        protected void onRemoval(Share share) {
            share.owner = 0;
            shares.remove(share);
            rest.add(share.get());
        }
    };

    Usage(MimallocByteBufAllocator allocator) { this.allocator = allocator; }

    /** Where the current thread counts a buffer that it makes. */
    Share share() { return Thread.currentThread() instanceof FastThreadLocalThread ? own.get() : nobodys; }

    long sum() {
        long sum = rest.sum();
        for (Share share : shares) sum += share.get();
        return sum;
    }

    /** What one thread has counted; below 0 if it released more than it made. */
    static final class Share extends AtomicLong {
        private static final long serialVersionUID = 1;

        final transient Usage usage;
        /** Only the owner changes it, to 0; what others may read in place of that is not their id either. */
        private transient long owner;

        Share(Usage usage, long owner) {
            this.usage = usage;
            this.owner = owner;
        }

        /** By any thread. The owner alone writes the share, so that it needs no read-modify-write. */
        void add(int bytes) {
            if (Thread.currentThread().threadId() == owner) setRelease(getPlain() + bytes);
            else usage.rest.add(bytes);
        }
    }
}
