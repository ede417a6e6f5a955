package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.fill;

import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.page.Abandon;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.core.thread.Theaps;

/** Lets the stress tests, which live in a package of their own, at the steps of core that they stress. */
public final class Inside {
    /** The size of a page descriptor with room around it, so that no two share a cache line. */
    public static final long PAGE_SPACE = 256;

    private Inside() {}

    /** Makes a descriptor at this address: a page with so many blocks out, owned or not. */
    public static void makePage(long page, int used, boolean owned) {
        fill(page, PAGE_SPACE, 0);
        Page.addUsed(page, used);
        Page.setThreadId(page, Page.FINDABLE);
        Page.setThreadFreeRelease(page, owned ? Page.OWNED : 0);
    }

    /** The first half of a free by a thread that is not the owner; returns the word before. */
    public static long push(long page, long block) { return Page.push(page, block); }

    /** A free by the owner. */
    public static void putBack(long page, long block) { Page.putBack(page, block); }
    public static boolean isEmptied(long page) { return Page.isEmptied(page); }
    public static long localFree(long page) { return Page.localFree(page); }

    public static long take(long page) { return Page.exchangeThreadFree(page); }
    public static long threadFree(long page) { return Page.threadFreeAcquire(page); }
    public static boolean tryGiveUp(long page, long word) { return Page.casThreadFree(page, word, word & ~Page.OWNED); }
    public static int used(long page) { return Page.used(page); }
    public static boolean isOwned(long word) { return Page.isOwned(word); }
    public static int count(long word) { return Page.count(word); }

    /** How many blocks the list in this word really has. */
    public static int length(long page, long word) {
        int length = 0;
        for (long block = Page.head(word); block != 0; block = Page.nextBlock(page, block)) length++;
        return length;
    }

    public static boolean claim(long bitmap, long bit, long page) { return Abandon.claim(bitmap, bit, page); }

    /** Clears a findable page's bit, as an owner does. */
    public static void takeBit(long bitmap, long bit) { Abandon.clearBit(bitmap, bit, Main.heap()); }

    /** Gives up all that the current thread has in a heap, as at the thread's end. */
    public static void abandonAll(long heap) {
        long theap = Theaps.current(heap);
        if (theap != 0) Retire.collect(theap, true);
    }
}
