package dev.mimalloc.bench.jvm.cases;

import java.util.SplittableRandom;

/**
 * Sizes as programs ask for them: a Pareto distribution, so that half of the blocks are below twice the smallest and a
 * few are large. Drawn beforehand, and the same in each run.
 */
public final class Sizes {
    private static final int COUNT = 1 << 12;

    private final int[] sizes = new int[COUNT];
    private int next;

    public Sizes(int smallest, int largest, long seed) {
        var random = new SplittableRandom(seed);
        for (int i = 0; i < COUNT; i++) sizes[i] = (int) Math.min(largest, smallest / (1 - random.nextDouble()));
    }

    public long next() { return sizes[next++ & COUNT - 1]; }
}
