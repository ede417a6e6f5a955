package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * Allocation. The fast path: the thread's theap, its direct table, the page, and the first block of the page's free
 * list. All else is the generic path, which comes by at least once in as many allocations as a page has blocks, and
 * so is the place for what must happen now and then.
 */
public final class Allocate {
    private static final long ROOM = 4096;

    private Allocate() {}

    /**
     * A block of at least {@code size} bytes, aligned to 16 (to 8 when it has only 8 bytes); 0 if there is no memory.
     */
    @Export({"void* mi_malloc(size_t size)", "void* mi_malloc_small(size_t size)"})
    public static long malloc(long size) {
        long theap = ThreadSlot.theap();
        if (likely(theap != 0 && !Bits.below(Config.SMALL_SIZE_MAX, size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0)) return pop(page, block);
        }
        return mallocSlow(size, theap);
    }

    private static long pop(long page, long block) {
        Page.take(page, block);
        return block;
    }

    /** A block whose memory is fresh has only its link to clear. */
    private static long popZeroed(long page, long block) {
        if (!Page.has(page, Page.FREE_ZERO)) return popClearedSlow(page, block);
        pop(page, block);
        putLong(block, 0);
        return block;
    }

    /**
     * Clearing needs more stack than the rest, so it comes before the block is taken, and leaves its link alone. Above
     * 256 bytes blocks begin with a cache line, and what follows the first one is cleared in whole ones.
     */
    private static long popClearedSlow(long page, long block) {
        long size = Page.blockSize(page);
        if (size > 256) {
            fill(block + LINE, size - LINE, 0);
            zero(block + WORD, LINE / WORD - 1);
        } else if (size > 8) {
            zero(block + WORD, (size >>> 3) - 1);
        }
        pop(page, block);
        putLong(block, 0);
        return block;
    }

    /** On the JVM one method, and not a small one: the JIT would take it into the fast path. */
    private static long mallocSlow(long size, long theap) {
        if (theap != 0) return generic(theap, size, false);
        long entered = Theaps.enter();
        if (entered == 0) return Errors.outOfMemory(size);
        long block = theapMalloc(entered, size);
        Theaps.leave(entered);
        return block;
    }

    /** As {@link #malloc}, with all bytes zero. */
    @Export({"void* mi_zalloc(size_t size)", "void* mi_zalloc_small(size_t size)"})
    public static long zalloc(long size) {
        long theap = ThreadSlot.theap();
        if (likely(theap != 0)) return theapZalloc(theap, size);
        return allocate(Theaps.enter(), size, true);
    }

    /** Zeroed memory for {@code count} things of {@code size} bytes; 0 also if the product is too large. */
    @Export("void* mi_calloc(size_t count, size_t size)")
    public static long calloc(long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : zalloc(total);
    }

    @Export("void* mi_mallocn(size_t count, size_t size)")
    public static long mallocn(long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : malloc(total);
    }

    /** As {@link #malloc} with the thread's theap at hand: the fastest path. */
    @Export({"void* mi_theap_malloc(mi_theap_t* theap, size_t size)", "void* mi_theap_malloc_small(mi_theap_t* theap, size_t size)"})
    public static long theapMalloc(long theap, long size) {
        if (likely(!Bits.below(Config.SMALL_SIZE_MAX, size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0)) return pop(page, block);
        }
        return generic(theap, size, false);
    }

    @Export({"void* mi_theap_zalloc(mi_theap_t* theap, size_t size)", "void* mi_theap_zalloc_small(mi_theap_t* theap, size_t size)"})
    public static long theapZalloc(long theap, long size) {
        if (likely(!Bits.below(Config.SMALL_SIZE_MAX, size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0)) return popZeroed(page, block);
        }
        return generic(theap, size, true);
    }

    @Export("void* mi_theap_calloc(mi_theap_t* theap, size_t count, size_t size)")
    public static long theapCalloc(long theap, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : theapZalloc(theap, total);
    }

    /** As {@link #malloc}, in a heap. */
    @Export({"void* mi_heap_malloc(mi_heap_t* heap, size_t size)", "void* mi_heap_malloc_small(mi_heap_t* heap, size_t size)"})
    public static long heapMalloc(long heap, long size) { return allocate(Theaps.enter(heap), size, false); }

    @Export({"void* mi_heap_zalloc(mi_heap_t* heap, size_t size)", "void* mi_heap_zalloc_small(mi_heap_t* heap, size_t size)"})
    public static long heapZalloc(long heap, long size) { return allocate(Theaps.enter(heap), size, true); }

    @Export("void* mi_heap_calloc(mi_heap_t* heap, size_t count, size_t size)")
    public static long heapCalloc(long heap, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : heapZalloc(heap, total);
    }

