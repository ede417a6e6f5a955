package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.Density;
import dev.mimalloc.core.memory.HugePages;
import dev.mimalloc.core.memory.Kept;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Trace;

/**
 * Makes pages and frees them. A page's memory is slices of an arena, or a mapping of its own where no arena has room.
 *
 * <p>To make a page its memory is charged to the limits and claimed, and its descriptor is filled in; then it is
 * entered in its heap, and at last in the page map. To free it these steps are taken back in the reverse order. So
 * whoever finds a page by the page map finds a complete descriptor, and no free memory can be found as a page.
 *
 * <p>A thread makes pages for its own theap, and puts them in a queue itself. The owner of a page frees it, once it has
 * no live block and is in no queue.
 */
public final class Pages {
    /**
     * A use of a block with a page to itself: its user's address may lie anywhere in it, not only in its first slices.
     */
    public static final int INTERIOR = 1;
    /** A use of a block with a page to itself: it is known that most of it will be touched. */
    public static final int TOUCHED = 2;

    /**
     * How many slices of a large block the page map has at most: users' addresses lie there, unless the block was made
     * for {@link #INTERIOR} ones. With 64, 4 MiB, to enter a page takes a bounded time.
     */
    public static final long INTERIOR_SLICES = 64;
    /** The alignment of mappings that grow: that of a huge page, so that those in it stay whole when it moves. */
    private static final long MAPPED_ALIGNMENT = 2 << 20;

    private Pages() {}

    /** Makes a page of a bin for a theap, with its first blocks linked in, in no queue yet; 0 if there is no memory. */
    static long allocate(long theap, int bin) {
        long blockSize = SizeClass.binSize(bin);
        long size = SizeClass.pageSize(blockSize);
        long slices = size >>> Config.SLICE_SHIFT;
        long heap = Theap.heap(theap);
        boolean empty = Secret.guardsPages() && bin == SizeClass.EMPTY;
        int blocks = (int) (((empty ? Page.EMPTY_SHIFT : size) - guardBytes()) / blockSize);
        int first = Page.portion(blockSize, blocks);
        long charged = Page.linkedBytes(first, blockSize);
        if (!Limits.charge(heap, charged)) {
            // Near a limit a single block will do.
            first = 1;
            charged = Page.linkedBytes(1, blockSize);
            if (!Limits.charge(heap, charged)) return 0;
        }
        long page = Arenas.allocate(heap, slices, 1, mayStayEmpty(theap, bin));
        if (page == 0) page = mapped(heap, size, Config.SLICE);
        if (page == 0) return refuse(heap, charged);
        if (empty) Page.setOfEmpty(page);
        return initialise(page, theap, blockSize, blocks, first);
    }

    /** For the owner: links in fresh blocks if there are any, and no limit forbids it. */
    static boolean extend(long page) {
        int blocks = Page.portion(page);
        if (blocks <= 0) return false;
        if (!chargeExtension(page, blocks)) {
            blocks = 1; // as near a limit as can be
            if (!chargeExtension(page, blocks)) return false;
        }
        // Whoever holds the lock may give back what no block was made of yet: see Punch.
        Theap.lock(Page.theap(page));
        Page.extend(page, blocks);
        Theap.unlock(Page.theap(page));
        return true;
    }

    private static boolean chargeExtension(long page, int blocks) {
        long bytes = Page.extension(page, blocks);
        if (bytes == 0) return true;
        long heap = Page.heapAcquire(page);
        if (!Limits.charge(heap, bytes)) return false;
        Statistics.raisePeak(Heap.statistics(heap), Statistics.PAGE_COMMITTED, Heap.chargedRelaxed(heap));
        return true;
    }

    /**
     * May a new page stay nearly empty? Yes, when the theap has no full page of its bin: there may be many theaps, each
     * with a few blocks of many sizes.
     */
    private static boolean mayStayEmpty(long theap, int bin) {
        return PageQueue.countRelaxed(Theap.queue(theap, SizeClass.COUNT + bin)) == 0;
    }

    /** Is more than an eighth of the slices behind the block's end? Nobody will use that part. */
    private static boolean hasUnusedEnd(long blockSize, long slices) {
        return blockSize < (slices << Config.SLICE_SHIFT) / 8 * 7;
    }

