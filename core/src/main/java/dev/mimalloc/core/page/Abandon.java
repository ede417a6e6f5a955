package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Os;

/**
 * Pages that no thread's theap has: how they are given up, found again, and freed by whoever frees their last block.
 *
 * <p>The owned bit in the thread-free word decides who may touch a page. A thread that frees a block of somebody
 * else's page always pushes it with the bit set; if the bit was clear before, it has become the owner of an abandoned
 * page and has to bring the matter to an end: free the page, take it into its own theap, or give it up again.
 *
 * <p>A findable page also has a bit in its heap's bitmap for its bin, set while the page was still owned. An
 * allocator claims the bit by clearing it and only then sets the owned bit. If it was set already, a freeing thread
 * is at work, and the allocator puts the bit back. An owner that wants to take or free a findable page has to clear
 * the bit first, and waits, at most, for such an allocator to put it back. So nobody looks at a descriptor whose page
 * is gone.
 *
 * <p>To give a page up is one CAS that clears the owned bit of the very word whose count was looked at: if a block
 * came in meanwhile it fails, and the owner decides again. So the last block's free is never overlooked.
 */
public final class Abandon {
    /** How long a fork's child waits for a thread that it may not have. */
    private static final int FORKED_PATIENCE = 1 << 16;

    /** A theap that keeps too few full pages keeps so many slices of each bin more, up to 64 MiB. */
    private static final int RETAIN_STEP = 8;
    private static final int RETAIN_MAX = 1024;

    private Abandon() {}

    /** Gives up a page that the caller owns and that is in no queue; frees it if it is empty. */
    public static void abandon(long page) {
        Page.clearFlag(page, Page.IN_FULL);
        Page.setThreadId(page, Page.HIDDEN);
        // A page with a single block is not there for others to allocate in, and so does not count.
        if (!Page.isSingleton(page)) Theap.count(Page.theap(page), Theap.ABANDONED, 1);
        giveUp(page);
    }

    /** Gives up pages that hang together by their {@code next}, and frees the empty ones. */
    static void abandonAll(long page) {
        long next;
        for (; page != 0; page = next) {
            next = Page.next(page);
            if (Page.isEmpty(page)) Pages.release(page);
            else abandon(page);
        }
    }

    /** Ends the ownership of an abandoned page, as things stand. */
    public static void giveUp(long page) {
        while (true) {
            long word = Page.threadFreeAcquire(page);
            if (Page.count(word) == Page.used(page)) {
                if (hide(page)) Pages.release(page);
                return;
            }
            if (Page.threadId(page) == Page.HIDDEN && Page.hasRoom(page, Page.OTHERS_SHARE)) makeFindable(page);
            if (Page.casThreadFree(page, word, word & ~Page.OWNED)) return;
        }
    }

    /**
     * A free has pushed a block on an abandoned page and owns the page now.
     *
     * @param theap the freeing thread's theap for the page's heap, or 0
     */
    public static void afterFree(long page, long theap) {
        if (theap != 0 && mayReclaim(page, theap)) {
            if (!hide(page)) return;
            Theap.count(theap, Theap.RECLAIM_ON_FREE, 1);
            // It gave up this page itself, and took the long way for each block that it freed since: let it keep more.
            if (Page.theap(page) == theap) {
                Theap.setRetainMore(theap, Config.min(Theap.retainMore(theap) + RETAIN_STEP, RETAIN_MAX));
            }
            reclaim(page, theap);
        } else {
            giveUp(page);
        }
    }

    /**
     * Moves an owned page, that cannot be found, from a deleted heap to the main heap; false if there is no memory
     * for it.
     */
    public static boolean moveToMain(long page) {
        long old = Page.heapAcquire(page);
        long main = Subprocess.mainHeap(Heap.subprocess(old));
        if (!Page.isInArena(page)) Pages.removeFromHeap(page, old);
        if (!Pages.addToHeap(page, main)) return false;
        if (Page.isInArena(page)) Pages.removeFromHeap(page, old);
        Pages.move(page, Heap.statistics(old), Heap.statistics(main));
        Heap.addReferences(main, 1);
        Limits.move(old, main, Pages.charge(page));
        Page.setHeapRelease(page, main);
        Heap.dropReference(old);
        return true;
    }

    /**
     * Moves an owned abandoned page of a deleted heap to the main heap, if there is memory for that; false if it is
     * lost.
     */
    public static boolean adopt(long page) {
        if (!hide(page)) return false;
        moveToMain(page);
        return true;
    }

