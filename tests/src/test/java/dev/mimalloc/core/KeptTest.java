package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.memory.Kept;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Mappings that the OS has refused to take back: here it is only said that it has. */
class KeptTest {
    private static final long MIB = 1 << 20;
    private static final long SIZE = 16 * MIB;
    private long subprocess;
    private long base;

    @BeforeEach
    void keep() {
        subprocess = Subprocesses.create();
        base = OsMemory.map(SIZE, MIB, Os.COMMIT);
        Kept.add(mapping(base, SIZE, Page.MEMORY_ZERO), subprocess);
    }

    @AfterEach
    void end() {
        Subprocesses.destroy(subprocess);
        Invariants.check();
    }

    private static long mapping(long start, long size, int flags) {
        long page = Meta.allocate(Page.OS_SIZE);
        Page.setOsBase(page, start);
        Page.setOsSize(page, size);
        Page.setFlags(page, flags);
        return page;
    }

    /** The only one in the list is all there is. */
    private void assertWhole(boolean zero) {
        long kept = Subprocess.keptRelaxed(subprocess);
        assertThat(Page.osBase(kept)).isEqualTo(base);
        assertThat(Page.osSize(kept)).isEqualTo(SIZE);
        assertThat(Page.osNext(kept)).as("another one").isZero();
        assertThat(Page.has(kept, Page.MEMORY_ZERO)).as("zero").isEqualTo(zero);
    }

    @Test
    void aPageTakesWhatItNeedsAndLeavesTheRest() {
        long page = Kept.take(subprocess, 5 * MIB, Config.SLICE);
        assertThat(Page.start(page)).isEqualTo(base);
        assertThat(Page.osSize(page)).isEqualTo(5 * MIB);
        assertThat(Page.has(page, Page.MEMORY_ZERO)).isTrue();
        assertThat(Page.slices(page)).as("slices of an arena").isZero();
        assertThat(Page.osSize(Subprocess.keptRelaxed(subprocess))).isEqualTo(SIZE - 5 * MIB);
        Memory.fill(base, 5 * MIB, 1);
        assertThat(Kept.take(subprocess, SIZE, Config.SLICE)).as("more than there is").isZero();
        assertThat(Kept.take(subprocess, MIB, 1L << 40)).as("an alignment that it has not").isZero();
        Kept.add(mapping(Page.osBase(page), Page.osSize(page), 0), subprocess);
        Meta.free(page, Page.OS_SIZE);
        assertWhole(false);
    }

    @Test
    void piecesBecomeOneAgainInWhateverOrder() {
        for (int[] order : new int[][] {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}}) {
            long[] pages = new long[3];
            for (int i = 0; i < 3; i++) pages[i] = Kept.take(subprocess, (i + 1) * MIB, Config.SLICE);
            for (int i : order) Kept.add(pages[i], subprocess);
            assertWhole(true);
        }
    }

    @Test
    void allOfItIsOnePage() {
        long page = Kept.take(subprocess, SIZE, Config.SLICE);
        assertThat(Page.osSize(page)).isEqualTo(SIZE);
        assertThat(Subprocess.keptRelaxed(subprocess)).isZero();
        assertThat(Kept.take(subprocess, MIB, Config.SLICE)).isZero();
        Kept.giveBack(page, subprocess, SIZE);
        assertThat(Subprocess.keptRelaxed(subprocess)).as("the OS takes it").isZero();
    }

    @Test
    void itGoesWhenTheOsTakesAnother() {
        long other = OsMemory.map(MIB, MIB, Os.COMMIT);
        Kept.giveBack(mapping(other, MIB, 0), subprocess, MIB);
        assertThat(Subprocess.keptRelaxed(subprocess)).isZero();
    }
}
