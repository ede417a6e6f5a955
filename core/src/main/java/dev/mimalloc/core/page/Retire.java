package dev.mimalloc.core.page;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.ThreadSlot;

/**
 * What becomes of a theap's pages that have run empty. A page that is alone in its queue waits to be retired: it stays
 * for a number of heartbeats, since its next block is likely to be wanted soon. All others are freed at once. The
 * theap's collection frees those that wait as well, and those that other threads have emptied.
 *
 * <p>Only the theap's thread may call, or whoever ends the theap after the thread has ended: the pages are owned, and
 * nothing here makes anybody their owner.
 */
public final class Retire {
    private Retire() {}

    /**
     * The last block of a page was freed by its owner. The only page of its bin stays for a while, since its next
     * block is likely to be wanted soon; any other goes.
     */
    public static void retireSlow(long page) {
        if (!ThreadSlot.hasStack()) return; // the block is free: the page waits for the next collection
        long theap = Page.theap(page);
        int bin = Page.queue(page);
        long queue = Theap.queue(theap, bin);
        if (bin < SizeClass.COUNT && PageQueue.first(queue) == page && PageQueue.countRelaxed(queue) == 1) {
            // A page of 512 KiB stays for a quarter of the time: it is more memory to hold for nothing.
            boolean small = Page.blockSize(page) <= Config.SMALL_OBJECT_MAX;
            Page.setRetire(page, small ? Config.RETIRE_CYCLES : Config.RETIRE_CYCLES / 4);
            Theap.setRetire(theap, (int) Config.min(Theap.retireFirst(theap), bin),
                    (int) Config.max(Theap.retireLast(theap), bin));
            Theap.count(theap, Theap.RETIRED, 1);
        } else {
            release(theap, bin, page);
        }
    }

    /** Takes an empty page out of its queue and releases it. */
    private static void release(long theap, int index, long page) {
        if (Check.isOn()) Check.that(Page.isEmpty(page) && !Page.isAbandoned(page));
        Theap.lock(theap);
        PageQueue.remove(theap, index, page);
        Theap.unlock(theap);
        Pages.release(page);
    }

    public static boolean hasRetired(long theap) { return Theap.retireFirst(theap) <= Theap.retireLast(theap); }

    /** Counts a heartbeat for the pages that wait to be retired, and releases those whose time has come. */
    public static void age(long theap) {
        int first = SizeClass.COUNT;
        int last = 0;
        for (int bin = Theap.retireFirst(theap); bin <= Theap.retireLast(theap); bin++) {
            long page = PageQueue.first(Theap.queue(theap, bin));
            if (page == 0 || Page.retire(page) == 0) continue;
            if (!Page.isEmpty(page)) {
                Page.setRetire(page, 0);
                continue;
            }
            Page.setRetire(page, Page.retire(page) - 1);
            if (Page.retire(page) == 0) {
                release(theap, bin, page);
            } else {
                first = (int) Config.min(first, bin);
                last = bin;
            }
        }
        Theap.setRetire(theap, first, last);
    }

    /** Frees all the theap's empty pages, and gives up the others if {@code abandon} says so. */
    public static void collect(long theap, boolean abandon) {
        long gone = 0;
        Theap.lock(theap);
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long before;
            // From the last one on: a page with holes that becomes the first is filled.
            for (long page = PageQueue.last(Theap.queue(theap, index)); page != 0; page = before) {
                before = Page.prev(page);
                if (abandon || Page.isEmpty(page)) {
                    PageQueue.remove(theap, index, page);
                    Page.setNext(page, gone);
                    gone = page;
                } else {
                    Page.setRetire(page, 0); // no page waits any more: the theap's range of waiting bins is cleared below
                }
            }
        }
        Theap.unlock(theap);
        Theap.setRetire(theap, SizeClass.COUNT, 0);
        if (abandon) Abandon.abandonAll(gone);
        else Pages.releaseAll(gone);
    }

    /** How many bytes the theap's pages have for blocks. */
    public static long owned(long theap) {
        long bytes = 0;
        Theap.lock(theap);
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long page = PageQueue.first(Theap.queue(theap, index));
            for (; page != 0; page = Page.next(page)) bytes += Page.bytes(page);
        }
        Theap.unlock(theap);
        return bytes;
    }

    /**
     * Gives up pages, full ones first and large before small, until they had {@code excess} bytes; returns how many.
     */
    public static long abandon(long theap, long excess) {
        long bytes = 0;
        long gone = 0;
        Theap.lock(theap);
        for (int index = 2 * SizeClass.COUNT - 1; index > 0; index--) {
            long page;
            while (bytes < excess && (page = PageQueue.last(Theap.queue(theap, index))) != 0) {
                bytes += Page.bytes(page);
                PageQueue.remove(theap, index, page);
                Page.setNext(page, gone);
                gone = page;
            }
        }
        Theap.unlock(theap);
        Abandon.abandonAll(gone);
        return bytes;
    }
}
