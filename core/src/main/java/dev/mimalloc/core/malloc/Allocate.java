package dev.mimalloc.core.malloc;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Harden;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Abandon;
import dev.mimalloc.core.page.Deferred;
import dev.mimalloc.core.page.FindPage;
import dev.mimalloc.core.page.Guarded;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.core.page.Sampling;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.core.page.Verify;
import dev.mimalloc.core.thread.Theaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Track;

/**
 * Allocation. The fast path goes from the thread to its theap, by the theap's direct table to a page, and takes the
 * first block of the page's {@code free}. When there is none, {@link #generic} refills the list with the blocks that
 * the thread has put back. When there are none of these either, {@link #genericSlow} has another page found or made.
 *
 * <p>A list ends after as many allocations as its page has blocks, since blocks that are freed go on other lists. So
 * each thread that allocates takes the generic path again and again, and the slow path is the place for what must
 * happen now and then: {@link #heartbeat}.
 *
 * <p>Any thread may call, at any time. A method that takes a theap is for the thread that has entered it: see
 * {@link Theaps}.
 */
public final class Allocate {
    private Allocate() {}

    /**
     * A block of at least {@code size} bytes, aligned to 16 (to 8 when it has only 8 bytes); 0 if there is no memory.
     */
    @Export({"void* mi_malloc(size_t size)", "void* mi_malloc_small(size_t size)"})
    public static long malloc(long size) {
        long theap = ThreadSlot.theap();
        if (likely(theap != 0 && SizeClass.isSmall(size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0 && Harden.mayPop(page, block))) return Harden.pop(page, block, size);
        }
        return mallocSlow(size, theap);
    }

    /** Takes {@code block} and clears it. A block whose memory is fresh has only its link to clear. */
    private static long popZeroed(long page, long block) {
        if (!Page.has(page, Page.FREE_ZERO)) return popClearedSlow(page, block);
        Page.pop(page, block);
        putLong(block, 0);
        return block;
    }

    /**
     * Takes {@code block} and clears all of it. Clearing needs more stack than the rest, so it comes before the block
     * is taken, and leaves its link alone. Blocks above 256 bytes begin at a cache line: what follows their first line
     * is cleared in whole lines.
     */
    private static long popClearedSlow(long page, long block) {
        long size = Page.blockSize(page);
        if (size > 256) {
            fill(block + LINE, size - LINE, 0);
            zero(block + WORD, LINE / WORD - 1);
        } else if (size > 8) {
            zero(block + WORD, (size >>> 3) - 1);
        }
        Page.pop(page, block);
        putLong(block, 0);
        return block;
    }

