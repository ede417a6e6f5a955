package dev.mimalloc.tests;

import static dev.mimalloc.tests.Allocator.EAGAIN;
import static dev.mimalloc.tests.Allocator.EFAULT;
import static dev.mimalloc.tests.Allocator.EINVAL;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A pointer that is not a block of ours is refused and never followed. */
abstract class InvalidPointerContract extends Contract {
    InvalidPointerContract(Allocator allocator) { super(allocator); }

    private void assertAllRefuse(long pointer) {
        allocator.free(pointer);
        assertError(EINVAL, EFAULT);
        assertThat(allocator.usableSize(pointer)).as("usable size of 0x%x", pointer).isZero();
        assertError(EINVAL, EFAULT);
        assertRefused(allocator.realloc(pointer, 100), EINVAL, EFAULT);
        assertRefused(allocator.rezalloc(pointer, 100), EINVAL, EFAULT);
        assertRefused(allocator.reallocAligned(pointer, 100, 64), EINVAL, EFAULT);
        assertThat(allocator.heapOf(pointer)).as("heap of 0x%x", pointer).isZero();
        assertThat(allocator.anyHeapContains(pointer)).as("any heap contains 0x%x", pointer).isFalse();
        allocator.takeError();
    }

    @Test
    void randomGarbage() {
        var random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            long pointer = random.nextLong() & ~15L;
            if (pointer >>> 47 != 0) assertAllRefuse(pointer); // else it might, by the worst of luck, be a block
        }
    }

    @Test
    void nearNullAndTheEndsOfTheAddressSpace() {
        for (long pointer : new long[] {16, 4096, 65_536, -16, -65_536, 1L << 47, (1L << 47) - 16, 1L << 48, 1L << 56,
                Long.MIN_VALUE, Sizes.MAX & ~15L, 0xffff_8000_0000_0000L})
            assertAllRefuse(pointer);
    }

    @Test
    void memoryOfOthers() { // the C library's heap, and the JVM's
        try (var arena = Arena.ofConfined()) {
            for (long size : new long[] {16, 1000, 100 * KIB, 10 * MIB}) {
                assertAllRefuse(arena.allocate(size, 16).address());
            }
        }
    }

    @Test
    void theAllocatorsOwnStructs() {
        assertAllRefuse(allocator.heapMain());
        assertAllRefuse(allocator.theapDefault());
    }

    /** In a heap of its own: a page with aligned blocks inside of its blocks takes any address in them. */
    @Test
    void misalignedPointersAreRefused() {
        long heap = allocator.heapNew();
        for (long size : new long[] {64, 100, 1000, 10 * KIB, 100 * KIB, 1 * MIB}) {
            long block = live.add(allocator.heapMalloc(heap, size), size, heap);
            for (long offset : new long[] {1, 2, 4, 7}) {
                allocator.free(block + offset);
                assertError(EINVAL, EFAULT);
            }
        }
        live.freeAll();
        allocator.heapDelete(heap);
    }

    @Test
    void pointersIntoFreedMemoryAreRefused() {
        long[] blocks = {allocator.malloc(10 * MIB), allocator.malloc(100 * MIB), allocator.malloc(2048 * MIB),
                allocator.malloc(600 * KIB), allocator.mallocAligned(5 * MIB, 32 * MIB)};
        for (long block : blocks) allocator.free(block);
        allocator.collect(true);
        for (long block : blocks) assertAllRefuse(block);
    }

    @Test
    void pointersIntoTheUnusedPartsOfAnArenaAreRefused() {
        long block = live.add(allocator.malloc(100), 100);
        var random = new Random(8);
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            long pointer = (block & -(1L << 30)) + (random.nextLong(1L << 30) & ~15L);
            if (allocator.anyHeapContains(pointer)) continue;
            assertAllRefuse(pointer);
            refused++;
        }
        assertThat(refused).isPositive();
    }

    @Test
    void aSecondFreeIsSeenWhereThePageIsGone() {
        long block = allocator.malloc(10 * MIB);
        allocator.free(block);
        allocator.free(block);
        assertError(EINVAL, EFAULT, EAGAIN);
    }

    @Test
    void theAllocatorGoesOnAfterwards() {
        var random = new Random(9);
        var blocks = new ArrayList<Long>();
        for (int i = 0; i < 5000; i++) {
            long size = random.nextInt(5000);
            blocks.add(live.add(allocator.malloc(size), size));
            allocator.free(random.nextLong() | 1L << 60);
            assertError(EINVAL, EFAULT);
            if (i % 3 == 0) live.free(blocks.remove(random.nextInt(blocks.size())));
        }
        live.checkAll();
    }
}
