package dev.mimalloc.tests;

import static dev.mimalloc.tests.Allocator.EINVAL;
import static dev.mimalloc.tests.Allocator.ENOMEM;
import static dev.mimalloc.tests.Allocator.EOVERFLOW;
import static dev.mimalloc.tests.Allocator.NONE;
import static dev.mimalloc.tests.Sizes.GIB;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Allocation at an alignment, or at an offset from one: for every power of two up to 1 GiB. */
abstract class AlignedContract extends Contract {
    AlignedContract(Allocator allocator) { super(allocator); }

    private long addAligned(long block, long size, long alignment, long offset) {
        assertThat(block).as("block of %d bytes at %d, offset %d", size, alignment, offset).isNotZero();
        assertThat((block + offset) & alignment - 1).as("0x%x + %d modulo %d", block, offset, alignment).isZero();
        assertThat(allocator.usableSize(block)).as("usable size of 0x%x, %d bytes at %d, offset %d", block, size,
                alignment, offset).isGreaterThanOrEqualTo(size);
        return block;
    }

    private void add(long block, long size, long alignment, long offset) {
        addAligned(block, size, alignment, offset);
        if (offset % 16 == 0) live.add(block, size);
        else allocator.free(block);
    }

    @Test
    void everyPowerOfTwoWithSmallAndLargeSizes() {
        for (long alignment = 1; alignment <= 64 * MIB; alignment *= 2) {
            for (long size : new long[] {0, 1, 8, 15, 16, 17, 100, 1024, 1025, 5000, 20_000, 100_000, 5 * MIB}) {
                if (alignment < 16 && size > 100) continue;
                for (int i = 0; i < 3; i++) add(allocator.mallocAligned(size, alignment), size, alignment, 0);
                add(allocator.zallocAligned(size, alignment), size, alignment, 0);
                add(allocator.callocAligned(2, size, alignment), 2 * size, alignment, 0);
            }
            live.checkAll();
            live.freeAll();
        }
        assertNoError();
    }

    @Test
    void sizesAroundTheAlignment() {
        for (long alignment = 8; alignment <= 8 * MIB; alignment *= 2) {
            long[] sizes = {alignment / 2, alignment - 1, alignment, alignment + 1, 3 * alignment, 3 * alignment + 8};
            for (long size : sizes) {
                for (int i = 0; i < 2; i++) add(allocator.mallocAligned(size, alignment), size, alignment, 0);
            }
            live.checkAll();
            live.freeAll();
        }
    }

    @Test
    void largeAlignmentsUpToOneGib() {
        for (long alignment = 32 * MIB; alignment <= GIB; alignment *= 2) {
            for (long size : new long[] {1, 4 * KIB, 64 * KIB, 3 * MIB, 70 * MIB}) {
                add(allocator.mallocAligned(size, alignment), size, alignment, 0);
                add(allocator.mallocAlignedAt(size, alignment, 16), size, alignment, 16);
            }
            live.checkAll();
            live.freeAll();
        }
    }

    @Test
    void offsetsAreWhereTheAlignmentHolds() {
        for (long alignment = 1; alignment <= 4 * MIB; alignment *= 2) {
            for (long size : new long[] {1, 24, 500, 9000, 100_000, 700_000}) {
                long[] offsets = {0, 1, 8, 16, 40, size / 2, size, size + 8, alignment / 2, alignment, alignment + 16};
                for (long offset : offsets) {
                    add(allocator.mallocAlignedAt(size, alignment, offset), size, alignment, offset);
                    add(allocator.zallocAlignedAt(size, alignment, offset), size, alignment, offset);
                    add(allocator.callocAlignedAt(3, size, alignment, offset), 3 * size, alignment, offset);
                }
                live.freeAll();
            }
        }
    }

    @Test
    void everyClassAtSomeAlignments() {
        for (long size : Sizes.classes(allocator)) {
            for (long alignment : new long[] {32, 64, 256, 4 * KIB}) {
                for (long s : new long[] {size - 1, size, size + 1}) {
                    add(allocator.mallocAligned(s, alignment), s, alignment, 0);
                }
            }
        }
        live.checkAll();
    }

    @Test
    void alignedBlocksAreFreedWholeAndUsedAgain() {
        long heap = allocator.heapNew();
        for (long alignment = 16; alignment <= 16 * MIB; alignment *= 4) {
            var blocks = new ArrayList<Long>();
            for (int i = 0; i < 20; i++) blocks.add(allocator.heapMallocAligned(heap, 100, alignment));
            assertThat(blocks).doesNotHaveDuplicates();
            for (long block : blocks) {
                assertThat(allocator.heapContains(heap, block)).isTrue();
                allocator.free(block);
            }
            assertThat(HeapContract.liveBlocks(allocator, heap)).isEmpty();
        }
        allocator.heapDestroy(heap);
    }

