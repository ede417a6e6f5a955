package dev.mimalloc.tests;

import static dev.mimalloc.tests.Allocator.ENOMEM;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Large blocks have the memory that is touched of them, promise what there is, and change their size without a copy. */
abstract class LargeBlockContract extends Contract {
    private static final long GIB = 1 << 30, PAGE = 4 * KIB;
    private static final long FRAME = (1L << 55) - 1; // which one, in a word of the page map

    LargeBlockContract(Allocator allocator) { super(allocator); }

    /** A word for each OS page of a range: whether there is memory, and which. */
    private static ByteBuffer pageMap(long address, long size) {
        ByteBuffer entries = ByteBuffer.allocate((int) (size / PAGE * 8)).order(ByteOrder.nativeOrder());
        try (var map = FileChannel.open(Path.of("/proc/self/pagemap"))) {
            map.read(entries, address / PAGE * 8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return entries.flip();
    }

    /** How many bytes of a range have memory, as the system has it. */
    private static long resident(long address, long size) {
        ByteBuffer entries = pageMap(address, size);
        long resident = 0;
        while (entries.hasRemaining()) {
            if (entries.getLong() < 0) resident += PAGE; // its highest bit
        }
        return resident;
    }

    /**
     * How many bytes of memory blocks of a size have together. What was only read has none: the system shows the same page
     * of zeros there, again and again. Who may not see which pages they are (root may) counts nothing.
     */
    private static long residentOf(List<Long> blocks, long size) {
        Set<Long> frames = new HashSet<>();
        for (long block : blocks) {
            ByteBuffer entries = pageMap(block, size);
            while (entries.hasRemaining()) {
                long entry = entries.getLong();
                if (entry < 0) frames.add(entry & FRAME);
            }
        }
        return frames.size() * PAGE;
    }

    private List<Long> allocate(int count, long size) {
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(i % 2 == 0 ? allocator.malloc(size) : allocator.mallocAligned(size, 256 * KIB));
        }
        assertThat(blocks).doesNotContain(0L);
        return blocks;
    }

    /** Of each of many blocks so much is touched at its front: a part of them is gone and comes back meanwhile. */
    private void assertBackedWhereTouched(int count, long size, long touched) {
        allocator.collect(true); // what was used by others before
        for (int round = 0; round < 2; round++) {
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                List<Long> one = allocate(1, size);
                if (touched > 0) Raw.fill(one.getFirst(), touched, 1);
                blocks.addAll(one);
            }
            assertThat(residentOf(blocks, size) / KIB).as("resident KiB of %d blocks of %d KiB", count, size / KIB)
                    .isLessThanOrEqualTo(count * touched / KIB * 3 / 2 + 16 * KIB);
            blocks.forEach(allocator::free);
            allocator.collect(true);
        }
    }

    @Tag("usage")
    @Test
    void blocksOfWhichNothingIsTouchedHaveNoMemory() {
        for (long size : new long[] {100 * KIB, 128 * KIB, 1 * MIB, 3 * MIB + 17, 9 * MIB, 70 * MIB}) {
            assertBackedWhereTouched((int) Math.min(600, GIB / size), size, 0);
        }
    }

    @Tag("usage")
    @Test
    void blocksOfWhichLittleIsTouchedHaveLittleMemory() {
        assertBackedWhereTouched(1000, 128 * KIB, 4 * KIB);
        assertBackedWhereTouched(200, 1 * MIB, 600 * KIB);
        assertBackedWhereTouched(50, 8 * MIB, 64 * KIB);
        assertBackedWhereTouched(8, 100 * MIB, 5 * MIB);
    }

    @Tag("usage")
    @Test
    void zeroedMemoryIsNotTouchedToBeZero() {
        allocator.collect(true);
        long block = allocator.zalloc(300 * MIB);
        assertThat(resident(block, 300 * MIB)).as("resident bytes").isLessThan(3 * MIB);
        allocator.free(block);
    }

    @Test
    void aFreeByAnotherThreadTouchesNothing() throws InterruptedException {
        allocator.collect(true);
        long block = allocator.malloc(300 * MIB);
        Thread.ofPlatform().start(() -> allocator.free(block)).join();
        assertThat(resident(block, 300 * MIB)).as("resident bytes").isLessThan(3 * MIB);
    }

    /** More than the machine has, and its addresses would do. */
    @Test
    void whatTheMachineDoesNotHaveIsRefused() throws IOException {
        Path mode = Path.of("/proc/sys/vm/overcommit_memory");
        assumeTrue(Files.exists(mode) && !Files.readString(mode).strip().equals("1"), "the system refuses nothing");
        for (long size = 16L << 40; size <= 64L << 40; size *= 2) {
            assertRefused(allocator.malloc(size), ENOMEM);
            assertRefused(allocator.zalloc(size), ENOMEM);
            assertRefused(allocator.mallocAligned(size, 64), ENOMEM);
            long block = allocator.malloc(5 * MIB);
            Raw.fill(block, 5 * MIB, 3);
            assertRefused(allocator.realloc(block, size), ENOMEM);
            assertThat(Raw.getByte(block + 5 * MIB - 1)).as("the block as it was").isEqualTo(3);
            allocator.free(block);
        }
        live.add(allocator.malloc(100), 100);
    }

