package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AbstractByteBufAllocatorTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Netty's own contract for allocators, as it is in Netty's test suite. */
class NettyAllocatorContractTest extends AbstractByteBufAllocatorTest<MimallocByteBufAllocator> {
    @Override
    protected MimallocByteBufAllocator newAllocator(boolean preferDirect) {
        return new MimallocByteBufAllocator(preferDirect);
    }

    @Override
    protected MimallocByteBufAllocator newUnpooledAllocator() { return newAllocator(false); }

    /** Netty asks for classes of its own here. */
    @Override
    @Test
    public void testUnsafeHeapBufferAndUnsafeDirectBuffer() {
        ByteBuf direct = newUnpooledAllocator().directBuffer();
        assertInstanceOf(direct, MimallocByteBuf.class);
        direct.release();
        ByteBuf heap = newUnpooledAllocator().heapBuffer();
        assertInstanceOf(heap, UnpooledHeapByteBuf.class);
        heap.release();
    }

    /** Netty asks this of heap buffers where they are pooled; here it holds for direct ones. */
    @Override
    @Test
    public void shouldReuseChunks() {
        Set<Long> addresses = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            ByteBuf buffer = newAllocator(true).directBuffer(1 << 20);
            addresses.add(buffer.memoryAddress());
            buffer.release();
        }
        assertThat(addresses).hasSizeLessThan(8);
    }
}
