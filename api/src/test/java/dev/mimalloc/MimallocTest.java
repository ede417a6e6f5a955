package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class MimallocTest {
    private static final long[] SIZES = {0, 1, 7, 8, 16, 24, 100, 1024, 1025, 10_000, 100_000, 1 << 20, 40 << 20};
    private static final long TOO_MUCH = 1L << 60;

    @Test
    void blocksDoNotOverlapAndKeepTheirContents() {
        List<MemorySegment> blocks = new ArrayList<>();
        Set<Long> addresses = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            long size = SIZES[i % 9];
            long block = Mimalloc.malloc(size);
            assertThat(Mimalloc.usableSize(block)).isBetween(size, Mimalloc.goodSize(size));
            assertThat(block % (size >= 16 ? 16 : 8)).isZero();
            assertThat(addresses.add(block)).isTrue();
            assertThat(Mimalloc.contains(block)).isTrue();
            blocks.add(segment(block, size).fill((byte) i));
        }
        for (int i = 0; i < blocks.size(); i++) {
            byte[] expected = new byte[(int) blocks.get(i).byteSize()];
            Arrays.fill(expected, (byte) i);
            MemorySegment block = blocks.get(i);
            assertThat(block.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
            Mimalloc.free(block.address());
        }
    }

    @Test
    void zeroedBlocksAreZero() {
        for (int round = 0; round < 3; round++) {
            for (long size : SIZES) {
                long[] blocks = {Mimalloc.zalloc(size), Mimalloc.calloc(size, 1), Mimalloc.zallocAligned(size, 64)};
                for (long block : blocks) {
                    assertThat(isZero(block, 0, size)).isTrue();
                    segment(block, size).fill((byte) -1);
                    Mimalloc.free(block);
                }
            }
        }
    }

    @Test
    void alignedBlocksAreAligned() {
        for (long alignment = 1; alignment <= 1 << 20; alignment *= 2) {
            for (long size : new long[] {1, 24, 1000, 70_000}) {
                long block = Mimalloc.mallocAligned(size, alignment);
                long zeroed = Mimalloc.callocAligned(2, size, alignment);
                long at = Mimalloc.mallocAlignedAt(size, alignment, 8);
                long zeroedAt = Mimalloc.zallocAlignedAt(size, alignment, 8);
                assertThat(block % alignment).isZero();
                assertThat(zeroed % alignment).isZero();
                assertThat((at + 8) % alignment).isZero();
                assertThat((zeroedAt + 8) % alignment).isZero();
                assertThat(isZero(zeroed, 0, 2 * size)).isTrue();
                assertThat(isZero(zeroedAt, 0, size)).isTrue();
                for (long each : new long[] {block, zeroed, at, zeroedAt}) {
                    segment(each, size).fill((byte) 7);
                    Mimalloc.free(each);
                }
            }
        }
    }

    @Test
    void resizingKeepsTheContents() {
        long block = Mimalloc.realloc(0, 100);
        segment(block, 100).fill((byte) 5);
        for (long size : new long[] {200, 100_000, 3 << 20, 50}) {
            block = Mimalloc.realloc(block, size);
            assertThat(segment(block, 50).toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 5);
        }
        block = Mimalloc.reallocn(block, 10, 100);
        block = Mimalloc.reallocAligned(block, 5000, 4096);
        assertThat(block % 4096).isZero();
        assertThat(segment(block, 50).toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 5);
        Mimalloc.free(block);
    }

    @Test
    void resizingCanAddZeros() {
        long block = Mimalloc.zalloc(10);
        for (long size = 10; size < 100_000; size *= 3) {
            block = Mimalloc.rezalloc(block, size);
            assertThat(isZero(block, 0, size)).isTrue();
        }
        block = Mimalloc.recalloc(block, 1000, 200);
        assertThat(isZero(block, 0, 200_000)).isTrue();
        Mimalloc.free(block);
    }

    @Test
    void aBlockExpandsWithinItsSize() {
        long block = Mimalloc.malloc(100);
        long usable = Mimalloc.usableSize(block);
        assertThat(Mimalloc.expand(block, usable)).isTrue();
        assertThat(Mimalloc.expand(block, usable + 1)).isFalse();
        Mimalloc.free(block);
    }

    @Test
    void nothingIsFreedForZero() {
        Mimalloc.free(0);
        assertThat(Mimalloc.usableSize(0)).isZero();
        assertThat(Mimalloc.expand(0, 10)).isFalse();
        assertThat(Mimalloc.contains(0)).isFalse();
    }

    @Test
    void badSizesAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.malloc(-1)).withMessage("size is negative: -1");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.zalloc(Long.MIN_VALUE));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.calloc(-1, 8))
                .withMessage("count is negative: -1");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.calloc(-1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocn(8, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocAligned(-1, 8));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.goodSize(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.expand(0, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.allocate(-1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocAlignedAt(8, 8, -1));
    }

    @Test
    void productsThatAreTooLargeAreRefused() {
        long half = 1L << 32;
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.calloc(half, half))
                .withMessageContaining("4294967296 times");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.calloc(half, half / 2));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocn(Long.MAX_VALUE, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.reallocn(0, Long.MAX_VALUE, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.callocAligned(half, half, 8));
    }

    @Test
    void badAlignmentsAreRefused() {
        for (long alignment : new long[] {0, 3, 24, -8, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocAligned(8, alignment));
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.reallocAligned(0, 8, alignment));
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.allocate(8, alignment));
        }
    }

    @Test
    void addressesOfOthersAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            long other = arena.allocate(64, 64).address();
            for (long address : new long[] {other, 1, 8, 0xdead_beefL, -16, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 50}) {
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(address))
                        .withMessageContaining(Long.toHexString(address));
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.usableSize(address));
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.realloc(address, 8));
                assertThat(Mimalloc.contains(address)).isFalse();
            }
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(arena.allocate(8)));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(MemorySegment.ofArray(new byte[8])));
    }

    @Test
    void whatTheSystemHasNotIsAnOutOfMemoryError() {
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.malloc(TOO_MUCH))
                .withMessageContaining(Long.toString(TOO_MUCH));
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.malloc(Long.MAX_VALUE));
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.calloc(8, TOO_MUCH / 8))
                .withMessageContaining("8 times");
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.mallocAligned(TOO_MUCH, 4096))
                .withMessageContaining("aligned to 4096");
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.allocate(TOO_MUCH));
        long block = Mimalloc.malloc(8);
        segment(block, 8).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 42);
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.realloc(block, TOO_MUCH));
        assertThat(segment(block, 8).get(ValueLayout.JAVA_LONG_UNALIGNED, 0)).isEqualTo(42);
        Mimalloc.free(block);
    }

    @Test
    void segmentsHaveTheirBounds() {
        for (long alignment = 1; alignment <= 4096; alignment *= 2) {
            for (long size : new long[] {0, 1, 33, 5000}) {
                MemorySegment segment = Mimalloc.allocate(size, alignment);
                assertThat(segment.byteSize()).isEqualTo(size);
                assertThat(segment.address() % alignment).isZero();
                assertThat(segment.scope().isAlive()).isTrue();
                assertThat(isZero(segment.address(), 0, size)).isTrue();
                assertThatExceptionOfType(IndexOutOfBoundsException.class)
                        .isThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, size));
                segment.fill((byte) 3);
                Mimalloc.free(segment);
            }
        }
    }

    @Test
    void itIsASegmentAllocator() {
        SegmentAllocator allocator = Mimalloc::allocate;
        MemorySegment text = allocator.allocateFrom("hello");
        assertThat(text.getString(0)).isEqualTo("hello");
        Mimalloc.free(text);
    }

    @Test
    void anyThreadMayFree() throws Exception {
        ConcurrentLinkedQueue<Long> blocks = new ConcurrentLinkedQueue<>();
        try (var threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            List<Future<?>> work = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                work.add(threads.submit(() -> {
                    for (int i = 0; i < 20_000; i++) {
                        long block = Mimalloc.malloc(8 + i % 500);
                        segment(block, 8).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, block);
                        blocks.add(block);
                        Long other = blocks.poll();
                        if (other != null) checkAndFree(other);
                    }
                }));
            }
            for (Future<?> each : work) each.get();
        }
        blocks.forEach(MimallocTest::checkAndFree);
    }

    private static void checkAndFree(long block) {
        if (segment(block, 8).get(ValueLayout.JAVA_LONG_UNALIGNED, 0) != block) throw new AssertionError();
        Mimalloc.free(block);
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck") // to change carriers, if it may
    void virtualThreadsAllocateAndFree() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (int thread = 0; thread < 2000; thread++) {
                work.add(threads.submit(() -> {
                    for (int i = 0; i < 20; i++) {
                        long block = Mimalloc.zalloc(64);
                        if (!isZero(block, 0, 64)) throw new AssertionError();
                        segment(block, 8).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, block);
                        Thread.yield();
                        checkAndFree(block);
                    }
                    return null;
                }));
            }
            for (Future<?> each : work) each.get();
        }
    }

    @Test
    void collectingAndTheVersion() {
        Mimalloc.collect(false);
        Mimalloc.collect(true);
        assertThat(Mimalloc.version()).isEqualTo(30600);
    }

    @Test
    void onlyItsOwnSegmentsAreFreed() {
        try (Heap heap = Heap.create();
                Arena confined = Arenas.ofConfined();
                Arena shared = Arenas.ofShared();
                Arena inHeap = Arenas.in(heap).confined();
                Arena jdk = Arena.ofConfined()) {
            List<Arena> arenas = List.of(confined, shared, inHeap, jdk, Arenas.ofAuto(), Arena.ofAuto(),
                    Arena.global());
            List<MemorySegment> others = new ArrayList<>();
            for (Arena arena : arenas) {
                others.add(arena.allocate(100, 8));
                others.add(arena.allocate(100_000, 64));
                others.add(arena.allocate(0, 1));
            }
            others.add(heap.allocate(100, 8));
            others.add(heap.allocate(100, 8).asSlice(0, 10));
            others.add(MemorySegment.ofBuffer(ByteBuffer.allocateDirect(100)));
            for (MemorySegment segment : others) {
                if (segment.byteSize() > 0) segment.fill((byte) 3);
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(segment));
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(segment.asByteBuffer()));
            }
            for (MemorySegment segment : others) {
                for (long i = 0; i < segment.byteSize(); i++) {
                    assertThat(segment.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 3);
                }
            }
            for (int i = 0; i < 100; i++) Mimalloc.free(Mimalloc.allocate(100, 8)); // and nothing is broken
        }
    }

    @Test
    void aSliceIsNotFreed() {
        for (long size : new long[] {100, 5000, 100_000, 3 << 20}) {
            MemorySegment segment = Mimalloc.allocate(size, 8);
            ByteBuffer buffer = Mimalloc.allocateBuffer((int) size);
            for (int offset : new int[] {8, 16, 64}) {
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(segment.asSlice(offset)));
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(buffer.slice(offset, 10)));
            }
            Mimalloc.free(buffer.duplicate().position(7));
            Mimalloc.free(segment.asSlice(0, 10));
        }
        Mimalloc.free(Mimalloc.allocate(10, 1 << 20));
        Mimalloc.free(Mimalloc.allocate(0));
        Mimalloc.free(Heap.main().allocate(100, 64));
    }

    /** Its address is that of the next block, if the segment has all of its own. */
    @Test
    void anEmptySliceIsNotFreed() {
        for (int size : new int[] {8, 64, 4096}) {
            var segments = new ArrayList<MemorySegment>();
            for (int i = 0; i < 100; i++) segments.add(Mimalloc.allocate(size, 8).fill((byte) i));
            ByteBuffer buffer = Mimalloc.allocateBuffer(size);
            for (MemorySegment segment : segments) {
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(segment.asSlice(size)))
                        .withMessageContaining("empty slice");
                assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(segment.asSlice(0, 0)));
            }
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(buffer.position(size).slice()));
            Mimalloc.free(buffer);
            for (MemorySegment segment : segments) Mimalloc.free(segment);
        }
    }

    @Test
    void anEmptySegmentIsABlock() {
        MemorySegment a = Mimalloc.allocate(0), b = Mimalloc.allocate(0, 64), c = Heap.main().allocate(0);
        ByteBuffer d = Mimalloc.allocateBuffer(0);
        assertThat(a.address()).isNotEqualTo(c.address());
        assertThat(a.isAccessibleBy(new Thread())).isTrue();
        Mimalloc.free(a);
        Mimalloc.free(b.asSlice(0));
        Mimalloc.free(c);
        Mimalloc.free(d.duplicate());
    }

    @Test
    void anAlignmentThatCannotBeHadIsNamed() {
        long alignment = 1L << 62;
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.callocAligned(2, 8, alignment))
                .withMessageContaining("2 times 8 bytes aligned to " + alignment);
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> Mimalloc.mallocAligned(8, alignment))
                .withMessageContaining("8 bytes aligned to " + alignment);
    }

    @Test
    void numbersAreDecimalInMessages() {
        for (long alignment : new long[] {24, -8, 100}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.mallocAligned(8, alignment))
                    .withMessageContaining(": " + alignment);
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.allocate(8, alignment))
                    .withMessageContaining(": " + alignment);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(0x1234560)).withMessageContaining("0x123456");
    }

    private static MemorySegment segment(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }

    private static boolean isZero(long address, long from, long to) {
        MemorySegment segment = segment(address, to);
        for (long at = from; at < to; at++) {
            if (segment.get(ValueLayout.JAVA_BYTE, at) != 0) return false;
        }
        return true;
    }
}
