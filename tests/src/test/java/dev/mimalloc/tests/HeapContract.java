package dev.mimalloc.tests;

import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** First-class heaps, and the thread's part of them. */
abstract class HeapContract extends Contract {
    private static final long[] SIZES = {8, 64, 100, 1000, 8 * KIB, 30 * KIB, 200 * KIB, 1 * MIB, 40 * MIB};

    HeapContract(Allocator allocator) { super(allocator); }

    /** The live blocks of a heap as a visit finds them. */
    static List<Long> liveBlocks(Allocator allocator, long heap) {
        var blocks = new ArrayList<Long>();
        assertThat(allocator.heapVisitBlocks(heap, true, (h, area, block, size) -> block == 0 || blocks.add(block)))
                .as("visited all").isTrue();
        return blocks;
    }

    private void fill(long heap, int rounds) {
        for (int i = 0; i < rounds; i++) {
            for (long size : SIZES) live.add(allocator.heapMalloc(heap, size), size, heap);
        }
    }

    @Test
    void plainBlocksBelongToTheMainHeap() {
        long main = allocator.heapMain();
        assertThat(main).isNotZero();
        for (long size : SIZES) {
            long block = live.add(allocator.malloc(size), size);
            assertThat(allocator.heapOf(block)).isEqualTo(main);
            assertThat(allocator.heapContains(main, block)).isTrue();
            assertThat(allocator.anyHeapContains(block)).isTrue();
        }
    }

    @Test
    void aHeapHasItsOwnBlocks() {
        long a = allocator.heapNew();
        long b = allocator.heapNew();
        assertThat(a).isNotZero().isNotEqualTo(b).isNotEqualTo(allocator.heapMain());
        fill(a, 10);
        fill(b, 10);
        for (LiveBlocks.Block block : live.all()) {
            assertThat(allocator.heapOf(block.address())).isEqualTo(block.heap());
            assertThat(allocator.heapContains(a, block.address())).isEqualTo(block.heap() == a);
            assertThat(allocator.heapContains(b, block.address())).isEqualTo(block.heap() == b);
            assertThat(allocator.heapContains(allocator.heapMain(), block.address())).isFalse();
        }
        live.freeAll();
        allocator.heapDestroy(a);
        allocator.heapDelete(b);
        assertNoError();
    }

    @Test
    void everyFormAllocatesInItsHeap() {
        long heap = allocator.heapNew();
        long theap = allocator.heapTheap(heap);
        for (long size : new long[] {0, 16, 1000}) {
            long[] blocks = {allocator.heapMalloc(heap, size), allocator.heapZalloc(heap, size),
                    allocator.heapCalloc(heap, 1, size), allocator.heapMallocn(heap, 1, size),
                    allocator.heapMallocSmall(heap, size), allocator.heapZallocSmall(heap, size),
                    allocator.heapRealloc(heap, 0, size), allocator.heapReallocn(heap, 0, 1, size),
                    allocator.heapReallocf(heap, 0, size), allocator.heapRezalloc(heap, 0, size),
                    allocator.heapRecalloc(heap, 0, 1, size), allocator.theapMalloc(theap, size),
                    allocator.theapZalloc(theap, size), allocator.theapCalloc(theap, 1, size),
                    allocator.theapMallocSmall(theap, size), allocator.theapZallocSmall(theap, size),
                    allocator.theapRealloc(theap, 0, size)};
            for (long block : blocks) {
                live.add(block, size, heap);
                assertThat(allocator.heapOf(block)).isEqualTo(heap);
            }
        }
        assertThat(liveBlocks(allocator, heap)).hasSize(live.count());
        live.freeAll();
        allocator.heapDelete(heap);
    }

    @Test
    void reallocInAHeapMovesTheBlockThere() {
        long heap = allocator.heapNew();
        long block = live.add(allocator.malloc(100), 100);
        LiveBlocks.Block old = live.remove(block);
        block = allocator.heapRealloc(heap, block, 10_000);
        old.check(block, 100);
        assertThat(allocator.heapOf(block)).isEqualTo(heap);
        live.add(block, 10_000);
        live.freeAll();
        allocator.heapDestroy(heap);
    }

    @Test
    void blocksOfADeletedHeapBelongToTheMainHeap() {
        long heap = allocator.heapNew();
        fill(heap, 50);
        allocator.heapDelete(heap);
        live.moveHeap(heap, allocator.heapMain());
        live.checkAll();
        for (LiveBlocks.Block block : live.all()) {
            assertThat(allocator.heapOf(block.address())).isEqualTo(allocator.heapMain());
            assertThat(allocator.heapContains(allocator.heapMain(), block.address())).isTrue();
        }
        int i = 0;
        for (LiveBlocks.Block block : live.all()) { // they are blocks as any other
            live.remove(block.address());
            if (i++ % 2 == 0) allocator.free(block.address());
            else live.add(allocator.realloc(block.address(), block.size() * 2), block.size() * 2);
        }
        assertNoError();
    }

