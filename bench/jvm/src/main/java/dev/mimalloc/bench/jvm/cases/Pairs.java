package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** A block is allocated and freed at once: the shortest way through an allocator. */
public class Pairs extends Case {
    private static final int LOOP = 1000;

    @Param({"16", "64", "256", "1024", "4096", "65536"})
    public long size;

    @Benchmark
    public void mimalloc(Blackhole use) {
        long block = Mimalloc.malloc(size);
        use.consume(block);
        Mimalloc.free(block);
    }

    /** A handle of the current thread. */
    @State(Scope.Thread)
    public static class Handle {
        Heap.Local local;

        /** For each iteration: those of a virtual thread are threads of their own. */
        @Setup(Level.Iteration)
        public void make() { local = Heap.main().local(); }
    }

    @Benchmark
    public void handle(Handle handle, Blackhole use) {
        long block = handle.local.malloc(size);
        use.consume(block);
        Mimalloc.free(block);
    }

    @Benchmark
    public void heap(Blackhole use) {
        long block = Heap.main().malloc(size);
        use.consume(block);
        Mimalloc.free(block);
    }

    @Benchmark
    public void unsafe(Blackhole use) {
        long block = Unsafes.allocateMemory(size);
        use.consume(block);
        Unsafes.freeMemory(block);
    }

    @Benchmark
    @Fork(jvmArgsAppend = {NATIVE, UNSAFE, INTERNAL})
    public void internalUnsafe(Blackhole use) {
        long block = jdk.internal.misc.Unsafe.getUnsafe().allocateMemory(size);
        use.consume(block);
        jdk.internal.misc.Unsafe.getUnsafe().freeMemory(block);
    }

    @Benchmark
    public void libc(Blackhole use) {
        long block = LibC.malloc(size);
        use.consume(block);
        LibC.free(block);
    }

    @Benchmark
    public void cMimalloc(Blackhole use) {
        long block = CMimalloc.malloc(size);
        use.consume(block);
        CMimalloc.free(block);
    }

    /** The loop in C, compiled only where it is used. */
    @State(Scope.Benchmark)
    public static class Loop {
        final CLoop c = new CLoop();
    }

    @Benchmark
    @OperationsPerInvocation(LOOP)
    public void cLoop(Loop loop) { loop.c.run(size, LOOP); }
}
