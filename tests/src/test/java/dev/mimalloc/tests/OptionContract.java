package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Options;
import org.junit.jupiter.api.Test;

/** Options by their numbers; {@link EnvironmentTest} has those that come from outside. */
abstract class OptionContract extends Contract {
    OptionContract(Allocator allocator) { super(allocator); }

    @Test
    void whatIsSetIsWhatIsRead() {
        for (int option = 0; option < Options.COUNT; option++) {
            long before = allocator.option(option);
            for (long value : new long[] {0, 1, 12_345, -1}) {
                allocator.setOption(option, value);
                assertThat(allocator.option(option)).as("option %d", option).isEqualTo(value);
            }
            allocator.setOption(option, before);
            assertThat(allocator.option(option)).as("option %d", option).isEqualTo(before);
        }
    }

    /** Whatever a number is, nothing overflows, and nothing counts for ever. */
    @Test
    void memoryGoesOnWhateverTheNumbers() {
        for (int option = 0; option < Options.COUNT; option++) {
            if (Options.kind(option) == Options.SWITCH) continue;
            long before = allocator.option(option);
            for (long value : new long[] {0, -1, -2, 1L << 31, 1L << 62, Long.MAX_VALUE - 1, Long.MAX_VALUE, Long.MIN_VALUE,
                    Long.MIN_VALUE + 1}) {
                allocator.setOption(option, value);
                assertThat(allocator.option(option)).as("option %d", option).isEqualTo(value);
                try {
                    long heap = allocator.heapNew(); // its parts read the options when they begin
                    for (long size : new long[] {8, 3000, 300_000}) {
                        for (int i = 0; i < 20; i++) live.add(allocator.heapMalloc(heap, size), size, heap);
                    }
                    live.freeAll();
                    allocator.collect(true);
                    allocator.heapDestroy(heap);
                } finally {
                    allocator.setOption(option, before);
                }
            }
        }
        assertNoError();
    }

    @Test
    void optionsThatDoNotExistAreZero() {
        for (int option : new int[] {-1, Options.COUNT, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            allocator.setOption(option, 5);
            assertThat(allocator.option(option)).as("option %d", option).isZero();
        }
    }

    @Test
    void memoryGoesOnWhateverTheOptions() {
        long[][] values = {{Options.PURGE_DELAY, 0}, {Options.PURGE_DELAY, -1}, {Options.PURGE_DECOMMITS, 0},
                {Options.PAGE_FULL_RETAIN, -1}, {Options.PAGE_FULL_RETAIN, 10}, {Options.PAGE_MAX_CANDIDATES, 0},
                {Options.PAGE_RECLAIM_ON_FREE, -1}, {Options.PAGE_RECLAIM_ON_FREE, 1}, {Options.GENERIC_COLLECT, 1},
                {Options.ARENA_EAGER_COMMIT, 0}, {Options.DISALLOW_ARENA_ALLOC, 1}, {Options.PAGE_MAX_RECLAIM, 0},
                {Options.PAGE_CROSS_THREAD_MAX_RECLAIM, 0}, {Options.ALLOW_THP, 0}};
        for (long[] value : values) {
            long before = allocator.option((int) value[0]);
            allocator.setOption((int) value[0], value[1]);
            try {
                long heap = allocator.heapNew(); // its parts read the options when they begin
                for (int round = 0; round < 3; round++) {
                    for (long size : new long[] {8, 100, 3000, 20_000, 300_000, 3_000_000}) {
                        for (int i = 0; i < 20; i++) live.add(allocator.heapMalloc(heap, size), size, heap);
                    }
                    live.freeAll();
                    allocator.collect(round == 2);
                }
                allocator.heapDestroy(heap);
            } finally {
                allocator.setOption((int) value[0], before);
            }
        }
        assertNoError();
    }
}
