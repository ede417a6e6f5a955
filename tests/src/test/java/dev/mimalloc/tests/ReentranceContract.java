package dev.mimalloc.tests;

import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Options;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Functions of the user's that the allocator calls in the middle of a call: they may do whatever a program may do. */
abstract class ReentranceContract extends Contract {
    private final Thread self = Thread.currentThread();
    private final List<Long> heaps = new ArrayList<>();
    private int steps;

    ReentranceContract(Allocator allocator) { super(allocator); }

    @AfterEach
    void takeThemAway() {
        allocator.onDeferredFree(null);
        allocator.onError(null);
        endHeaps();
    }

    private void endHeaps() {
        for (long heap : heaps) {
            live.removeHeap(heap);
            allocator.heapDestroy(heap);
        }
        heaps.clear();
    }

    private long newHeap() {
        long heap = allocator.heapNew();
        heaps.add(heap);
        return heap;
    }

    /** One thing after the other that a program may do; what has been freed is likely to be used again. */
    private void doAnything() {
        steps++;
        for (int i = 0; i < 6; i++) {
            live.add(allocator.malloc(16 + (steps * 7L + i) % 3000), 16);
            long heap = newHeap();
            live.add(allocator.heapMalloc(heap, 100), 100, heap);
        }
        var blocks = live.all();
        for (int i = 0; i < 4; i++) {
            LiveBlocks.Block block = blocks.get((steps * 31 + i * 17) % blocks.size());
            if (block.heap() == 0 && live.at(block.address()) != null) live.free(block.address());
        }
        long block = allocator.malloc(100);
        live.add(allocator.realloc(block, 1000 + steps % 100_000), 1000);
        live.free(live.add(allocator.mallocAligned(100, 128 * KIB), 100));
        if (steps % 3 == 0) allocator.collect(steps % 2 == 0);
        if (steps % 5 == 0) allocator.heapCollect(newHeap(), true);
        if (steps % 7 == 0) assertThat(allocator.heapVisitBlocks(newHeap(), true, (h, a, b, s) -> true)).isTrue();
        if (steps % 11 == 0) allocator.setOption(Options.GENERIC_COLLECT, allocator.option(Options.GENERIC_COLLECT));
        if (heaps.size() > 40) {
            for (int i = 0; i < 20; i++) {
                long heap = heaps.remove(0);
                if (i % 2 == 0) {
                    live.removeHeap(heap);
                    allocator.heapDestroy(heap);
                } else {
                    live.moveHeap(heap, 0);
                    allocator.heapDelete(heap);
                }
            }
        }
    }

    /** Ends a heap. Its blocks are gone, or the main heap's. */
    private void end(long heap, boolean delete) {
        if (delete) {
            live.moveHeap(heap, 0);
            allocator.heapDelete(heap);
        } else {
            live.removeHeap(heap);
            allocator.heapDestroy(heap);
        }
    }

    /** Allocates in a heap, or moves a block there. */
    private interface Allocation { long make(long heap, long block); }

    private List<Allocation> allocations(long size) {
        return List.of((heap, block) -> allocator.heapMalloc(heap, size),
                (heap, block) -> allocator.heapZalloc(heap, size),
                (heap, block) -> allocator.heapMallocAligned(heap, size, 256 * KIB),
                (heap, block) -> allocator.heapMallocAlignedAt(heap, size, 64, 8),
                (heap, block) -> allocator.heapRealloc(heap, move(block), size),
                (heap, block) -> allocator.heapRealloc(heap, move(block), size + 3 * MIB));
    }

    private long move(long block) {
        live.remove(block);
        return block;
    }

