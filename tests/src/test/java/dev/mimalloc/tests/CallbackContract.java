package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The deferred-free function: called now and then, with a heartbeat, so that a runtime can spread its frees. */
abstract class CallbackContract extends Contract {
    /** The heartbeat comes from free lists that ran empty, not from each of them; no page has more than 8192 blocks. */
    private static final int BOUND = 20 * 8192;

    CallbackContract(Allocator allocator) { super(allocator); }

    @AfterEach
    void takeItAway() {
        allocator.onDeferredFree(null);
    }

    private interface Allocation { void run(); }

    private void assertCalledInEveryWindow(Allocation allocation) {
        var calls = new AtomicInteger();
        var heartbeats = new ArrayList<Long>();
        var self = Thread.currentThread();
        allocator.onDeferredFree((force, heartbeat) -> {
            if (Thread.currentThread() != self) return;
            calls.incrementAndGet();
            heartbeats.add(heartbeat);
        });
        for (int window = 0; window < 5; window++) {
            int before = calls.get();
            for (int i = 0; i < BOUND; i++) allocation.run();
            assertThat(calls.get()).as("calls after window %d", window).isGreaterThan(before);
        }
        for (int i = 1; i < heartbeats.size(); i++) {
            assertThat(heartbeats.get(i)).as("heartbeat %d", i).isGreaterThan(heartbeats.get(i - 1));
        }
    }

    @Test
    void calledInABoundedNumberOfAllocationsThatAreKept() {
        var blocks = new ArrayDeque<Long>();
        assertCalledInEveryWindow(() -> blocks.add(allocator.malloc(8)));
        blocks.forEach(allocator::free);
    }

    @Test
    void calledInABoundedNumberOfAllocationsThatAreFreedAtOnce() {
        for (long size : new long[] {1, 16, 64, 1024, 5000, 50_000}) {
            assertCalledInEveryWindow(() -> allocator.free(allocator.malloc(size)));
        }
    }

    @Test
    void calledInAnyHeap() {
        long heap = allocator.heapNew();
        assertCalledInEveryWindow(() -> allocator.free(allocator.heapMalloc(heap, 48)));
        allocator.heapDestroy(heap);
    }

    @Test
    void collectAsksForAllOfIt() {
        var forced = new AtomicInteger();
        allocator.onDeferredFree((force, heartbeat) -> {
            if (force) forced.incrementAndGet();
        });
        allocator.collect(true);
        assertThat(forced.get()).isPositive();
    }

    @Test
    void mayFreeAndAllocate() {
        var waiting = new ArrayDeque<Long>();
        var freed = new AtomicInteger();
        allocator.onDeferredFree((force, heartbeat) -> {
            for (int i = 0; !waiting.isEmpty() && (force || i < 100); i++) {
                allocator.free(waiting.poll());
                allocator.free(allocator.malloc(heartbeat % 2000));
                freed.incrementAndGet();
            }
        });
        for (int i = 0; i < 50_000; i++) waiting.add(allocator.malloc(16 + i % 500));
        allocator.collect(true);
        assertThat(waiting).isEmpty();
        assertThat(freed.get()).isEqualTo(50_000);
    }

    @Test
    void isNotCalledAnyMoreOnceTakenAway() {
        var calls = new AtomicInteger();
        allocator.onDeferredFree((force, heartbeat) -> calls.incrementAndGet());
        allocator.collect(true);
        allocator.onDeferredFree(null);
        int before = calls.get();
        for (int i = 0; i < 100_000; i++) allocator.free(allocator.malloc(100));
        allocator.collect(true);
        assertThat(calls.get()).isEqualTo(before);
    }
}
