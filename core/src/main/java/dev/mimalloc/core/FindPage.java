package dev.mimalloc.core;

/** How a theap finds a page with a free block: in its queue, among the abandoned pages of its heap, or a fresh one. */
final class FindPage {
    /** Full pages that a search passes over, when they are never abandoned. */
    private static final int FULL_MAX = 16;

    private FindPage() {}

    /** A page of this bin whose {@code free} list has a block, or 0 if there is no memory. It is the first of its queue now. */
    static long find(long theap, int bin) {
        long page = PageQueue.first(Theap.queue(theap, bin));
        if (page != 0 && ready(theap, page)) {
            Page.setRetire(page, 0);
            return page;
        }
        if (page != 0) page = search(theap, bin);
        if (page == 0) page = fresh(theap, bin);
        if (page == 0 || !ready(theap, page)) return 0;
        Page.setRetire(page, 0);
        return page;
    }

    private static boolean ready(long theap, long page) {
        if (Page.collect(page)) return true;
        if (!Page.extend(page)) return false;
        Statistics.add(Theap.statistics(theap), Statistics.PAGES_EXTENDED, 1);
        return true;
    }

    /**
     * The best of the first few pages that have room: the fullest, so that the others may run empty. Full pages
     * beyond a few are abandoned; the next free of one of their blocks brings them back.
     */
    private static long search(long theap, int bin) {
        long page = PageQueue.first(Theap.queue(theap, bin));
        long best = 0;
        long candidates = Theap.candidates(theap);
        long retain = Theap.fullRetain(theap);
        int full = 0;
        int seen = 0;
        while (page != 0 && candidates > 0) {
            long next = Page.next(page);
            seen++;
            if (!Page.collect(page) && Page.capacity(page) == Page.reserved(page)) {
                full++;
                if (retain < 0) {
                    PageQueue.moveToBack(theap, bin, page);
                    if (full == FULL_MAX) break;
                } else if (full > retain) {
                    PageQueue.remove(theap, bin, page);
                    Statistics.add(Theap.statistics(theap), Statistics.PAGES_REABANDON_FULL, 1);
                    Abandon.abandon(page);
                }
            } else {
                candidates--;
                if (best == 0) {
                    best = page;
                } else if (Page.isEmpty(page)) {
                    Retire.free(theap, bin, page);
                } else if (Page.live(page) > Page.live(best)) {
                    best = page;
                }
            }
            page = next;
        }
        Statistics.add(Theap.statistics(theap), Statistics.PAGE_SEARCHES, seen);
        Statistics.add(Theap.statistics(theap), Statistics.PAGE_SEARCHES_COUNT, 1);
        if (best != 0) PageQueue.moveToFront(theap, bin, best);
        return best;
    }

    private static long fresh(long theap, int bin) {
        long page = Abandon.find(theap, bin);
        if (page != 0) {
            Abandon.reclaim(page, theap);
            PageQueue.moveToFront(theap, bin, page);
            return page;
        }
        page = Pages.allocate(theap, bin);
        if (page != 0) PageQueue.pushFront(theap, bin, page);
        return page;
    }
}
