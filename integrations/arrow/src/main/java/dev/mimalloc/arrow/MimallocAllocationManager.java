package dev.mimalloc.arrow;

import dev.mimalloc.Mimalloc;
import org.apache.arrow.memory.AllocationManager;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.memory.ReferenceManager;

/**
 * One block of memory under Arrow's buffers. Arrow counts the references to it, and says when it may go; what is asked
 * of a buffer that has gone, Arrow refuses.
 *
 * <p>A block of 64 bytes or more is aligned to 64, as the Arrow format recommends; a smaller one to 16 or 8. Its
 * contents are arbitrary at first. Any thread may allocate, and any other release, platform or virtual.
 */
public final class MimallocAllocationManager extends AllocationManager {
    /**
     * Gives Arrow its blocks; any thread may use it. {@link Factory#create} throws Arrow's {@link
     * OutOfMemoryException} if the system has no memory, and an {@code IllegalArgumentException} if the size is
     * negative; nothing has changed then. {@link Factory#empty} is a buffer of no bytes, which needs no release.
     */
    // No buffer is made here: that would initialise Arrow's allocators, whose default may be this very constant.
    public static final Factory FACTORY = new MimallocFactory();

    private static final long ALIGNMENT = 64;

    private final long address;
    private final long size;

    private MimallocAllocationManager(BufferAllocator allocator, long address, long size) {
        super(allocator);
        this.address = address;
        this.size = size;
    }

    /** The bytes that were asked for. */
    @Override
    public long getSize() { return size; }

    @Override
    protected long memoryAddress() { return address; }

    @Override
    protected void release0() { Mimalloc.free(address); }

    private static final class MimallocFactory implements Factory {
        // For all empty buffers and never freed. Native code that gets one may want an address, and not 0.
        private static final long NO_BYTES = Mimalloc.malloc(0);

        @Override
        public AllocationManager create(BufferAllocator allocator, long size) {
            // The block comes first, as a manager is known to its allocator once it exists, with a block or without.
            long address = allocate(size);
            try {
                return new MimallocAllocationManager(allocator, address, size);
            } catch (Throwable t) {
                Mimalloc.free(address); // the allocator has been closed, or there was no memory for Java's objects
                throw t;
            }
        }

        private static long allocate(long size) {
            try {
                return size < ALIGNMENT ? Mimalloc.malloc(size) : Mimalloc.mallocAligned(size, ALIGNMENT);
            } catch (OutOfMemoryError e) {
                throw new OutOfMemoryException("no memory for a buffer of " + size + " bytes", e);
            }
        }

        /** Arrow asks once for each root allocator. */
        @Override
        public ArrowBuf empty() { return new ArrowBuf(ReferenceManager.NO_OP, null, 0, NO_BYTES); }
    }
}