    /** Only with some room: or else the next allocations would fill the page, and abandon it again. */
    private static boolean mayReclaim(long page, long theap) {
        long option = Theap.reclaimOnFree(theap);
        if (option < 0 || Page.isSingleton(page) || Page.heapAcquire(page) != Theap.heap(theap)) return false;
        boolean own = Page.theap(page) == theap;
        if (!Page.hasRoom(page, own ? Page.OWN_SHARE : Page.OTHERS_SHARE) || Page.isEmpty(page)) return false;
        long pages = PageQueue.countRelaxed(Theap.queue(theap, Page.bin(page)));
        if (Theap.maxReclaim(theap) >= 0 && pages >= Theap.maxReclaim(theap)) return false;
        return own || option > 0 && pages < Options.bounded(Options.PAGE_CROSS_THREAD_MAX_RECLAIM);
    }

    /** Makes an owned page, that is not findable, a theap's own; it is in no queue yet. */
    static void takeOver(long page, long theap) {
        Page.setTheap(page, theap);
        Page.setThreadId(page, Theap.threadId(theap));
        Page.setRetire(page, 0);
        if (Page.free(page) == 0 && Page.collect(page)) Theap.countListed(theap, Page.bin(page), page);
        Page.collectAll(page);
    }

    /**
     * Puts an owned page, that is not findable, into a theap. At the back: until its turn comes it may get emptier.
     */
    private static void reclaim(long page, long theap) {
        takeOver(page, theap);
        if (Page.used(page) == 0) {
            // The others came back meanwhile. Nobody would look for such a page in a queue.
            Pages.release(page);
            return;
        }
        Theap.lock(theap);
        PageQueue.pushBack(theap, Page.bin(page), page);
        Theap.unlock(theap);
    }

    /** An owned abandoned page of this bin, not findable any more, or 0: for an allocation that looks for a page. */
    static long find(long theap, int bin) {
        long heap = Theap.heap(theap);
        if (Heap.abandonedRelaxed(heap, bin) == 0) return 0;
        long subprocess = Heap.subprocess(heap);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long pages = Table.get(Heap.arenaPagesTable(heap), i);
            long bitmap = pages == 0 ? 0 : ArenaPages.abandonedAcquire(pages, bin);
            if (bitmap == 0) continue;
            long page = findIn(bitmap, Subprocess.arena(subprocess, i));
            if (page == 0) continue;
            Heap.addAbandoned(heap, bin, -1);
            Theap.count(theap, Theap.RECLAIM_ON_ALLOC, 1);
            return page;
        }
        return 0;
    }

    private static long findIn(long bitmap, long arena) {
        long slices = Arena.slices(arena);
        for (long bit = 0; (bit = Bitmap.nextSet(bitmap, bit, slices)) >= 0; bit++) {
            long page = Arena.descriptor(arena, bit);
            if (claim(bitmap, bit, page)) return page;
        }
        return 0;
    }

    /** Claims a findable page by its bit: true if the caller owns it now. */
    public static boolean claim(long bitmap, long bit, long page) {
        if (!Bitmap.clear(bitmap, bit)) return false;
        if (Page.tryOwn(page)) return true;
        Bitmap.set(bitmap, bit);
        return false;
    }

    private static void makeFindable(long page) {
        if (!Page.isInArena(page) || Page.isSingleton(page)) return;
        long bitmap = bitmap(page);
        if (bitmap == 0) return;
        Page.setThreadId(page, Page.FINDABLE);
        Heap.addAbandoned(Page.heapAcquire(page), Page.bin(page), 1);
        Bitmap.set(bitmap, Arena.sliceOf(Arenas.arenaOf(page), page));
    }

    private static long bitmap(long page) {
        long arena = Arenas.arenaOf(page);
        long pages = Heap.arenaPages(Page.heapAcquire(page), Arena.index(arena), Arena.slices(arena));
        return pages == 0 ? 0 : ArenaPages.makeAbandoned(pages, Page.bin(page));
    }

    /** An owner makes its abandoned page one that cannot be found any more; false if it has to be left for ever. */
    static boolean hide(long page) {
        long heap = Page.heapAcquire(page);
        if (Page.threadId(page) == Page.FINDABLE) {
            if (!clearBit(bitmap(page), Arena.sliceOf(Arenas.arenaOf(page), page), heap)) return false;
            Heap.addAbandoned(heap, Page.bin(page), -1);
        }
        Page.setThreadId(page, Page.HIDDEN);
        return true;
    }

    /** Clears a findable page's bit, waiting for an allocator that has cleared it to put it back. */
    public static boolean clearBit(long bitmap, long bit, long heap) {
        for (int i = 0; !Bitmap.clear(bitmap, bit); i++) {
            if (i == 0) Statistics.add(Heap.statistics(heap), Statistics.PAGES_UNABANDON_BUSY_WAIT, 1);
            // In a fork's child the allocator may be a thread that stayed behind in the parent.
            if (i > FORKED_PATIENCE && Root.forked()) return false;
            if (i < 64) pause();
            else Os.yield();
        }
        return true;
    }
}