    /**
     * Makes a page with a single block, which starts at a multiple of {@code alignment}; 0 if there is no memory.
     *
     * @param use {@link #INTERIOR} and {@link #TOUCHED}, or 0
     */
    public static long singleton(long theap, long size, long alignment, int use) {
        long heap = Theap.heap(theap);
        long blockSize = Config.alignUp(Config.max(size, 1), Os.pageSize());
        long slices = slicesFor(blockSize);
        if (!Limits.charge(heap, blockSize)) return 0;
        long page = 0;
        if (alignment <= Config.ARENA_ALIGN_MAX && slices < 1L << 31) {
            long aligned = Config.max(1, alignment >>> Config.SLICE_SHIFT);
            boolean large = blockSize > Config.LARGE_OBJECT_MAX;
            boolean sparse = !large || (use & TOUCHED) == 0 && isExpectedSparse(blockSize);
            page = Arenas.allocate(heap, slices, aligned, sparse || hasUnusedEnd(blockSize, slices));
            if (page != 0 && large && mayTellDensity(page, heap)) Density.afterAllocate(Page.start(page), blockSize);
        }
        if (page == 0) {
            page = mapped(heap, blockSize + guardBytes(), Config.max(alignment, Config.SLICE));
            if (page != 0) change(Subprocess.statistics(Heap.subprocess(heap)), Statistics.COMMITTED, -guardBytes());
        }
        if (page == 0) return refuse(heap, blockSize);
        if ((use & INTERIOR) != 0 && slices < 1L << 31) Page.setFlag(page, Page.MAPPED_WHOLE);
        return initialise(page, theap, blockSize, 1, 0);
    }

    /**
     * Makes a page for a guarded block, see {@link Guarded}; 0 if there is no memory, or there are as many as may be.
     * It comes straight from the OS, so that its addresses go with the guard when it goes.
     */
    public static long guarded(long theap, long size, long alignment) {
        long heap = Theap.heap(theap);
        long blockSize = charge(size, true);
        if (!Limits.charge(heap, blockSize)) return 0;
        long bytes = blockSize + Os.pageSize();
        boolean may = alignment <= Config.SLICE && mayMap(heap);
        long page = may ? Guarded.reuse(Heap.subprocess(heap), bytes) : 0;
        boolean fresh = page == 0;
        if (fresh) page = mapped(heap, bytes, Config.max(alignment, Config.SLICE));
        if (page == 0) return refuse(heap, blockSize);
        boolean guarded = !fresh || Os.protect(Page.start(page) + blockSize, Os.pageSize(), Os.NO_ACCESS) >= 0;
        Statistics.decrease(Subprocess.statistics(Heap.subprocess(heap)), Statistics.COMMITTED, Os.pageSize());
        page = initialise(page, theap, blockSize, 1, 0);
        if (page == 0 || guarded && Guarded.enter(page, size, alignment)) return page;
        release(page);
        return 0;
    }

    /** Where guards break huge pages nobody learns what is dense. */
    private static boolean isExpectedSparse(long blockSize) {
        return Secret.guardsPages() || Density.expected(blockSize) == Density.SPARSE;
    }

    /** Can {@link Density} learn from this singleton? Its memory was fresh, and stays readable when it is freed, by guards too. */
    private static boolean mayTellDensity(long page, long heap) {
        if (Secret.has(Secret.QUARANTINE_LARGE)) return false;
        long subprocess = Heap.subprocess(heap);
        if (Secret.guardsPages() || !Page.isInArena(page) || !Page.has(page, Page.MEMORY_ZERO) || subprocess != Main.subprocess()) return false;
        long arena = Subprocess.arena(subprocess, Page.arena(page));
        return Arena.isAdvisable(arena) && Arena.staysReadable(arena);
    }

    /**
     * The bytes behind the blocks of a page that cannot be touched: at level 5 an OS page, if four are in a slice. So
     * who writes on and on comes to an end there, whatever lies behind the page.
     */
    static long guardBytes() {
        return Secret.guardsPages() && Os.pageSize() <= Config.SLICE / 4 ? Os.pageSize() : 0;
    }

    /** How many slices a single block and its guard take. */
    static long slicesFor(long blockSize) {
        return Config.alignUp(blockSize + guardBytes(), Config.SLICE) >>> Config.SLICE_SHIFT;
    }

    private static boolean mayGuard(long page) {
        if (guardBytes() == 0 || !Page.isInArena(page)) return guardBytes() != 0;
        long arena = Arenas.arenaOf(page);
        return Arena.isOwned(arena) && !Arena.isCommittedByUser(arena); // a user's memory stays as the user wants it
    }