    private interface Resize { long to(long block, long size); }

    /** Most of a block that grows by bits stays where it is, or its pages move: it is never there twice. */
    private void assertGrows(long from, long to, Resize resize) {
        allocator.collect(true);
        long before = Memory.resident();
        long most = 0;
        long size = from;
        long block = live.add(resize.to(0, size), size);
        while (size < to) {
            long larger = size + size / 20 + 100;
            LiveBlocks.Block old = live.remove(block);
            block = resize.to(block, larger);
            most = Math.max(most, Memory.resident() - before - larger);
            old.check(block, size);
            live.add(block, larger);
            size = larger;
        }
        assertThat(most).as("resident bytes beyond the block's").isLessThan(to / 3);
        live.free(block);
    }

    @Test
    void aBlockThatGrowsIsNeverThereTwice() {
        assertGrows(1 * MIB, 300 * MIB, allocator::realloc);
        assertGrows(100 * MIB, 300 * MIB, (block, size) -> allocator.reallocAligned(block, size, 4 * KIB));
    }

    @Test
    void whatIsNewOfAZeroedBlockIsZero() {
        for (long first : new long[] {200 * KIB, 3 * MIB, 10 * MIB}) {
            leaveDirt(3 * first, 3);
            long size = first;
            long block = allocator.zalloc(size);
            for (int i = 0; i < 12; i++) {
                long larger = size + size / 3;
                block = i % 2 == 0 ? allocator.rezalloc(block, larger) : allocator.recalloc(block, 1, larger);
                assertZero(block, 0, larger);
                size = larger;
            }
            // What is cut off is dirty, and zero when it comes back.
            Raw.fill(block, size, 7);
            block = allocator.rezalloc(block, size / 3);
            block = allocator.rezalloc(block, size);
            assertZero(block, size / 3, size);
            allocator.free(block);
        }
    }

    @Test
    void aLargeBlockShrinksInPlace() {
        for (long size : new long[] {400 * KIB, 3 * MIB, 100 * MIB}) {
            for (boolean grown : new boolean[] {false, true}) {
                long block = grown ? allocator.realloc(allocator.malloc(size / 2), size) : allocator.malloc(size);
                Raw.fill(block, size, 5);
                for (long smaller = size * 2 / 5; smaller > 100 * KIB; smaller = smaller * 2 / 5) {
                    assertThat(allocator.realloc(block, smaller)).as("the smaller block").isEqualTo(block);
                    assertThat(allocator.usableSize(block)).as("usable size").isBetween(smaller, smaller + 64 * KIB);
                    assertThat(Raw.getByte(block + smaller - 1)).isEqualTo(5);
                }
                allocator.free(block);
            }
        }
    }

    /** Up and down, next to each other: neighbours take what others give up. */
    @Test
    void manyLargeBlocksChangeTheirSizes() {
        var random = new Random(11);
        long[] blocks = new long[12];
        long[] sizes = new long[12];
        for (int turn = 0; turn < 1500; turn++) {
            int i = random.nextInt(blocks.length);
            long size = (long) (60 * KIB * Math.exp(random.nextDouble() * Math.log(300)));
            LiveBlocks.Block old = blocks[i] == 0 ? null : live.remove(blocks[i]);
            blocks[i] = turn % 3 == 0 ? allocator.realloc(blocks[i], size)
                    : turn % 3 == 1 ? allocator.rezalloc(blocks[i], size)
                            : allocator.reallocAligned(blocks[i], size, 1 << random.nextInt(20));
            if (old != null) old.check(blocks[i], Math.min(size, sizes[i]));
            live.add(blocks[i], size);
            sizes[i] = size;
        }
    }

    /** Their heap ends at any moment of it, and they go on. */
    @Test
    void largeBlocksOfADeletedHeapChangeTheirSizes() throws InterruptedException {
        for (int round = 0; round < 100; round++) {
            long heap = allocator.heapNew();
            long[] blocks = new long[4];
            for (int i = 0; i < blocks.length; i++) {
                blocks[i] = allocator.heapMalloc(heap, (1 << i) * MIB);
                Raw.putLong(blocks[i], i);
            }
            Thread thread = Thread.ofPlatform().start(() -> {
                for (int turn = 0; turn < 10; turn++) {
                    for (int i = 0; i < blocks.length; i++) {
                        long size = (1 << i) * (turn % 2 == 0 ? 2 * MIB : MIB / 2) / (turn / 2 + 1);
                        blocks[i] = allocator.realloc(blocks[i], size);
                    }
                }
            });
            allocator.heapDelete(heap);
            thread.join();
            for (int i = 0; i < blocks.length; i++) {
                assertThat(Raw.getLong(blocks[i])).as("what was in block %d", i).isEqualTo(i);
                allocator.free(blocks[i]);
            }
        }
    }
}