    @Test
    void aDestroyedHeapFreesItsBlocks() {
        for (int i = 0; i < 20; i++) {
            long heap = allocator.heapNew();
            fill(heap, 20);
            long plain = live.add(allocator.malloc(100), 100);
            long large = live.all().stream().filter(b -> b.size() == 40 * MIB).findAny().orElseThrow().address();
            live.removeHeap(heap);
            allocator.heapDestroy(heap);
            assertThat(allocator.anyHeapContains(large)).isFalse();
            live.free(plain);
        }
        assertNoError();
    }

    @Test
    void theMainHeapStays() {
        long block = live.add(allocator.malloc(100), 100);
        allocator.heapDelete(allocator.heapMain());
        allocator.heapDestroy(allocator.heapMain());
        allocator.heapDelete(0);
        allocator.heapDestroy(0);
        assertThat(allocator.heapOf(block)).isEqualTo(allocator.heapMain());
        live.add(allocator.malloc(100), 100);
    }

    @Test
    void containsRefusesWhatIsNoBlock() {
        long heap = allocator.heapNew();
        for (long pointer : new long[] {0, 16, -16, 0xdead_beef_f00dL, heap}) {
            assertThat(allocator.heapContains(heap, pointer)).as("0x%x", pointer).isFalse();
        }
        for (long pointer : new long[] {0, 16, -16, 1L << 47, Sizes.MAX}) {
            assertThat(allocator.anyHeapContains(pointer)).as("0x%x", pointer).isFalse();
            assertThat(allocator.heapOf(pointer)).as("0x%x", pointer).isZero();
        }
        allocator.heapDestroy(heap);
    }

    @Test
    void aVisitFindsExactlyTheLiveBlocks() {
        long heap = allocator.heapNew();
        fill(heap, 40);
        int i = 0;
        for (LiveBlocks.Block block : live.all()) {
            if (i++ % 3 == 0) live.free(block.address());
        }
        var expected = new TreeSet<Long>();
        for (LiveBlocks.Block block : live.all()) expected.add(block.address());
        var found = new TreeSet<Long>();
        var current = new Allocator.Area[1];
        long[] used = {0, 0};
        assertThat(allocator.heapVisitBlocks(heap, true, (h, area, block, size) -> {
            assertThat(h).isEqualTo(heap);
            if (block == 0) {
                current[0] = area;
                used[0] += area.used();
                assertThat(area.fullBlockSize()).isGreaterThanOrEqualTo(area.blockSize());
                assertThat(area.committed()).isLessThanOrEqualTo(area.reserved());
            } else {
                assertThat(found.add(block)).as("0x%x is visited once", block).isTrue();
                assertThat(size).isEqualTo(current[0].blockSize()).isGreaterThanOrEqualTo(allocator.usableSize(block));
                if (!Padding.isOn()) assertThat(size).isEqualTo(allocator.usableSize(block));
                assertThat(block).isGreaterThanOrEqualTo(current[0].blocks());
                assertThat(block + size).isLessThanOrEqualTo(current[0].blocks() + current[0].reserved());
            }
            return true;
        })).isTrue();
        assertThat(found).isEqualTo(expected);
        assertThat(used[0]).isEqualTo(expected.size());
        live.freeAll();
        assertThat(liveBlocks(allocator, heap)).isEmpty();
        allocator.heapDestroy(heap);
    }

    @Test
    void aVisitEndsWhereTheVisitorSays() {
        long heap = allocator.heapNew();
        fill(heap, 10);
        for (int stop = 1; stop < 30; stop += 7) {
            int last = stop;
            int[] calls = {0};
            assertThat(allocator.heapVisitBlocks(heap, true, (h, area, block, size) -> ++calls[0] < last)).isFalse();
            assertThat(calls[0]).isEqualTo(stop);
        }
        live.freeAll();
        allocator.heapDestroy(heap);
    }

    @Test
    void aVisitOfAreasOnlyLeavesTheBlocksOut() {
        long heap = allocator.heapNew();
        fill(heap, 5);
        long[] sum = {0, 0};
        assertThat(allocator.heapVisitBlocks(heap, false, (h, area, block, size) -> {
            sum[0] += area.used();
            if (block != 0) sum[1]++;
            return true;
        })).isTrue();
        assertThat(sum[0]).isEqualTo(live.count());
        assertThat(sum[1]).isZero();
        live.freeAll();
        allocator.heapDestroy(heap);
    }