    /** Makes the OS page behind a page's last block one that cannot be touched, unless the OS has no more mappings. */
    static void guard(long page) {
        if (!mayGuard(page)) return;
        Os.protect(Config.alignUp(Page.start(page) + Page.bytes(page), Os.pageSize()), guardBytes(), Os.NO_ACCESS);
        if (Page.isOfEmpty(page)) Os.protect(Page.userAddress(page, Page.start(page)), Page.EMPTY_SHIFT, Os.NO_ACCESS);
    }

    /** Takes back what {@link #guard} did to slices of an arena; false if the OS refuses, as it has no reason to. */
    static boolean openGuard(long page) {
        if (!mayGuard(page)) return true;
        long start = Config.alignDown(Page.start(page), Config.SLICE);
        return OsMemory.commit(start, (long) Page.slices(page) << Config.SLICE_SHIFT);
    }

    private static long refuse(long heap, long bytes) {
        Limits.discharge(heap, bytes);
        return 0;
    }

    /** The bytes of a page's memory as limits count them: blocks that are not linked in yet do not count. */
    public static long charge(long page) {
        if (Page.has(page, Page.CHARGED_ELSEWHERE)) return 0;
        return Page.isSingleton(page) ? Page.blockSize(page) : Page.linkedBytes(page);
    }

    /** The bytes of a page's memory, without the addresses where it may grow. */
    private static long memory(long page) {
        if (Page.isInArena(page)) return (long) Page.slices(page) << Config.SLICE_SHIFT;
        return Page.isSingleton(page) ? Page.blockSize(page) : Page.osSize(page);
    }

    /** The bytes that are charged first for a page of blocks of {@code size} bytes, or for one {@code single} block. */
    public static long charge(long size, boolean single) {
        if (single) return Config.alignUp(Config.max(size, 1), Os.pageSize());
        return Page.linkedBytes(1, SizeClass.goodSize(size));
    }

    /** May a heap have memory straight from the OS? */
    static boolean mayMap(long heap) {
        return Heap.exclusiveArena(heap) == 0 && !Options.isEnabled(Options.DISALLOW_OS_ALLOC);
    }

    /** A descriptor for memory straight from the OS. */
    private static long mapped(long heap, long size, long alignment) {
        if (!mayMap(heap)) return 0;
        long kept = Kept.take(Heap.subprocess(heap), size, alignment);
        if (kept != 0) return kept;
        long page = Meta.allocate(Page.OS_SIZE);
        if (page == 0) return 0;
        long start = OsMemory.map(size, alignment, Os.COMMIT);
        if (start != 0) return mapped(page, heap, start, size, size);
        Meta.free(page, Page.OS_SIZE);
        return 0;
    }

    private static long mapped(long page, long heap, long start, long size, long room) {
        long statistics = Subprocess.statistics(Heap.subprocess(heap));
        Statistics.add(statistics, Statistics.MMAP_CALLS, 1);
        Statistics.increase(statistics, Statistics.RESERVED, room);
        Statistics.increase(statistics, Statistics.COMMITTED, size);
        Page.setStart(page, start);
        Page.setOsBase(page, start);
        Page.setOsSize(page, room);
        Page.setFlags(page, Page.MEMORY_ZERO);
        return page;
    }

    /**
     * A page with a single block of at least {@code size} bytes that may grow, see {@link Resize}; 0 if there is no
     * memory for one.
     *
     * @param old the page whose block will be copied there, and which the caller owns, or 0. Its charge goes over to
     *        the new page, so that a block may grow as long as the limit leaves room for what is new.
     */
    static long allocateGrowing(long theap, long size, long old) {
        long heap = Theap.heap(theap);
        if (!mayMap(heap) || size >= Config.ADDRESSES) return 0;
        long blockSize = roomy(heap, size);
        long credit = old != 0 && Page.heapAcquire(old) == heap ? charge(old) : 0;
        long more = blockSize - credit;
        if (!Limits.charge(heap, more)) return 0;
        long room = room(blockSize);
        long page = Meta.allocate(Page.OS_SIZE);
        long start = page == 0 ? 0 : reserve(room);
        if (start == 0 || !OsMemory.commit(start, blockSize)) {
            if (start != 0) OsMemory.unmap(start, room);
            Meta.free(page, Page.OS_SIZE);
            Limits.discharge(heap, more);
            return 0;
        }
        OsMemory.allowHugePages(start, blockSize, Options.bounded(Options.ALLOW_THP) != 0);
        page = initialise(mapped(page, heap, start, blockSize, room), theap, blockSize, 1, 0);
        if (page == 0) Limits.discharge(heap, -credit); // initialise has discharged the old page's part, too
        else if (credit != 0) Page.setFlag(old, Page.CHARGED_ELSEWHERE);
        return page;
    }

