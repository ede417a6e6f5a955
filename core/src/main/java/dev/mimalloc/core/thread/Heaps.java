package dev.mimalloc.core.thread;

import static dev.mimalloc.machine.Memory.fill;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Abandon;
import dev.mimalloc.core.page.Deferred;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Track;

/**
 * Makes the user's heaps and ends them: a heap is deleted and leaves its blocks to the main heap, or is destroyed with
 * all its blocks.
 *
 * <p>A heap that ends is marked first. Then its theaps become orphans, which their own threads end when they come by,
 * since a thread may be using one at that moment. At last its pages go: all of them if it is destroyed; if it is
 * deleted, those that nobody owns move to the main heap at once, and the others when their owners come by. References
 * keep the heap's struct until the last page and the last orphan have gone.
 *
 * <p>Any thread may call. The main heap does not end: {@link #delete} and {@link #destroy} leave it alone.
 */
public final class Heaps {
    /** What becomes of the pages in the theaps of a heap that ends: their threads give them up, or they just go. */
    private static final int KEEP_PAGES = 0;
    private static final int DROP_PAGES = 1;

    private Heaps() {}

    /** A number that no other heap has, as long as the process lives; the main heap's is 0. */
    public static long number(long heap) { return Heap.sequence(heap); }

    /** A new heap, which any thread may use; 0 if there is no memory. */
    @Export("mi_heap_t* mi_heap_new(void)")
    public static long create() { return create(0); }

    /** A new heap that only allocates in one arena; for arena 0 in any. */
    @Export("mi_heap_t* mi_heap_new_in_arena(mi_arena_id_t arena_id)")
    public static long create(long arena) {
        ThreadSlot.probeStack();
        if (!Startup.ready()) return 0;
        long subprocess = Theap.currentSubprocess();
        if (arena != 0 && Arena.subprocess(arena) != subprocess) {
            Errors.raise(Errors.EINVAL, Text.literal("heap in an arena of another subprocess"), arena);
            return 0;
        }
        long heap = Meta.allocate(Heap.SIZE);
        if (heap == 0) return Errors.outOfMemory(Heap.SIZE);
        Heap.init(heap, subprocess);
        Heap.setExclusiveArena(heap, arena);
        if (!takeSlot(heap)) {
            Meta.free(heap, Heap.SIZE);
            return Errors.outOfMemory(Heap.SIZE);
        }
        Heap.link(heap);
        Statistics.increase(Subprocess.statistics(subprocess), Statistics.HEAPS, 1);
        return heap;
    }

    /** Gives a heap the place where threads keep their theaps for it. */
    static boolean takeSlot(long heap) {
        Lock.acquire(Root.lock());
        long slot = Root.freeSlot() - 1;
        boolean taken = true;
        if (slot >= 0) {
            Root.setFreeSlot(Table.get(Root.slots(), slot));
        } else {
            // Slot 0 is the main subprocess' main heap's.
            slot = Root.slotCount() + 1;
            taken = Table.entry(Root.slots(), slot) != 0;
            if (taken) Root.setSlotCount(slot);
        }
        Lock.release(Root.lock());
        Heap.setSlot(heap, slot);
        return taken;
    }

    /** No thread has a theap for the heap any more: its slot may serve another. */
    static void giveSlotBack(long heap) {
        Lock.acquire(Root.lock());
        Table.set(Root.slots(), Heap.slot(heap), Root.freeSlot());
        Root.setFreeSlot(Heap.slot(heap) + 1);
        Lock.release(Root.lock());
    }

    private static void endSlot(long heap) {
        giveSlotBack(heap);
        Statistics.decrease(Subprocess.statistics(Heap.subprocess(heap)), Statistics.HEAPS, 1);
    }

    private static boolean mayEnd(long heap) { return heap != 0 && !Heap.isMain(heap); }