    @Test
    void aVisitOfABlockInEveryPlace() { // whole pages, with each of the blocks in turn left out
        long heap = allocator.heapNew();
        for (long size : new long[] {8, 48, 80, 1000, 8 * KIB, 40 * KIB}) {
            var blocks = new ArrayList<Long>();
            for (long i = 0; i < 3 * 64 * KIB / size + 10; i++) blocks.add(allocator.heapMalloc(heap, size));
            for (int i = 0; i < blocks.size(); i += 97) allocator.free(blocks.set(i, 0L));
            blocks.removeIf(block -> block == 0);
            assertThat(new TreeSet<>(liveBlocks(allocator, heap))).isEqualTo(new TreeSet<>(blocks));
            blocks.forEach(allocator::free);
            assertThat(liveBlocks(allocator, heap)).isEmpty();
        }
        allocator.heapDestroy(heap);
    }

    @Test
    void collectKeepsWhatIsLive() {
        long heap = allocator.heapNew();
        fill(heap, 20);
        int i = 0;
        for (LiveBlocks.Block block : live.all()) {
            if (i++ % 2 == 0) live.free(block.address());
        }
        allocator.heapCollect(heap, false);
        allocator.heapCollect(heap, true);
        allocator.theapCollect(allocator.heapTheap(heap), true);
        allocator.collect(true);
        live.checkAll();
        assertThat(liveBlocks(allocator, heap)).hasSize(live.count());
        live.freeAll();
        allocator.heapDestroy(heap);
    }

    @Test
    void manyHeapsOneAfterTheOtherAndAtOnce() {
        for (int i = 0; i < 2000; i++) {
            long heap = allocator.heapNew();
            live.add(allocator.heapMalloc(heap, 100), 100, heap);
            if (i % 2 == 0) {
                live.removeHeap(heap);
                allocator.heapDestroy(heap);
            } else {
                live.freeAll();
                allocator.heapDelete(heap);
            }
        }
        var heaps = new ArrayList<Long>();
        for (int i = 0; i < 500; i++) {
            long heap = allocator.heapNew();
            heaps.add(heap);
            for (long size : new long[] {10, 500, 20_000}) live.add(allocator.heapMalloc(heap, size), size, heap);
        }
        assertThat(heaps).doesNotHaveDuplicates().doesNotContain(0L);
        live.checkAll();
        live.freeAll();
        heaps.forEach(allocator::heapDestroy);
        assertNoError();
    }

    /** Not even their structs, which are twice as much as a page of their blocks. */
    @Test
    void manyHeapsAtOnceLeaveNoMemory() {
        long[] heaps = new long[8000];
        allocator.collect(true);
        long before = Memory.resident();
        for (int i = 0; i < heaps.length; i++) {
            heaps[i] = allocator.heapNew();
            assertThat(allocator.heapMalloc(heaps[i], 100)).isNotZero();
        }
        assertThat(Memory.resident()).isGreaterThan(before + (100L << 20));
        for (long heap : heaps) allocator.heapDestroy(heap);
        allocator.collect(true);
        assertThat(Memory.resident()).isLessThan(before + (60L << 20));
    }

    @Test
    void aThreadsPartOfAHeapIsTheSameEachTime() throws Exception {
        long heap = allocator.heapNew();
        long theap = allocator.heapTheap(heap);
        assertThat(theap).isNotZero().isEqualTo(allocator.heapTheap(heap));
        long[] other = new long[1];
        Threads.run(() -> {
            other[0] = allocator.heapTheap(heap);
            assertThat(allocator.heapTheap(heap)).isEqualTo(other[0]);
            live.add(allocator.theapMalloc(other[0], 100), 100, heap);
        });
        assertThat(other[0]).isNotZero().isNotEqualTo(theap);
        live.add(allocator.theapMalloc(theap, 100), 100, heap);
        assertThat(liveBlocks(allocator, heap)).hasSize(2);
        live.freeAll();
        allocator.heapDestroy(heap);
    }

    @Test
    void theDefaultTheapDecidesWhereMallocGoes() {
        long heap = allocator.heapNew();
        long before = allocator.theapDefault();
        long old = allocator.theapSetDefault(allocator.heapTheap(heap));
        try {
            assertThat(old).isEqualTo(before);
            long block = live.add(allocator.malloc(100), 100, heap);
            assertThat(allocator.heapOf(block)).isEqualTo(heap);
            block = live.add(allocator.callocAligned(1, 100, 64), 100, heap);
            assertThat(allocator.heapOf(block)).isEqualTo(heap);
        } finally {
            allocator.theapSetDefault(old);
        }
        assertThat(allocator.heapOf(live.add(allocator.malloc(100), 100))).isEqualTo(allocator.heapMain());
        live.freeAll();
        allocator.heapDestroy(heap);
    }
}
