package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class HeapTest {
    @Test
    void aBlockBelongsToItsHeap() {
        try (Heap heap = Heap.create(); Heap other = Heap.create()) {
            long block = heap.malloc(100);
            long elsewhere = Mimalloc.malloc(100);
            assertThat(heap.contains(block)).isTrue();
            assertThat(other.contains(block)).isFalse();
            assertThat(Heap.main().contains(block)).isFalse();
            assertThat(Heap.main().contains(elsewhere)).isTrue();
            assertThat(heap.contains(elsewhere)).isFalse();
            assertThat(heap.contains(0)).isFalse();
            Mimalloc.free(elsewhere);
            Mimalloc.free(block);
        }
    }

    @Test
    void eachWayToAllocateIsInTheHeap() {
        try (Heap heap = Heap.create()) {
            List<Long> blocks = new ArrayList<>(List.of(heap.malloc(10), heap.zalloc(10), heap.calloc(2, 5),
                    heap.mallocn(2, 5),
                    heap.mallocAligned(10, 256), heap.zallocAligned(10, 256), heap.realloc(0, 10), heap.rezalloc(0, 10),
                    heap.reallocn(0, 2, 5), heap.recalloc(0, 2, 5), heap.local().malloc(10), heap.local().zalloc(10),
                    heap.allocate(10, 8).address(), heap.allocate(10, 64).address()));
            blocks.add(heap.malloc(20 << 20));
            assertThat(blocks).doesNotHaveDuplicates().allMatch(heap::contains);
            long moved = heap.realloc(Mimalloc.malloc(10), 10_000);
            assertThat(heap.contains(moved)).isTrue();
        }
    }

    @Test
    void closingFreesAllAtOnce() {
        List<Long> blocks = new ArrayList<>();
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 50_000; i++) blocks.add(heap.malloc(100));
            blocks.add(heap.malloc(50 << 20));
        }
        assertThat(blocks).noneMatch(Heap.main()::contains);
    }

    @Test
    void manyHeapsComeAndGo() {
        Statistics before = Mimalloc.statistics();
        for (int i = 0; i < 2000; i++) {
            try (Heap heap = Heap.create()) {
                for (int size = 8; size < 3000; size *= 3) heap.malloc(size);
            }
        }
        Statistics after = Mimalloc.statistics();
        assertThat(after.heaps().total() - before.heaps().total()).isGreaterThanOrEqualTo(2000);
        // Of the 12,000 pages of 64 KiB none has stayed; other threads may have some of their own.
        assertThat(after.pages().current() - before.pages().current()).isLessThan(500);
        assertThat(after.reserved().current() - before.reserved().current()).isLessThan(100L << 20);
    }

    @Test
    void deletingKeepsTheBlocks() {
        Heap heap = Heap.create();
        long block = heap.malloc(100);
        at(block, 100).fill((byte) 9);
        MemorySegment segment = heap.allocate(100);
        heap.delete();
        assertThat(Heap.main().contains(block)).isTrue();
        assertThat(at(block, 100).toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 9);
        assertThat(segment.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        Mimalloc.free(block);
        Mimalloc.free(segment.address());
        heap.close();
    }

    @Test
    void anEndedHeapRefusesAll() {
        for (boolean delete : new boolean[] {false, true}) {
            Heap heap = Heap.create();
            Heap.Local local = heap.local();
            long block = Mimalloc.malloc(8);
            local.malloc(8);
            if (delete) heap.delete();
            else heap.close();
            List<ThrowingCallable> uses = List.of(() -> heap.malloc(8), () -> heap.zalloc(8), () -> heap.calloc(1, 8),
                    () -> heap.mallocn(1, 8), () -> heap.mallocAligned(8, 8), () -> heap.zallocAligned(8, 8),
                    () -> heap.realloc(block, 8), () -> heap.rezalloc(block, 8), () -> heap.reallocn(block, 1, 8),
                    () -> heap.recalloc(block, 1, 8), () -> heap.allocate(8, 8), () -> heap.contains(block),
                    () -> heap.collect(false), () -> heap.visit(true, (area, at, size) -> true), heap::local,
                    heap::delete, () -> local.malloc(8), () -> local.zalloc(8));
            for (ThrowingCallable use : uses) assertThatIllegalStateException().isThrownBy(use);
            heap.close();
            Mimalloc.free(block);
        }
    }

    @Test
    void segmentsLiveAsLongAsTheHeap() {
        MemorySegment segment, slice;
        try (Heap heap = Heap.create()) {
            segment = heap.allocate(100, 32);
            slice = segment.asSlice(10, 10);
            assertThat(segment.byteSize()).isEqualTo(100);
            assertThat(segment.toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 0);
            assertThat(segment.scope().isAlive()).isTrue();
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 100));
            assertThat(heap.allocateFrom("text").getString(0)).isEqualTo("text");
        }
        assertThat(segment.scope().isAlive()).isFalse();
        assertThatIllegalStateException().isThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 0));
        assertThatIllegalStateException().isThrownBy(() -> slice.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void segmentsOfTheMainHeapStay() {
        MemorySegment segment = Heap.main().allocate(10, 1);
        assertThat(segment.scope().isAlive()).isTrue();
        Mimalloc.free(segment);
    }

    @Test
    void theMainHeapStays() {
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(Heap.main()::close);
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(Heap.main()::delete);
        Mimalloc.free(Heap.main().malloc(10));
        Mimalloc.free(Heap.main().local().malloc(10));
    }

    @Test
    void badRequestsAreRefused() {
        try (Heap heap = Heap.create()) {
            assertThatIllegalArgumentException().isThrownBy(() -> heap.malloc(-1));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.calloc(-1, 1));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.mallocn(Long.MAX_VALUE, 3));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.mallocAligned(1, 3));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.allocate(1, 3));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.allocate(-1, 1));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.realloc(12_345, 1));
            assertThatIllegalArgumentException().isThrownBy(() -> heap.local().malloc(-1));
            assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> heap.malloc(1L << 60));
            assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> heap.local().zalloc(1L << 60));
        }
    }

    @Test
    void aVisitorSeesEachBlockInUse() {
        try (Heap heap = Heap.create()) {
            Set<Long> expected = new HashSet<>();
            for (int i = 0; i < 3000; i++) expected.add(heap.malloc(8 + i % 300));
            expected.add(heap.malloc(5 << 20));
            for (int i = 0; i < 1000; i++) {
                long block = expected.iterator().next();
                expected.remove(block);
                Mimalloc.free(block);
            }
            Set<Long> seen = new HashSet<>();
            List<Heap.Area> areas = new ArrayList<>();
            assertThat(heap.visit(true, (area, block, size) -> {
                if (block == 0) areas.add(area);
                else assertThat(seen.add(block)).isTrue();
                assertThat(size).isEqualTo(area.blockSize());
                return true;
            })).isTrue();
            assertThat(seen).isEqualTo(expected);
            assertThat(areas).allMatch(area -> area.used() * area.blockSize() <= area.committed());
            assertThat(areas.stream().mapToLong(Heap.Area::used).sum()).isEqualTo(expected.size());
        }
    }

    @Test
    void aVisitorMayStopOrThrow() {
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 10; i++) heap.malloc(8);
            assertThat(heap.visit(true, (area, block, size) -> block == 0)).isFalse();
            assertThat(heap.visit(false, (area, block, size) -> block == 0)).isTrue();
            Heap.Visitor thrower = (area, block, size) -> {
                throw new ArithmeticException();
            };
            assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> heap.visit(true, thrower));
            Mimalloc.free(heap.malloc(8));
        }
    }

    @Test
    void threadsShareAHeap() throws Exception {
        try (Heap heap = Heap.create(); var threads = Executors.newFixedThreadPool(4)) {
            List<Future<Long>> work = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                work.add(threads.submit(() -> {
                    Heap.Local local = heap.local();
                    long last = local.malloc(50);
                    for (int i = 0; i < 10_000; i++) {
                        Mimalloc.free(last);
                        last = i % 2 == 0 ? local.zalloc(50) : heap.malloc(50);
                    }
                    return last;
                }));
            }
            for (Future<Long> last : work) {
                assertThat(heap.contains(last.get())).isTrue();
                Mimalloc.free(last.get());
            }
        }
    }

    @Test
    void aHandleIsForItsThread() throws Exception {
        try (Heap heap = Heap.create()) {
            Heap.Local local = heap.local();
            assertThat(heap.local()).isSameAs(local);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread.ofPlatform().start(() -> {
                try {
                    local.malloc(8);
                } catch (WrongThreadException e) {
                    thrown.set(e);
                }
            }).join();
            assertThat(thrown.get()).isInstanceOf(WrongThreadException.class);
        }
    }

    @Test
    void aVirtualThreadHasAHandleAsWell() throws Exception {
        try (Heap heap = Heap.create()) {
            AtomicReference<Boolean> contained = new AtomicReference<>();
            Thread.ofVirtual().start(() -> {
                Heap.Local local = heap.local();
                long block = local.malloc(8);
                long zeroed = local.zalloc(8);
                contained.set(heap.contains(block) && heap.contains(zeroed));
                Mimalloc.free(block);
                Mimalloc.free(zeroed);
            }).join();
            assertThat(contained.get()).isTrue();
        }
    }

    @Test
    void aHeapOutlivesTheThreadsThatUsedIt() throws Exception {
        try (Heap heap = Heap.create()) {
            List<Long> blocks = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(1);
            Thread.ofPlatform().start(() -> {
                Heap.Local local = heap.local();
                for (int i = 0; i < 1000; i++) blocks.add(local.malloc(100));
                done.countDown();
            }).join();
            done.await();
            Thread.sleep(300); // the thread's end is noticed meanwhile
            assertThat(blocks).allMatch(heap::contains);
            for (int i = 0; i < 500; i++) Mimalloc.free(blocks.get(i));
            for (int i = 0; i < 500; i++) heap.malloc(100);
            heap.collect(true);
        }
    }

    private static MemorySegment at(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }
}
