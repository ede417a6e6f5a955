package dev.mimalloc.leaks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Leaks;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Not in the package itself: its own frames are left out of the stacks. */
@EnabledIfSystemProperty(named = "dev.mimalloc.leaks", matches = "quiet")
class LeaksTest {
    private static final String HERE = LeaksTest.class.getName();

    @AfterEach
    void nothingIsLeft() {
        assertThat(ours()).isEmpty();
        assertThat(Leaks.check()).isEmpty();
    }

    /** Others in this process may have left something. */
    private static List<Leaks.Group> ours() {
        return Leaks.live().stream().filter(group -> group.stack().stream().anyMatch(LeaksTest::isHere)).toList();
    }

    private static boolean isHere(StackTraceElement frame) { return frame.getClassName().equals(HERE); }

    @Test
    void groupsAreByStackAndTheLargestComesFirst() {
        assertThat(Leaks.isTracking()).isTrue();
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 5; i++) blocks.add(small());
        for (int i = 0; i < 2; i++) blocks.add(large());
        assertThat(ours()).satisfiesExactly(group -> {
            assertThat(group.count()).isEqualTo(2);
            assertThat(group.bytes()).isEqualTo(2000);
            assertThat(group.stack().get(0).getMethodName()).isEqualTo("large");
            assertThat(group.stack().get(1).getMethodName()).isEqualTo("groupsAreByStackAndTheLargestComesFirst");
        }, group -> {
            assertThat(group.count()).isEqualTo(5);
            assertThat(group.bytes()).isEqualTo(50);
            assertThat(group.stack().get(0).getMethodName()).isEqualTo("small");
        });
        blocks.forEach(Mimalloc::free);
    }

    private static long small() { return Mimalloc.malloc(10); }

    private static long large() { return Mimalloc.zalloc(1000); }

    @Test
    void eachWayToAllocateIsSeenAndPadded() {
        try (Heap heap = Heap.create()) {
            long[] blocks = {Mimalloc.malloc(40), Mimalloc.zalloc(40), Mimalloc.calloc(4, 10), Mimalloc.mallocn(4, 10),
                    Mimalloc.mallocAligned(40, 64), Mimalloc.zallocAligned(40, 128), Mimalloc.callocAligned(4, 10, 256),
                    Mimalloc.mallocAlignedAt(40, 64, 8), Mimalloc.zallocAlignedAt(40, 64, 8), Mimalloc.realloc(0, 40),
                    Mimalloc.rezalloc(0, 40), Mimalloc.reallocn(0, 4, 10), Mimalloc.recalloc(0, 4, 10),
                    Mimalloc.reallocAligned(0, 40, 512), Mimalloc.allocate(40).address(),
                    Mimalloc.allocate(40, 4096).address(), heap.malloc(40), heap.zalloc(40), heap.calloc(4, 10),
                    heap.mallocn(4, 10), heap.mallocAligned(40, 64), heap.zallocAligned(40, 128), heap.realloc(0, 40),
                    heap.rezalloc(0, 40), heap.reallocn(0, 4, 10), heap.recalloc(0, 4, 10), heap.local().malloc(40),
                    heap.local().zalloc(40), heap.allocate(40, 8).address(), heap.allocate(40, 1 << 20).address()};
            assertThat(ours().stream().mapToLong(Leaks.Group::count).sum()).isEqualTo(blocks.length);
            assertThat(ours()).allMatch(group -> isHere(group.stack().get(0)));
            for (long block : blocks) {
                assertThat(Mimalloc.usableSize(block)).isEqualTo(40);
                for (int past : new int[] {0, 7}) {
                    poke(block, 40 + past);
                    assertThat(Leaks.check()).singleElement().satisfies(damaged -> {
                        assertThat(damaged.address()).isEqualTo(block);
                        assertThat(damaged.size()).isEqualTo(40);
                        assertThat(damaged.thread()).isEqualTo(Thread.currentThread().getName());
                    });
                    unpoke(block, 40 + past);
                }
                poke(block, 40);
                assertThatIllegalStateException().isThrownBy(() -> Mimalloc.free(block));
            }
        }
    }

    @Test
    void segmentsAndBuffersAreFreedAsWell() {
        Mimalloc.free(Mimalloc.allocate(40, 64));
        ByteBuffer buffer = Mimalloc.allocateBuffer(40);
        Mimalloc.free(buffer);
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(buffer)).withMessageContaining("freed");
    }

    @Test
    void aDoubleFreeIsToldWithBothStacks() {
        long block = small();
        freeOnce(block);
        for (int i = 0; i < 2; i++) {
            var e = catchThrowableOfType(IllegalArgumentException.class, () -> Mimalloc.free(block));
            assertThat(e).hasMessageContaining("freed already: 10 bytes at 0x" + Long.toHexString(block));
            assertThat(e.getCause()).hasMessageContaining("freed here");
            assertThat(e.getCause().getStackTrace()[0].getMethodName()).isEqualTo("freeOnce");
            assertThat(e.getCause().getCause()).hasMessageContaining("allocated here: 10 bytes");
            assertThat(e.getCause().getCause().getStackTrace()[0].getMethodName()).isEqualTo("small");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.usableSize(block))
                .withMessageContaining("freed");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.realloc(block, 5))
                .withMessageContaining("freed");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(block + 8))
                .withMessageContaining("freed");
    }

    private static void freeOnce(long block) { Mimalloc.free(block); }

    @Test
    void anAddressInsideABlockNamesTheBlock() {
        long block = large();
        for (long inside : new long[] {block + 1, block + 8, block + 999, block + 1000}) {
            var e = catchThrowableOfType(IllegalArgumentException.class, () -> Mimalloc.free(inside));
            assertThat(e).hasMessageContaining("not the address of a block")
                    .hasMessageContaining(inside - block + " bytes behind the start of 1000 bytes at 0x");
            assertThat(e.getCause().getStackTrace()[0].getMethodName()).isEqualTo("large");
        }
        Mimalloc.free(block);
    }

    @Test
    void aForeignAddressIsToldApart() {
        try (Arena arena = Arena.ofConfined()) {
            long other = arena.allocate(64).address();
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(other)).withNoCause()
                    .withMessageContaining("not allocated here");
        }
    }

    @Test
    void writingPastTheEndIsFoundByFree() {
        for (int size : new int[] {0, 1, 8, 15, 16, 100, 1000, 5000, 100_000, 5 << 20}) {
            long block = Mimalloc.malloc(size);
            fill(block, size);
            poke(block, size);
            var e = catchThrowableOfType(IllegalStateException.class, () -> Mimalloc.free(block));
            assertThat(e).hasMessageContaining("written past the end, 0 bytes behind " + size + " bytes at 0x");
            assertThat(e.getCause()).hasMessageContaining("allocated here");
            assertThat(e.getCause().getStackTrace()[0].getMethodName()).isEqualTo("writingPastTheEndIsFoundByFree");
            assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.free(block)).withMessageContaining("freed");
        }
    }

    @Test
    void aLongOverrunIsFoundInAllItHits() {
        try (Heap heap = Heap.create()) {
            Set<Long> hit = new HashSet<>();
            // One after the other in their page: so all but the last lie before another.
            long first = heap.malloc(56);
            for (int i = 0; i < 10; i++) hit.add(heap.malloc(56));
            hit.removeIf(block -> block < first || block >= first + 5 * 64);
            hit.add(first);
            MemorySegment.ofAddress(first).reinterpret(5 * 64).fill((byte) 0);
            assertThat(Leaks.check().stream().map(Leaks.Block::address)).containsExactlyInAnyOrderElementsOf(hit);
            assertThat(hit).hasSizeGreaterThan(1);
            var e = catchThrowableOfType(IllegalStateException.class, heap::close);
            assertThat(1 + e.getSuppressed().length).isEqualTo(hit.size());
        }
    }

    @Test
    void anAlignedBlockIsPaddedToo() {
        for (long alignment = 8; alignment <= 1 << 20; alignment *= 2) {
            long block = Mimalloc.mallocAligned(alignment, alignment);
            assertThat(block % alignment).isZero();
            poke(block, alignment);
            assertThatIllegalStateException().isThrownBy(() -> Mimalloc.free(block));
        }
    }

    @Test
    void resizingMovesTheRecord() {
        long block = small();
        fill(block, 10);
        for (int size = 11; size < 3000; size += 7) {
            block = resized(block, size);
            assertThat(Mimalloc.usableSize(block)).isEqualTo(size);
            assertThat(ours()).singleElement().satisfies(group -> {
                assertThat(group.count()).isEqualTo(1);
                assertThat(group.stack().get(0).getMethodName()).isEqualTo("resized");
            });
            assertThat(byteAt(block, 9)).isEqualTo((byte) 7);
        }
        for (int size = 3000; size > 0; size -= 100) block = resized(block, size);
        assertThat(byteAt(block, 9)).isEqualTo((byte) 7);
        assertThat(ours().get(0).bytes()).isEqualTo(100);
        Mimalloc.free(block);
    }

    private static long resized(long block, long size) { return Mimalloc.realloc(block, size); }

    @Test
    void whatIsAddedIsZeroNotPadding() {
        long block = Mimalloc.zalloc(3);
        for (int size = 4; size < 2000; size += 3) {
            block = size % 2 == 0 ? Mimalloc.rezalloc(block, size) : Mimalloc.recalloc(block, 1, size);
            for (int i = 0; i < size; i++) assertThat(byteAt(block, i)).isZero();
        }
        Mimalloc.free(block);
    }

    @Test
    void aDamagedBlockIsNotResizedAtFirst() {
        long block = small();
        fill(block, 10);
        poke(block, 12);
        assertThatIllegalStateException().isThrownBy(() -> Mimalloc.realloc(block, 500))
                .withMessageContaining("2 bytes behind 10 bytes");
        assertThat(Mimalloc.usableSize(block)).isEqualTo(10);
        long moved = Mimalloc.realloc(block, 500);
        assertThat(byteAt(moved, 9)).isEqualTo((byte) 7);
        Mimalloc.free(moved);
    }

    @Test
    void whatCannotBeResizedIsAsItWas() {
        long block = small();
        assertThat(catchThrowableOfType(OutOfMemoryError.class, () -> Mimalloc.realloc(block, 1L << 60))).isNotNull();
        assertThat(catchThrowableOfType(OutOfMemoryError.class, () -> Mimalloc.malloc(Long.MAX_VALUE))).isNotNull();
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.reallocAligned(block, 8, 3));
        assertThat(ours()).singleElement().extracting(Leaks.Group::bytes).isEqualTo(10L);
        Mimalloc.free(block);
    }

    @Test
    void closingAHeapFreesItsBlocks() {
        Heap heap = Heap.create();
        long block = heap.malloc(10);
        poke(heap.malloc(10), 10);
        var e = catchThrowableOfType(IllegalStateException.class, heap::close);
        assertThat(e).hasMessageContaining("written past the end").hasNoSuppressedExceptions();
        assertThat(ours()).isEmpty();
        var again = catchThrowableOfType(IllegalArgumentException.class, () -> Mimalloc.free(block));
        assertThat(again).hasMessageContaining("freed already");
        assertThat(again.getCause().getStackTrace()).anyMatch(LeaksTest::isHere);
        heap.close();
    }

    @Test
    void anArenaWithADamagedBlockFreesTheOthers() {
        try (Heap heap = Heap.create()) {
            for (Arena arena : new Arena[] {Arenas.in(heap).confined(), Arenas.in(heap).shared()}) {
                for (int i = 0; i < 5; i++) {
                    MemorySegment segment = arena.allocate(3000, 8);
                    if (i >= 2) continue;
                    MemorySegment longer = MemorySegment.ofAddress(segment.address()).reinterpret(3001);
                    longer.set(ValueLayout.JAVA_BYTE, 3000, (byte) 1);
                }
                assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("past the end").satisfies(t -> assertThat(t.getSuppressed()).hasSize(1));
            }
            assertThat(heap.statistics().mallocNormal().current()).isZero();
        }
    }

    @Test
    void deletingAHeapKeepsItsBlocks() {
        Heap heap = Heap.create();
        long block = heap.malloc(10);
        heap.delete();
        assertThat(ours()).singleElement().extracting(Leaks.Group::bytes).isEqualTo(10L);
        try (Heap other = Heap.create()) {
            other.malloc(10); // perhaps with the same name in core
        }
        assertThat(ours()).hasSize(1);
        Mimalloc.free(block);
    }

    @Test
    void aVisitorSeesTheAddressesOfAlignedBlocks() {
        try (Heap heap = Heap.create()) {
            List<Long> freed = new ArrayList<>(); // of the same size with all that is around them: they are remembered
            for (int i = 0; i < 200; i++) freed.add(heap.malloc(8 + i + 1023));
            freed.forEach(Mimalloc::free);
            Set<Long> expected = new HashSet<>();
            for (int i = 0; i < 200; i++) expected.add(heap.mallocAligned(8 + i, 1024));
            Set<Long> seen = new HashSet<>();
            heap.visit(true, (area, block, size) -> {
                if (block != 0 && seen.add(block)) Mimalloc.free(block);
                return true;
            });
            assertThat(seen).isEqualTo(expected);
            assertThat(ours()).isEmpty();
        }
    }

    @Test
    void ofManyFreesAtOnceOneSucceeds() throws Exception {
        int threads = 4;
        CyclicBarrier start = new CyclicBarrier(threads);
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (int round = 0; round < 300; round++) {
                long block = small();
                AtomicInteger freed = new AtomicInteger(), refused = new AtomicInteger();
                List<Future<?>> work = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    work.add(pool.submit(() -> {
                        start.await();
                        try {
                            Mimalloc.free(block);
                            freed.incrementAndGet();
                        } catch (IllegalArgumentException e) {
                            assertThat(e).hasMessageContaining("freed already");
                            refused.incrementAndGet();
                        }
                        return null;
                    }));
                }
                for (Future<?> each : work) each.get();
                assertThat(freed).hasValue(1);
                assertThat(refused).hasValue(threads - 1);
            }
        }
    }

    /** Platform and virtual threads use each other's blocks while another reports and checks. */
    @Test
    void manyThreadsAreTrackedWhileOthersReport() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger reports = new AtomicInteger();
        Thread reporter = Thread.ofPlatform().start(() -> {
            StringBuilder out = new StringBuilder();
            while (!stop.get()) {
                out.setLength(0);
                Leaks.print(out);
                if (out.indexOf("written past") >= 0) return;
                reports.incrementAndGet();
            }
            reports.addAndGet(1_000_000);
        });
        long[] slots = new long[64];
        Object[] locks = new Object[slots.length];
        for (int i = 0; i < locks.length; i++) locks[i] = new Object();
        try (Heap heap = Heap.create();
                var platform = Executors.newFixedThreadPool(3);
                var virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (int i = 0; i < 3; i++) work.add(platform.submit(() -> storm(heap, slots, locks, 5000)));
            for (int i = 0; i < 100; i++) work.add(virtual.submit(() -> storm(heap, slots, locks, 100)));
            for (Future<?> each : work) each.get();
            for (long block : slots) Mimalloc.free(block);
            assertThat(ours()).isEmpty();
        } finally {
            stop.set(true);
            reporter.join();
        }
        assertThat(reports).hasValueGreaterThan(1_000_000);
    }

    private static void storm(Heap heap, long[] slots, Object[] locks, int rounds) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        for (int i = 0; i < rounds; i++) {
            int slot = random.nextInt(slots.length);
            int size = random.nextInt(1, random.nextInt(20) == 0 ? 200_000 : 500);
            synchronized (locks[slot]) {
                long block = slots[slot];
                if (block != 0) assertThat(byteAt(block, 0)).isEqualTo((byte) 7);
                switch (random.nextInt(5)) {
                    case 0 -> slots[slot] = Mimalloc.realloc(block, size);
                    case 1 -> slots[slot] = heap.realloc(block, size);
                    case 2 -> {
                        Mimalloc.free(block);
                        slots[slot] = heap.mallocAligned(size, 1L << random.nextInt(12));
                    }
                    case 3 -> {
                        Mimalloc.free(block);
                        slots[slot] = Mimalloc.malloc(size);
                    }
                    default -> {
                        Mimalloc.free(block);
                        slots[slot] = 0;
                    }
                }
                if (slots[slot] != 0) fill(slots[slot], size);
            }
        }
    }

    private static void fill(long block, long size) {
        MemorySegment.ofAddress(block).reinterpret(size).fill((byte) 7);
    }

    private static byte byteAt(long block, long offset) {
        return MemorySegment.ofAddress(block).reinterpret(offset + 1).get(ValueLayout.JAVA_BYTE, offset);
    }

    private static void poke(long block, long offset) {
        MemorySegment.ofAddress(block).reinterpret(offset + 1).set(ValueLayout.JAVA_BYTE, offset, (byte) 0);
    }

    /** As the padding is. */
    private static void unpoke(long block, long offset) {
        MemorySegment.ofAddress(block).reinterpret(offset + 1).set(ValueLayout.JAVA_BYTE, offset, (byte) 0xDE);
    }
}