    @Export("void* mi_heap_mallocn(mi_heap_t* heap, size_t count, size_t size)")
    public static long heapMallocn(long heap, long count, long size) {
        long total = SizeClass.total(count, size);
        return total < 0 ? Errors.tooLarge(total) : heapMalloc(heap, total);
    }

    /**
     * A block for a large one that grows, where it cannot: see {@link Resize}. From 4 MiB on it gets a mapping of its own, in
     * which it can. A smaller one has room for half more and a little, to the end of a slice, as nobody else
     * could use the rest: that costs addresses, but no memory until it is touched, the rest of a huge page aside. So a
     * block that grows by halves, as vectors do, is copied every second time, and the copies of one that grows by bits
     * stay in proportion. It is 0 where there is a limit, which room would count against, and where there is no memory
     * for so much; nobody is told.
     *
     * @param old the page of the block that grows
     */
    static long heapRoomy(long heap, long size, long old) {
        if (size >= Config.MAX_SIZE / 2) return 0;
        long entered = Theaps.enter(heap);
        if (entered == 0) return 0;
        long theap = heartbeat(entered);
        boolean limited = (Heap.limitRelaxed(Theap.heap(theap)) | Root.limitRelaxed()) != 0;
        long block = 0;
        // While samples are taken a block is a new one each time, and so should have much room.
        boolean mapped = size >= Resize.MAPPED_MIN && Trace.sampleInterval() == 0;
        if (mapped) block = taken(Resize.mapped(theap, size, old));
        if (block == 0 && !limited) block = single(theap, Config.alignUp(size + size / 2 + ROOM, Config.SLICE));
        Theaps.leave(entered);
        return block;
    }

    /** A block with a page to itself, or 0. */
    private static long single(long theap, long size) {
        long sample = sampledIfReached(theap, size, Config.SLICE, false);
        return sample != 0 ? sample : taken(singleton(theap, size, Config.SLICE, false, true));
    }

    /** The only block of a new page, or 0 if there is none. */
    private static long taken(long page) {
        if (page == 0) return 0;
        long block = only(page, false);
        settle(page);
        return block;
    }

    /** Allocates with a theap that was entered, and leaves it. */
    private static long allocate(long theap, long size, boolean zero) {
        if (theap == 0) return Errors.outOfMemory(size);
        long block = zero ? theapZalloc(theap, size) : theapMalloc(theap, size);
        Theaps.leave(theap);
        return block;
    }

    /**
     * When {@code free} is empty, or the size is not in the direct table: most often all it takes is the first page of
     * the queue, with what the owner has put back. Now and then it is the whole story.
     */
    static long generic(long theap, long size, boolean zero) {
        if (!Bits.below(Config.LARGE_OBJECT_MAX, size)) {
            int bin = SizeClass.bin(size);
            long page = PageQueue.first(Theap.queue(theap, bin));
            if (page != 0) {
                if (Page.free(page) != 0) return first(page, zero);
                long interval = Trace.sampleInterval();
                if (interval != 0 && Sampling.isNext(page)) return genericSampled(theap, size, zero);
                long turn = Theap.generic(theap) + 1;
                if (Page.localFree(page) != 0 && (turn & Config.HEARTBEAT_CYCLES - 1) != 0) {
                    Theap.setGeneric(theap, turn);
                    refill(theap, page, bin);
                    if (interval == 0 || !Sampling.refilled(theap, page, interval)) return first(page, zero);
                    return sampledOrFirst(theap, page, size, zero);
                }
            }
        } else if (Trace.sampleInterval() != 0 && size > 0 && Sampling.reached(theap, size)) {
            return genericSampled(theap, size, zero);
        }
        return genericSlow(theap, size, zero);
    }

    private static void refill(long theap, long page, int bin) {
        Page.collect(page);
        Theap.countFilled(theap, bin, page);
    }

    /** The whole story of an allocation. */
    private static long genericSlow(long theap, long size, boolean zero) {
        if (size < 0) return Errors.tooLarge(size);
        theap = heartbeat(theap);
        long page = page(theap, size, Config.SLICE, false);
        if (page == 0) return Errors.outOfMemory(size);
        theap = Page.theap(page);
        long interval = Trace.sampleInterval();
        boolean sample = interval != 0 && !Page.isSingleton(page) && Sampling.refilled(theap, page, interval);
        long block = sample ? sampledOrFirst(theap, page, size, zero) : firstOrOnly(page, zero);
        settle(page);
        return block;
    }

    /** A sample; or the first block of a page whose list was cut for that, if there is none after all. */
    private static long sampledOrFirst(long theap, long page, long size, boolean zero) {
        long block = sampled(theap, size, Config.SLICE, zero);
        if (block != 0) return block;
        if (Page.free(page) == 0) refill(theap, page, SizeClass.bin(size));
        return first(page, zero);
    }

    private static long genericSampled(long theap, long size, boolean zero) {
        theap = heartbeat(theap);
        long block = sampled(theap, size, Config.SLICE, zero);
        return block != 0 ? block : genericSlow(theap, size, zero);
    }

