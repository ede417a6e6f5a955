package dev.mimalloc.bench.jvm.cases;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** Memory with bounds, zeroed, as an object that escapes: segments, and direct buffers. */
public class Segments extends Case {
    @Param({"64", "1024"})
    public int size;

    private Heap heap;

    @Setup(Level.Iteration)
    public void open() { heap = Heap.create(); }

    @TearDown(Level.Iteration)
    public void close() { heap.close(); }

    @Benchmark
    public void segment(Blackhole use) {
        MemorySegment segment = Mimalloc.allocate(size, 8);
        use.consume(segment);
        Mimalloc.free(segment);
    }

    /** Does not leave the method, so that there should be no object. */
    @Benchmark
    public int segmentThatStays() {
        MemorySegment segment = Mimalloc.allocate(size, 8);
        int value = segment.get(JAVA_INT, 4);
        Mimalloc.free(segment);
        return value;
    }

    @Benchmark
    public void heapSegment(Blackhole use) {
        MemorySegment segment = heap.allocate(size, 8);
        use.consume(segment);
        Mimalloc.free(segment.address()); // as a segment it ends with the heap
    }

    @Benchmark
    public void buffer(Blackhole use) {
        ByteBuffer buffer = Mimalloc.allocateBuffer(size);
        use.consume(buffer);
        Mimalloc.free(buffer);
    }

    /** Freed at once, by what programs use that cannot wait for the garbage collector. */
    @Benchmark
    public void jdkBuffer(Blackhole use) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(size);
        use.consume(buffer);
        Unsafes.invokeCleaner(buffer);
    }

    /** Freed by the garbage collector some time. */
    @Benchmark
    public void jdkBufferCollected(Blackhole use) { use.consume(ByteBuffer.allocateDirect(size)); }
}
