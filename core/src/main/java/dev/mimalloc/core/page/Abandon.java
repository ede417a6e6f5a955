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
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Check;
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
 * came in meanwhile the CAS fails, and the owner decides again. So the last block's free is never overlooked.
 */
public final class Abandon {
    /** How often a fork's child looks whether a thread, which it may not have, has put a bit back. */
    private static final int FORKED_PATIENCE = 1 << 16;

    /**
     * A theap that gives up full pages too early keeps more of them, in steps of 8 slices for each bin, the size of a
     * page of medium blocks; up to 1024 slices, 64 MiB.
     */
    private static final int RETAIN_STEP = 8;
    private static final int RETAIN_MAX = 1024;

    private Abandon() {}

    /** Gives up a page that the caller owns and that is in no queue; frees it if it is empty. */
    public static void abandon(long page) {
        if (Check.isOn()) Check.that(Page.isOwned(Page.threadFreeAcquire(page)) && !Page.isAbandoned(page));
        Page.clearFlag(page, Page.IN_FULL);
        Page.setThreadId(page, Page.HIDDEN);
        // Nobody can allocate in a page with a single block, so it does not count as abandoned.
        if (!Page.isSingleton(page)) Theap.count(Page.theap(page), Theap.ABANDONED, 1);
        giveUp(page);
    }

    /** Gives up the pages of a chain linked by {@code next}, and frees the empty ones. */
    static void abandonAll(long page) {
        long next;
        for (; page != 0; page = next) {
            next = Page.next(page);
            if (Page.isEmpty(page)) Pages.release(page);
            else abandon(page);
        }
    }

    /** Ends the ownership of an abandoned page: frees it if it is empty, and makes it findable if it has room. */
    public static void giveUp(long page) {
        while (true) {
            long word = Page.threadFreeAcquire(page);
            if (Check.isOn()) Check.that(Page.isOwned(word) && Page.isAbandoned(page) && Page.count(word) <= Page.used(page));
            if (Page.count(word) == Page.used(page)) {
                if (hide(page)) Pages.release(page);
                return;
            }
            if (Page.threadId(page) == Page.HIDDEN && Page.hasRoom(page, Page.OTHERS_SHARE)) makeFindable(page);
            if (Page.casThreadFree(page, word, word & ~Page.OWNED)) return;
        }
    }

