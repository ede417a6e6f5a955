package dev.mimalloc.netty;

import io.netty.buffer.AbstractByteBufTest;
import io.netty.buffer.ByteBuf;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Nested;

/** Netty's own contract for buffers, as it is in Netty's test suite. */
class NettyBufferContractTest {
    private static final MimallocByteBufAllocator ALLOCATOR = MimallocByteBufAllocator.DEFAULT;

    @Nested
    class Direct extends AbstractByteBufTest {
        @Override
        protected ByteBuf newBuffer(int capacity, int maxCapacity) {
            return ALLOCATOR.directBuffer(capacity, maxCapacity);
        }
    }

    @Nested
    class Swapped extends AbstractByteBufTest {
        @Override
        @SuppressWarnings("deprecation") // Netty wants it tested
        protected ByteBuf newBuffer(int capacity, int maxCapacity) {
            return ALLOCATOR.directBuffer(capacity, maxCapacity).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    @Nested
    class Heap extends AbstractByteBufTest {
        @Override
        protected ByteBuf newBuffer(int capacity, int maxCapacity) {
            return ALLOCATOR.heapBuffer(capacity, maxCapacity);
        }
    }
}
