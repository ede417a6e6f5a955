package dev.mimalloc.tests;

import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Memory that is promised to be zero is, whoever had it before. */
abstract class ZeroContract extends Contract {
    private static final List<Long> LARGE =
            List.of(100 * KIB, 400 * KIB, 512 * KIB + 1, 1 * MIB + 7, 5 * MIB, 20 * MIB);

    ZeroContract(Allocator allocator) { super(allocator); }

    @Test
    void zallocAndCallocAfterDirtyReuse() {
        for (long size : Sizes.classes(allocator)) {
            int blocks = size < 64 * KIB ? 20 : 3;
            leaveDirt(size, blocks);
            for (int i = 0; i < blocks; i++) {
                long block = i % 2 == 0 ? allocator.zalloc(size) : allocator.calloc(1, size);
                assertZero(block, 0, size);
                live.add(block, size);
            }
            live.freeAll();
        }
    }

    @Test
    void largeBlocksAfterDirtyReuse() {
        for (long size : LARGE) {
            leaveDirt(size, 2);
            for (int i = 0; i < 2; i++) {
                long block = allocator.zalloc(size);
                assertZero(block, 0, size);
                live.add(block, size);
            }
            live.freeAll();
        }
    }

    @Test
    void smallFormAfterDirtyReuse() {
        for (long size = 0; size <= KIB; size += 3) {
            leaveDirt(size, 5);
            for (int i = 0; i < 5; i++) {
                long block = allocator.zallocSmall(size);
                assertZero(block, 0, size);
                live.add(block, size);
            }
        }
    }

    @Test
    void dirtOfOneSizeIsNotSeenByAnother() {
        var random = new Random(3);
        for (int round = 0; round < 300; round++) {
            leaveDirt(1L << 4 + random.nextInt(17), 1 + random.nextInt(40));
            long size = 1L + random.nextInt(200_000);
            long block = allocator.zalloc(size);
            assertZero(block, 0, size);
            live.add(block, size);
            if (round % 7 == 0) live.freeAll();
        }
    }

    @Test
    void zeroAfterACollectGaveTheMemoryBack() {
        for (long size : List.of(64L, 8 * KIB, 100 * KIB, 2 * MIB)) {
            leaveDirt(size, (int) Math.min(1000, 32 * MIB / size));
            allocator.collect(true);
            for (int i = 0; i < 10; i++) {
                long block = allocator.zalloc(size);
                assertZero(block, 0, size);
                live.add(block, size);
            }
        }
    }

    @Test
    void alignedFormsAfterDirtyReuse() {
        for (long alignment : new long[] {8, 16, 64, 4 * KIB, 64 * KIB, 1 * MIB}) {
            for (long size : new long[] {1, 24, 100, 5000, 70_000, 600_000}) {
                leaveDirt(size, 4);
                leaveDirt(size + alignment, 4);
                long[] blocks = {allocator.zallocAligned(size, alignment),
                        allocator.zallocAlignedAt(size, alignment, 8),
                        allocator.callocAligned(1, size, alignment), allocator.callocAlignedAt(size, 1, alignment, 24)};
                for (long block : blocks) assertZero(block, 0, size);
                for (long block : blocks) allocator.free(block);
            }
        }
    }

    /** A block that was zero when it was new, and grows by rezalloc only, is zero wherever nobody wrote. */
    @Test
    void rezallocZeroesWhatItAdds() {
        var random = new Random(4);
        for (int round = 0; round < 200; round++) {
            long size = random.nextInt(64);
            long block = allocator.zalloc(size);
            while (size < 300 * KIB) {
                Raw.fill(block, size, 0xAA);
                leaveDirt(2 * size + 8, 3);
                long larger = size + 1 + random.nextInt((int) size + 100);
                block = switch (random.nextInt(3)) {
                    case 0 -> allocator.rezalloc(block, larger);
                    case 1 -> allocator.recalloc(block, larger, 1);
                    default -> allocator.rezallocAligned(block, larger, 16);
                };
                assertZero(block, size, larger);
                size = larger;
            }
            allocator.free(block);
        }
    }

    @Test
    void rezallocOfNothingIsZero() {
        for (long size : new long[] {1, 100, 10_000, 1 * MIB}) {
            leaveDirt(size, 10);
            long block = allocator.rezalloc(0, size);
            assertZero(block, 0, size);
            live.add(block, size);
            leaveDirt(size, 10);
            block = allocator.recalloc(0, 1, size);
            assertZero(block, 0, size);
            live.add(block, size);
        }
    }

    @Test
    void heapFormsAfterDirtyReuse() {
        long heap = allocator.heapNew();
        for (long size : new long[] {8, 100, 1000, 20_000, 200_000, 2 * MIB}) {
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 4; i++) {
                    long dirty = allocator.heapMalloc(heap, size);
                    Raw.fill(dirty, size, 0xEE);
                    allocator.free(dirty);
                }
                long[] blocks = {allocator.heapZalloc(heap, size), allocator.heapCalloc(heap, size, 1),
                        allocator.heapZallocAligned(heap, size, 64), allocator.heapCallocAligned(heap, 1, size, 128),
                        allocator.theapZalloc(allocator.heapTheap(heap), size),
                        allocator.theapCalloc(allocator.heapTheap(heap), 1, size)};
                for (long block : blocks) {
                    assertZero(block, 0, size);
                    live.add(block, size, heap);
                }
                live.freeAll();
            }
        }
        allocator.heapDestroy(heap);
    }
}