    @Test
    void aDeferredFreeFunctionDoesWhatItLikes() {
        allocator.onDeferredFree((force, heartbeat) -> {
            if (Thread.currentThread() == self) doAnything();
        });
        for (int round = 0; round < 20; round++) {
            for (long size : new long[] {16, 500, 5000, 100 * KIB, 2 * MIB}) {
                for (int i = 0; i < 30; i++) live.add(allocator.malloc(size), size);
                long heap = allocator.heapNew();
                for (Allocation allocation : allocations(size)) {
                    // Not one that the function may free meanwhile.
                    long block = live.add(allocator.malloc(2 * MIB), 1, -1);
                    live.add(allocation.make(heap, block), 1, heap);
                }
                end(heap, round % 2 == 0);
            }
            allocator.collect(true);
            live.checkAll();
            live.freeAll();
        }
        assertThat(steps).isGreaterThan(100);
    }

    @Test
    void aDeferredFreeFunctionEndsTheHeapInUse() {
        long main = allocator.heapMain();
        int ends = 0;
        for (boolean delete : new boolean[] {true, false}) {
            for (long size : new long[] {16, 500, 5000, 100 * KIB, 5 * MIB}) {
                for (Allocation allocation : allocations(size)) {
                    long heap = allocator.heapNew();
                    for (int i = 0; i < 10; i++) live.add(allocator.heapMalloc(heap, 500), 500, heap);
                    boolean[] armed = {false};
                    boolean[] ended = {false};
                    allocator.onDeferredFree((force, heartbeat) -> {
                        if (Thread.currentThread() != self || !armed[0]) return;
                        armed[0] = false;
                        ended[0] = true;
                        end(heap, delete);
                        for (int i = 0; i < 10; i++) doAnything();
                    });
                    for (int i = 0; !ended[0]; i++) {
                        long old = live.add(allocator.malloc(200), 1, -1); // a larger one could stay where it is
                        armed[0] = true;
                        long block = live.add(allocation.make(heap, old), 1, ended[0] ? 0 : heap);
                        armed[0] = false;
                        if (ended[0]) assertThat(allocator.heapOf(block)).isEqualTo(main);
                        assertThat(i).isLessThan(100_000);
                    }
                    ends++;
                    allocator.onDeferredFree(null);
                    live.checkAll();
                    endHeaps();
                    live.freeAll();
                }
            }
        }
        assertThat(ends).isEqualTo(60);
        assertNoError();
    }

    @Test
    void aDeferredFreeFunctionEndsTheDefaultHeap() {
        for (boolean delete : new boolean[] {true, false}) {
            long heap = allocator.heapNew();
            long before = allocator.theapSetDefault(allocator.heapTheap(heap));
            try {
                boolean[] ended = {false};
                allocator.onDeferredFree((force, heartbeat) -> {
                    if (Thread.currentThread() != self || ended[0]) return;
                    ended[0] = true;
                    end(heap, delete);
                    for (int i = 0; i < 10; i++) doAnything();
                });
                allocator.heapCollect(heap, true);
                assertThat(ended[0]).isTrue();
                for (int i = 0; i < 2000; i++) live.add(allocator.malloc(i), i);
                for (int i = 0; i < 2000; i++) {
                    long block = live.add(allocator.malloc(100), 100);
                    assertThat(allocator.heapOf(block)).isEqualTo(allocator.heapMain());
                }
                assertThat(allocator.theapDefault()).isEqualTo(before);
            } finally {
                allocator.theapSetDefault(before);
            }
            live.checkAll();
            live.freeAll();
        }
    }

    /** What ends in a function leaves no trace once its thread has come by again. */
    @Test
    void whatEndsInAFunctionIsGone() {
        long heaps = 0;
        long committed = 0;
        for (int round = 0; round < 600; round++) {
            long heap = allocator.heapNew();
            boolean[] ended = {false};
            allocator.onDeferredFree((force, heartbeat) -> {
                if (Thread.currentThread() != self || ended[0]) return;
                ended[0] = true;
                allocator.heapDestroy(heap);
                allocator.free(allocator.malloc(300 * KIB));
            });
            allocator.free(allocator.heapMalloc(heap, 200 * KIB));
            allocator.onDeferredFree(null);
            assertThat(ended[0]).isTrue();
            allocator.collect(true);
            if (round == 99) {
                heaps = allocator.statistic("heaps").current();
                committed = allocator.statistic("page_committed").current();
            }
        }
        assertThat(allocator.statistic("heaps").current()).isEqualTo(heaps);
        assertThat(allocator.statistic("page_committed").current()).isLessThan(committed + 10 * MIB);
    }

