package dev.mimalloc.tests;

import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the statistics say when nothing is going on is what the model holds. */
abstract class StatisticsContract extends Contract {
    StatisticsContract(Allocator allocator) { super(allocator); }

    private long mallocCurrent() {
        return allocator.statistic("malloc_normal").current() + allocator.statistic("malloc_huge").current();
    }

    @Tag("usage")
    @Test
    void mallocCurrentIsTheSumOfTheBlocks() throws Exception {
        long before = mallocCurrent();
        long heap = allocator.heapNew();
        var random = new Random(10);
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 500; i++) {
                long size = (long) Math.exp(random.nextDouble() * Math.log(2 * MIB));
                if (i % 2 == 0) live.add(allocator.malloc(size), size);
                else live.add(allocator.heapMalloc(heap, size), size, heap);
            }
            assertThat(mallocCurrent() - before).as("after allocation %d", round).isEqualTo(live.blockBytes());
            for (LiveBlocks.Block block : live.all()) {
                if (random.nextInt(3) > 0) live.free(block.address());
            }
            assertThat(mallocCurrent() - before).as("after free %d", round).isEqualTo(live.blockBytes());
        }
        Threads.run(() -> live.freeAll());
        assertThat(mallocCurrent() - before).as("after frees by another thread").isZero();
        allocator.heapDestroy(heap);
    }

    @Tag("usage")
    @Test
    void blocksOfOtherThreadsCount() throws Exception {
        long before = mallocCurrent();
        Threads.run(4, number -> {
            for (int i = 0; i < 1000; i++) live.add(allocator.malloc(10 + i * 13), 10 + i * 13);
        });
        assertThat(mallocCurrent() - before).isEqualTo(live.blockBytes());
        live.freeAll();
        assertThat(mallocCurrent() - before).isZero();
    }

    @Test
    void normalAndHugeAreWhatTheyAreCalled() {
        long normal = allocator.statistic("malloc_normal").current();
        long huge = allocator.statistic("malloc_huge").current();
        live.add(allocator.malloc(1000), 1000);
        live.add(allocator.malloc(3 * MIB), 3 * MIB);
        assertThat(allocator.statistic("malloc_normal").current() - normal).isEqualTo(Padding.block(allocator, 1000));
        assertThat(allocator.statistic("malloc_huge").current() - huge).isEqualTo(Padding.block(allocator, 3 * MIB));
    }

    @Test
    void aDestroyedHeapIsGone() {
        allocator.collect(true);
        long malloc = mallocCurrent();
        long pages = allocator.statistic("pages").current();
        long heaps = allocator.statistic("heaps").current();
        long heap = allocator.heapNew();
        assertThat(allocator.statistic("heaps").current()).isEqualTo(heaps + 1);
        for (int i = 0; i < 1000; i++) allocator.heapMalloc(heap, i * 10L);
        assertThat(allocator.statistic("pages").current()).isGreaterThan(pages);
        assertThat(mallocCurrent()).isGreaterThan(malloc);
        allocator.heapDestroy(heap);
        assertThat(allocator.statistic("pages").current()).isEqualTo(pages);
        assertThat(allocator.statistic("heaps").current()).isEqualTo(heaps);
        assertThat(mallocCurrent()).isEqualTo(malloc);
    }

    @Test
    void committedAndReservedCoverWhatIsLive() {
        for (int i = 0; i < 100; i++) live.add(allocator.malloc(100 * KIB), 100 * KIB);
        live.add(allocator.malloc(200 * MIB), 200 * MIB);
        assertThat(allocator.statistic("committed").current()).isGreaterThanOrEqualTo(live.usableBytes());
        assertThat(allocator.statistic("reserved").current()).isGreaterThanOrEqualTo(live.usableBytes());
    }

    @Test
    void aThreadAndItsPagesComeAndGo() throws Exception {
        long threads = allocator.statistic("threads").current();
        long total = allocator.statistic("threads").total();
        Threads.run(() -> allocator.free(allocator.malloc(100)));
        assertThat(allocator.statistic("threads").total()).isGreaterThan(total);
        Eventually.that(() -> allocator.statistic("threads").current() <= threads,
                () -> "a thread that ended is counted");
    }

    @Test
    void peaksAndTotalsAreNeverBelowCurrent() {
        for (int i = 0; i < 1000; i++) live.add(allocator.malloc(i * 50L), i * 50L);
        for (String name : new String[] {"pages", "reserved", "committed", "threads", "heaps", "theaps"}) {
            Allocator.Figure figure = allocator.statistic(name);
            assertThat(figure.current()).as(name).isPositive();
            assertThat(figure.peak()).as(name + " peak").isGreaterThanOrEqualTo(figure.current());
            assertThat(figure.total()).as(name + " total").isGreaterThanOrEqualTo(figure.current());
        }
    }
}
