package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * Verifies that the allocator's structures are whole, where {@link Check#that} only looks at what a call has at hand:
 * walks over queues, pages and their lists of blocks, and holds them against bitmaps, tables and counts. The first
 * fault is reported with its address, and ends the process, or on the JVM is an error that leaves locks held: then
 * nothing can be relied on any more.
 *
 * <p>A theap's thread may verify the theap at any time between two steps of a call: all that is looked at there belongs
 * to the thread, or stays as long as the thread owns its pages. What concerns all threads, as the arenas and abandoned
 * pages, is only looked at by {@link #whole}, while no other thread is in a call. Nothing here waits for anybody.
 *
 * <p>Only checked builds come by here. The struct is what a verification has counted so far.
 */
public final class Verify {
    private static final long QUEUED = 0; // 8: pages in queues, less a heap's pages that are not abandoned
    private static final long SLICES = QUEUED + 8; // 8: those of pages, less those that arenas have given out
    private static final long FINDABLE = SLICES + 8; // 8: findable pages, less bits that lead to one
    private static final long CHARGED = FINDABLE + 8; // 8: bytes of pages, as limits count them
    private static final long MARKS = CHARGED + 8; // a bit for each block that a page can have: seen in a free list
    private static final long SIZE = MARKS + Config.SLICE / WORD / 8;

    private Verify() {}

    /** For a theap's thread, outside of the theap's lock: its queues, their pages and its direct table. */
    public static void theap(long theap) {
        long verify = Meta.allocate(SIZE);
        if (verify == 0) return;
        if (Lock.tryAcquire(Theap.lockWord(theap))) {
            queues(verify, theap);
            Theap.unlock(theap);
        }
        Meta.free(verify, SIZE);
    }

    /** For the thread with this data, outside of all locks: its theaps; and everything if there is no other thread. */
    public static void thread(long data) {
        if (ThreadData.subprocess(data) == 0) return; // it has ended, and nothing is left
        long lives = Subprocess.livesLock(ThreadData.subprocess(data));
        if (Lock.tryAcquire(lives)) {
            for (long theap = ThreadData.theaps(data); theap != 0; theap = Theap.nextInThread(theap)) theap(theap);
            Lock.release(lives);
        }
        // In a fork's child, threads that stayed behind may have been in a call.
        if (Os.isAlone() && ThreadData.callOuts(data) == 0 && !Root.forked()) whole();
    }

    /** While no other thread is in a call: all theaps, heaps, pages and arenas. */
    public static void whole() {
        long verify = Meta.allocate(SIZE);
        if (verify == 0) return;
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            for (long theap = Scavenge.first(s); theap != 0; theap = Scavenge.next(theap)) queues(verify, theap);
            for (long heap = Subprocess.heaps(s); heap != 0; heap = Heap.next(heap)) heap(verify, heap);
            arenas(verify, s);
        }
        Meta.free(verify, SIZE);
    }

    private static void add(long verify, long field, long n) { putLong(verify + field, getLong(verify + field) + n); }

    private static void queues(long verify, long theap) {
        long pages = 0;
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) pages += queue(verify, theap, index);
        if (Theap.pageCount(theap) != pages) Check.fail(Text.literal("number of pages of theap"), theap);
        add(verify, QUEUED, pages);
        for (long size = 0; size <= Config.SMALL_SIZE_MAX; size += WORD) {
            long first = PageQueue.first(Theap.queue(theap, SizeClass.bin(Config.max(size, 1))));
            long entry = first == 0 || Secret.isOnDemand() ? Main.emptyPage() : first;
            boolean direct = Theap.direct(theap, size - Secret.builtPadding()) == entry;
            if (!direct || Page.free(Main.emptyPage()) != 0) Check.fail(Text.literal("direct table of theap"), theap);
        }
    }

    /** Returns how many pages are in the queue. */
    private static long queue(long verify, long theap, int index) {
        long queue = Theap.queue(theap, index);
        boolean seen = index >= Theap.retireFirst(theap) && index <= Theap.retireLast(theap);
        long count = 0;
        long before = 0;
        for (long page = PageQueue.first(queue); page != 0; before = page, page = Page.next(page), count++) {
            boolean linked = Page.prev(page) == before && Page.queue(page) == index && Page.theap(page) == theap;
            if (!linked) Check.fail(Text.literal("wrong queue of page"), page);
            boolean owned = Page.threadId(page) == Theap.threadId(theap) && Page.isOwned(Page.threadFreeAcquire(page));
            if (!owned || Page.heapAcquire(page) != Theap.heap(theap)) Check.fail(Text.literal("wrong owner of page"), page);
            boolean forgotten = !seen && Page.retire(page) != 0 && Page.isEmpty(page);
            if (forgotten) Check.fail(Text.literal("nobody frees retired page"), page);
            page(verify, page);
        }
        boolean ends = PageQueue.last(queue) == before && PageQueue.countRelaxed(queue) == count;
        if (!ends) Check.fail(Text.literal("end or length of queue"), queue);
        return count;
    }

    /** A page that the caller owns, or that nobody can own meanwhile. */
    private static void page(long verify, long page) {
        long word = Page.threadFreeAcquire(page);
        long size = Page.blockSize(page);
        int used = Page.used(page);
        int capacity = Page.capacity(page);
        boolean fits = size >= WORD && (Page.isSingleton(page) || Page.bytes(page) <= SizeClass.pageSize(size));
        boolean counts = Page.count(word) <= used && used <= capacity && capacity <= Page.reserved(page);
        if (!fits || !counts) Check.fail(Text.literal("numbers of blocks of page"), page);
        for (long i = 0; i < Pages.mappedSlices(page); i++) {
            boolean mapped = PageMap.pageOf(Page.start(page) + (i << Config.SLICE_SHIFT)) == page;
            if (!mapped) Check.fail(Text.literal("the page map leads elsewhere from page"), page);
        }
        if (Page.isInArena(page)) slices(page, Arenas.arenaOf(page));
        fill(verify + MARKS, SIZE - MARKS, 0);
        int free = list(verify, page, Page.free(page)) + list(verify, page, Page.localFree(page));
        int others = list(verify, page, Page.head(word));
        // Hidden blocks are in no list, but for one; some of them may count as others', whose list has one block at least.
        int hidden = 0;
        long arena = Holes.has(page) ? Arenas.arenaOf(page) : 0;
        for (int i = 0; i < capacity && arena != 0; i++) {
            if (Holes.isHole(arena, Page.start(page) + i * size) && !isMarked(verify, i)) hidden++;
        }
        boolean all = free + others + hidden == capacity - used + Page.count(word) && others <= Page.count(word);
        if (!all) Check.fail(Text.literal("free blocks are lost of page"), page);
        if (!Page.has(page, Page.FREE_ZERO)) return;
        for (long block = Page.free(page); block != 0; block = Page.nextBlock(page, block)) {
            for (long at = block + (Page.isHardened(page) ? 2 : 1) * WORD; at < block + size; at += WORD) {
                if (getLong(at) != 0) Check.fail(Text.literal("a block that nobody had was written to at"), at);
            }
        }
    }

    /** What an arena, and the page's heap, know of a page. */
    private static void slices(long page, long arena) {
        long slice = Arena.sliceOf(arena, page);
        long count = Page.slices(page);
        boolean has = Page.bytes(page) <= count << Config.SLICE_SHIFT && Arena.descriptor(arena, slice) == page
                && Bitmap.countSet(Arena.free(arena), slice, count) == 0;
        boolean used = Bitmap.countSet(Arena.committed(arena), slice, count) == count
                && Bitmap.countSet(Arena.dirty(arena), slice, count) == count;
        if (!has || !used && !Page.isClosed(page)) Check.fail(Text.literal("wrong slices of page"), page);
        long pages = Table.get(Heap.arenaPagesTable(Page.heapAcquire(page)), Arena.index(arena));
        if (!Bitmap.isSet(ArenaPages.pages(pages), slice)) Check.fail(Text.literal("its heap does not know page"), page);
    }

    private static boolean isMarked(long verify, long index) {
        return (getLong(verify + MARKS + (index >>> 6) * WORD) >>> (index & 63) & 1) != 0;
    }

    /** Returns the length of a list, all of whose blocks are the page's and in no other list. */
    private static int list(long verify, long page, long block) {
        int length = 0;
        for (; block != 0; block = Page.nextBlock(page, block), length++) {
            if (!Page.isBlock(page, block)) Check.fail(Text.literal("a free block was overwritten, and leads to"), block);
            long index = (block - Page.start(page)) / Page.blockSize(page);
            long marks = verify + MARKS + (index >>> 6) * WORD;
            if (isMarked(verify, index)) Check.fail(Text.literal("twice in free lists is block"), block);
            putLong(marks, getLong(marks) | 1L << (index & 63));
        }
        return length;
    }

    private static void heap(long verify, long heap) {
        long charged = getLong(verify + CHARGED) + Heap.chargedRelaxed(heap);
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            pageOf(verify, heap, HeapPages.page(heap, at));
        }
        for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) pageOf(verify, heap, page);
        if (getLong(verify + CHARGED) != charged) Check.fail(Text.literal("bytes charged to heap"), heap);
        for (int bin = 0; bin < SizeClass.COUNT; bin++) {
            long bits = 0;
            for (long i = 0; i < Subprocess.arenaCount(Heap.subprocess(heap)); i++) {
                long pages = Table.get(Heap.arenaPagesTable(heap), i);
                long bitmap = pages == 0 ? 0 : ArenaPages.abandonedAcquire(pages, bin);
                if (bitmap != 0) bits += Bitmap.countSet(bitmap, 0, ArenaPages.slices(pages));
            }
            if (bits != Heap.abandonedRelaxed(heap, bin)) Check.fail(Text.literal("number of findable pages in heap"), heap);
            add(verify, FINDABLE, -bits);
        }
        if (getLong(verify + FINDABLE) != 0) Check.fail(Text.literal("bits of findable pages in heap"), heap);
    }

    private static void pageOf(long verify, long heap, long page) {
        if (Page.heapAcquire(page) != heap) Check.fail(Text.literal("wrong heap of page"), page);
        add(verify, CHARGED, Pages.charge(page));
        add(verify, SLICES, Page.slices(page));
        if (Page.isAbandoned(page)) abandoned(verify, page);
        else add(verify, QUEUED, -1);
    }

    private static void abandoned(long verify, long page) {
        boolean owned = Page.isOwned(Page.threadFreeAcquire(page));
        if (owned || Page.isEmpty(page)) Check.fail(Text.literal("an owner, or no block, of abandoned page"), page);
        if (Page.threadId(page) == Page.FINDABLE && Abandon.isFindable(page)) add(verify, FINDABLE, 1);
        page(verify, page);
    }

    private static void arenas(long verify, long subprocess) {
        long waiting = 0;
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0) continue;
            waiting += Bitmap.countSet(Arena.waiting(arena), 0, Arena.slices(arena));
            add(verify, SLICES, Bitmap.countSet(Arena.free(arena), 0, Arena.slices(arena)) - Arena.slices(arena));
        }
        boolean counted = waiting == Subprocess.waiting(subprocess);
        if (!counted) Check.fail(Text.literal("number of waiting slices in subprocess"), subprocess);
        if (getLong(verify + SLICES) != 0) Check.fail(Text.literal("slices without a page in subprocess"), subprocess);
        if (getLong(verify + QUEUED) != 0) Check.fail(Text.literal("pages without a queue in subprocess"), subprocess);
    }
}