    @Test
    void anErrorFunctionDoesWhatItLikes() {
        for (boolean delete : new boolean[] {true, false}) {
            for (int round = 0; round < 50; round++) {
                long heap = allocator.heapNew();
                live.add(allocator.heapMalloc(heap, 500), 500, heap);
                boolean[] ended = {false};
                allocator.onError(() -> {
                    if (ended[0]) return;
                    ended[0] = true;
                    end(heap, delete);
                    for (int i = 0; i < 3; i++) doAnything();
                });
                long size = 1L << 60;
                assertThat(round % 2 == 0 ? allocator.heapMalloc(heap, size)
                        : allocator.heapMallocAligned(heap, size, 256 * KIB)).isZero();
                assertThat(ended[0]).isTrue();
                allocator.onError(null);
                allocator.takeError();
                live.checkAll();
            }
            live.freeAll();
        }
    }

    @Test
    void anOutputFunctionDoesWhatItLikes() {
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 30; i++) {
                long heap = newHeap();
                live.add(allocator.heapMalloc(heap, 500), 500, heap);
            }
            int[] lines = {0};
            allocator.printHeaps(() -> {
                // Not for each of the heaps that other tests have left: all blocks are looked through each time.
                if (lines[0]++ % 10 == 0 && lines[0] < 1000) doAnything();
            });
            assertThat(lines[0]).isGreaterThan(20);
            live.checkAll();
        }
        live.freeAll();
    }

    @Test
    void anOutputFunctionEndsAllHeaps() {
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 30; i++) newHeap();
            int[] lines = {0};
            allocator.printHeaps(() -> {
                if (lines[0]++ != 30) return;
                endHeaps();
                for (int i = 0; i < 10; i++) doAnything();
            });
            live.checkAll();
        }
        live.freeAll();
    }

    @Test
    void aVisitorDoesWhatItLikes() {
        long heap = allocator.heapNew();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 300; i++) live.add(allocator.heapMalloc(heap, 16 + i * 10L), 16, heap);
            for (int i = 0; i < 3; i++) live.add(allocator.heapMalloc(heap, 40 * MIB), 100, heap);
            int[] seen = {0};
            assertThat(allocator.heapVisitBlocks(heap, true, (h, area, block, size) -> {
                if (seen[0]++ % 20 == 0) doAnything();
                if (seen[0] % 3 == 0) live.add(allocator.heapMalloc(heap, size), 8, heap);
                if (block != 0 && live.at(block) != null && seen[0] % 2 == 0) live.free(block);
                if (seen[0] % 50 == 0) allocator.heapCollect(heap, true);
                return seen[0] < 20_000;
            })).isTrue();
            live.checkAll();
        }
        live.removeHeap(heap);
        allocator.heapDestroy(heap);
        live.freeAll();
    }

    @Test
    void aVisitEndsWithItsHeap() {
        for (boolean delete : new boolean[] {true, false}) {
            for (int last : new int[] {1, 2, 100, 301}) {
                long heap = allocator.heapNew();
                for (int i = 0; i < 300; i++) live.add(allocator.heapMalloc(heap, 100), 100, heap);
                live.add(allocator.heapMalloc(heap, 40 * MIB), 100, heap);
                int[] seen = {0};
                assertThat(allocator.heapVisitBlocks(heap, true, (h, area, block, size) -> {
                    if (++seen[0] < last) return true;
                    end(heap, delete);
                    for (int i = 0; i < 10; i++) doAnything();
                    return true;
                })).isFalse();
                assertThat(seen[0]).isEqualTo(last);
                live.checkAll();
                live.freeAll();
                endHeaps();
            }
        }
    }
}
