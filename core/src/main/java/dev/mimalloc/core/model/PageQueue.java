package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.machine.Check;

/**
 * A theap's pages of one bin, those with room or the full ones, as a doubly linked list. The first page of a small
 * bin also stands in the direct table, which is written when, and only when, the first page changes.
 *
 * <p>The list is changed and walked under the theap's lock, as {@code Scavenge} may take pages out. {@code Scavenge}
 * leaves the first page with room alone: so the owner may read {@code FIRST} of these queues without the lock.
 */
public final class PageQueue {
    private static final long FIRST = 0; // 8 theap's lock: the owner reads it without
    private static final long LAST = FIRST + 8; // 8 theap's lock
    private static final long COUNT = LAST + 8; // 8 relaxed, written under the theap's lock
    static final long SIZE = COUNT + 8;

    private PageQueue() {}

    public static long first(long queue) { return getLong(queue + FIRST); }
    public static long last(long queue) { return getLong(queue + LAST); }
    /** How many pages are in the queue: exact under the theap's lock, and otherwise as it was a moment ago. */
    public static long countRelaxed(long queue) { return getRelaxed(queue + COUNT); }

    /** May the page be in this queue? */
    private static boolean belongs(long theap, int index, long page) {
        return Page.theap(page) == theap && Page.queue(page) == index && Page.isOwned(Page.threadFreeAcquire(page));
    }

    public static void pushFront(long theap, int index, long page) {
        long queue = Theap.queue(theap, index);
        long first = first(queue);
        if (Check.isOn()) Check.that(belongs(theap, index, page) && (first == 0) == (last(queue) == 0));
        if (first == 0) putLong(queue + LAST, page);
        Links.push(queue + FIRST, page, Page.LINKS);
        count(theap, queue, 1);
        updateDirect(theap, index, page);
    }

    public static void pushBack(long theap, int index, long page) {
        long queue = Theap.queue(theap, index);
        long last = last(queue);
        if (last == 0) {
            pushFront(theap, index, page);
            return;
        }
        if (Check.isOn()) Check.that(belongs(theap, index, page) && Page.next(last) == 0);
        Page.setNext(page, 0);
        Page.setPrev(page, last);
        Page.setNext(last, page);
        putLong(queue + LAST, page);
        count(theap, queue, 1);
    }

    public static void remove(long theap, int index, long page) {
        long queue = Theap.queue(theap, index);
        long next = Page.next(page);
        long prev = Page.prev(page);
        if (Check.isOn()) Check.that(belongs(theap, index, page) && countRelaxed(queue) > 0 && (next == 0) == (last(queue) == page));
        if (next == 0) putLong(queue + LAST, prev);
        Links.remove(queue + FIRST, page, Page.LINKS);
        Page.setRetire(page, 0); // a page that waits to be retired is left alone by the free of its last block
        count(theap, queue, -1);
        if (prev == 0) updateDirect(theap, index, next);
    }

    public static void moveToFront(long theap, int index, long page) {
        if (Page.prev(page) == 0) return;
        remove(theap, index, page);
        pushFront(theap, index, page);
    }

    /** Puts the pages after the first one, up to {@code last}, behind all others: the next walk begins with these. */
    public static void turn(long queue, long last) {
        long first = first(queue);
        long rest = Page.next(last);
        long begin = Page.next(first);
        if (rest == 0 || last == first) return;
        long end = last(queue);
        Page.setNext(first, rest);
        Page.setPrev(rest, first);
        Page.setNext(end, begin);
        Page.setPrev(begin, end);
        Page.setNext(last, 0);
        putLong(queue + LAST, last);
    }

    private static void count(long theap, long queue, long change) {
        putRelaxed(queue + COUNT, countRelaxed(queue) + change);
        Theap.addPageCount(theap, change);
    }

    /** Another page is the first of its queue. */
    private static void updateDirect(long theap, int bin, long page) {
        if (bin < SizeClass.COUNT && page != 0 && !Theap.isOrphan(theap)) Holes.fill(page);
        if (bin >= SizeClass.HUGE || bin < SizeClass.bin(1) || Secret.isOnDemand()) return;
        long size = SizeClass.binSize(bin);
        if (size > Config.SMALL_SIZE_MAX) return;
        // Bins of odd words up to 8 do not exist: bin 4 also serves 3 words.
        long words = bin == SizeClass.bin(1) ? 0 : bin <= 8 ? Config.max(2, bin - 1) : (SizeClass.binSize(bin - 1) >>> 3) + 1;
        long entry = page == 0 ? Main.emptyPage() : page;
        for (; words <= size >>> 3; words++) Theap.setDirect(theap, words, entry);
    }
}
