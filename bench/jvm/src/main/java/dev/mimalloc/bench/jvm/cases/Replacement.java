package dev.mimalloc.bench.jvm.cases;

import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A steady state: of many live blocks a random one is freed, and another allocated in its place. */
public class Replacement extends Case {
    @Param({"mimalloc", "handle", "unsafe", "libc", "c"})
    public String allocator;

    /** How many blocks are live, for each thread. */
    @Param({"1000", "100000"})
    public int live;

    private Allocator from;
    private final Sizes sizes = new Sizes(16, 4096, 1);
    private final SplittableRandom random = new SplittableRandom(2);
    private long[] blocks;

    @Setup(Level.Iteration)
    public void fill() {
        from = Allocator.named(allocator);
        blocks = new long[live];
        for (int i = 0; i < live; i++) blocks[i] = from.malloc(sizes.next());
    }

    @Benchmark
    public void replace() {
        int i = random.nextInt(live);
        from.free(blocks[i]);
        blocks[i] = from.malloc(sizes.next());
    }

    @TearDown(Level.Iteration)
    public void empty() {
        for (long block : blocks) from.free(block);
    }
}
