package dev.mimalloc.core.malloc;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.model.Harden;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Padding;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Resize;
import dev.mimalloc.core.page.Sampling;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Theaps;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Track;

/**
 * Changes a block's size. A block stays where it is when the new size fits and uses at least half of it. A large one
 * gets longer or shorter without a copy where {@link Resize} can do that. In all other cases there is a new block, a
 * copy and a free; when there is no memory for the new block, the old one stays as it is.
 *
 * <p>Any thread may call for a block that only it uses meanwhile.
 */
public final class Reallocate {
    /** The room of a block that grows, beside half of its size: so that one of a few slices has some, too. */
    private static final long ROOM = 4096;

    private Reallocate() {}

    /**
     * A block of {@code size} bytes with the old one's contents. When there is no memory the old block stays, and 0
     * is returned.
     */
    @Export("void* mi_realloc(void* p, size_t newsize)")
    public static long realloc(long p, long size) { return in(0, p, size, false); }

    /** As {@link #realloc}; what is new is zero, provided that the block was zeroed when it was allocated. */
    @Export("void* mi_rezalloc(void* p, size_t newsize)")
    public static long rezalloc(long p, long size) { return in(0, p, size, true); }

    @Export("void* mi_reallocn(void* p, size_t count, size_t size)")
    public static long reallocn(long p, long count, long size) { return heapReallocn(0, p, count, size); }

    @Export("void* mi_recalloc(void* p, size_t newcount, size_t size)")
    public static long recalloc(long p, long count, long size) { return heapRecalloc(0, p, count, size); }

    /** As {@link #realloc}, but when there is no memory the old block is freed. */
    @Export("void* mi_reallocf(void* p, size_t newsize)")
    public static long reallocf(long p, long size) { return heapReallocf(0, p, size); }

    @Export("void* mi_heap_realloc(mi_heap_t* heap, void* p, size_t newsize)")
    public static long heapRealloc(long heap, long p, long size) { return in(heap, p, size, false); }

    @Export("void* mi_heap_rezalloc(mi_heap_t* heap, void* p, size_t newsize)")
    public static long heapRezalloc(long heap, long p, long size) { return in(heap, p, size, true); }

    @Export("void* mi_heap_reallocn(mi_heap_t* heap, void* p, size_t count, size_t size)")
    public static long heapReallocn(long heap, long p, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : in(heap, p, total, false);
    }

    @Export("void* mi_heap_recalloc(mi_heap_t* heap, void* p, size_t newcount, size_t size)")
    public static long heapRecalloc(long heap, long p, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : in(heap, p, total, true);
    }

    @Export("void* mi_heap_reallocf(mi_heap_t* heap, void* p, size_t newsize)")
    public static long heapReallocf(long heap, long p, long size) {
        long block = in(heap, p, size, false);
        if (block == 0) Free.free(p);
        return block;
    }

    @Export("void* mi_theap_realloc(mi_theap_t* theap, void* p, size_t newsize)")
    public static long theapRealloc(long theap, long p, long size) { return in(Theap.heap(theap), p, size, false); }

    @Export("void* mi_theap_rezalloc(mi_theap_t* theap, void* p, size_t newsize)")
    public static long theapRezalloc(long theap, long p, long size) { return in(Theap.heap(theap), p, size, true); }

    /** The block itself if it has room for {@code size} bytes as it is, and otherwise 0. */
    @Export({"void* mi_expand(void* p, size_t newsize)", "void* mi__expand(void* p, size_t newsize)"})
    public static long expand(long p, long size) {
        return p != 0 && !Bits.below(Free.usableSize(p), size) ? p : 0;
    }

    @Export("void* mi_realloc_aligned(void* p, size_t newsize, size_t alignment)")
    public static long aligned(long p, long size, long alignment) { return inAt(0, p, size, alignment, 0, false); }

    @Export("void* mi_realloc_aligned_at(void* p, size_t newsize, size_t alignment, size_t offset)")
    public static long alignedAt(long p, long size, long alignment, long offset) {
        return inAt(0, p, size, alignment, offset, false);
    }

    @Export("void* mi_rezalloc_aligned(void* p, size_t newsize, size_t alignment)")
    public static long zeroAligned(long p, long size, long alignment) { return inAt(0, p, size, alignment, 0, true); }

    @Export("void* mi_rezalloc_aligned_at(void* p, size_t newsize, size_t alignment, size_t offset)")
    public static long zeroAlignedAt(long p, long size, long alignment, long offset) {
        return inAt(0, p, size, alignment, offset, true);
    }

    @Export({"void* mi_recalloc_aligned(void* p, size_t newcount, size_t size, size_t alignment)",
            "void* mi_aligned_recalloc(void* p, size_t newcount, size_t size, size_t alignment)"})
    public static long recallocAligned(long p, long count, long size, long alignment) {
        return heapRecallocAlignedAt(0, p, count, size, alignment, 0);
    }