    /**
     * The bytes that a growing block of {@code size} bytes gets: an eighth more, so that not every step is a call of
     * the OS, up to the end of a huge page, as the OS has no huge page where a mapping ends inside of it. Bytes that
     * nobody touches are not backed, but limits count them: so where there is a limit, a block gets no more than it
     * needs.
     */
    static long roomy(long heap, long size) {
        boolean limited = (Heap.limitRelaxed(heap) | Root.limitRelaxed()) != 0;
        return limited ? Config.alignUp(size, Os.pageSize()) : Config.alignUp(size + size / 8, MAPPED_ALIGNMENT);
    }

    /** How many addresses are reserved for a growing block: twice its bytes, where these cost nothing. */
    static long room(long blockSize) {
        return Os.reservesForFree() ? Config.alignUp(2 * blockSize, MAPPED_ALIGNMENT) : blockSize + guardBytes();
    }

    /** Reserves addresses for a growing block, or 0; aligned so that huge pages stay whole when they move there. */
    static long reserve(long size) { return OsMemory.map(size, Os.reservesForFree() ? MAPPED_ALIGNMENT : Config.SLICE, 0); }

    /** Counts more addresses and more memory, or less of them, for a page straight from the OS. */
    static void countMapped(long page, long addresses, long bytes) {
        long statistics = Subprocess.statistics(Heap.subprocess(Page.heapAcquire(page)));
        change(statistics, Statistics.RESERVED, addresses);
        change(statistics, Statistics.COMMITTED, bytes);
    }

    private static void change(long statistics, int field, long amount) {
        if (amount > 0) Statistics.increase(statistics, field, amount);
        else if (amount < 0) Statistics.decrease(statistics, field, -amount);
    }

    /** Counts that the block of a singleton has grown, as an allocation of {@code bytes}. */
    static void countGrown(long page, long bytes) {
        long heap = Page.heapAcquire(page);
        long statistics = Heap.statistics(heap);
        Statistics.add(statistics, Statistics.MALLOC_HUGE, bytes);
        Statistics.add(statistics, Statistics.PAGE_COMMITTED, bytes);
        Statistics.raisePeak(statistics, Statistics.PAGE_COMMITTED, Heap.chargedRelaxed(heap));
    }

    /** May memory of a page that is still in use be given back, when its block is being copied away? */
    static boolean mayDecommit(long page) {
        if (Options.bounded(Options.PURGE_DELAY) < 0 || Page.has(page, Page.SAMPLED)) return false;
        if (!Page.isInArena(page)) return true;
        long arena = Arenas.arenaOf(page);
        return Arena.isOwned(arena) && !Arena.isPinned(arena);
    }

    /**
     * Makes the memory of a singleton zero from {@code offset} to its end: what the OS takes back is not touched for
     * that. Memory that the OS only may take back, some day, still has its contents, and is not left to it.
     */
    public static void zero(long page, long offset) {
        long size = Page.blockSize(page);
        long from = Config.min(Config.alignUp(offset, Config.SLICE), size);
        long to = Config.alignDown(size, Config.SLICE);
        boolean may = to > from && mayDecommit(page) && Options.isEnabled(Options.PURGE_DECOMMITS);
        if (!may || !decommit(page, from, to - from)) to = from;
        fill(Page.start(page) + offset, from - offset, 0);
        fill(Page.start(page) + to, size - to, 0);
    }

    /**
     * For the owner of a singleton whose block is freed, but waits: gives its memory back, and takes the access to its
     * addresses, so that a use of the block faults. True if the memory is gone, even if the access stays.
     */
    static boolean close(long page) {
        if (!mayDecommit(page) || !Options.isEnabled(Options.PURGE_DECOMMITS)) return false;
        if (!decommit(page, 0, memory(page))) return false;
        if (Os.protect(Page.start(page), memory(page), Os.NO_ACCESS) >= 0) Page.setFreedRelease(page, true);
        return true;
    }