    /**
     * Makes an allocation a sample, unless the listener does not want it or there is no memory: then it is 0.
     *
     * <p>A sample gets a page of its own. Who frees it takes the way of all pages without an owner, which is where the
     * listener is told; and the frees of other blocks need not ask whether they are a sample's.
     */
    static long sampled(long theap, long size, long alignment, boolean zero) {
        long weight = Trace.weigh(Sampling.bytes(size));
        long page = weight == 0 ? 0 : singleton(theap, size, alignment, false, false);
        if (page == 0) return 0;
        Page.setFlag(page, Page.SAMPLED);
        long heap = Heap.sequence(Theap.heap(theap));
        long block = only(page, zero);
        settle(page);
        Trace.allocated(block, size, weight, heap);
        return block;
    }

    /** Counts an allocation that gets a page of its own; it is 0 unless that makes it a sample. */
    static long sampledIfReached(long theap, long size, long alignment, boolean zero) {
        boolean reached = Trace.sampleInterval() != 0 && Sampling.reached(theap, size);
        return reached ? sampled(theap, size, alignment, zero) : 0;
    }

    /** Takes the first block of a page that {@link #page} gave. */
    static long firstOrOnly(long page, boolean zero) {
        return Page.isSingleton(page) ? only(page, zero) : first(page, zero);
    }

    /** Takes the block of a page with a single one; only what is asked to be zero and is not is touched. */
    private static long only(long page, boolean zero) {
        long block = Page.free(page);
        // Before the block is taken, as above.
        if (zero && !Page.has(page, Page.FREE_ZERO)) fill(block, Page.blockSize(page), 0);
        Page.takeOnly(page);
        return block;
    }

    /** Takes the first block of a page with more than one. */
    private static long first(long page, boolean zero) {
        long block = Page.free(page);
        return zero ? popZeroed(page, block) : pop(page, block);
    }

    /**
     * A page with a single block has nothing more to give: nobody owns it, and who frees the block frees the page.
     */
    static void settle(long page) {
        if (Page.isSingleton(page)) Abandon.abandon(page);
    }

    /**
     * A page with a free block of at least {@code size} bytes; 0 if there is no memory. It is of another theap if this
     * one's heap has ended in a function of the user's.
     *
     * @param alignment of the page's first block; more than a slice only for a page with a single block
     * @param whole see {@link Pages#singleton}
     */
    static long page(long theap, long size, long alignment, boolean whole) {
        boolean single = alignment > Config.SLICE || size > Config.LARGE_OBJECT_MAX;
        long page = single ? singleton(theap, size, alignment, whole, false) : FindPage.find(theap, SizeClass.bin(size));
        if (likely(page != 0)) return page;
        // Whatever is free somewhere else may help.
        do {
            theap = Threads.adoptOrphans(Theap.data(theap), theap);
            Threads.collectEverything(theap);
            page = single ? singleton(theap, size, alignment, whole, false) : FindPage.find(theap, SizeClass.bin(size));
            // A large page may be too much where the block alone is not: in a small region.
            if (page == 0 && !single && SizeClass.binSize(SizeClass.bin(size)) > Config.SMALL_OBJECT_MAX) {
                page = singleton(theap, size, Config.SLICE, whole, false);
            }
        } while (page == 0 && Limits.retry(theap, Pages.charge(size, single)));
        return page;
    }

    private static long singleton(long theap, long size, long alignment, boolean whole, boolean touched) {
        if (size > Config.ADDRESSES) return 0;
        long page = Pages.singleton(theap, size, alignment, whole, touched);
        if (page == 0) return 0;
        Page.addOnly(page);
        return page;
    }

    /**
     * What comes around now and then: the user's deferred frees, retired pages, a thread's collection, the purge.
     *
     * @return the theap to go on with: another one when this one's heap has ended
     */
    static long heartbeat(long theap) {
        long data = Theap.data(theap);
        // Who has a lease has looked at the stack before: an error thrown here would keep the lease.
        if (!ThreadData.isShared(data)) ThreadSlot.probeStack();
        if (Root.deferredAcquire() != 0) Deferred.call(theap, false);
        if (ThreadData.hasOrphans(data)) theap = Threads.adoptOrphans(data, theap);
        if (Retire.hasRetired(theap)) Retire.age(theap);
        long generic = Theap.generic(theap) + 1;
        Theap.setGeneric(theap, generic);
        if ((generic & Config.CARE_CYCLES - 1) == 0) takeCare(theap, data, generic);
        return theap;
    }

    private static void takeCare(long theap, long data, long generic) {
        Scavenge.tick(ThreadData.subprocess(data));
        Purge.tick(ThreadData.subprocess(data));
        if (generic % Config.alignUp(Theap.collectCycles(theap), Config.CARE_CYCLES) == 0) Retire.collect(theap, false);
    }
}
