package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What only the JVM has: virtual threads, full stacks, exceptions. */
class JvmTest {
    private final Allocator allocator = JvmAllocator.INSTANCE;
    private final LiveBlocks live = new LiveBlocks(allocator);

    @AfterEach
    void freeWhatIsLeft() {
        allocator.onDeferredFree(null);
        live.freeAll();
    }

    @Test
    void manyVirtualThreadsShareFewTheaps() throws Exception {
        Child.scenario(allocator, Scenario.VIRTUAL_THREADS, Map.of()).assertSuccess();
    }

    @Test
    void virtualThreadsFreeWhatPlatformThreadsMadeAndTheOtherWayRound() throws Exception {
        var ofPlatform = new ArrayList<Long>();
        for (int i = 0; i < 5000; i++) ofPlatform.add(live.add(allocator.malloc(i), i));
        var ofVirtual = new ArrayList<Long>();
        var failure = new ArrayList<Throwable>();
        Thread thread = Thread.ofVirtual().start(() -> {
            try {
                ofPlatform.forEach(live::free);
                for (int i = 0; i < 5000; i++) ofVirtual.add(live.add(allocator.malloc(i), i));
            } catch (Throwable t) {
                failure.add(t);
            }
        });
        thread.join();
        assertThat(failure).isEmpty();
        live.checkAll();
        ofVirtual.forEach(live::free);
    }

    @Test
    void heapsOfVirtualThreads() throws Exception {
        var failures = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 200; i++) {
            int number = i;
            threads.add(Thread.ofVirtual().start(() -> {
                try {
                    long heap = allocator.heapNew();
                    for (int j = 0; j < 100; j++) {
                        live.add(allocator.heapMalloc(heap, j * 17L), j * 17L, heap);
                        if (j % 10 == 0) LockSupport.parkNanos(1);
                    }
                    assertThat(HeapContract.liveBlocks(allocator, heap)).hasSize(100);
                    live.removeHeap(heap);
                    if (number % 2 == 0) allocator.heapDestroy(heap);
                    else allocator.heapDelete(heap);
                } catch (Throwable t) {
                    t.printStackTrace();
                    failures.incrementAndGet();
                }
            }));
        }
        for (Thread thread : threads) thread.join();
        assertThat(failures.get()).isZero();
    }

    /** Allocates and frees ever deeper until the stack is full; whatever a call was doing then, nothing is broken. */
    @Test
    void aFullStackLeavesNothingHalfDone() throws Exception {
        var failure = new ArrayList<Throwable>();
        int[] overflows = {0};
        var thread = new Thread(null, () -> {
            try {
                for (int round = 0; round < 300; round++) {
                    var deep = new Deep(8 << round % 14, round % 7);
                    try {
                        deep.down();
                    } catch (StackOverflowError e) {
                        overflows[0]++;
                    }
                    for (int i = 0; i < deep.count; i++) live.add(deep.blocks[i], deep.size);
                    live.checkAll();
                    if (round % 3 == 0) live.freeAll();
                }
                Invariants.check();
            } catch (Throwable t) {
                failure.add(t);
            }
        }, "deep", 512 << 10);
        thread.start();
        thread.join();
        assertThat(failure).isEmpty();
        assertThat(overflows[0]).isPositive();
        live.checkAll();
    }

    private final class Deep {
        final long size;
        final int padding;
        final long[] blocks = new long[2000];
        int count;

        Deep(long size, int padding) {
            this.size = size;
            this.padding = padding;
        }

        void down() {
            long block = allocator.malloc(size);
            if (count < blocks.length) {
                if (count % 3 == 2) {
                    long old = blocks[--count]; // a free that throws may have freed or not: the block is forgotten
                    allocator.free(old);
                }
                blocks[count++] = block;
            } else {
                allocator.free(block);
            }
            if (padding == 0) down();
            else down(padding, 1, 2, 3, 4);
        }

        /** Frames of other sizes, so that the stack is not always full at the same place. */
        private long down(int more, long a, long b, long c, long d) {
            if (more > 1) return down(more - 1, b, c, d, a) + a;
            down();
            return a + b + c + d;
        }
    }

    /** Whoever gets to see the exception. */
    @Test
    void aDeferredFreeFunctionThatThrowsIsCalledAgain() {
        var calls = new AtomicInteger();
        allocator.onDeferredFree((force, heartbeat) -> {
            if (calls.incrementAndGet() % 2 == 1) throw new UnsupportedOperationException("mine");
        });
        for (int i = 0; i < 6; i++) {
            try {
                allocator.collect(true);
            } catch (UnsupportedOperationException e) {
                assertThat(e).hasMessage("mine");
            }
        }
        assertThat(calls.get()).isEqualTo(6);
        for (int i = 0; i < 100; i++) live.add(allocator.malloc(i * 100L), i * 100L);
    }

    @Test
    void aBadArgumentIsAnExceptionThatSaysWhatWasWrong() {
        assertThatThrownBy(() -> Mimalloc.free(0x1234_5678_0000L)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x123456780000");
        assertThatThrownBy(() -> Mimalloc.malloc(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
        assertThatThrownBy(() -> Mimalloc.malloc(1L << 60)).isInstanceOf(OutOfMemoryError.class)
                .hasMessageContaining(String.valueOf(1L << 60));
        assertThatThrownBy(() -> Mimalloc.mallocAligned(10, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Mimalloc.calloc(1L << 40, 1L << 40)).isInstanceOf(IllegalArgumentException.class);
    }
}
