package dev.mimalloc.core.malloc;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.model.Harden;
import dev.mimalloc.core.model.Padding;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.thread.Theaps;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Track;

/**
 * Blocks aligned to any power of two, at their start or at an offset. Up to a slice, rounding the size is all it takes
 * to align the start. At an offset a larger block is taken, and its user gets an address inside it; beyond a slice a
 * block gets a page of its own that starts where it should.
 */
public final class AllocateAligned {
    private AllocateAligned() {}

    @Export("void* mi_malloc_aligned(size_t size, size_t alignment)")
    public static long malloc(long size, long alignment) { return mallocAt(size, alignment, 0); }

    /** A block with {@code (address + offset) % alignment == 0}. */
    @Export("void* mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset)")
    public static long mallocAt(long size, long alignment, long offset) {
        return in(0, size, alignment, offset, false);
    }

    @Export("void* mi_zalloc_aligned(size_t size, size_t alignment)")
    public static long zalloc(long size, long alignment) { return zallocAt(size, alignment, 0); }

    @Export("void* mi_zalloc_aligned_at(size_t size, size_t alignment, size_t offset)")
    public static long zallocAt(long size, long alignment, long offset) {
        return in(0, size, alignment, offset, true);
    }

    @Export("void* mi_calloc_aligned(size_t count, size_t size, size_t alignment)")
    public static long calloc(long count, long size, long alignment) { return callocAt(count, size, alignment, 0); }

