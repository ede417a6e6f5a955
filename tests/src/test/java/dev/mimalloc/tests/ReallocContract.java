package dev.mimalloc.tests;

import static dev.mimalloc.tests.Allocator.EINVAL;
import static dev.mimalloc.tests.Allocator.ENOMEM;
import static dev.mimalloc.tests.Allocator.EOVERFLOW;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Blocks change their size and keep their contents. */
abstract class ReallocContract extends Contract {
    private static final long TOO_LARGE = Sizes.MAX + 1;

    ReallocContract(Allocator allocator) { super(allocator); }

    private interface Resize { long to(long block, long size); }

    private void assertKeepsContents(Resize resize) {
        var random = new Random(5);
        for (int round = 0; round < 300; round++) {
            long size = (long) Math.exp(random.nextDouble() * Math.log(8 * MIB));
            long block = live.add(allocator.malloc(size), size);
            for (int i = 0; i < 6; i++) {
                long newSize = (long) Math.exp(random.nextDouble() * Math.log(8 * MIB));
                LiveBlocks.Block old = live.remove(block);
                block = resize.to(block, newSize);
                old.check(block, Math.min(old.size(), newSize));
                live.add(block, newSize);
            }
            live.free(block);
        }
    }

    @Test
    void reallocKeepsContents() { assertKeepsContents(allocator::realloc); }

    @Test
    void rezallocKeepsContents() { assertKeepsContents(allocator::rezalloc); }

    @Test
    void recallocKeepsContents() { assertKeepsContents((block, size) -> allocator.recalloc(block, size, 1)); }

    @Test
    void reallocnKeepsContents() { assertKeepsContents((block, size) -> allocator.reallocn(block, 1, size)); }

    @Test
    void reallocfKeepsContents() { assertKeepsContents(allocator::reallocf); }

    @Test
    void alignedReallocKeepsContentsAndAlignment() {
        assertKeepsContents((block, size) -> aligned(allocator.reallocAligned(block, size, 256), 256, 0));
        assertKeepsContents((block, size) -> aligned(allocator.reallocAlignedAt(block, size, 64, 48), 64, 48));
        assertKeepsContents((block, size) -> aligned(allocator.rezallocAligned(block, size, 4 * KIB), 4 * KIB, 0));
        assertKeepsContents((block, size) -> aligned(allocator.rezallocAlignedAt(block, size, 64, 32), 64, 32));
        assertKeepsContents((block, size) -> aligned(allocator.recallocAligned(block, 1, size, 32), 32, 0));
        assertKeepsContents((block, size) -> aligned(allocator.recallocAlignedAt(block, size, 1, 128, 16), 128, 16));
    }

    private static long aligned(long block, long alignment, long offset) {
        assertThat((block + offset) % alignment).as("0x%x + %d modulo %d", block, offset, alignment).isZero();
        return block;
    }

    @Test
    void bothSidesOfEveryClassBoundary() {
        for (long size : Sizes.classes(allocator)) {
            for (long newSize : new long[] {size - 1, size, size + 1, size / 2, size * 2 + 1, 0}) {
                long block = live.add(allocator.malloc(size), size);
                LiveBlocks.Block old = live.remove(block);
                block = allocator.realloc(block, newSize);
                old.check(block, Math.min(size, newSize));
                live.free(live.add(block, newSize));
            }
        }
    }

    @Test
    void aSizeThatFitsWithoutMuchWasteStaysInPlace() {
        for (long size : Sizes.boundaries(allocator)) {
            long block = live.add(allocator.malloc(size), size);
            long usable = allocator.usableSize(block);
            long less = usable - usable / 4;
            if (less < Padding.block(allocator, size) / 2) continue; // where there is padding, most of a small block may be
            live.remove(block);
            assertThat(allocator.realloc(block, usable)).isEqualTo(block);
            assertThat(allocator.realloc(block, less)).isEqualTo(block);
            allocator.free(block);
        }
    }

    @Test
    void shrinkingALotGivesMemoryBack() {
        long block = allocator.malloc(1 * MIB);
        block = allocator.realloc(block, 100);
        assertThat(allocator.usableSize(block)).isLessThan(64 * KIB);
        allocator.free(block);
    }

    @Test
    void reallocOfNothingAllocates() {
        live.add(allocator.realloc(0, 100), 100);
        live.add(allocator.reallocn(0, 10, 10), 100);
        live.add(allocator.reallocf(0, 100), 100);
        live.add(allocator.rezalloc(0, 100), 100);
        live.add(allocator.recalloc(0, 10, 10), 100);
        live.add(allocator.reallocAligned(0, 100, 64), 100);
        live.add(allocator.realloc(0, 0), 0);
        assertNoError();
    }

    @Test
    void reallocToNothingIsAFreshBlockOfNoBytes() {
        long block = allocator.realloc(live.remove(live.add(allocator.malloc(1000), 1000)).address(), 0);
        live.add(block, 0);
        block = allocator.reallocn(live.remove(live.add(allocator.malloc(1000), 1000)).address(), 0, 10);
        live.add(block, 0);
    }

    @Test
    void expandWorksInPlaceOnly() {
        for (long size : Sizes.boundaries(allocator)) {
            long block = live.add(allocator.malloc(size), size);
            long usable = allocator.usableSize(block);
            assertThat(allocator.expand(block, usable)).isEqualTo(block);
            assertThat(allocator.expand(block, size / 2)).isEqualTo(block);
            assertThat(allocator.expand(block, usable + 1)).isZero();
            live.free(block);
        }
        assertThat(allocator.expand(0, 10)).isZero();
    }

    @Test
    void aRefusedReallocLeavesTheBlock() {
        long block = live.add(allocator.malloc(1000), 1000);
        assertRefused(allocator.realloc(block, TOO_LARGE), EOVERFLOW, ENOMEM);
        assertRefused(allocator.realloc(block, 1L << 60), ENOMEM, EOVERFLOW);
        assertRefused(allocator.rezalloc(block, TOO_LARGE), EOVERFLOW, ENOMEM);
        assertRefused(allocator.reallocn(block, 1L << 33, 1L << 33), EOVERFLOW, ENOMEM);
        assertRefused(allocator.recalloc(block, 1L << 33, 1L << 33), EOVERFLOW, ENOMEM);
        assertRefused(allocator.reallocAligned(block, TOO_LARGE, 64), EOVERFLOW, ENOMEM, EINVAL);
        assertThat(allocator.expand(block, TOO_LARGE)).isZero();
        live.free(block);
    }

    @Test
    void aRefusedReallocfFreesTheBlock() {
        long heap = allocator.heapNew();
        long block = allocator.heapMalloc(heap, 1000);
        assertThat(HeapContract.liveBlocks(allocator, heap)).containsExactly(block);
        assertRefused(allocator.reallocf(block, TOO_LARGE), EOVERFLOW, ENOMEM);
        assertThat(HeapContract.liveBlocks(allocator, heap)).isEmpty();
        block = allocator.heapMalloc(heap, 1000);
        assertRefused(allocator.heapReallocf(heap, block, 1L << 60), ENOMEM, EOVERFLOW);
        assertThat(HeapContract.liveBlocks(allocator, heap)).isEmpty();
        allocator.heapDestroy(heap);
    }

    @Test
    void manyStepsOfOneByte() {
        long block = live.add(allocator.malloc(1), 1);
        for (long size = 2; size < 20_000; size += 1 + size / 500) {
            LiveBlocks.Block old = live.remove(block);
            block = allocator.realloc(block, size);
            old.check(block, old.size());
            live.add(block, size);
        }
    }
}