    /**
     * Takes a heap's theaps from their threads. The theaps themselves stay until their threads notice: a thread may
     * have made one its default.
     */
    private static void orphanTheaps(long heap, int pages) {
        long lock = Subprocess.livesLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        long theap;
        while ((theap = Heap.theaps(heap)) != 0) {
            Theaps.unlinkFromHeap(theap);
            if (pages == DROP_PAGES) Theap.clearPages(theap);
            if (pages == DROP_PAGES) Quarantine.drop(theap);
            long data = Theap.data(theap);
            Table.set(ThreadData.bySlot(data), Heap.slot(heap), 0);
            // Orphans have a list of their own: a thread with many theaps need not look for those that have ended.
            Theaps.unlinkFromThread(theap);
            // The theap still names the heap: a reference keeps the address from other heaps until the thread has
            // noticed.
            Heap.addReferences(heap, 1);
            Theap.pushOrphan(theap);
        }
        Lock.release(lock);
        endSlot(heap);
        long current = ThreadSlot.theap();
        if (current != 0) Threads.adoptOrphans(Theap.data(current), ThreadData.mainTheap(Theap.data(current)));
    }

    /**
     * Ends a heap; its live blocks belong to the main heap from now on, and may be freed at any time by any thread.
     * The heap itself must not be used any more.
     */
    @Export("void mi_heap_delete(mi_heap_t* heap)")
    public static void delete(long heap) {
        if (!mayEnd(heap)) return;
        ThreadSlot.probeStack();
        // From here on, whoever becomes the owner of one of its pages moves the page to the main heap. A page in a
        // theap belongs to a thread that may be freeing in it right now: only that thread can move it.
        Heap.setDeleted(heap);
        orphanTheaps(heap, KEEP_PAGES);
        moveAbandoned(heap, Heap.subprocess(heap));
        Heap.dropReference(heap);
    }

