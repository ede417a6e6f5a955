package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocatorMetric;
import io.netty.buffer.CompositeByteBuf;
import org.junit.jupiter.api.Test;

class MetricTest {
    private final MimallocByteBufAllocator allocator = new MimallocByteBufAllocator(true);
    private final ByteBufAllocatorMetric metric = allocator.metric();

    @Test
    void direct() {
        ByteBuf buffer = allocator.directBuffer(100);
        expect(0, 100);
        buffer.capacity(1000);
        expect(0, 1000);
        ByteBuf slice = buffer.retainedSlice(0, 10);
        expect(0, 1000);
        ByteBuf copy = buffer.copy(0, 10);
        expect(0, 1010);
        buffer.capacity(500);
        expect(0, 510);
        copy.release();
        buffer.release();
        expect(0, 500);
        slice.release();
        expect(0, 0);
    }

    @Test
    void heap() {
        ByteBuf buffer = allocator.heapBuffer(100);
        expect(100, 0);
        buffer.capacity(1000);
        expect(1000, 0);
        buffer.release();
        expect(0, 0);
    }

    @Test
    void composite() {
        CompositeByteBuf buffer = allocator.compositeBuffer();
        buffer.addComponents(true, allocator.directBuffer(100).writeLong(1), allocator.heapBuffer(10).writeLong(2));
        expect(10, 100);
        buffer.consolidate();
        assertThat(buffer.release()).isTrue();
        expect(0, 0);
    }

    @Test
    void eachAllocatorHasItsOwn() {
        ByteBuf other = new MimallocByteBufAllocator(true).directBuffer(100);
        expect(0, 0);
        other.release();
        assertThat(allocator.toString()).contains("usedHeapMemory: 0", "usedDirectMemory: 0");
    }

    private void expect(long heap, long direct) {
        assertThat(metric.usedHeapMemory()).isEqualTo(heap);
        assertThat(metric.usedDirectMemory()).isEqualTo(direct);
    }
}