    @Test
    void plainReallocOfAnAlignedBlockKeepsItsContents() {
        for (long alignment : new long[] {64, 4 * KIB, 64 * KIB, 2 * MIB}) {
            for (long size : new long[] {100, 5000, 70_000, 800_000}) {
                for (long newSize : new long[] {10, size - 1, size + 1, 4 * size}) {
                    long block = live.add(allocator.mallocAligned(size, alignment), size);
                    LiveBlocks.Block old = live.remove(block);
                    block = allocator.realloc(block, newSize);
                    old.check(block, Math.min(size, newSize));
                    live.add(block, newSize);
                }
            }
            live.freeAll();
        }
    }

    @Test
    void usableSizeOfAnAlignedBlockMayAllBeWritten() {
        var random = new Random(6);
        for (int i = 0; i < 3000; i++) {
            long size = 1L + random.nextInt(1 << random.nextInt(17));
            long alignment = 1L << random.nextInt(17);
            long block = addAligned(allocator.mallocAligned(size, alignment), size, alignment, 0);
            live.add(block, allocator.usableSize(block) & ~15L);
        }
        live.checkAll();
    }

    @Test
    void anAlignmentOfNothingOrNotAPowerOfTwoIsRefused() {
        for (long alignment : new long[] {0, 3, 12, 24, 100, 4097, 3 * MIB, -1, -16, Sizes.MAX}) {
            Integer[] codes = {NONE, EINVAL, EOVERFLOW, ENOMEM};
            assertRefused(allocator.mallocAligned(100, alignment), codes);
            assertRefused(allocator.mallocAlignedAt(100, alignment, 8), codes);
            assertRefused(allocator.zallocAligned(100, alignment), codes);
            assertRefused(allocator.zallocAlignedAt(100, alignment, 8), codes);
            assertRefused(allocator.callocAligned(1, 100, alignment), codes);
            assertRefused(allocator.callocAlignedAt(1, 100, alignment, 8), codes);
            assertRefused(allocator.heapMallocAligned(allocator.heapMain(), 100, alignment), codes);
        }
    }

    @Test
    void anAlignmentBeyondTheAddressSpaceIsRefused() {
        for (long alignment : new long[] {1L << 48, 1L << 56, 1L << 62, Long.MIN_VALUE}) {
            Integer[] codes = {NONE, EINVAL, EOVERFLOW, ENOMEM};
            assertRefused(allocator.mallocAligned(100, alignment), codes);
            assertRefused(allocator.mallocAlignedAt(100, alignment, 8), codes);
            assertRefused(allocator.zallocAligned(100, alignment), codes);
        }
    }

    @Test
    void tooLargeASizeIsRefusedAtAnyAlignment() {
        for (long alignment = 1; alignment <= GIB; alignment *= 8) {
            for (long size : new long[] {Sizes.MAX + 1, -1, Sizes.MAX, Sizes.MAX - 100, 1L << 62}) {
                assertRefused(allocator.mallocAligned(size, alignment), EOVERFLOW, ENOMEM);
                assertRefused(allocator.mallocAlignedAt(size, alignment, 8), EOVERFLOW, ENOMEM);
                assertRefused(allocator.callocAligned(1, size, alignment), EOVERFLOW, ENOMEM);
            }
        }
    }

    @Test
    void heapFormsAlignToo() {
        long heap = allocator.heapNew();
        for (long alignment = 16; alignment <= MIB; alignment *= 4) {
            for (long size : new long[] {10, 1000, 100_000}) {
                long[] blocks = {allocator.heapMallocAligned(heap, size, alignment),
                        allocator.heapZallocAligned(heap, size, alignment),
                        allocator.heapCallocAligned(heap, 1, size, alignment),
                        allocator.heapReallocAligned(heap, 0, size, alignment),
                        allocator.theapMallocAligned(allocator.heapTheap(heap), size, alignment)};
                for (long block : blocks) {
                    addAligned(block, size, alignment, 0);
                    assertThat(allocator.heapOf(block)).isEqualTo(heap);
                    live.add(block, size, heap);
                }
                long[] shifted = {allocator.heapMallocAlignedAt(heap, size, alignment, 8),
                        allocator.heapZallocAlignedAt(heap, size, alignment, 8),
                        allocator.heapCallocAlignedAt(heap, 1, size, alignment, 8),
                        allocator.heapReallocAlignedAt(heap, 0, size, alignment, 8)};
                for (long block : shifted) allocator.free(addAligned(block, size, alignment, 8));
            }
        }
        live.freeAll();
        allocator.heapDestroy(heap);
    }
}