    /**
     * Makes a page that may be closed one that can be released; false if the OS refuses that. A mapping needs nothing:
     * it goes.
     */
    public static boolean open(long page) {
        if (!Page.isClosed(page) || !Page.isInArena(page)) return true;
        long arena = Arenas.arenaOf(page);
        boolean may = Arena.open(arena, Arena.sliceOf(arena, page), Page.slices(page));
        if (may) Page.setFreedRelease(page, false);
        return may;
    }

    /** Gives memory of a page that {@link #mayDecommit} back: whole slices, from {@code offset} on; false if refused. */
    static boolean decommit(long page, long offset, long size) {
        if (!Page.isInArena(page)) return OsMemory.decommit(Page.start(page) + offset, size) >= 0;
        long arena = Arenas.arenaOf(page);
        long slice = Arena.sliceOf(arena, page) + (offset >>> Config.SLICE_SHIFT);
        HugePages.breakUp(arena, slice, size >>> Config.SLICE_SHIFT);
        return Arena.purge(arena, slice, size >>> Config.SLICE_SHIFT);
    }

    /**
     * Fills in a new page's descriptor, and enters it in its heap and in the page map; 0 if there is no memory for
     * these.
     *
     * @param reserved for how many blocks the page has room
     * @param linked how many of them are linked in at once
     */
    private static long initialise(long page, long theap, long blockSize, int reserved, int linked) {
        long heap = Theap.heap(theap);
        if (Check.isOn()) Check.that(blockSize > 0 && linked <= reserved && (Page.userAddress(page, Page.start(page)) & Config.SLICE - 1) == 0);
        Page.setBlockSize(page, blockSize);
        Page.setReserved(page, reserved);
        Page.setTheap(page, theap);
        Page.setHeapRelease(page, heap);
        Page.setThreadId(page, Theap.threadId(theap));
        if (reserved == 1) Page.setSingle(page);
        Page.harden(page);
        guard(page);
        if (linked != 0) Page.extend(page, linked);
        Page.setThreadFreeRelease(page, Page.OWNED);
        if (!addToHeap(page, heap)) {
            giveMemoryBack(page, heap);
            return 0;
        }
        if (!PageMap.register(Page.start(page), mappedSlices(page), page)) {
            removeFromHeap(page, heap);
            giveMemoryBack(page, heap);
            return 0;
        }
        countPeaks(heap, Heap.addReferences(heap, 1) - 1);
        Theap.countPage(theap, Page.bin(page), Page.bytes(page));
        trace(page, true);
        return page;
    }

    private static void countPeaks(long heap, long pages) {
        Statistics.raisePeak(Heap.statistics(heap), Statistics.PAGES, pages);
        Statistics.raisePeak(Heap.statistics(heap), Statistics.PAGE_COMMITTED, Heap.chargedRelaxed(heap));
    }

    private static void countHuge(long statistics, long bytes, int blocks) {
        Statistics.add(statistics, Statistics.MALLOC_HUGE, bytes);
        Statistics.add(statistics, Statistics.MALLOC_HUGE_COUNT, blocks);
    }

    /** Counts that a page goes from one heap to another, with the blocks that it has ever given out. */
    static void move(long page, long from, long to) {
        Statistics.add(to, Statistics.PAGES, 1);
        Statistics.add(to, Statistics.PAGE_BINS + Page.bin(page) * Statistics.COUNT_SIZE, 1);
        Statistics.add(to, Statistics.PAGE_COMMITTED, Page.bytes(page));
        long bytes = Page.blockSize(page) * Page.capacity(page);
        if (Page.isSingleton(page)) {
            countHuge(from, -bytes, -1);
            countHuge(to, bytes, 1);
        } else {
            int bin = Statistics.MALLOC_BINS + Page.bin(page) * Statistics.COUNT_SIZE;
            Statistics.add(from, bin, -bytes);
            Statistics.add(to, bin, bytes);
        }
    }

    /** Takes off the blocks that the page's {@code free} was filled with, and that were never given out. */
    private static void countUnusedSlow(long page, long statistics) {
        long bytes = Page.isSingleton(page) ? 0 : Config.max(0, Page.unused(page) - Holes.hidden(page)) * Page.blockSize(page);
        if (bytes != 0) Statistics.add(statistics, Statistics.MALLOC_BINS + Page.bin(page) * Statistics.COUNT_SIZE, -bytes);
    }

