package dev.mimalloc.core.face;

import static dev.mimalloc.machine.Memory.likely;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * Allocation as C++'s {@code new} has it: when there is no memory the new-handler is called as long as there is one,
 * and then {@code std::bad_alloc} is thrown, or 0 returned by the forms that throw nothing.
 */
public final class CppNames {
    private CppNames() {}

    @Export("void* mi_new(size_t size)")
    public static long allocate(long size) {
        long block = Allocate.malloc(size);
        return likely(block != 0) ? block : retry(0, size, 1, true);
    }

    @Export("void* mi_new_nothrow(size_t size)")
    public static long nothrow(long size) {
        long block = Allocate.malloc(size);
        return likely(block != 0) ? block : retry(0, size, 1, false);
    }

    @Export("void* mi_new_aligned(size_t size, size_t alignment)")
    public static long aligned(long size, long alignment) {
        long block = AllocateAligned.malloc(size, alignment);
        return likely(block != 0) ? block : retry(0, size, alignment, true);
    }

    @Export("void* mi_new_aligned_nothrow(size_t size, size_t alignment)")
    public static long alignedNothrow(long size, long alignment) {
        long block = AllocateAligned.malloc(size, alignment);
        return likely(block != 0) ? block : retry(0, size, alignment, false);
    }

    @Export("void* mi_new_n(size_t count, size_t size)")
    public static long allocateN(long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? fail(true) : allocate(total);
    }

    @Export("void* mi_heap_alloc_new(mi_heap_t* heap, size_t size)")
    public static long heapAllocate(long heap, long size) {
        long block = Allocate.heapMalloc(heap, size);
        return likely(block != 0) ? block : retry(heap, size, 1, true);
    }

    @Export("void* mi_heap_alloc_new_n(mi_heap_t* heap, size_t count, size_t size)")
    public static long heapAllocateN(long heap, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? fail(true) : heapAllocate(heap, total);
    }

    @Export("void* mi_theap_alloc_new(mi_theap_t* theap, size_t size)")
    public static long theapAllocate(long theap, long size) { return heapAllocate(Theap.heap(theap), size); }

    @Export("void* mi_theap_alloc_new_n(mi_theap_t* theap, size_t count, size_t size)")
    public static long theapAllocateN(long theap, long n, long size) { return heapAllocateN(Theap.heap(theap), n, size); }

    @Export("void* mi_theap_alloc_new_nothrow(mi_theap_t* theap, size_t size)")
    public static long theapNothrow(long theap, long size) {
        long block = Allocate.theapMalloc(theap, size);
        return likely(block != 0) ? block : retry(Theap.heap(theap), size, 1, false);
    }

    @Export("void* mi_new_realloc(void* p, size_t newsize)")
    public static long reallocate(long p, long size) {
        long block = Reallocate.realloc(p, size);
        while (block == 0 && Callback.newHandler()) block = Reallocate.realloc(p, size);
        return block != 0 ? block : fail(true);
    }

    @Export("void* mi_new_reallocn(void* p, size_t newcount, size_t size)")
    public static long reallocateN(long p, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? fail(true) : reallocate(p, total);
    }

    private static long retry(long heap, long size, long alignment, boolean mayThrow) {
        long block = 0;
        // No handler can mend a bad alignment.
        while (block == 0 && Config.isPowerOfTwo(alignment)
                && (mayThrow ? Callback.newHandler() : Callback.newHandlerCaught())) {
            block = heap == 0 ? AllocateAligned.malloc(size, alignment)
                    : AllocateAligned.heapMalloc(heap, size, alignment);
        }
        return block != 0 ? block : fail(mayThrow);
    }

    /** Throws {@code std::bad_alloc}. In a program without C++ there is nobody to throw it to. */
    private static long fail(boolean mayThrow) {
        if (!mayThrow) return 0;
        Callback.badAlloc();
        Errors.raise(Errors.ENOMEM, Text.literal("out of memory in new, and no C++ runtime to say so"), 0);
        Os.abort();
        return 0;
    }
}