    @Export("void* mi_calloc_aligned_at(size_t count, size_t size, size_t alignment, size_t offset)")
    public static long callocAt(long count, long size, long alignment, long offset) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : zallocAt(total, alignment, offset);
    }

    @Export("void* mi_theap_malloc_aligned(mi_theap_t* theap, size_t size, size_t alignment)")
    public static long theapMalloc(long theap, long size, long alignment) {
        return Config.isPowerOfTwo(alignment) ? allocate(theap, size, alignment, 0, false)
                : Errors.badAlignment(alignment);
    }

    @Export("void* mi_heap_malloc_aligned(mi_heap_t* heap, size_t size, size_t alignment)")
    public static long heapMalloc(long heap, long size, long alignment) {
        return heapMallocAt(heap, size, alignment, 0);
    }

    @Export("void* mi_theap_zalloc_aligned(mi_theap_t* theap, size_t size, size_t alignment)")
    public static long theapZalloc(long theap, long size, long alignment) {
        return Config.isPowerOfTwo(alignment) ? allocate(theap, size, alignment, 0, true) : Errors.badAlignment(alignment);
    }

    @Export("void* mi_heap_malloc_aligned_at(mi_heap_t* heap, size_t size, size_t alignment, size_t offset)")
    public static long heapMallocAt(long heap, long size, long alignment, long offset) {
        return in(heap, size, alignment, offset, false);
    }

    @Export("void* mi_heap_zalloc_aligned(mi_heap_t* heap, size_t size, size_t alignment)")
    public static long heapZalloc(long heap, long size, long alignment) {
        return heapZallocAt(heap, size, alignment, 0);
    }

    @Export("void* mi_heap_zalloc_aligned_at(mi_heap_t* heap, size_t size, size_t alignment, size_t offset)")
    public static long heapZallocAt(long heap, long size, long alignment, long offset) {
        return in(heap, size, alignment, offset, true);
    }

    @Export("void* mi_heap_calloc_aligned(mi_heap_t* heap, size_t count, size_t size, size_t alignment)")
    public static long heapCalloc(long heap, long count, long size, long alignment) {
        return heapCallocAt(heap, count, size, alignment, 0);
    }

    @Export("void* mi_heap_calloc_aligned_at(mi_heap_t* heap, size_t count, size_t size, size_t alignment, size_t offset)")
    public static long heapCallocAt(long heap, long count, long size, long alignment, long offset) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : heapZallocAt(heap, total, alignment, offset);
    }

    /** Allocates in a heap; heap 0 stands for the thread's default one. */
    private static long in(long heap, long size, long alignment, long offset, boolean zero) {
        if (!Config.isPowerOfTwo(alignment)) return Errors.badAlignment(alignment);
        long theap = Theaps.enter(heap);
        if (theap == 0) return Errors.outOfMemory(size);
        long block = allocate(theap, size, alignment, offset, zero);
        Theaps.leave(theap);
        return block;
    }

    /**
     * Allocates a block with an alignment that is a power of two. A size that is a multiple of such an alignment, up to
     * a slice, has a size class whose block size is a multiple, too; so all blocks of a page are aligned, as the page
     * starts at a slice. The listener for samples sees the rounded size.
     */
    static long allocate(long theap, long size, long alignment, long offset, boolean zero) {
        boolean atStart = (offset & alignment - 1) == 0;
        if (likely(atStart && alignment <= Config.SLICE && Bits.below(size - 1, Config.LARGE_OBJECT_MAX))) {
            if (Secret.isOn()) {
                return Allocate.generic(theap, Config.alignUp(Harden.padded(size), alignment), size, zero);
            }
            long rounded = Config.alignUp(size, alignment);
            return zero ? Allocate.theapZalloc(theap, rounded) : Allocate.theapMalloc(theap, rounded);
        }
        return allocateSlow(theap, size, alignment, offset, zero);
    }

    private static long allocateSlow(long theap, long size, long alignment, long offset, boolean zero) {
        if (size < 0) return Errors.tooLarge(size);
        if (size == 0) return empty(theap, alignment, offset, zero);
        if ((offset & alignment - 1) != 0) return inside(theap, size, alignment, offset, zero);
        return single(theap, size, alignment, zero);
    }

    /** A block of no bytes: one of a byte that its user does not have, where size 0 has none for the alignment. */
    private static long empty(long theap, long alignment, long offset, boolean zero) {
        if (Secret.guardsPages() && alignment <= 16 && (offset & alignment - 1) == 0) return Allocate.generic(theap, 0, 0, zero);
        long p = allocate(theap, 1, alignment, offset, zero);
        long page = PageMap.pageOf(p);
        if (page != 0 && Padding.isPadded(page)) Harden.resize(page, Free.blockOf(page, p), p, -1);
        if (Track.isOn() && page != 0) track(page, p, p, 0, false);
        return p;
    }

    /** Tells a tool that a block which it was told of, at {@code before}, is its user's in another way. */
    private static void track(long page, long before, long p, long size, boolean zero) {
        Track.freed(before, Free.blockOf(page, p), Page.blockSize(page));
        Track.allocated(p, size, zero, Free.blockOf(page, p), Page.blockSize(page));
    }

    private static long single(long theap, long size, long alignment, boolean zero) {
        theap = Allocate.heartbeat(theap);
        long total = Harden.padded(size);
        if (total < 0) return Errors.tooLarge(size);
        long sample = Allocate.sampleIfNext(theap, total, size, alignment, zero);
        if (sample != 0) return sample;
        long page = Allocate.page(theap, total, alignment, 0);
        return page == 0 ? Errors.outOfMemory(size) : Allocate.takeFirst(page, size, zero);
    }

    private static long inside(long theap, long size, long alignment, long offset, boolean zero) {
        long total = Harden.padded(size + alignment - 1);
        if (total < 0) return Errors.tooLarge(size);
        theap = Allocate.heartbeat(theap);
        // The smallest block has no room for an address inside it, and its link.
        long page = Allocate.page(theap, Config.max(total, 16), Config.SLICE, Pages.INTERIOR);
        if (page == 0) return Errors.outOfMemory(size);
        long block = Page.free(page);
        long address = Config.alignUp(block + offset, alignment) - offset;
        if (address != block) Page.setHasInterior(page);
        long given = Allocate.takeFirst(page, address - block + size, zero);
        if (Track.isOn() && given == block) track(page, block, address, size, zero);
        if (given == block) return address;
        Free.free(given); // another block instead of one that was overwritten: the address need not lie in it
        return 0;
    }
}
