package dev.mimalloc.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** What several tests ask. */
final class Ours {
    /** What Arrow says of a leak. */
    static final String LEAK = Boolean.getBoolean("arrow.memory.debug.allocator")
            ? "closed with outstanding buffers allocated"
            : "Memory was leaked by query";

    private Ours() {}

    /** An allocator that was told where its memory comes from. */
    static RootAllocator root(long limit) {
        return new RootAllocator(RootAllocator.configBuilder()
                .allocationManagerFactory(MimallocAllocationManager.FACTORY).maxAllocation(limit).build());
    }

    static RootAllocator root() { return root(Long.MAX_VALUE); }

    static void assertOurs(ArrowBuf buffer) {
        assertThat(Mimalloc.contains(buffer.memoryAddress())).as("%s is of this allocator", buffer).isTrue();
    }

    /** All buffers, of the children as well; and there are some. */
    static void assertOurs(FieldVector vector) {
        ArrowBuf[] buffers = vector.getBuffers(false);
        assertThat(buffers).as(vector.getField().toString()).isNotEmpty();
        for (ArrowBuf buffer : buffers) assertOurs(buffer);
    }

    static void assertOurs(VectorSchemaRoot table) {
        if (table.getRowCount() == 0) return; // no buffers
        for (FieldVector vector : table.getFieldVectors()) assertOurs(vector);
    }

    /** Bytes in use in the heap that everything here comes from. */
    static long used() {
        Mimalloc.collect(true);
        long[] used = {0};
        Heap.main().visit(false, (area, block, size) -> {
            used[0] += area.used() * area.blockSize();
            return true;
        });
        return used[0];
    }

    /** Nothing is left of what an allocator has given. */
    static void assertEmpty(BufferAllocator allocator) {
        assertThat(allocator.getAllocatedMemory()).as(allocator.getName()).isZero();
    }
}
