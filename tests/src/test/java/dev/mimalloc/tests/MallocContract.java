package dev.mimalloc.tests;

import static dev.mimalloc.tests.Allocator.ENOMEM;
import static dev.mimalloc.tests.Allocator.EOVERFLOW;
import static dev.mimalloc.tests.Sizes.GIB;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** malloc, free and the size calls. */
abstract class MallocContract extends Contract {
    MallocContract(Allocator allocator) { super(allocator); }

    @Test
    void blocksOfEveryClassAndItsNeighboursAreUsable() {
        for (long size : Sizes.boundaries(allocator)) {
            for (int i = 0; i < 3; i++) live.add(allocator.malloc(size), size);
        }
        live.checkAll();
    }

    @Test
    void usableSizeIsTheGoodSize() {
        for (long size : Sizes.boundaries(allocator)) {
            long block = live.add(allocator.malloc(size), size);
            long usable = allocator.usableSize(block);
            assertThat(usable).as("usable size of %d bytes", size).isEqualTo(Padding.usable(allocator, size));
        }
    }

    @Test
    void allOfTheUsableSizeMayBeWritten() {
        var blocks = new ArrayList<Long>();
        for (long size : Sizes.classes(allocator)) {
            for (int i = 0; i < 3; i++) {
                long block = allocator.malloc(size - 1);
                blocks.add(live.add(block, allocator.usableSize(block)));
            }
        }
        live.checkAll();
        assertThat(blocks).doesNotHaveDuplicates();
    }

    @Test
    void goodSizeGrowsWithTheSizeAndWastesAtMostAQuarter() {
        long last = 0;
        for (long size = 1; size <= 2 * MIB; size += size < 4 * KIB ? 1 : 61) {
            long good = allocator.goodSize(size);
            assertThat(good).as("good size of %d", size).isGreaterThanOrEqualTo(Math.max(size, last));
            assertThat(good - size).as("waste of %d in %d", size, good).isLessThanOrEqualTo(Math.max(15, size / 4));
            assertThat(allocator.goodSize(good)).as("good size of a good size").isEqualTo(good);
            last = good;
        }
    }

    @Test
    void theClassesAreFourToADoubling() {
        List<Long> classes = Sizes.classes(allocator);
        classes.remove(8L); // of which a secure machine has none
        assertThat(classes).hasSizeBetween(40, 80).startsWith(16L, 32L, 48L, 64L);
    }

    @Test
    void blocksOfNoBytesAreBlocksOfTheirOwn() {
        var blocks = new HashSet<Long>();
        for (int i = 0; i < 1000; i++) assertThat(blocks.add(live.add(allocator.malloc(0), 0))).isTrue();
        assertNoError();
    }

    @Test
    void alignmentFollowsTheSize() {
        for (long size : Sizes.boundaries(allocator)) {
            for (int i = 0; i < 5; i++) live.add(allocator.malloc(size), size); // checks
        }
    }