    /**
     * Moves those of a deleted heap's pages that no thread owns to the main heap. The others are moved by their owners.
     */
    private static void moveAbandoned(long heap, long subprocess) {
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            long page = HeapPages.page(heap, at);
            if (Page.tryOwn(page)) moveOwned(page, heap);
        }
        long page;
        while ((page = ownedOsPage(heap, subprocess)) != 0) moveOwned(page, heap);
    }

    /**
     * Moves a page that the caller owns now. It may be another heap's by now, when the bit that led here was an old
     * one: then it is only given up again.
     */
    private static void moveOwned(long page, long heap) {
        if (Page.heapAcquire(page) != heap || Abandon.adopt(page)) Abandon.giveUp(page);
    }

    private static long ownedOsPage(long heap, long subprocess) {
        long lock = Subprocess.osLock(subprocess);
        Lock.acquire(lock);
        long page = Heap.osPages(heap);
        while (page != 0 && !Page.tryOwn(page)) page = Page.osNext(page);
        Lock.release(lock);
        return page;
    }

    /** Ends a heap and frees all its blocks at once; nobody may use them or the heap any more. */
    @Export("void mi_heap_destroy(mi_heap_t* heap)")
    public static void destroy(long heap) {
        if (!mayEnd(heap)) return;
        ThreadSlot.probeStack();
        Heap.setDeleted(heap);
        orphanTheaps(heap, DROP_PAGES);
        releasePages(heap);
        Heap.dropReference(heap);
    }

    /** Frees all pages of a heap, which nobody uses any more. */
    static void releasePages(long heap) {
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            releaseWhatever(HeapPages.page(heap, at));
        }
        while (Heap.osPages(heap) != 0) releaseWhatever(Heap.osPages(heap));
    }

    /** Frees a page with all its blocks, whoever owns it: the heap's users have promised not to touch it. */
    private static void releaseWhatever(long page) {
        if (Track.isOn()) Track.destroyed(Page.start(page), Page.blockSize(page), Page.capacity(page));
        Page.setThreadFreeRelease(page, Page.OWNED);
        boolean zero = Page.isHardened(page) && Secret.has(Secret.ZERO) && !Page.isGuarded(page) && !Page.isClosed(page);
        if (zero && Page.isSingleton(page)) Pages.zero(page, 0);
        else if (zero) fill(Page.start(page), Page.capacity(page) * Page.blockSize(page), 0);
        Pages.release(page);
    }

    /** The heap that is used where none is named. */
    @Export("mi_heap_t* mi_heap_main(void)")
    public static long main() { return Startup.ready() ? Subprocess.mainHeap(Theap.currentSubprocess()) : 0; }

    /**
     * The current thread's part of a heap, as a handle for the fastest path; 0 for threads that cannot own one, as
     * virtual ones.
     */
    @Export("mi_theap_t* mi_heap_theap(mi_heap_t* heap)")
    public static long theap(long heap) {
        if (!ThreadSlot.mayOwn()) return 0;
        return Theaps.enter(heap == 0 ? main() : heap);
    }

    /**
     * Is a call for this heap inside of a function of the user's? Then the call may take long, or even wait for the
     * thread that asks.
     */
    public static boolean isCalledOut(long heap) { return Heap.callOutsVolatile(heap) != 0; }

    /** The heap that a block belongs to; 0 if the address is not the allocator's. */
    @Export("mi_heap_t* mi_heap_of(const void* p)")
    public static long of(long p) {
        long page = PageMap.pageOf(p);
        if (page == 0) return 0;
        long heap = Page.heapAcquire(page);
        return Heap.isDeleted(heap) ? Subprocess.mainHeap(Heap.subprocess(heap)) : heap;
    }

    @Export("bool mi_heap_contains(const mi_heap_t* heap, const void* p)")
    public static boolean contains(long heap, long p) {
        long page = PageMap.pageOf(p);
        if (page == 0 || heap == 0) return false;
        // The page may be going just now, and its heap too: of a heap that is not the asker's only the struct is read,
        // which is memory in any case.
        long its = Page.heapAcquire(page);
        if (its == heap) return true;
        long subprocess = Heap.subprocess(heap);
        return Subprocess.mainHeap(subprocess) == heap && Heap.subprocess(its) == subprocess && Heap.isDeleted(its);
    }

    /** The id of the thread that owns a block's page just now; 0 if none does, or the address is not the allocator's. */
    @Export("size_t mi_thread_id_of(const void* p)")
    public static long threadIdOf(long p) {
        long page = PageMap.pageOf(p);
        long id = page == 0 ? 0 : Page.threadId(page);
        return id == Page.HIDDEN || id == Page.FINDABLE ? 0 : id;
    }

    @Export({"bool mi_any_heap_contains(const void* p)", "bool mi_check_owned(const void* p)"})
    public static boolean anyContains(long p) { return PageMap.pageOf(p) != 0; }

    @Export("bool mi_is_in_heap_region(const void* p)")
    public static boolean isInHeapRegion(long p) {
        return PageMap.pageOf(p) != 0 || Startup.ready() && Arenas.find(Theap.currentSubprocess(), p) != 0;
    }

    /** Frees the current thread's empty pages of a heap. */
    @Export("void mi_heap_collect(mi_heap_t* heap, bool force)")
    public static void collect(long heap, boolean force) {
        ThreadSlot.probeStackAround();
        long theap = Theaps.enter(heap);
        if (theap == 0) return;
        Deferred.call(theap, force);
        if (force) Quarantine.flush(theap);
        Retire.collect(theap, false);
        if (force) Purge.run(Theap.subprocess(theap));
        Theaps.leave(theap);
    }

    @Export("void mi_theap_collect(mi_theap_t* theap, bool force)")
    public static void collectTheap(long theap, boolean force) {
        if (theap == 0) return;
        if (force) Quarantine.flush(theap);
        Retire.collect(theap, false);
        if (force) Purge.run(Theap.subprocess(theap));
    }

    @Export("void mi_heap_set_numa_affinity(mi_heap_t* heap, int numa_node)")
    public static void setNumaAffinity(long heap, int node) {
        if (heap != 0) Heap.setNumaNodeRelaxed(heap, node < 0 ? -1 : node);
    }

    /**
     * Whether at most {@code percent} of the blocks are in use in the page that a block of this heap lies in. Not for
     * a block that others may free.
     */
    @Export("bool mi_unsafe_heap_page_is_under_utilized(mi_heap_t* heap, void* p, size_t perc_threshold)")
    public static boolean isUnderUtilized(long heap, long p, long percent) {
        long page = PageMap.pageOf(p);
        if (page == 0 || heap != 0 && Page.heapAcquire(page) != heap || percent > 100 || percent < 0) return false;
        return Page.live(page) * 100L <= percent * Page.reserved(page);
    }

    /** Makes a theap the one that malloc uses in this thread; returns the one before. */
    @Export("mi_theap_t* mi_theap_set_default(mi_theap_t* theap)")
    public static long setDefault(long theap) {
        if (!ThreadSlot.mayOwn()) return 0;
        long old = Theaps.enter();
        if (theap != 0) Theap.setKept(theap);
        return theap == 0 || ThreadSlot.setTheap(theap) ? old : 0;
    }

    @Export("mi_theap_t* mi_theap_get_default(void)")
    public static long getDefault() { return ThreadSlot.mayOwn() ? Theaps.enter() : 0; }
}
