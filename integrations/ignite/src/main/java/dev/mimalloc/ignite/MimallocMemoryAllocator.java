package dev.mimalloc.ignite;

import dev.mimalloc.Mimalloc;
import java.io.Serial;
import java.io.Serializable;
import org.apache.ignite.mem.MemoryAllocator;

/**
 * Allocates the memory of an Ignite data region, see {@code DataRegionConfiguration.setMemoryAllocator}: its segments,
 * and with persistence its checkpoint buffer. Sizes are in bytes.
 *
 * <p>Ignite asks for a segment as a whole and fills it as data comes. Memory is resident only once Ignite has written to
 * it, and a region's memory goes back to the system soon after the node has stopped. It counts in
 * {@link Mimalloc#statistics} and against {@link Mimalloc#limit}.
 *
 * <p>Any thread may allocate and free. An object has no state, and all are equal in effect: a node sends its
 * configuration to the others, so that this class is serializable, and each node of the cluster needs it on its class
 * path.
 */
public final class MimallocMemoryAllocator implements MemoryAllocator, Serializable {
    @Serial
    private static final long serialVersionUID = 1;

    /** The alignment of a segment, 4 KiB: Ignite's own default page size, so that its pages lie on those of the system. */
    private static final long ALIGNMENT = 4096;

    /** An allocator for any number of regions. */
    public MimallocMemoryAllocator() {}

    /**
     * Allocates memory. It is aligned to 4 KiB and not zeroed, as {@code Unsafe.allocateMemory} has it; a size of 0 gives
     * 0. Stands for {@code mi_malloc_aligned}.
     *
     * @param size in bytes
     * @return the address
     * @throws IllegalArgumentException if the size is negative
     * @throws OutOfMemoryError if the system has not so much, or a limit does not allow it
     */
    @Override
    public long allocateMemory(long size) {
        return size == 0 ? 0 : Mimalloc.mallocAligned(size, ALIGNMENT);
    }

    /**
     * Frees memory of {@link #allocateMemory}; for 0 nothing happens. Stands for {@code mi_free}.
     *
     * @param address where it begins
     * @throws IllegalArgumentException if there is no block at {@code address}; nothing has changed then
     */
    @Override
    public void freeMemory(long address) { Mimalloc.free(address); }
}
