package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.netty.MimallocByteBufAllocator;
import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.infra.Blackhole;

/** A direct buffer of Netty, on a thread of Netty: {@code directBuffer()} and {@code release()}. */
@Fork(value = 1, jvmArgsAppend = {Case.NATIVE, Case.UNSAFE, "-Djmh.executor=CUSTOM",
        "-Djmh.executor.class=dev.mimalloc.bench.jvm.cases.EventLoops"})
public class NettyBuffers extends Case {
    @Param({"mimalloc", "adaptive", "pooled"})
    public String allocator;

    @Param({"256", "4096"})
    public int size;

    private ByteBufAllocator from;

    @Setup
    public void prepare() {
        from = switch (allocator) {
            case "mimalloc" -> MimallocByteBufAllocator.DEFAULT;
            case "adaptive" -> new AdaptiveByteBufAllocator(true);
            case "pooled" -> PooledByteBufAllocator.DEFAULT;
            default -> throw new IllegalArgumentException(allocator);
        };
    }

    @Benchmark
    public void direct(Blackhole use) {
        ByteBuf buffer = from.directBuffer(size);
        use.consume(buffer);
        buffer.release();
    }
}
