package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.arrow.MimallocAllocationManager;
import org.apache.arrow.memory.AllocationManager;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.netty.NettyAllocationManager;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** A buffer of Arrow: {@code buffer()} and {@code close()}. */
@Fork(value = 1, jvmArgsAppend = {Case.NATIVE, Case.UNSAFE, Case.NIO})
public class ArrowBuffers extends Case {
    @Param({"mimalloc", "netty"})
    public String manager;

    @Param({"1024", "65536"})
    public long size;

    private BufferAllocator from;

    @Setup
    public void open() {
        AllocationManager.Factory factory = switch (manager) {
            case "mimalloc" -> MimallocAllocationManager.FACTORY;
            case "netty" -> NettyAllocationManager.FACTORY;
            default -> throw new IllegalArgumentException(manager);
        };
        from = new RootAllocator(RootAllocator.configBuilder().allocationManagerFactory(factory).build());
    }

    @TearDown
    public void close() { from.close(); }

    @Benchmark
    public void buffer(Blackhole use) {
        try (ArrowBuf buffer = from.buffer(size)) {
            use.consume(buffer);
        }
    }
}