    static void trace(long page, boolean fresh) {
        Trace.page(fresh, Page.start(page), memory(page), Page.blockSize(page), Heap.sequence(Page.heapAcquire(page)));
    }

    /** How many slices of a page are in the page map. */
    static long mappedSlices(long page) {
        long slices = Config.alignUp(Page.bytes(page), Config.SLICE) >>> Config.SLICE_SHIFT;
        // Users have no address further inside a large block than this, and to enter all slices would cost time.
        boolean whole = !Page.isSingleton(page) || Page.has(page, Page.MAPPED_WHOLE);
        return whole ? slices : Config.min(slices, INTERIOR_SLICES);
    }

    /** Frees a page that the caller owns, that has no live block, is in no queue and cannot be found. */
    public static void release(long page) {
        detach(page);
        finish(page);
    }

    /**
     * Frees the pages of a chain linked by {@code next}, as {@link #release} does.
     */
    static void releaseAll(long page) {
        long next;
        for (; page != 0; page = next) {
            next = Page.next(page);
            release(page);
        }
    }

    /**
     * The first half of {@link #release}: from now on nobody finds the page. It calls nothing of the user's, so that
     * the caller may hold a lock.
     */
    static void detach(long page) {
        long heap = Page.heapAcquire(page);
        if (Check.isOn()) Check.that(Page.isOwned(Page.threadFreeAcquire(page)) && PageMap.pageOf(Page.start(page)) == page);
        // The listener hears of a sample's end as long as nobody else can have the memory.
        if (Page.has(page, Page.SAMPLED)) Sampling.end(page, heap);
        trace(page, false);
        countUnusedSlow(page, Heap.statistics(heap));
        if (Page.isSingleton(page) && Page.blockSize(page) > Config.LARGE_OBJECT_MAX && mayTellDensity(page, heap)) {
            Density.beforeRelease(Page.start(page), Page.blockSize(page));
        }
        Holes.clear(page);
        PageMap.unregister(Page.start(page), mappedSlices(page));
        removeFromHeap(page, heap);
    }

    /**
     * The second half of {@link #release}: gives the page's memory back. Until its end the page holds a reference to
     * its heap, so that the heap's struct is there.
     */
    static void finish(long page) {
        long heap = Page.heapAcquire(page);
        giveMemoryBack(page, heap);
        Purge.afterFree(Heap.subprocess(heap));
        Heap.dropReference(heap);
    }

    /** Enters a page in its heap's bitmap, or list of pages from the OS; false if there is no memory for the bitmap. */
    static boolean addToHeap(long page, long heap) {
        if (Page.isInArena(page)) {
            long arena = Arenas.arenaOf(page);
            long pages = Heap.arenaPages(heap, Arena.index(arena), Arena.slices(arena));
            if (pages == 0) return false;
            boolean fresh = Bitmap.set(ArenaPages.pages(pages), Arena.sliceOf(arena, page));
            if (Check.isOn()) Check.that(fresh);
            return true;
        }
        long lock = Subprocess.osLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        Links.push(Heap.osPagesWord(heap), page, Page.OS_LINKS);
        Lock.release(lock);
        return true;
    }

    /** Takes a page out of its heap's bitmap, or list of pages from the OS. */
    static void removeFromHeap(long page, long heap) {
        if (Page.isInArena(page)) {
            long arena = Arenas.arenaOf(page);
            long pages = Heap.arenaPages(heap, Arena.index(arena), Arena.slices(arena));
            boolean known = Bitmap.clear(ArenaPages.pages(pages), Arena.sliceOf(arena, page));
            if (Check.isOn()) Check.that(known);
            return;
        }
        long lock = Subprocess.osLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        Links.remove(Heap.osPagesWord(heap), page, Page.OS_LINKS);
        Lock.release(lock);
    }

    private static void giveMemoryBack(long page, long heap) {
        Limits.discharge(heap, charge(page));
        if (Page.isInArena(page)) {
            long arena = Arenas.arenaOf(page);
            // Slices with a guard are of no use to anybody.
            if (open(page) && openGuard(page)) Arena.giveBack(arena, Arena.sliceOf(arena, page), Page.slices(page));
            return;
        }
        if (!Guarded.keep(page, Heap.subprocess(heap))) Kept.giveBack(page, Heap.subprocess(heap), memory(page));
    }
}
