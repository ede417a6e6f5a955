package dev.mimalloc.core.page;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Theap;

/**
 * How a theap finds a page with a free block. Its queue for the bin has the pages with room; only the first is
 * allocated from. A page that is full goes to the list of full pages, and a free of one of its blocks is no different
 * from any other: that there is room again is seen when room is looked for. The list has a limit: the pages that have
 * been full for longest are abandoned, and come back, to this theap or another, when they have room.
 */
public final class FindPage {
    /**
     * A search looks at the four pages that have been full for longest, and the next search at others. Of larson's
     * searches that found room 96 % found it in the first page, one in 400 in the fourth. With 16, batches of blocks,
     * where most searches find none, took 7 % more instructions in the allocator.
     */
    private static final int FULL_SEARCH = 4;

    private FindPage() {}

    /**
     * A page of this bin whose {@code free} list has a block, or 0 if there is no memory. It is the first of its
     * queue now.
     */
    public static long find(long theap, int bin) {
        long page = PageQueue.first(Theap.queue(theap, bin));
        while (page != 0 && !prepare(theap, bin, page)) {
            setAsideFull(theap, bin, page);
            page = search(theap, bin);
        }
        if (page == 0) page = searchFull(theap, bin, FULL_SEARCH);
        if (page != 0 && !prepare(theap, bin, page)) {
            // A page that has no block after all is set aside: a new page serves, and the search does not begin again.
            setAsideFull(theap, bin, page);
            page = 0;
        }
        if (page == 0) page = makePage(theap, bin);
        if (page == 0) page = searchFull(theap, bin, Config.MAX_SIZE);
        if (page == 0 || !prepare(theap, bin, page)) return 0;
        Page.setRetire(page, 0);
        return page;
    }

    /** Has a page's {@code free} a block? If not, freed blocks or fresh ones are put there; false if there are none. */
    private static boolean prepare(long theap, int bin, long page) {
        if (Page.free(page) != 0) return true;
        boolean collected = Page.collect(page);
        if (!collected || Page.isShort(page)) {
            boolean extended = Pages.extend(page);
            if (!extended && !collected) return false;
            if (extended) Theap.count(theap, Theap.EXTENDED, 1);
        }
        Theap.countListed(theap, bin, page);
        return true;
    }

    /** Takes a page that has no block left out of its queue, to the full ones, or abandons it. */
    private static void setAsideFull(long theap, int bin, long page) {
        long retain = fullRetain(theap, bin);
        Theap.lock(theap);
        PageQueue.remove(theap, bin, page);
        long surplus = retain == 0 ? page : pushFull(theap, SizeClass.COUNT + bin, page, retain);
        Theap.unlock(theap);
        if (surplus == 0) return;
        if (surplus != page && Page.isEmpty(surplus)) {
            Pages.release(surplus);
        } else {
            if (surplus != page) Theap.count(theap, Theap.REABANDON_FULL, 1);
            Abandon.abandon(surplus);
        }
    }

    /**
     * Puts a page to the full ones. When they are more than {@code retain} then, the one that has been full for longest
     * is taken out and returned; otherwise it is 0.
     */
    private static long pushFull(long theap, int full, long page, long retain) {
        Page.setFlag(page, Page.IN_FULL);
        PageQueue.pushFront(theap, full, page);
        long queue = Theap.queue(theap, full);
        if (retain < 0 || PageQueue.countRelaxed(queue) <= retain) return 0;
        long oldest = PageQueue.last(queue);
        PageQueue.remove(theap, full, oldest);
        return oldest;
    }

    /**
     * How many full pages of a bin stay with the theap: for medium pages as the option says, for small ones as much
     * memory; below 0 all. More stay when pages that were given up have come back to the theap: see {@link Abandon}.
     */
    private static long fullRetain(long theap, int bin) {
        long retain = Theap.fullRetain(theap);
        if (retain <= 0) return retain;
        long inMedium = Config.MEDIUM_PAGE >>> Config.SLICE_SHIFT;
        long slices = SizeClass.pageSize(SizeClass.binSize(bin)) >>> Config.SLICE_SHIFT;
        return (retain * inMedium + Theap.retainMore(theap)) / slices;
    }