    /** Closes an abandoned page, see {@link Pages#close}; false, with nothing changed, also if another thread has it just now. */
    public static boolean close(long page) {
        if (!Page.tryOwn(page)) return false;
        boolean gone = Pages.close(page);
        if (!Heap.isDeleted(Page.heapAcquire(page)) || adopt(page)) giveUp(page);
        return gone;
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
            // The theap gave this page up itself, and since then took the slow path for each free: it keeps more pages
            // now.
            if (Page.theap(page) == theap) {
                Theap.setRetainMore(theap, Config.min(Theap.retainMore(theap) + RETAIN_STEP, RETAIN_MAX));
            }
            reclaim(page, theap);
        } else {
            giveUp(page);
        }
    }

    /**
     * Moves an owned page that is not findable from a deleted heap to the main heap; false, with nothing changed, if
     * there is no memory for the main heap's bitmaps.
     */
    public static boolean moveToMain(long page) {
        long old = Page.heapAcquire(page);
        long main = Subprocess.mainHeap(Heap.subprocess(old));
        if (!Page.isInArena(page)) Pages.removeFromHeap(page, old);
        if (!Pages.addToHeap(page, main)) return false;
        if (Page.isInArena(page)) Pages.removeFromHeap(page, old);
        Pages.move(page, Heap.statistics(old), Heap.statistics(main));
        Heap.addReferences(main, 1);
        Heap.raiseUnfilled(main, Heap.unfilledRelaxed(old));
        Limits.move(old, main, Pages.charge(page));
        Page.setHeapRelease(page, main);
        Heap.dropReference(old);
        return true;
    }

    /**
     * Moves an owned abandoned page of a deleted heap to the main heap, if there is memory for that; false if the page
     * is left alone for ever, see {@link #hide}.
     */
    public static boolean adopt(long page) {
        if (!hide(page)) return false;
        moveToMain(page);
        return true;
    }

    /**
     * May a theap take a page of which it has freed a block? Only with some room: without it the next allocations would
     * fill the page, and abandon it again.
     */
    private static boolean mayReclaim(long page, long theap) {
        long option = Theap.reclaimOnFree(theap);
        if (option < 0 || Page.isSingleton(page) || Page.heapAcquire(page) != Theap.heap(theap)) return false;
        boolean own = Page.theap(page) == theap;
        if (!Page.hasRoom(page, own ? Page.OWN_SHARE : Page.OTHERS_SHARE) || Page.isEmpty(page)) return false;
        long pages = PageQueue.countRelaxed(Theap.queue(theap, Page.bin(page)));
        if (Theap.maxReclaim(theap) >= 0 && pages >= Theap.maxReclaim(theap)) return false;
        return own || option > 0 && pages < Options.bounded(Options.PAGE_CROSS_THREAD_MAX_RECLAIM);
    }

    /** Makes an owned page that is not findable a theap's own. It is in no queue yet. */
    static void takeOver(long page, long theap) {
        if (Check.isOn()) Check.that(Page.isOwned(Page.threadFreeAcquire(page)) && Page.isAbandoned(page));
        if (Check.isOn()) Check.that(Page.heapAcquire(page) == Theap.heap(theap));
        Page.setTheap(page, theap);
        Page.setThreadId(page, Theap.threadId(theap));
        Page.setRetire(page, 0);
        Holes.fill(page);
        if (Page.free(page) == 0 && Page.collect(page)) Theap.countListed(theap, Page.bin(page), page);
        Page.collectAll(page);
    }

    /**
     * Puts an owned page that is not findable into a theap, at the back of its queue: until its turn comes it may get
     * emptier.
     */
    private static void reclaim(long page, long theap) {
        takeOver(page, theap);
        if (Page.used(page) == 0) {
            // All other blocks came back meanwhile. Nobody would look for an empty page in a queue.
            Pages.release(page);
            return;
        }
        Theap.lock(theap);
        PageQueue.pushBack(theap, Page.bin(page), page);
        Theap.unlock(theap);
    }

    /** Finds an abandoned page of a bin for an allocation: owned now, and not findable any more; 0 if there is none. */
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
        if (Page.tryOwn(page)) {
            if (Check.isOn()) Check.that(Page.threadId(page) == Page.FINDABLE);
            return true;
        }
        Bitmap.set(bitmap, bit);
        return false;
    }

    private static void makeFindable(long page) {
        if (!Page.isInArena(page) || Page.isSingleton(page)) return;
        long bitmap = bitmap(page);
        if (bitmap == 0) return;
        Page.setThreadId(page, Page.FINDABLE);
        Heap.addAbandoned(Page.heapAcquire(page), Page.bin(page), 1);
        boolean fresh = Bitmap.set(bitmap, Arena.sliceOf(Arenas.arenaOf(page), page));
        if (Check.isOn()) Check.that(fresh);
    }

    /** Does the bit of an abandoned page lead to it? */
    static boolean isFindable(long page) { return Bitmap.isSet(bitmap(page), Arena.sliceOf(Arenas.arenaOf(page), page)); }

    private static long bitmap(long page) {
        long arena = Arenas.arenaOf(page);
        long pages = Heap.arenaPages(Page.heapAcquire(page), Arena.index(arena), Arena.slices(arena));
        return pages == 0 ? 0 : ArenaPages.makeAbandoned(pages, Page.bin(page));
    }

    /**
     * Makes an owned abandoned page one that cannot be found any more. False if it has to be left alone for ever: in a
     * fork's child, when a thread that stayed behind in the parent was about to claim it.
     */
    static boolean hide(long page) {
        long heap = Page.heapAcquire(page);
        if (Page.threadId(page) == Page.FINDABLE) {
            if (!clearBit(bitmap(page), Arena.sliceOf(Arenas.arenaOf(page), page), heap)) return false;
            Heap.addAbandoned(heap, Page.bin(page), -1);
        }
        Page.setThreadId(page, Page.HIDDEN);
        return true;
    }

    /** Clears a findable page's bit; waits for an allocation that has cleared it to put it back. */
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
