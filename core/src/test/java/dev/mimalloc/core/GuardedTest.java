package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where guarded blocks lie, which allocations are, and what their free finds. What faults would end the JVM. */
class GuardedTest {
    private static final long SEED = 1;

    private final long before = Heaps.theap(0);
    private final long heap = Heaps.create();

    /** A heap of its own, as lists that were filled before are not counted any more. */
    @BeforeEach
    void guardAll() {
        Heaps.setDefault(Heaps.theap(heap));
        guard(1);
    }

    @AfterEach
    void guardNone() {
        Heaps.setDefault(before);
        Heaps.delete(heap);
        Options.disable(Options.UNSAFE_GUARDED_PRECISE);
    }

    private void guard(long rate) { Theap.setGuardRate(Heaps.theap(heap), rate, SEED); }

    private static boolean isGuarded(long block) { return Page.isGuarded(PageMap.pageOf(block)); }

    private static long guardOf(long block) {
        long page = PageMap.pageOf(block);
        return Page.start(page) + Page.blockSize(page);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBlockEndsAtItsGuard(boolean precise) {
        Options.setEnabled(Options.UNSAFE_GUARDED_PRECISE, precise);
        for (long size = 1; size < 1 << 20; size = size * 5 / 4 + 1) {
            long block = Allocate.zalloc(size);
            assertThat(isGuarded(block)).as("%d bytes", size).isTrue();
            long alignment = precise ? 1 : size <= 8 ? 8 : 16;
            assertThat(block).isEqualTo(Config.alignDown(guardOf(block) - size, alignment));
            assertThat(guardOf(block) % Os.pageSize()).isZero();
            assertThat(Free.usableSize(block)).isEqualTo(size);
            assertThat(Free.isInside(block)).isFalse();
            assertThat(Free.isInside(block + 1)).isTrue();
            var segment = MemorySegment.ofAddress(block).reinterpret(size);
            assertThat(segment.mismatch(MemorySegment.ofArray(new byte[(int) size]))).as("zero").isEqualTo(-1);
            segment.fill((byte) 1);
            assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, segment.byteSize()))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            Free.free(block);
        }
    }

    @Test
    void alignmentsAreKept() {
        for (boolean precise : new boolean[] {false, true}) {
            Options.setEnabled(Options.UNSAFE_GUARDED_PRECISE, precise);
            for (long alignment = 1; alignment <= 1 << 20; alignment *= 2) {
                for (long size : new long[] {1, 24, 1000, 70_000, 100_000, 3_000_000}) {
                    long block = AllocateAligned.malloc(size, alignment);
                    assertThat(block & alignment - 1).as("%d bytes at %d", size, alignment).isZero();
                    assertThat(isGuarded(block)).isTrue();
                    Memory.fill(block, size, 1);
                    Free.free(block);
                }
            }
        }
    }

    @Test
    void aWriteAroundABlockIsFoundWhenItIsFreed() {
        for (long offset : new long[] {-64, -1, 24, 31}) {
            long block = Allocate.malloc(24);
            int before = Memory.getByte(block + offset);
            Memory.putByte(block + offset, 0);
            assertThatThrownBy(() -> Free.free(block)).as("offset %d", offset)
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining(Long.toHexString(block));
            Memory.putByte(block + offset, before);
            Free.free(block);
        }
    }

    @Test
    void onlyTheBlockItselfIsFreedAndOnlyOnce() {
        long block = Allocate.malloc(100);
        for (long other : new long[] {block - 16, block - 1, block + 1, block + 8, Page.start(PageMap.pageOf(block))}) {
            assertThatThrownBy(() -> Free.free(other)).isInstanceOf(IllegalArgumentException.class);
        }
        Free.free(block);
        assertThatThrownBy(() -> Free.free(block)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aFreedBlocksAddressIsNotGivenOutSoon() {
        long block = Allocate.malloc(100);
        Free.free(block);
        for (int i = 0; i < 1000; i++) {
            long other = Allocate.malloc(100);
            assertThat(other).isNotEqualTo(block);
            Free.free(other);
        }
        Threads.collect(true);
        assertThat(Allocate.malloc(100)).isNotEqualTo(block);
    }

    @Test
    void reallocMovesToAGuardAndKeepsTheContents() {
        long block = Allocate.zalloc(10);
        for (long size : new long[] {9, 11, 5000, 4999, 200_000, 199_999, 5_000_000, 100}) {
            long kept = Math.min(size, Free.usableSize(block));
            MemorySegment.ofAddress(block).reinterpret(kept).fill((byte) 7);
            block = Reallocate.realloc(block, size);
            assertThat(isGuarded(block)).isTrue();
            assertThat(Free.usableSize(block)).isEqualTo(size);
            var contents = MemorySegment.ofAddress(block).reinterpret(kept);
            for (long i = 0; i < kept; i++) assertThat(contents.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 7);
        }
        Free.free(block);
    }

    @ParameterizedTest
    @ValueSource(longs = {16, 200, 2000, 20_000})
    void oneInSoManyIsGuarded(long size) {
        int guarded = 0, all = 50_000, rate = 50;
        guard(rate);
        for (int i = 0; i < all; i++) {
            long block = Allocate.malloc(size);
            if (isGuarded(block)) guarded++;
            Free.free(block);
        }
        // A sum of 1000 numbers from 1 to 99: 15 % are eight standard deviations.
        assertThat(guarded).isBetween(all / rate * 85 / 100, all / rate * 115 / 100);
    }

    @Test
    void ofTheSizesThatAreWanted() {
        Theap.setGuardBounds(Heaps.theap(heap), 100, 200);
        for (long size : new long[] {99, 100, 200, 201}) {
            long block = Allocate.malloc(size);
            assertThat(isGuarded(block)).as("%d bytes", size).isEqualTo(size >= 100 && size <= 200);
            Free.free(block);
        }
    }

    @Test
    void thoseThatAreTooManyAreNotGuarded() {
        var blocks = new ArrayList<Long>();
        int guarded = 0;
        for (int i = 0; i < 6000; i++) {
            blocks.add(Allocate.malloc(40));
            if (isGuarded(blocks.getLast())) guarded++;
        }
        assertThat(guarded).isBetween(2000, 4096);
        blocks.forEach(Free::free);
        long block = Allocate.malloc(40);
        assertThat(isGuarded(block)).isTrue();
        Free.free(block);
    }

    @Test
    void theEndOfAHeapIsThatOfItsBlocks() {
        long other = Heaps.create();
        Theap.setGuardRate(Heaps.theap(other), 1, SEED);
        long destroyed = Allocate.heapMalloc(other, 100);
        assertThat(isGuarded(destroyed)).isTrue();
        Heaps.destroy(other);
        assertThatThrownBy(() -> Free.free(destroyed)).isInstanceOf(IllegalStateException.class);
        other = Heaps.create();
        Theap.setGuardRate(Heaps.theap(other), 1, SEED);
        long left = Allocate.heapMalloc(other, 100);
        Heaps.delete(other);
        assertThat(Heaps.of(left)).isEqualTo(Heaps.main());
        Free.free(left);
    }
}
