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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
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
    void onlyMemoryThatStaysIsTaken(@TempDir Path folder) throws IOException {
        List<MemorySegment> stay = new ArrayList<>(List.of(Arena.global().allocate(MB, 1 << 16),
                Arena.ofAuto().allocate(MB, 1 << 16), Arenas.ofAuto().allocate(64, 8), // see below
                MemorySegment.ofBuffer(ByteBuffer.allocateDirect(1 << 20)),
                MemorySegment.ofBuffer(Arena.ofAuto().allocate(MB, 1 << 16).asByteBuffer())));
        try (FileChannel channel = FileChannel.open(folder.resolve("blocks"), StandardOpenOption.CREATE,
                StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            stay.add(channel.map(FileChannel.MapMode.READ_WRITE, 0, MB, Arena.ofAuto()));
            stay.add(MemorySegment.ofBuffer(channel.map(FileChannel.MapMode.READ_WRITE, 0, MB)));
        }
        stay.remove(2); // the scope is one of those, but the memory is the allocator's own
        for (MemorySegment memory : stay) {
            try (Heap heap = Region.of(memory).newHeap()) {
                heap.zalloc(1000);
            }
        }
        try (Arena confined = Arena.ofConfined();
                Arena shared = Arena.ofShared();
                Arena ours = Arenas.ofShared();
                Heap heap = Heap.create()) {
            List<MemorySegment> go = List.of(confined.allocate(MB, 1 << 16), shared.allocate(MB, 1 << 16),
                    shared.allocate(MB, 1 << 16).asSlice(0), MemorySegment.ofBuffer(shared.allocate(MB).asByteBuffer()),
                    MemorySegment.ofAddress(1 << 20).reinterpret(MB, shared, null), ours.allocate(MB, 1 << 16),
                    heap.allocate(MB, 1 << 16));
            for (MemorySegment memory : go) {
                assertThatThrownBy(() -> Region.of(memory)).isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("can be closed");
            }
        }
    }

    @Test
    void whatTheAllocatorHasIsRefused() {
        MemorySegment brought = Arena.global().allocate(4 * MB, 1 << 16);
        Region region = Region.of(brought);
        Region reserved = Region.reserve(4 * MB);
        MemorySegment huge = Mimalloc.allocate(2L << 30, 8); // not in an arena
        MemorySegment around = MemorySegment.ofAddress(brought.address() - MB).reinterpret(6 * MB);
        for (MemorySegment memory : List.of(brought, brought.asSlice(MB, MB), brought.asSlice(100),
                around, around.asSlice(0, MB + (1 << 16)), at(reserved.address(), MB), Mimalloc.allocate(MB, 1 << 16),
                Mimalloc.allocate(100 * MB, 8), huge, huge.asSlice(1 << 30), Arenas.ofAuto().allocate(MB, 8),
                Heap.main().allocate(MB, 8))) {
            assertThatThrownBy(() -> Region.of(memory)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("already");
        }
        Mimalloc.free(huge);
        // Neighbours share no slice.
        MemorySegment memory = Arena.global().allocate(MB, 1 << 16);
        assertThat(Region.of(memory.asSlice(0, MB / 2)).size()).isEqualTo(MB / 2);
        assertThat(Region.of(memory.asSlice(MB / 2)).address()).isEqualTo(memory.address() + MB / 2);
        assertThat(region.size()).isEqualTo(4 * MB);
    }

    @Test
    void ofManyThatBringTheSameMemoryOneHasIt() throws InterruptedException {
        for (int round = 0; round < 30; round++) {
            MemorySegment memory = Arena.global().allocate(MB, 1 << 16);
            AtomicInteger regions = new AtomicInteger();
            AtomicInteger refused = new AtomicInteger();
            CountDownLatch start = new CountDownLatch(4);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int from = i << 16;
                threads.add(Thread.ofPlatform().start(() -> {
                    start.countDown();
                    try {
                        start.await();
                        Region.of(memory.asSlice(from));
                        regions.incrementAndGet();
                    } catch (IllegalArgumentException e) {
                        refused.incrementAndGet();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }));
            }
            for (Thread thread : threads) thread.join();
            assertThat(regions).hasValue(1);
            assertThat(refused).hasValue(3);
        }
    }

    @Test
    void itAnswersWithoutMemory() {
        Region region = Region.reserve(3 * MB);
        Mimalloc.limit(1);
        try {
            assertThatThrownBy(() -> {
                while (true) Mimalloc.malloc(8);
            }).isInstanceOf(OutOfMemoryError.class);
            assertThat(region.size()).isEqualTo(3 * MB);
            assertThat(region.toString()).contains("3145728 bytes");
            assertThat(Region.reserve(MB).size()).isEqualTo(MB); // address space is not memory
            assertThat(Region.of(Arena.global().allocate(MB, 1 << 16)).size()).isEqualTo(MB);
        } finally {
            Mimalloc.limit(0);
        }
    }

    @Test
    void errorsSayWhatIsFull() {
        assertThatThrownBy(() -> Region.reserve(1L << 60)).isInstanceOf(OutOfMemoryError.class)
                .hasMessageContaining("region of " + (1L << 60) + " bytes");
        try (Heap heap = Region.reserve(2 * MB).newHeap()) {
            assertThatThrownBy(() -> {
                while (true) heap.malloc(1000);
            }).isInstanceOf(OutOfMemoryError.class).hasMessageContaining("no memory for 1000 bytes")
                    .hasMessageContaining("region of 2097152 bytes is full");
            assertThatThrownBy(() -> heap.allocate(MB, 64)).hasMessageContaining("region of 2097152 bytes is full");
            assertThatThrownBy(() -> {
                while (true) heap.local().malloc(2000);
            }).hasMessageContaining("region of 2097152 bytes is full");
        }
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

    private static MemorySegment at(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }
}