    /**
     * Allocates when the direct table has no block, or the thread no theap. Both cases are in one method, so that it is
     * not a small one: the JIT would compile a small one into the fast path.
     */
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
        if (likely(SizeClass.isSmall(size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0 && Harden.mayPop(page, block))) return Harden.pop(page, block, size);
        }
        return generic(theap, size, false);
    }

    @Export({"void* mi_theap_zalloc(mi_theap_t* theap, size_t size)", "void* mi_theap_zalloc_small(mi_theap_t* theap, size_t size)"})
    public static long theapZalloc(long theap, long size) {
        if (likely(SizeClass.isSmall(size))) {
            long page = Theap.direct(theap, size);
            long block = Page.free(page);
            if (likely(block != 0) && !Secret.isBuilt()) return popZeroed(page, block);
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

    /** Allocates with a theap that was entered, and leaves it. */
    private static long allocate(long theap, long size, boolean zero) {
        if (theap == 0) return Errors.outOfMemory(size);
        long block = zero ? theapZalloc(theap, size) : theapMalloc(theap, size);
        Theaps.leave(theap);
        return block;
    }

    /** Gives the first block of a hardened page to its user. One that was overwritten is reported, and another given. */
    private static long give(long page, long block, long size, boolean zero) {
        long given = Harden.give(page, block, size, zero);
        return likely(given != 0) ? Page.userAddress(page, given) : generic(Page.theap(page), Page.blockSize(page), size, zero);
    }

    /** As {@link #generic(long, long, long, boolean)}, for as many bytes as the user's size comes to. */
    static long generic(long theap, long size, boolean zero) { return generic(theap, Harden.padded(size), size, zero); }

    /**
     * Allocates when the page's {@code free} is empty, or the size is not in the direct table. Most often the first
     * page of the queue serves, with the blocks that its owner has put back. One in {@link Config#HEARTBEAT_CYCLES}
     * takes the slow path although that page would serve.
     *
     * @param size that of the block
     * @param asked what its user has asked for: less than the block has if that is padded or aligned
     */
    static long generic(long theap, long size, long asked, boolean zero) {
        long page = SizeClass.isHuge(size) ? 0 : PageQueue.first(Theap.queue(theap, SizeClass.bin(size)));
        if (page != 0 && Page.free(page) != 0) return first(page, asked, zero);
        if (unlikely(Sampling.isOn(theap))) return sampledSlow(theap, page, size, asked, zero);
        if (page != 0 && Page.localFree(page) != 0 && !isHeartbeat(theap)) {
            refill(theap, SizeClass.bin(size), page);
            return first(page, asked, zero);
        }
        return genericSlow(theap, size, asked, zero);
    }

    /**
     * Is the allocation that is under way one in {@link Config#HEARTBEAT_CYCLES} of those that find {@code free} empty?
     * It takes the slow path, where the theap is looked after.
     */
    private static boolean isHeartbeat(long theap) {
        return (Theap.generic(theap) + 1 & Config.HEARTBEAT_CYCLES - 1) == 0;
    }

    /** Makes the blocks that the owner of a page has put back the page's {@code free}; there is one at least. */
    private static void refill(long theap, int bin, long page) {
        Theap.setGeneric(theap, Theap.generic(theap) + 1);
        Page.collect(page);
        Theap.countListed(theap, bin, page);
    }

    /** Allocates from whatever page can be found or made; reports that there is no memory when there is none. */
    private static long genericSlow(long theap, long size, long asked, boolean zero) {
        if (size < 0) return Errors.tooLarge(asked);
        theap = heartbeat(theap);
        long page = page(theap, size, Config.SLICE, 0);
        if (page == 0) return Errors.outOfMemory(asked);
        if (Sampling.isOn(theap) && !Page.isSingleton(page)) Sampling.countList(Page.theap(page), page);
        return takeFirst(page, asked, zero);
    }

    /**
     * As {@link #generic} where there are samples or guarded blocks: one of these, if it is its turn, the listener wants
     * it and there is memory for it.
     */
    private static long sampledSlow(long theap, long page, long size, long asked, boolean zero) {
        int kind = Sampling.next(theap, page, size, asked);
        if (kind == 0 && page != 0 && Page.localFree(page) != 0 && !isHeartbeat(theap)) {
            refill(theap, SizeClass.bin(size), page);
            Sampling.countList(theap, page);
            return first(page, asked, zero);
        }
        if (kind != 0) theap = heartbeat(theap);
        long block = kind == 0 ? 0 : sample(theap, size, asked, 1, zero, kind);
        return block != 0 ? block : genericSlow(theap, size, asked, zero);
    }

    /**
     * Makes an allocation a sample or a guarded block, unless the listener does not want it or there is no memory: then
     * it is 0.
     *
     * <p>A sample gets a page of its own. Its free takes the way of all pages without an owner, where the listener
     * hears of it; so frees of other blocks need not ask whether they are a sample's.
     */
    private static long sample(long theap, long size, long asked, long alignment, boolean zero, int kind) {
        boolean guard = kind == Page.GUARD_NEXT;
        long weight = guard ? 0 : Sampling.weigh(size);
        long rate = Theap.sampleInterval(theap), since = Theap.sampleSince(theap);
        long page = guard ? Pages.guarded(theap, asked, guardAlignment(size, asked, alignment)) : weight == 0 ? 0 : singleton(theap, size, alignment, 0);
        if (page == 0) return 0;
        if (!guard) Page.setFlag(page, Page.SAMPLED);
        long heap = Theap.heap(theap);
        long block = takeFirst(page, asked, zero);
        if (guard) return Guarded.seal(page); // nobody else knows the block
        Sampling.begin(heap, page, block, asked, size, weight, rate, since);
        return block;
    }

    /** As {@link #takeFirst} for a block that is to grow, and that is a sample where samples are taken: see {@link Sampling#mayGrow}. */
    static long takeCertain(long theap, long page, long asked) {
        long heap = Theap.heap(theap), rate = Sampling.interval(heap);
        if (rate != 0) Page.setFlag(page, Page.SAMPLED);
        long size = Page.blockSize(page);
        long block = takeFirst(page, asked, false);
        if (rate != 0) Sampling.begin(heap, page, block, asked, size, 1, rate, size);
        return block;
    }

    /** Where a block is larger than what was asked for, it may be so that its size is a multiple of its alignment. */
    private static long guardAlignment(long size, long asked, long alignment) {
        return size == asked ? alignment : Config.max(alignment, size & -size);
    }

    /** For an allocation that gets a page to itself in any case: a sample or a guarded block, or 0 if it is neither. */
    static long sampleIfNext(long theap, long size, long asked, long alignment, boolean zero) {
        int kind = Sampling.isOn(theap) ? Sampling.next(theap, 0, size, asked) : 0;
        return kind != 0 ? sample(theap, size, asked, alignment, zero, kind) : 0;
    }

    /**
     * Takes the first block of a page that {@link #page} gave, for a user of {@code asked} bytes. A page with a single
     * block has nothing more to give when that block is out, so it is given up then: whoever frees the block frees the
     * page.
     */
    static long takeFirst(long page, long asked, boolean zero) {
        if (!Page.isSingleton(page)) return first(page, asked, zero);
        long block = Page.free(page);
        // A block that need not be zero, or is zero already, is not touched: its user may never need all of its memory.
        // Any other is cleared before it is taken: see popClearedSlow.
        if (zero && !Page.has(page, Page.FREE_ZERO)) fill(block, Page.blockSize(page), 0);
        Harden.giveOnly(page, block, asked, zero);
        if (Track.isOn()) Track.allocated(block, asked, zero, block, Page.blockSize(page));
        Page.popOnly(page);
        Abandon.abandon(page);
        return block;
    }

    /** Takes the first block of a page with more than one. */
    private static long first(long page, long asked, boolean zero) {
        long block = Page.free(page);
        if (Page.isHardened(page)) return give(page, block, asked, zero);
        return zero ? popZeroed(page, block) : Page.pop(page, block);
    }

    /**
     * Finds or makes a page with a free block of at least {@code size} bytes; 0 if there is no memory. The page is of
     * another theap if a function of the user's has ended the heap of {@code theap} meanwhile.
     *
     * @param alignment of the page's first block; more than a slice only for a page with a single block
     * @param use of a block with a page to itself: see {@link Pages#singleton}
     */
    static long page(long theap, long size, long alignment, int use) {
        boolean single = alignment > Config.SLICE || SizeClass.isHuge(size);
        long page = single ? singleton(theap, size, alignment, use) : FindPage.find(theap, SizeClass.bin(size));
        if (likely(page != 0)) return page;
        // Empty pages and free slices that are kept for what comes next may be enough.
        do {
            theap = Threads.adoptOrphans(Theap.data(theap), theap);
            Free.free(ThreadData.takeSpare(Theap.data(theap)));
            Threads.collectEverything(theap);
            page = single ? singleton(theap, size, alignment, use) : FindPage.find(theap, SizeClass.bin(size));
            // A large page may be too much where the block alone is not: in a small region.
            if (page == 0 && !single && SizeClass.binSize(SizeClass.bin(size)) > Config.SMALL_OBJECT_MAX) {
                page = singleton(theap, size, Config.SLICE, use);
            }
        } while (page == 0 && Limits.retry(theap, Pages.charge(size, single)));
        return page;
    }

    /** A page with a single block, which is free; or 0. */
    static long singleton(long theap, long size, long alignment, int use) {
        if (size > Config.ADDRESSES) return 0;
        long page = Pages.singleton(theap, size, alignment, use);
        if (page == 0) return 0;
        Page.addOnly(page);
        return page;
    }

    /**
     * Does what is due now and then: calls the user's deferred frees, adopts theaps of ended heaps, frees retired pages
     * whose time has come, and with one in {@link Config#CARE_CYCLES} takes care of the theap.
     *
     * @return the theap to go on with: another one when the heap of {@code theap} has ended
     */
    static long heartbeat(long theap) {
        long data = Theap.data(theap);
        // An error thrown here would keep a lease for ever: a thread that has one has looked at the stack before.
        if (!ThreadData.isShared(data)) ThreadSlot.probeStack();
        if (Root.deferredAcquire() != 0) Deferred.call(theap, false);
        if (Os.needsPurgeThread(isCare(theap))) startPurgeThread(theap);
        if (ThreadData.hasOrphans(data)) theap = Threads.adoptOrphans(data, theap);
        if (Retire.hasRetired(theap)) Retire.age(theap);
        long generic = Theap.generic(theap) + 1;
        Theap.setGeneric(theap, generic);
        if ((generic & Config.CARE_CYCLES - 1) == 0) takeCare(theap, data, generic);
        return theap;
    }

    /**
     * Makes the thread that purges, in the middle of a malloc, where the allocator holds no lock, since to make a
     * thread allocates as well. It is not made in a free, though only then there is something to purge: C libraries
     * free the memory of an ended thread under a lock that they need to make one.
     */
    private static void startPurgeThread(long theap) {
        CallOut.begin(theap);
        Os.startPurgeThread();
        CallOut.end(theap);
    }

    /**
     * Is this one of the allocations at which a theap is taken care of? The option of the purge thread is looked at only
     * then: at each heartbeat that took 1 % of a program that looks for pages all the time.
     */
    private static boolean isCare(long theap) { return (Theap.generic(theap) + 1 & Config.CARE_CYCLES - 1) == 0; }

    /** Looks for emptied pages and at the purge's time; with one in {@code generic_collect} frees all empty pages. */
    private static void takeCare(long theap, long data, long generic) {
        Scavenge.tick(ThreadData.subprocess(data));
        Purge.tick(ThreadData.subprocess(data));
        if (generic % Config.alignUp(Theap.collectCycles(theap), Config.CARE_CYCLES) == 0) Retire.collect(theap, false);
        if (Check.isFull() && generic % Config.VERIFY_CYCLES == 0) Verify.theap(theap);
    }
}