    @Test
    void manyBlocksOfMixedSizesFreedInAnyOrder() {
        var random = new Random(1);
        var blocks = new ArrayList<Long>();
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 10_000; i++) {
                long size = (long) Math.exp(random.nextDouble() * Math.log(64 * KIB));
                blocks.add(live.add(allocator.malloc(size), size));
            }
            Collections.shuffle(blocks, random);
            while (blocks.size() > 3_000) live.free(blocks.removeLast());
        }
        live.checkAll();
    }

    @Test
    void smallFormsAllocateUpToOneKib() {
        for (long size = 0; size <= KIB; size++) {
            long block = live.add(allocator.mallocSmall(size), size);
            assertThat(allocator.usableSize(block)).isEqualTo(Padding.usable(allocator, size));
            if (size % 2 == 0) {
                live.remove(block);
                allocator.freeSmall(block);
            }
        }
    }

    @Test
    void mallocnIsTheProduct() {
        long block = live.add(allocator.mallocn(7, 100), 700);
        assertThat(allocator.usableSize(block)).isEqualTo(Padding.usable(allocator, 700));
        live.add(allocator.mallocn(0, 100), 0);
        live.add(allocator.mallocn(100, 0), 0);
    }

    @Test
    void aBlockMayTakeSeveralGibOfAddressSpace() {
        for (long size : new long[] {GIB - 1, GIB, GIB + 1, 2 * GIB + 1, 6 * GIB}) {
            long block = allocator.malloc(size);
            assertThat(block).as("block of %d bytes", size).isNotZero();
            assertThat(allocator.usableSize(block)).isGreaterThanOrEqualTo(size);
            for (long at = 0; at < size; at += 256 * MIB) Raw.putLong(block + Math.min(at, size - 8), ~at);
            Raw.putByte(block + size - 1, 77);
            for (long at = 0; at + 8 < size; at += 256 * MIB) assertThat(Raw.getLong(block + at)).isEqualTo(~at);
            assertThat(Raw.getByte(block + size - 1)).isEqualTo(77);
            allocator.free(block);
        }
        assertNoError();
    }

    @Test
    void severalLargeBlocksAtATime() {
        for (int i = 0; i < 12; i++) {
            for (long size : new long[] {300 * KIB, 512 * KIB + 1, 3 * MIB, 5 * MIB, 17 * MIB, 33 * MIB}) {
                live.add(allocator.malloc(size), size);
            }
        }
        live.checkAll();
    }

    @Test
    void freeingNothingDoesNothing() {
        allocator.free(0);
        assertThat(allocator.usableSize(0)).isZero();
        assertNoError();
    }

    @Test
    void moreThanTheLargestSizeIsRefused() {
        for (long size : new long[] {Sizes.MAX + 1, Sizes.MAX + 2, -2, -1}) {
            assertRefused(allocator.malloc(size), EOVERFLOW, ENOMEM);
            assertRefused(allocator.zalloc(size), EOVERFLOW, ENOMEM);
            assertRefused(allocator.mallocn(1, size), EOVERFLOW, ENOMEM);
            assertRefused(allocator.calloc(1, size), EOVERFLOW, ENOMEM);
        }
    }

    @Test
    void whatTheMachineCannotGiveIsOutOfMemory() {
        for (long size : new long[] {1L << 47, 1L << 48, 1L << 62, Sizes.MAX - 64 * KIB, Sizes.MAX - 1, Sizes.MAX}) {
            assertRefused(allocator.malloc(size), ENOMEM, EOVERFLOW);
            assertRefused(allocator.zalloc(size), ENOMEM, EOVERFLOW);
        }
        live.add(allocator.malloc(100), 100); // goes on
    }

    @Test
    void anOverflowOfCountTimesSizeIsRefused() {
        long[][] overflows = {{1L << 32, 1L << 32}, {-1, 2}, {2, -1}, {-1, -1}, {3, Sizes.MAX}, {Sizes.MAX, 2},
                {1L << 33, (1L << 31) + 1}, {0x5555_5555_5555_5556L, 3}, {1L << 62, 2}};
        for (long[] product : overflows) {
            assertRefused(allocator.calloc(product[0], product[1]), EOVERFLOW, ENOMEM);
            assertRefused(allocator.mallocn(product[0], product[1]), EOVERFLOW, ENOMEM);
            assertRefused(allocator.callocAligned(product[0], product[1], 64), EOVERFLOW, ENOMEM);
            assertRefused(allocator.callocAlignedAt(product[0], product[1], 64, 8), EOVERFLOW, ENOMEM);
        }
    }

    @Test
    void goodSizeOfTheImpossibleIsItself() {
        assertThat(allocator.goodSize(-1)).isEqualTo(-1);
        assertThat(Long.compareUnsigned(allocator.goodSize(Sizes.MAX), Sizes.MAX)).isGreaterThanOrEqualTo(0);
    }
}
