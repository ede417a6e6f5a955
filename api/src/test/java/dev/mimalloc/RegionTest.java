package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionTest {
    private static final long MB = 1 << 20;

    @Test
    void itsHeapsAllocateInItAndNobodyElse() {
        Region region = Region.reserve(64 * MB);
        assertThat(region.size()).isEqualTo(64 * MB);
        try (Heap heap = region.newHeap(); Heap other = region.newHeap(); Heap free = Heap.create()) {
            for (int size = 8; size < 3 * MB; size *= 3) {
                assertThat(region.contains(heap.malloc(size))).isTrue();
                assertThat(region.contains(other.zalloc(size))).isTrue();
                assertThat(region.contains(free.malloc(size))).isFalse();
                long block = Mimalloc.malloc(size);
                assertThat(region.contains(block)).isFalse();
                Mimalloc.free(block);
            }
            assertThatThrownBy(() -> heap.malloc(65 * MB)).isInstanceOf(OutOfMemoryError.class);
        }
        try (Heap heap = region.newHeap()) { // what was freed serves again
            assertThat(region.contains(heap.malloc(60 * MB))).isTrue();
        }
    }

    @Test
    void aMappedFileHoldsBlocks(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("blocks");
        MemorySegment mapped;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4 * MB, Arena.global());
        }
        Region region = Region.of(mapped);
        try (Heap heap = region.newHeap()) {
            long block = heap.zalloc(100_000);
            assertThat(block).isBetween(mapped.address(), mapped.address() + mapped.byteSize());
            assertThat(region.address() % (64 << 10)).isZero();
        }
    }

    @Test
    void aSmallRegionHoldsBlocksOfAllSizes() {
        for (long size : new long[] {8, 1000, 20_000, 80_000, 300_000, 500_000}) {
            try (Heap heap = Region.reserve(MB).newHeap()) {
                assertThat(heap.malloc(size)).isNotZero();
            }
        }
    }

    @Test
    void whatWasBroughtAlongStays() {
        Heap heap = Region.of(Arena.ofAuto().allocate(4 * MB, 1 << 16)).newHeap();
        for (int i = 0; i < 3; i++) {
            System.gc();
            long block = heap.zalloc(100_000);
            assertThat(heap.contains(block)).isTrue();
        }
        heap.close();
    }

    @Test
    void nonsenseIsRefused() {
        assertThatThrownBy(() -> Region.reserve(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Region.reserve(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Region.reserve(Long.MAX_VALUE)).isInstanceOf(OutOfMemoryError.class);
        assertThatThrownBy(() -> Region.of(MemorySegment.ofArray(new byte[1 << 20])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Region.of(Arena.global().allocate(1000))).isInstanceOf(IllegalArgumentException.class);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment confined = arena.allocate(MB);
            assertThatThrownBy(() -> Region.of(confined)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> Region.of(confined.asReadOnly())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void directBuffers() {
        ByteBuffer buffer = Mimalloc.allocateBuffer(1000);
        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffer.capacity()).isEqualTo(1000);
        assertThat(buffer.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        for (int i = 0; i < 1000; i++) assertThat(buffer.get(i)).isZero();
        buffer.position(500).limit(600);
        Mimalloc.free(buffer);
        Mimalloc.free(Mimalloc.allocateBuffer(0));
        assertThatThrownBy(() -> Mimalloc.allocateBuffer(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Mimalloc.free(ByteBuffer.allocate(8))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Mimalloc.free(ByteBuffer.allocateDirect(8)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
