package dev.mimalloc.netty;

import io.netty.buffer.AbstractByteBufTest;
import io.netty.buffer.ByteBuf;

/** Netty's own contract for buffers. */
class NettyBufferContractTest extends AbstractByteBufTest {
    @Override
    protected ByteBuf newBuffer(int capacity, int maxCapacity) {
        return MimallocByteBufAllocator.DEFAULT.directBuffer(capacity, maxCapacity);
    }
}
