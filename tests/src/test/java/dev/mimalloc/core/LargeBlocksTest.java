package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.Density;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the system has promised for arenas and large blocks, what is expected of them, and how they grow. */
class LargeBlocksTest {
    private static final long KIB = 1 << 10, MIB = 1 << 20;

    static {
        Heaps.main(); // all is set up
    }

    /** Of a size that no other test uses. */
    @Test
    void whatWasTouchedEverywhereIsExpectedToBe() {
        long size = 1500 * KIB;
        long word = Root.density(20);
        Memory.putLong(word, 0);
        assertThat(Density.expected(size)).as("of a size that nobody had").isEqualTo(Density.UNKNOWN);
        long memory = OsMemory.map(2 * MIB, 2 * MIB, Os.COMMIT);
        OsMemory.allowHugePages(memory, 2 * MIB, false);
        Density.afterAllocate(memory, size);
        assertThat(Density.expected(size)).as("behind a block that nobody has begun to use").isEqualTo(Density.UNKNOWN);
        Memory.fill(memory, size / 2, 1);
        Density.afterAllocate(memory, size);
        assertThat(Density.expected(size)).as("behind one touched by half").isEqualTo(Density.SPARSE);
        Memory.fill(memory, size * 3 / 4, 1);
        Density.afterAllocate(memory, size);
        int looks = 1;
        for (; Density.expected(size) == Density.SPARSE; looks++) Density.afterAllocate(memory, size);
        assertThat(looks).as("of a sparse size, blocks up to one that is looked at").isBetween(2, 16);
        for (int i = 0; i < 40; i++) {
            assertThat(Density.expected(size)).as("behind one touched by three quarters").isEqualTo(Density.DENSE);
        }
        Density.afterAllocate(memory, size);
        OsMemory.decommit(memory, 2 * MIB);
        assertThat(Density.expected(size)).as("as before, when it is not used any more").isEqualTo(Density.DENSE);
        Density.beforeRelease(memory, size);
        assertThat(Density.expected(size)).as("when one was freed untouched").isEqualTo(Density.SPARSE);
        OsMemory.unmap(memory, 2 * MIB);
        Memory.putLong(word, 0);
    }

    /** The system's own word for it: a reserved range is not accessible, and what is committed counts. */
    @Test
    void anArenaIsPromisedByStepsAndCounts() throws Exception {
        PurgeTest.inASubprocess(subprocess -> {
            long block = Allocate.malloc(MIB);
            long arena = Arenas.find(subprocess, block);
            assertThat(arena).as("its arena").isNotZero();
            long step = Config.alignDown(block - Arena.start(arena), 2 * MIB);
            assertThat(PurgeTest.flagsOf(block)).as("committed memory").contains("rd", "wr", "ac").doesNotContain("nr");
            long last = Arena.start(arena) + Arena.size(arena) - 1;
            assertThat(PurgeTest.flagsOf(last)).as("memory that nobody has").doesNotContain("rd", "wr", "ac", "nr");
            assertThat(PurgeTest.flagsOf(Arena.start(arena) + step)).as("its step").contains("wr");
            Free.free(block);
        });
    }

    /** Without overcommit what is purged is no longer promised; here as if the system had none. */
    @Test
    void aStrictArenaGivesThePromiseBack() throws Exception {
        PurgeTest.inASubprocess(subprocess -> {
            long arena = Arenas.reserveMemory(subprocess, 64 * MIB, Arena.EXCLUSIVE | Arena.STRICTLY);
            long heap = Heaps.create(arena);
            long block = Allocate.heapMalloc(heap, 4 * MIB);
            Memory.fill(block, 4 * MIB, 1);
            assertThat(PurgeTest.flagsOf(block)).as("in use").contains("wr", "ac");
            Free.free(block);
            Purge.run(subprocess);
            assertThat(PurgeTest.flagsOf(block)).as("purged").doesNotContain("wr", "ac");
            long again = Allocate.heapZalloc(heap, 4 * MIB);
            assertThat(again).as("the same memory").isEqualTo(block);
            for (long at = 0; at < 4 * MIB; at += 8) {
                if (Memory.getLong(again + at) != 0) throw new AssertionError("not zero at " + at);
            }
            Memory.fill(again, 4 * MIB, 1);
            Heaps.destroy(heap);
        });
    }

    /** A block that grows is never charged twice. */
    @Test
    void aBlockGrowsUpToTheLimitOfItsHeap() {
        long heap = Heaps.create();
        Limits.setLimit(heap, 100 * MIB);
        long size = 60 * MIB; // two of these would be too much
        long block = Allocate.heapMalloc(heap, size);
        while (size < 97 * MIB) {
            size += 2 * MIB;
            block = Reallocate.heapRealloc(heap, block, size);
            assertThat(block).as("a block of %d MiB", size / MIB).isNotZero();
            assertThat(Limits.used(heap)).as("bytes charged").isBetween(size, 100 * MIB);
        }
        assertThat(Reallocate.heapRealloc(heap, block, 101 * MIB)).as("beyond the limit").isZero();
        assertThat(Limits.used(heap)).as("bytes charged").isBetween(size, 100 * MIB);
        block = Reallocate.heapRealloc(heap, block, 10 * MIB);
        assertThat(Limits.used(heap)).as("bytes charged").isBetween(10 * MIB, 11 * MIB);
        Free.free(block);
        assertThat(Limits.used(heap)).as("bytes charged").isLessThan(MIB);
        Heaps.destroy(heap);
    }

    /** All ways that a block changes: each leaves what Invariants says. */
    @Test
    void theStructsHoldWhenBlocksChange() {
        long small = Allocate.malloc(200 * KIB), large = Allocate.malloc(6 * MIB);
        for (long size : List.of(300 * KIB, 900 * KIB, 3 * MIB, 7 * MIB, 9 * MIB, 30 * MIB, 61 * MIB, 12 * MIB,
                500 * KIB, 5 * MIB)) {
            small = Reallocate.realloc(small, size);
            large = Reallocate.realloc(large, 65 * MIB - size);
            assertThat(Page.start(PageMap.pageOf(small))).as("where its page says it is").isEqualTo(small);
            assertThat(Page.start(PageMap.pageOf(large))).as("where its page says it is").isEqualTo(large);
            Invariants.check();
        }
        Free.free(small);
        Free.free(large);
        Invariants.check();
    }

    /** How many mappings the process has. */
    private static int mappings() {
        try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
            return (int) lines.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Neither addresses nor mappings are left when a block has moved, or gone. */
    @Test
    void nothingIsLeftOfAGrowingBlock() {
        long statistics = Subprocess.statistics(Theap.currentSubprocess());
        Reallocate.realloc(0, 1);
        int before = 0;
        long reserved = 0;
        for (int round = 0; round < 40; round++) {
            if (round == 10) before = mappings();
            if (round == 10) reserved = Statistics.current(statistics, Statistics.RESERVED);
            long block = Allocate.malloc(3 * MIB);
            for (long size = 4 * MIB; size < 100 * MIB; size += size / 3) block = Reallocate.realloc(block, size);
            Free.free(block);
        }
        assertThat(mappings()).as("mappings").isLessThan(before + 20);
        assertThat(Statistics.current(statistics, Statistics.RESERVED)).as("reserved bytes").isEqualTo(reserved);
    }
}