    @Export({"void* mi_recalloc_aligned_at(void* p, size_t newcount, size_t size, size_t alignment, size_t offset)",
            "void* mi_aligned_offset_recalloc(void* p, size_t newcount, size_t size, size_t alignment, size_t offset)"})
    public static long recallocAlignedAt(long p, long count, long size, long alignment, long offset) {
        return heapRecallocAlignedAt(0, p, count, size, alignment, offset);
    }

    @Export("void* mi_heap_realloc_aligned(mi_heap_t* heap, void* p, size_t newsize, size_t alignment)")
    public static long heapAligned(long heap, long p, long size, long alignment) {
        return inAt(heap, p, size, alignment, 0, false);
    }

    @Export("void* mi_heap_realloc_aligned_at(mi_heap_t* heap, void* p, size_t newsize, size_t alignment, size_t offset)")
    public static long heapAlignedAt(long heap, long p, long size, long alignment, long offset) {
        return inAt(heap, p, size, alignment, offset, false);
    }

    @Export("void* mi_heap_rezalloc_aligned(mi_heap_t* heap, void* p, size_t newsize, size_t alignment)")
    public static long heapZeroAligned(long heap, long p, long size, long alignment) {
        return inAt(heap, p, size, alignment, 0, true);
    }

    @Export("void* mi_heap_rezalloc_aligned_at(mi_heap_t* heap, void* p, size_t newsize, size_t alignment, size_t offset)")
    public static long heapZeroAlignedAt(long heap, long p, long size, long alignment, long offset) {
        return inAt(heap, p, size, alignment, offset, true);
    }

    @Export("void* mi_heap_recalloc_aligned(mi_heap_t* heap, void* p, size_t newcount, size_t size, size_t alignment)")
    public static long heapRecallocAligned(long heap, long p, long count, long size, long alignment) {
        return heapRecallocAlignedAt(heap, p, count, size, alignment, 0);
    }

