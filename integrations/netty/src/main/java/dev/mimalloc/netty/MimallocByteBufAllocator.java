package dev.mimalloc.netty;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetric;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.util.concurrent.atomic.LongAdder;

/**
 * Netty's buffers on this allocator. To use it:
 *
 * <pre>{@code
 * bootstrap.option(ChannelOption.ALLOCATOR, MimallocByteBufAllocator.DEFAULT);
 * serverBootstrap.childOption(ChannelOption.ALLOCATOR, MimallocByteBufAllocator.DEFAULT);
 * }</pre>
 *
 * <p>A server sets both {@code option} and {@code childOption}: the second is for the connections. There is no property
 * that does this for a whole program: {@code io.netty.allocator.type} knows Netty's own allocators by name, and takes
 * one of them for any other word.
 *
 * <p>A direct buffer is one block of {@link dev.mimalloc.Mimalloc}: there are no chunks, and what is released is free
 * for all uses, in Netty or not. It grows in place when its block has room. Heap buffers are byte arrays of their own
 * size: the JVM allocates these as quickly as a pool could, and collects them for nothing if they die young. All have
 * this allocator as their {@link ByteBuf#alloc()}.
 *
 * <p>Any thread may allocate, and release what others have allocated; so may virtual threads. A buffer itself is for
 * one thread at a time, except for its reference count, as it is everywhere in Netty. Direct and composite buffers take
 * part in Netty's leak detection ({@code io.netty.leakDetection.level}). After the last release each use of a buffer is
 * an {@code IllegalReferenceCountException}, at any later time: the objects are not recycled. Without memory for a
 * buffer, or for its growth, there is an {@code OutOfMemoryError} that says how many bytes were wanted.
 *
 * <p>On the module path this module wants {@code --enable-native-access=dev.mimalloc.core,dev.mimalloc.netty}.
 */
public final class MimallocByteBufAllocator extends AbstractByteBufAllocator implements ByteBufAllocatorMetricProvider {
    /** An instance for all, whose {@link #buffer()} is direct. */
    public static final MimallocByteBufAllocator DEFAULT = new MimallocByteBufAllocator(true);

    private final Metric metric = new Metric(this);

    /**
     * An allocator with metrics of its own. The memory behind all instances is the same. It is meant to live long: as
     * with Netty's pooled allocator, a thread of Netty that has used it keeps a little for it until the thread ends.
     *
     * @param preferDirect whether {@link #buffer()} and {@link #compositeBuffer()} are direct; {@link #ioBuffer()}
     *                     always is
     */
    public MimallocByteBufAllocator(boolean preferDirect) { super(preferDirect); }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        var buffer = new MimallocByteBuf(metric.direct, initialCapacity, maxCapacity);
        try {
            return toLeakAwareBuffer(buffer);
        } catch (Throwable t) {
            buffer.release(); // no room for Netty's own objects
            throw t;
        }
    }

    /** Not watched for leaks, as the garbage collector finds these. */
    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        return new Heap(this, initialCapacity, maxCapacity);
    }

    /**
     * True: a direct buffer costs little, and need not be replaced by a longer-lived one. To Netty this is what
     * "pooled" means.
     */
    @Override
    public boolean isDirectBufferPooled() { return true; }

    /**
     * The sums of the capacities of all buffers of this allocator that have not been released: of direct ones, and of
     * heap ones. While other threads allocate and release the numbers may be a little old. A composite buffer counts
     * with its components.
     */
    @Override
    public ByteBufAllocatorMetric metric() { return metric; }

    @Override
    public String toString() { return super.toString() + metric; }

    private static final class Metric implements ByteBufAllocatorMetric {
        private final Usage direct;
        private final LongAdder heap = new LongAdder();

        Metric(MimallocByteBufAllocator allocator) { direct = new Usage(allocator); }

        @Override
        public long usedHeapMemory() { return heap.sum(); }
        @Override
        public long usedDirectMemory() { return direct.sum(); }

        @Override
        public String toString() {
            return "(usedHeapMemory: " + usedHeapMemory() + "; usedDirectMemory: " + usedDirectMemory() + ')';
        }
    }

    private static final class Heap extends UnpooledHeapByteBuf {
        Heap(ByteBufAllocator alloc, int capacity, int maxCapacity) { super(alloc, capacity, maxCapacity); }

        @Override
        protected byte[] allocateArray(int capacity) {
            byte[] array = super.allocateArray(capacity);
            used().add(array.length);
            return array;
        }

        @Override
        protected void freeArray(byte[] array) {
            used().add(-array.length);
            super.freeArray(array);
        }

        private LongAdder used() { return ((MimallocByteBufAllocator) alloc()).metric.heap; }
    }
}
