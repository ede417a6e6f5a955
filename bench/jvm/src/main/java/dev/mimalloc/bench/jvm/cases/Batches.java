package dev.mimalloc.bench.jvm.cases;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** A hundred blocks are allocated, then freed: the last one first, or the first one. One operation is one pair. */
public class Batches extends Case {
    private static final int COUNT = 100;

    @Param({"mimalloc", "handle", "unsafe", "libc", "c"})
    public String allocator;

    @Param({"64", "1024"})
    public long size;

    private Allocator from;
    private final long[] blocks = new long[COUNT];

    @Setup(Level.Iteration)
    public void prepare() { from = Allocator.named(allocator); }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void lifo() {
        for (int i = 0; i < COUNT; i++) blocks[i] = from.malloc(size);
        for (int i = COUNT; --i >= 0;) from.free(blocks[i]);
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void fifo() {
        for (int i = 0; i < COUNT; i++) blocks[i] = from.malloc(size);
        for (int i = 0; i < COUNT; i++) from.free(blocks[i]);
    }
}
