package dev.mimalloc.lwjgl;

import static org.lwjgl.system.MemoryUtil.NULL;

import dev.mimalloc.Mimalloc;
import org.lwjgl.system.MemoryUtil.MemoryAllocator;

/**
 * The functions that LWJGL allocates with, as C has them: {@code NULL} where there is no memory, which LWJGL turns into
 * an {@code OutOfMemoryError}. Sizes are in bytes and, as in C, unsigned.
 *
 * <p>A block of 16 bytes or more is aligned to 16, a smaller one to 8. Any thread may allocate, and any other free,
 * platform, virtual or one that native code has made. A block may be freed by either free, whichever way it was
 * allocated, and by Java or by native code.
 *
 * <p>An address that is not that of a block is refused by an {@code IllegalArgumentException}; nothing has changed
 * then. Native code that calls the function pointers cannot be thrown at: there it is a line on LWJGL's debug stream,
 * and the call does nothing and returns {@code NULL}.
 */
public final class MimallocAllocator implements MemoryAllocator {
    /** LWJGL makes one, when it is first asked for memory. They are all the same. */
    public MimallocAllocator() {}

    /** {@inheritDoc} A size of 0 gives a block with an address of its own. */
    @Override
    public long malloc(long size) {
        if (size < 0) return NULL;
        try {
            return Mimalloc.malloc(size);
        } catch (OutOfMemoryError e) {
            return NULL;
        }
    }

    /** {@inheritDoc} A product that is more than there can be gives {@code NULL}. */
    @Override
    public long calloc(long num, long size) {
        if ((num | size) < 0 || Math.multiplyHigh(num, size) != 0 || num * size < 0) return NULL;
        try {
            return Mimalloc.calloc(num, size);
        } catch (OutOfMemoryError e) {
            return NULL;
        }
    }

    /**
     * {@inheritDoc} {@code NULL} as the block makes this {@link #malloc}; a size of 0 frees the block and gives {@code
     * NULL}, as LWJGL's debug allocator has it. A block that could not be resized is as it was.
     *
     * @throws IllegalArgumentException if {@code ptr} is no block
     */
    @Override
    public long realloc(long ptr, long size) {
        if (size < 0) return NULL;
        if (size == 0 && ptr != NULL) {
            Mimalloc.free(ptr);
            return NULL;
        }
        try {
            return Mimalloc.realloc(ptr, size);
        } catch (OutOfMemoryError e) {
            return NULL;
        }
    }

    /**
     * {@inheritDoc} For {@code NULL} nothing happens.
     *
     * @throws IllegalArgumentException if {@code ptr} is no block
     */
    @Override
    public void free(long ptr) { Mimalloc.free(ptr); }

    /**
     * {@inheritDoc} The size need not be a multiple of the alignment.
     *
     * @throws IllegalArgumentException if the alignment is no power of two
     */
    @Override
    public long aligned_alloc(long alignment, long size) {
        if (size < 0) return NULL;
        try {
            return Mimalloc.mallocAligned(size, alignment);
        } catch (OutOfMemoryError e) {
            return NULL;
        }
    }

    /** {@inheritDoc} The same as {@link #free}. */
    @Override
    public void aligned_free(long ptr) { Mimalloc.free(ptr); }

    @Override
    public long getMalloc() { return NativeFunctions.MALLOC; }
    @Override
    public long getCalloc() { return NativeFunctions.CALLOC; }
    @Override
    public long getRealloc() { return NativeFunctions.REALLOC; }
    @Override
    public long getFree() { return NativeFunctions.FREE; }
    @Override
    public long getAlignedAlloc() { return NativeFunctions.ALIGNED_ALLOC; }
    @Override
    public long getAlignedFree() { return NativeFunctions.FREE; }
}
