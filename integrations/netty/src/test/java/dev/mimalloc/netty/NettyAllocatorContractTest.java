package dev.mimalloc.netty;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.AbstractByteBufAllocatorTest;
class NettyAllocatorContractTest extends AbstractByteBufAllocatorTest<MimallocByteBufAllocator> {
    @Override
    protected MimallocByteBufAllocator newAllocator(boolean preferDirect) {
        return new MimallocByteBufAllocator(preferDirect);
    }

    @Override
    protected MimallocByteBufAllocator newUnpooledAllocator() { return new MimallocByteBufAllocator(false); }
}
