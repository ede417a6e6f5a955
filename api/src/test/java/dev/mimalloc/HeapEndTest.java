package dev.mimalloc;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.machine.Callback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of a heap while it is in use: with segments alone nothing can go wrong. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // two may wait for each other
class HeapEndTest {
    private static final long MB = 1 << 20;

    @AfterEach
    void noHandler() {
        Mimalloc.onLimit(null);
        Mimalloc.limit(0);
    }

    /**
     * Some threads use a heap as they like until it has ended, over and over again, while this one ends it.
     *
     * @param use is expected to throw nothing but an {@code IllegalStateException}
     */
    private static void race(int rounds, boolean virtual, Consumer<Heap> end, Consumer<Heap> use) throws Exception {
        AtomicReference<Heap> current = new AtomicReference<>();
        AtomicReference<Throwable> wrong = new AtomicReference<>();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong uses = new AtomicLong();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Runnable work = () -> {
                while (!stop.get()) {
                    Heap heap = current.get();
                    if (heap == null) continue;
                    try {
                        use.accept(heap);
                        uses.incrementAndGet();
                    } catch (IllegalStateException e) {
                        LockSupport.parkNanos(50_000); // for the next heap
                    } catch (Throwable t) {
                        wrong.set(t);
                    }
                }
            };
            threads.add(virtual ? Thread.startVirtualThread(work) : Thread.ofPlatform().start(work));
        }
        for (int i = 0; i < rounds; i++) {
            Heap heap = Heap.create();
            long before = uses.get();
            current.set(heap);
            while (uses.get() - before < i % 5) LockSupport.parkNanos(10_000);
            end.accept(heap);
            assertThatIllegalStateException().isThrownBy(() -> heap.allocate(8, 8));
        }
        stop.set(true);
        for (Thread thread : threads) thread.join();
        assertThat(wrong.get()).isNull();
    }

    private static void allocateSome(Heap heap) {
        for (int i = 0; i < 40; i++) heap.allocate(8 + i * 50L, i % 8 == 0 ? 64 : 8).fill((byte) 5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void othersAllocateMeanwhile(boolean virtual) throws Exception {
        race(150, virtual, Heap::close, HeapEndTest::allocateSome);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void othersAllocateWhileItIsDeleted(boolean virtual) throws Exception {
        race(80, virtual, Heap::delete, heap -> {
            MemorySegment segment = heap.allocate(200, 8).fill((byte) 7);
            for (int i = 0; i < 200; i++) assertThat(segment.get(JAVA_BYTE, i)).isEqualTo((byte) 7);
            Mimalloc.free(segment.address());
        });
    }

    @Test
    void othersLookAtItMeanwhile() throws Exception {
        try (Heap asked = Heap.create()) {
            race(150, false, Heap::close, heap -> {
                MemorySegment segment = heap.allocate(3000, 8);
                assertThat(heap.used()).isBetween(0L, 1L << 40);
                heap.limit(100 * MB);
                assertThat(heap.limit()).isEqualTo(100 * MB);
                heap.contains(segment.address());
                asked.contains(segment.address());
                Heap.main().contains(segment.address());
                heap.statistics();
                heap.collect(true);
                heap.local();
                Arenas.in(heap);
            });
        }
    }

    /** A visitor is never waited for, so some of the ends are refused. */
    @Test
    void othersVisitItMeanwhile() throws Exception {
        race(80, false, heap -> {
            for (int refused = 0;; refused++) {
                try {
                    heap.close();
                    return;
                } catch (IllegalStateException e) {
                    // As if nothing had happened; but a visit lasts the longer the more blocks there are.
                    if (refused < 1000) heap.allocate(8, 8);
                    else LockSupport.parkNanos(10_000);
                }
            }
        }, heap -> {
            allocateSome(heap);
            heap.allocate(30 * MB, 8);
            heap.visit(true, (area, block, size) -> {
                assertThat(size).isPositive();
                return true;
            });
        });
    }

    /** An arena that another thread closes may be the last thing that kept the heap open. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void othersAllocateInItsArenasMeanwhile(boolean virtual) throws Exception {
        AtomicReference<Arena> current = new AtomicReference<>();
        race(80, virtual, heap -> {
            Arena arena = Arenas.in(heap).shared();
            current.set(arena);
            for (int i = 0; i < 20; i++) arena.allocate(100L * i, 8);
            LockSupport.parkNanos(10_000);
            while (true) {
                try {
                    if (arena.scope().isAlive()) arena.close();
                    heap.close();
                    return;
                } catch (IllegalStateException e) {
                    LockSupport.parkNanos(10_000); // a segment is in use, or another arena is open
                }
            }
        }, heap -> {
            Arena arena = current.get();
            if (arena == null || !arena.scope().isAlive()) {
                LockSupport.parkNanos(50_000);
                return;
            }
            try (Arena own = Arenas.in(heap).confined()) {
                for (int i = 0; i < 10; i++) own.allocate(i * 300L, 8).fill((byte) 1);
                for (int i = 0; i < 10; i++) arena.allocate(i * 300L, 8).fill((byte) 2);
            }
        });
    }

    private static void assertInUse(Throwable thrown) {
        assertThat(thrown).isInstanceOf(IllegalStateException.class).hasMessageContaining("in use");
    }

    private static void assertUsable(Heap heap) {
        assertThat(heap.allocate(100, 8).fill((byte) 1).byteSize()).isEqualTo(100);
        assertThat(heap.used()).isPositive();
    }

    @Test
    void itsLimitHandlerCannotEndIt() {
        List<Throwable> thrown = new ArrayList<>();
        Heap heap = Heap.create();
        heap.limit(MB);
        Mimalloc.onLimit((limited, size, used, limit) -> {
            Heap its = limited.orElseThrow();
            thrown.add(catchThrowable(its::close));
            thrown.add(catchThrowable(its::delete));
            its.limit(used + 16 * MB);
            return true;
        });
        List<Runnable> allocations = List.of(() -> heap.allocate(3 * MB, 8), () -> heap.malloc(3 * MB),
                () -> heap.zallocAligned(3 * MB, MB), () -> heap.realloc(heap.malloc(2 * MB), 6 * MB),
                () -> heap.local().malloc(3 * MB));
        for (Runnable allocation : allocations) {
            heap.limit(MB);
            allocation.run();
        }
        assertThat(thrown).hasSizeGreaterThanOrEqualTo(10).allSatisfy(HeapEndTest::assertInUse);
        assertUsable(heap);
        heap.close();
    }

    @Test
    void itsVisitorCannotEndIt() {
        Heap heap = Heap.create();
        heap.allocate(100, 8);
        List<Throwable> thrown = new ArrayList<>();
        assertThat(heap.visit(true, (area, block, size) -> {
            thrown.add(catchThrowable(heap::close));
            thrown.add(catchThrowable(heap::delete));
            return true;
        })).isTrue();
        assertThat(thrown).hasSize(4).allSatisfy(HeapEndTest::assertInUse);
        assertUsable(heap);
        heap.close();
    }

    /** Functions that are registered with core: they may be called anywhere, so nobody knows for which heap. */
    @Test
    void anErrorFunctionCannotEndIt() {
        Heap heap = Heap.create();
        List<Throwable> thrown = new ArrayList<>();
        Callback.ErrorHandler handler = (code, argument) -> thrown.add(catchThrowable(heap::close));
        long handle = Callback.register(handler);
        Errors.register(handle, 0);
        try {
            assertThat(catchThrowable(() -> heap.allocate(1L << 60, 8))).isInstanceOf(OutOfMemoryError.class);
        } finally {
            Errors.register(0, 0);
            Callback.unregister(handle);
        }
        assertThat(thrown).hasSize(1).allSatisfy(HeapEndTest::assertInUse);
        assertUsable(heap);
        heap.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nobodyWaitsForALimitHandler(boolean virtual) throws Exception {
        Heap heap = Heap.create();
        heap.limit(MB);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        Mimalloc.onLimit((limited, size, used, limit) -> {
            inside.countDown();
            try {
                done.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            limited.orElseThrow().limit(0);
            return true;
        });
        AtomicReference<Object> got = new AtomicReference<>();
        Runnable work = () -> got.set(heap.allocate(2 * MB, 8).fill((byte) 3).byteSize());
        Thread thread = virtual ? Thread.startVirtualThread(work) : Thread.ofPlatform().start(work);
        inside.await();
        assertInUse(catchThrowable(heap::close)); // the handler goes on only after this
        assertUsable(heap);
        done.countDown();
        thread.join();
        assertThat(got.get()).isEqualTo(2 * MB);
        heap.close();
    }

    @Test
    void twoHandlersThatEndEachOthersHeaps() throws Exception {
        Heap[] heaps = {Heap.create(), Heap.create()};
        for (Heap heap : heaps) heap.limit(MB);
        Queue<Throwable> results = new ConcurrentLinkedQueue<>();
        CountDownLatch inside = new CountDownLatch(2);
        AtomicInteger refused = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(2);
        Mimalloc.onLimit((limited, size, used, limit) -> {
            inside.countDown();
            try {
                inside.await();
                Heap other = limited.orElseThrow() == heaps[0] ? heaps[1] : heaps[0];
                if (catchThrowable(other::close) instanceof IllegalStateException) refused.incrementAndGet();
                done.countDown();
                done.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return false;
        });
        List<Thread> threads = new ArrayList<>();
        for (Heap heap : heaps) {
            threads.add(Thread.ofPlatform().start(() -> results.add(catchThrowable(() -> heap.allocate(2 * MB, 8)))));
        }
        for (Thread thread : threads) thread.join();
        assertThat(results).hasSize(2).allSatisfy(t -> assertThat(t).isInstanceOf(OutOfMemoryError.class));
        assertThat(refused).hasValue(2);
        for (Heap heap : heaps) {
            assertUsable(heap);
            heap.close();
        }
    }

    /** What it makes room with is the arena that it allocates for, and then the heap of that. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHandlerThatEndsAllItStandsOnLosesNothing(boolean confined) {
        long before = 0;
        for (int round = 0; round < 200; round++) {
            Heap heap = Heap.create();
            heap.limit(MB);
            Arena arena = confined ? Arenas.in(heap).confined() : Arenas.in(heap).shared();
            arena.allocate(600_000, 8);
            List<Throwable> thrown = new ArrayList<>();
            AtomicBoolean again = new AtomicBoolean(true);
            Mimalloc.onLimit((limited, size, used, limit) -> {
                if (arena.scope().isAlive()) thrown.add(catchThrowable(arena::close));
                thrown.add(catchThrowable(heap::close));
                return again.getAndSet(false);
            });
            Throwable result = catchThrowable(() -> arena.allocate(500_000, 8));
            if (confined) {
                assertThat(result).isInstanceOf(OutOfMemoryError.class);
                assertThat(thrown).hasSize(4).allSatisfy(t -> assertThat(t).isInstanceOf(IllegalStateException.class));
                arena.close();
            } else {
                assertThat(result).isInstanceOf(IllegalStateException.class).hasMessageContaining("losed");
                assertThat(thrown.get(0)).isNull();
                assertInUse(thrown.get(1));
            }
            Mimalloc.onLimit(null);
            heap.close();
            Mimalloc.collect(true);
            if (round == 20) before = Mimalloc.used();
        }
        assertThat(Mimalloc.used()).isLessThan(before + 2 * MB);
    }

    @Test
    void aRefusedEndLeavesEverythingAsItWas() {
        Heap heap = Heap.create();
        Heap.Local local = heap.local();
        MemorySegment segment = heap.allocate(100, 8).fill((byte) 4);
        for (Arena arena : List.of(Arenas.in(heap).confined(), Arenas.in(heap).shared())) {
            arena.allocate(100, 8);
            assertThatIllegalStateException().isThrownBy(heap::close).withMessageContaining("arenas are open");
            assertThatIllegalStateException().isThrownBy(heap::delete).withMessageContaining("arenas are open");
            assertThat(segment.get(JAVA_BYTE, 99)).isEqualTo((byte) 4);
            assertThat(heap.contains(local.malloc(50))).isTrue();
            assertUsable(heap);
            arena.close();
        }
        heap.close();
        assertThat(segment.scope().isAlive()).isFalse();
    }

    @Test
    void manyThreadsAtOnce() throws Exception {
        Heap heap = Heap.create();
        List<Thread> threads = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < 100; i++) {
            Runnable work = () -> {
                for (int n = 0; n < 500; n++) heap.allocate(16, 8).set(JAVA_BYTE, 0, (byte) 1);
                done.incrementAndGet();
            };
            threads.add(i % 2 == 0 ? Thread.startVirtualThread(work) : Thread.ofPlatform().start(work));
        }
        for (Thread thread : threads) thread.join();
        assertThat(done).hasValue(100);
        heap.close(); // none of them is counted as inside
    }
}
