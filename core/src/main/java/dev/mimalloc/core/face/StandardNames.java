package dev.mimalloc.core.face;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;

/** Allocation by the names of the C standard, POSIX and the BSDs. */
public final class StandardNames {
    private StandardNames() {}

    /** Stores the block at {@code p}; returns 0 or the error, and leaves errno alone. */
    @Export("int mi_posix_memalign(void** p, size_t alignment, size_t size)")
    public static int posixMemalign(long p, long alignment, long size) {
        if (p == 0 || !Config.isPowerOfTwo(alignment) || alignment % pointerSize() != 0) return Os.numberOf(Errors.EINVAL);
        long block = AllocateAligned.malloc(size, alignment);
        if (block == 0) return Os.numberOf(Errors.ENOMEM);
        putPointer(p, block);
        return 0;
    }

    @Export({"void* mi_memalign(size_t alignment, size_t size)", "void* mi_aligned_alloc(size_t alignment, size_t size)"})
    public static long memalign(long alignment, long size) { return AllocateAligned.malloc(size, alignment); }

    @Export("void* mi_valloc(size_t size)")
    public static long valloc(long size) { return AllocateAligned.malloc(size, Os.pageSize()); }

    @Export("void* mi_pvalloc(size_t size)")
    public static long pvalloc(long size) {
        long page = Os.pageSize();
        if (size < 0 || size > Config.MAX_SIZE - page) return Errors.tooLarge(size);
        return AllocateAligned.malloc(Config.alignUp(size, page), page);
    }

    @Export("void* mi_reallocarray(void* p, size_t count, size_t size)")
    public static long reallocarray(long p, long count, long size) { return Reallocate.reallocn(p, count, size); }

    /** As in NetBSD: changes the pointer that {@code p} points to; returns 0 or the error. */
    @Export("int mi_reallocarr(void* ptrp, size_t count, size_t size)")
    public static int reallocarr(long p, long count, long size) {
        if (p == 0) {
            Os.setErrno(Errors.EINVAL);
            return Os.numberOf(Errors.EINVAL);
        }
        long block = Reallocate.reallocn(getPointer(p), count, size);
        if (block == 0) return Os.numberOf(Errors.ENOMEM);
        putPointer(p, block);
        return 0;
    }

    @Export("char* mi_strdup(const char* s)")
    public static long strdup(long text) { return heapStrndup(0, text, Config.MAX_SIZE); }

    @Export("char* mi_strndup(const char* s, size_t n)")
    public static long strndup(long text, long limit) { return heapStrndup(0, text, limit); }

    @Export("unsigned char* mi_mbsdup(const unsigned char* s)")
    public static long mbsdup(long text) { return heapStrndup(0, text, Config.MAX_SIZE); }

    @Export("char* mi_heap_strdup(mi_heap_t* heap, const char* s)")
    public static long heapStrdup(long heap, long text) { return heapStrndup(heap, text, Config.MAX_SIZE); }

    @Export("char* mi_heap_strndup(mi_heap_t* heap, const char* s, size_t n)")
    public static long heapStrndup(long heap, long text, long limit) {
        if (text == 0) return 0;
        long length = 0;
        while (length != limit && getByte(text + length) != 0) length++;
        long block = heap == 0 ? Allocate.malloc(length + 1) : Allocate.heapMalloc(heap, length + 1);
        if (block == 0) return 0;
        copy(text, block, length);
        putByte(block + length, 0);
        return block;
    }

    @Export("void* mi_umalloc(size_t size, size_t* block_size)")
    public static long umalloc(long size, long blockSize) { return told(Allocate.malloc(size), blockSize); }

    @Export("void* mi_umalloc_small(size_t size, size_t* block_size)")
    public static long umallocSmall(long size, long blockSize) { return told(Allocate.malloc(size), blockSize); }

    @Export("void* mi_uzalloc_small(size_t size, size_t* block_size)")
    public static long uzallocSmall(long size, long blockSize) { return told(Allocate.zalloc(size), blockSize); }

    @Export("void* mi_ucalloc(size_t count, size_t size, size_t* block_size)")
    public static long ucalloc(long count, long size, long blockSize) {
        return told(Allocate.calloc(count, size), blockSize);
    }

    @Export("void* mi_umalloc_aligned(size_t size, size_t alignment, size_t* block_size)")
    public static long umallocAligned(long size, long alignment, long blockSize) {
        return told(AllocateAligned.malloc(size, alignment), blockSize);
    }

    @Export("void* mi_uzalloc_aligned(size_t size, size_t alignment, size_t* block_size)")
    public static long uzallocAligned(long size, long alignment, long blockSize) {
        return told(AllocateAligned.zalloc(size, alignment), blockSize);
    }

    @Export("void* mi_urealloc(void* p, size_t newsize, size_t* block_size_pre, size_t* block_size_post)")
    public static long urealloc(long p, long size, long before, long after) {
        told(p, before);
        return told(Reallocate.realloc(p, size), after);
    }

    @Export("void mi_ufree(void* p, size_t* block_size)")
    public static void ufree(long p, long blockSize) {
        told(p, blockSize);
        Free.free(p);
    }

    /** Stores a block's size where the caller wants to know it. */
    private static long told(long block, long blockSize) {
        if (blockSize != 0) putPointer(blockSize, block == 0 ? 0 : Free.usableSize(block));
        return block;
    }
}