    /**
     * Looks at the first pages with room, as many as option {@code page_max_candidates} says, and takes the fullest to
     * the front, so that the others may run empty; in the secure build any of them. Of empty pages among them only the
     * first is kept.
     */
    private static long search(long theap, int bin) {
        long first = PageQueue.first(Theap.queue(theap, bin));
        long best = 0;
        long empty = 0;
        long left = Theap.candidates(theap);
        int seen = 0;
        long next;
        if (first != 0) Theap.lock(theap);
        for (long page = first; page != 0 && left > 0; page = next) {
            next = Page.next(page);
            Theap.count(theap, Theap.SEARCHES, 1);
            left--;
            if (best == 0) {
                best = page;
            } else if (Page.isEmpty(page)) {
                PageQueue.remove(theap, bin, page);
                Page.setNext(page, empty);
                empty = page;
            } else if (Secret.isShuffled() ? isDrawn(theap, page, ++seen + 1) : Page.live(page) > Page.live(best)) {
                best = page;
            }
        }
        Theap.count(theap, Theap.SEARCHES_COUNT, 1);
        if (best != 0) PageQueue.moveToFront(theap, bin, best);
        if (first != 0) Theap.unlock(theap);
        Pages.releaseAll(empty);
        return best;
    }

    /** Is it this page's turn, the last of {@code pages} that are alike? So it is with one in as many. */
    private static boolean isDrawn(long theap, long page, int pages) {
        return Long.remainderUnsigned(Random.mix(Random.at(page) + Theap.generic(theap)), pages) == 0;
    }

    /**
     * Finds a page among the full ones in which frees have made enough room by now, beginning with the one that has
     * been full for longest. A search of {@link #FULL_SEARCH} pages moves those without enough room to the front, so
     * that the next search looks at others. A search of all pages is for when there is no memory: then any block that
     * is linked in will do, as fresh ones cannot be had. The secure build draws one of those that will do.
     */
    private static long searchFull(long theap, int bin, long limit) {
        long best = 0;
        int seen = 0;
        int found = 0;
        long queue = Theap.queue(theap, SizeClass.COUNT + bin);
        if (PageQueue.countRelaxed(queue) == 0) return 0;
        long prev;
        Theap.lock(theap);
        for (long page = PageQueue.last(queue); page != 0 && (best == 0 || Secret.isShuffled()) && seen < limit; page = prev) {
            prev = Page.prev(page);
            seen++;
            boolean room = limit != FULL_SEARCH ? Page.capacity(page) > Page.live(page) : Page.hasRoom(page, Page.OWN_SHARE);
            if (room && (++found == 1 || isDrawn(theap, page, found))) best = page;
            else if (!room && limit == FULL_SEARCH) PageQueue.moveToFront(theap, SizeClass.COUNT + bin, page);
        }
        Theap.count(theap, Theap.SEARCHES, seen);
        if (best != 0) {
            PageQueue.remove(theap, SizeClass.COUNT + bin, best);
            Page.clearFlag(best, Page.IN_FULL);
            PageQueue.pushFront(theap, bin, best);
        }
        Theap.unlock(theap);
        // Other threads free here. They should find the pages abandoned, so that they free them when they are empty.
        boolean others = best != 0 && Page.count(Page.threadFreeAcquire(best)) != 0;
        if (others) Theap.setRetainMore(theap, Theap.retainMore(theap) / 2);
        return best;
    }

    /** Takes an abandoned page or makes a new one, and puts it at the front of the queue; 0 if there is no memory. */
    private static long makePage(long theap, int bin) {
        Scavenge.pace(Theap.subprocess(theap));
        long page = Abandon.find(theap, bin);
        if (page != 0) {
            Abandon.takeOver(page, theap);
        } else {
            page = Pages.allocate(theap, bin);
            if (page == 0) return 0;
            Theap.count(theap, Theap.EXTENDED, 1);
            Theap.countListed(theap, bin, page);
        }
        Theap.lock(theap);
        PageQueue.pushFront(theap, bin, page);
        Theap.unlock(theap);
        return page;
    }
}