    @Export("void* mi_heap_recalloc_aligned_at(mi_heap_t* heap, void* p, size_t newcount, size_t size, size_t alignment, size_t offset)")
    public static long heapRecallocAlignedAt(long heap, long p, long count, long size, long alignment, long offset) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : inAt(heap, p, total, alignment, offset, true);
    }

    /** For heap 0 the new block comes from the thread's default heap. */
    private static long in(long heap, long p, long size, boolean zero) {
        if (size < 0) return Errors.tooLarge(size);
        long page = Free.pageOf(p);
        if (page == 0 && p != 0) return 0;
        long usable = p == 0 ? 0 : Free.room(page, p);
        long had = p == 0 ? 0 : Free.checkedSize(page, p);
        if (had < 0) return 0;
        // A block stays where it is when at most half of it is wasted. For size 0 it does not: the result is a new
        // block.
        boolean fits = p != 0 && size >= usable / 2 && fits(page, usable, size);
        if (fits && !Resize.pays(usable, size)) return inPlace(page, p, had, size, zero);
        ThreadSlot.probeStackAround();
        long block = usable >= Config.LARGE_OBJECT_MAX ? resize(heap, page, p, usable, size, zero) : 0;
        if (block != 0 || fits) return inPlace(page, block != 0 ? block : p, had, size, zero);
        boolean grows = size > usable && usable >= Config.LARGE_OBJECT_MAX;
        if (grows && (!zero || size >= Resize.MAPPED_MIN)) block = allocateRoomy(heap, size, page);
        if (block == 0) block = Allocate.heapMalloc(heap, size);
        return block == 0 ? 0 : move(page, p, Config.min(had, size), block, zero);
    }

    /**
     * A block that stays in its page is its user's for {@code size} bytes from now on: where padding tells so, it is
     * told anew, and what was padding before, behind the bytes that he {@code had}, is zeroed where {@code zero} says so.
     */
    private static long inPlace(long page, long p, long had, long size, boolean zero) {
        if (!Padding.isPadded(page)) return p;
        if (zero && size > had) fill(p + had, size - had, 0);
        Harden.resize(page, Free.blockOf(page, p), p + size, size - had);
        return p;
    }

    /**
     * A new block for a large one that grows and cannot do so in its place: see {@link Resize}. From 4 MiB on it gets a
     * mapping of its own, in which it can grow. A smaller one has room for half more and {@link #ROOM}, to the end of a
     * slice, as nobody else could use the rest: that costs addresses, but no memory until it is touched, the rest of a
     * huge page aside. So a block that grows by halves, as vectors do, is copied every second time, and the copies of
     * one that grows by bits stay in proportion. It is 0 where there is a limit, which room would count against, and
     * where there is no memory for that size, without a report.
     *
     * @param old the page of the block that grows
     */
    private static long allocateRoomy(long heap, long size, long old) {
        if (size >= Config.MAX_SIZE / 2) return 0;
        long entered = Theaps.enter(heap);
        if (entered == 0) return 0;
        long block = allocateRoomyIn(Allocate.heartbeat(entered), size, old);
        Theaps.leave(entered);
        return block;
    }

    private static long allocateRoomyIn(long theap, long size, long old) {
        boolean limited = (Heap.limitRelaxed(Theap.heap(theap)) | Root.limitRelaxed()) != 0;
        if (limited && Sampling.isOn(theap)) return 0;
        long room = Config.alignUp(size + size / 2 + ROOM, Config.SLICE);
        // A guarded block has none: it would lie between the block's end and its guard.
        long taken = Theap.guardRate(theap) != 0 ? size : room;
        boolean grows = size >= Resize.MAPPED_MIN && Sampling.mayGrow(Theap.heap(theap), size);
        boolean drawn = !grows || Theap.guardRate(theap) != 0;
        long sample = drawn ? Allocate.sampleIfNext(theap, taken, size, Config.SLICE, false) : 0;
        if (sample != 0) return sample;
        // Of a block that cannot grow in its place room behind it would be of no use, so it gets room inside.
        if (grows) {
            long page = Resize.mapped(theap, Harden.padded(size), old);
            if (page != 0) return Allocate.takeCertain(theap, page, size);
        }
        if (limited) return 0;
        long page = Allocate.singleton(theap, room, Config.SLICE, Pages.TOUCHED);
        return page == 0 ? 0 : Allocate.takeFirst(page, size, false);
    }

    /** A large block without a copy, or 0. */
    private static long resize(long heap, long page, long p, long usable, long size, boolean zero) {
        if (Track.isOn()) return 0;
        if (size <= usable) {
            if (!Resize.pays(usable, size) || !Resize.shrink(page, Harden.padded(size))) return 0;
            if (zero) fill(p + size, Page.blockSize(page) - size, 0);
            return p;
        }
        if (!isIn(heap, page)) return 0;
        long block = Resize.grow(page, Harden.padded(size));
        // The new end of a block straight from the OS is zero; that of one in an arena may not be.
        if (block != 0 && zero && Page.isInArena(page)) fill(block + usable, Page.blockSize(page) - usable, 0);
        return block;
    }

    /** Would a new block belong to the same heap as those of {@code page}? */
    private static boolean isIn(long heap, long page) {
        if (heap != 0) return Page.heapAcquire(page) == heap;
        long theap = ThreadSlot.theap();
        return theap != 0 ? Page.heapAcquire(page) == Theap.heap(theap) : Page.heapAcquire(page) == Heaps.main();
    }

    private static long inAt(long heap, long p, long size, long alignment, long offset, boolean zero) {
        if (!Config.isPowerOfTwo(alignment)) return Errors.badAlignment(alignment);
        if (size < 0) return Errors.tooLarge(size);
        long page = Free.pageOf(p);
        if (page == 0 && p != 0) return 0;
        long usable = p == 0 ? 0 : Free.room(page, p);
        long had = p == 0 ? 0 : Free.checkedSize(page, p);
        if (had < 0) return 0;
        boolean aligned = (p + offset & alignment - 1) == 0;
        long least = Config.alignUp(size, Config.min(alignment, Config.SLICE)); // a new block would have
        boolean fits = p != 0 && aligned && least >= usable / 2 && fits(page, usable, size);
        if (fits && !Resize.pays(usable, size)) return inPlace(page, p, had, size, zero);
        ThreadSlot.probeStackAround();
        // Large blocks begin with a slice, wherever they move.
        boolean stays = aligned && (offset & alignment - 1) == 0 && alignment <= Config.SLICE;
        boolean large = stays && usable >= Config.LARGE_OBJECT_MAX;
        long block = large ? resize(heap, page, p, usable, size, zero) : 0;
        if (block != 0 || fits) return inPlace(page, block != 0 ? block : p, had, size, zero);
        if (large && size > usable && size >= Resize.MAPPED_MIN) block = allocateRoomy(heap, size, page);
        if (block == 0) block = AllocateAligned.heapMallocAt(heap, size, alignment, offset);
        return block == 0 ? 0 : move(page, p, Config.min(had, size), block, zero);
    }

    /** Has a block room for {@code size} bytes? A guarded one that shrank would not end at its guard any more; where a tool watches, each gets a new address. */
    private static boolean fits(long page, long usable, long size) {
        return size != 0 && !Track.isOn() && (size == usable || size < usable && !Page.isGuarded(page));
    }

    private static long move(long page, long p, long kept, long block, boolean zero) {
        long other = PageMap.pageOf(block);
        // A page of its own may be of fresh memory, which is zero.
        if (zero && (Track.isOn() || !Page.isSingleton(other) || !Page.has(other, Page.MEMORY_ZERO))) {
            // The whole block, not only what was asked for: a later rezalloc may find that it grows in place.
            fill(block + kept, Free.usableSize(other, block) - kept, 0);
        }
        if (p == 0) return block;
        if (kept > Resize.PIECE) Resize.copyAway(page, p, block, kept);
        else copy(p, block, kept);
        Free.free(p);
        return block;
    }
}
