package dev.mimalloc.core.thread;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.model.Harden;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Abandon;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Gives freed blocks back to their pages: at once, or, where the process wants that, after they have waited in a
 * quarantine. There a block takes a random slot, and the one that lay there goes back to its page; more go while all
 * together have more bytes than may wait. So nobody can tell when a freed address is given out again. To its page a
 * block that waits is a live one. It has its tag, so that a second free is found, and is zero otherwise or closed, so
 * that a use of it is.
 *
 * <p>A quarantine belongs to a theap, and has only blocks of the theap's heap. A block of a heap's page goes to the
 * freeing thread's theap for that heap: the page's own, the default one or the main one. Blocks of other heaps do not
 * wait, as the heap could be destroyed meanwhile, with its pages. A heap that is destroyed takes its theaps from their
 * threads under the lives lock, and their quarantines with them; one that is deleted leaves its pages to the main heap,
 * which never ends, so that what waits can be freed at any time. A thread frees a block of a heap only as long as
 * nobody destroys the heap, and otherwise looks into that heap's quarantine under the lives lock.
 */
public final class Quarantine {
    private static final long BYTES = 0; // 8: of the blocks that wait here
    private static final long LIMIT = BYTES + 8; // 8 once: the most bytes
    private static final long COUNT = LIMIT + 8; // 8 once: how many slots
    private static final long RANDOM = COUNT + 8; // 8: the state of its random numbers
    private static final long SLOTS = RANDOM + 8; // a block each, or 0

    /** A slot for each 256 bytes that may wait; where blocks are smaller their number is the bound. */
    private static final long SLOT_BYTES = 256;
    /** Slots for large blocks. Each may cost two of the 65,530 mappings that Linux gives a process. */
    private static final long LARGE_SLOTS = 32;

    private Quarantine() {}

    /** Frees a block that was taken back from its user. */
    public static void free(long page, long block) {
        if (Secret.has(Secret.QUARANTINE)) {
            putLong(block, 0);
            if (hold(page, block, Theap.QUARANTINE)) return;
        }
        putBack(page, block);
    }

    /** Frees the block of a hardened singleton, which nobody else frees. */
    public static void freeOnly(long page) {
        boolean gone = Secret.has(Secret.QUARANTINE_LARGE) && Abandon.close(page);
        if (!gone && Secret.has(Secret.ZERO)) Pages.zero(page, 0);
        else if (!gone) Harden.fillOnly(page, Page.start(page));
        if (!Page.isClosed(page) || !hold(page, Page.start(page), Theap.QUARANTINE_LARGE)) putBackOnly(page);
    }

    /** Puts a block into a quarantine; false if there is none for it. */
    private static boolean hold(long page, long block, int kind) {
        long theap = enter(page);
        if (theap == 0) return false;
        long quarantine = quarantine(theap, kind);
        long size = Page.blockSize(page);
        long bad = 0;
        boolean may = quarantine != 0 && size <= getLong(quarantine + LIMIT);
        while (may && getLong(quarantine + BYTES) + size > getLong(quarantine + LIMIT)) {
            bad = Config.max(bad, replace(quarantine, filled(quarantine), 0, 0));
        }
        if (may) bad = Config.max(bad, replace(quarantine, random(quarantine), block, size));
        Theaps.leave(theap);
        // An exception on the JVM: the block that is freed has its place by now, and no lease is left.
        if (bad != 0) Harden.raiseWritten(bad);
        return may;
    }

    /** The thread's theap whose quarantine a page's blocks may go to; give it back with {@link Theaps#leave}; or 0. */
    private static long enter(long page) {
        if (Page.threadId(page) == ThreadSlot.id()) return Page.theap(page);
        long theap = Theaps.enter();
        if (theap == 0 || Theap.heap(theap) == Page.heapAcquire(page)) return theap;
        long main = ThreadData.mainTheap(Theap.data(theap));
        if (Theap.heap(main) == Page.heapAcquire(page)) return main;
        Theaps.leave(theap);
        return 0;
    }

    private static long quarantine(long theap, int kind) {
        if (Theap.quarantine(theap, kind) != 0) return Theap.quarantine(theap, kind);
        long limit = Secret.quarantineBytes(kind);
        long count = kind == Theap.QUARANTINE_LARGE ? LARGE_SLOTS : Config.max(LARGE_SLOTS, limit / SLOT_BYTES);
        long quarantine = Meta.allocate(SLOTS + count * WORD);
        if (quarantine == 0) return 0;
        putLong(quarantine + LIMIT, limit);
        putLong(quarantine + COUNT, count);
        putLong(quarantine + RANDOM, Random.at(quarantine) + ThreadSlot.id());
        Theap.setKept(theap); // when the heap ends, it is for the theap's thread to free what waits
        Theap.setQuarantine(theap, kind, quarantine);
        return quarantine;
    }

    /** A random slot. */
    private static long random(long quarantine) {
        long random = Random.mix(getLong(quarantine + RANDOM) + 1);
        putLong(quarantine + RANDOM, random);
        return quarantine + SLOTS + Bits.multiplyHigh(random, getLong(quarantine + COUNT)) * WORD;
    }

    /** The first slot with a block, from a random one on; there is one. */
    private static long filled(long quarantine) {
        long slot = random(quarantine);
        long end = quarantine + SLOTS + getLong(quarantine + COUNT) * WORD;
        while (getLong(slot) == 0) slot = slot + WORD == end ? quarantine + SLOTS : slot + WORD;
        return slot;
    }

    /** Puts a block, or 0, into a slot; the block that was there leaves, and is returned if it was written to meanwhile. */
    private static long replace(long quarantine, long slot, long block, long size) {
        long out = getLong(slot);
        long page = PageMap.pageOf(out); // 0 for an empty slot
        putLong(slot, block);
        putLong(quarantine + BYTES, getLong(quarantine + BYTES) + size - (page == 0 ? 0 : Page.blockSize(page)));
        return page == 0 ? 0 : leave(page, out);
    }

    /**
     * Gives a block that has waited back to its page; one whose first words were written to meanwhile is returned, and
     * nobody gets it any more. The others are looked at when the block is given out again.
     */
    private static long leave(long page, long block) {
        if (!Page.isSingleton(page)) {
            if (!Harden.isAsFreed(page, block)) return block;
            putBack(page, block);
        } else if (Pages.open(page)) {
            putBackOnly(page); // if not, its addresses are never used again
        }
        return 0;
    }

    /**
     * Frees all that waits in a theap's quarantines, for its thread or whoever ends it. Nothing is reported, since the
     * caller may hold a lock: a block that was written to waits on, for another free to find it.
     */
    static void flush(long theap) {
        for (int kind = Theap.QUARANTINE; kind <= Theap.QUARANTINE_LARGE; kind++) {
            long quarantine = Theap.quarantine(theap, kind);
            for (long i = 0; quarantine != 0 && i < getLong(quarantine + COUNT); i++) {
                long slot = quarantine + SLOTS + i * WORD;
                long bad = replace(quarantine, slot, 0, 0);
                if (bad != 0) replace(quarantine, slot, bad, Page.blockSize(PageMap.pageOf(bad)));
            }
        }
    }

    /** Gives a theap's quarantines back, whose blocks are gone or freed. */
    public static void drop(long theap) {
        for (int kind = Theap.QUARANTINE; kind <= Theap.QUARANTINE_LARGE; kind++) {
            long quarantine = Theap.quarantine(theap, kind);
            if (quarantine != 0) Meta.free(quarantine, SLOTS + getLong(quarantine + COUNT) * WORD);
            Theap.setQuarantine(theap, kind, 0);
        }
    }

    /** Puts a block back on its page: on one of this thread as the fast path does, on any other as {@link #push}. */
    private static void putBack(long page, long block) {
        if (Page.threadId(page) != ThreadSlot.id()) push(page, block);
        else if (unlikely(Page.putBack(page, block) == 0)) Retire.retireSlow(page);
    }

    /** Pushes the only block of a page, as {@link #push}; the block has no link, and its memory is not touched. */
    public static void putBackOnly(long page) {
        long old;
        do {
            old = Page.threadFreeAcquire(page);
        } while (!Page.weakCasThreadFree(page, old, Page.wordAfterPush(old, Page.head(old), Page.start(page))));
        if (!Page.isOwned(old)) ownedSlow(page);
    }

    /**
     * Pushes a block of a page that this thread does not own. After the CAS this thread may look at the page only if
     * that has made it the owner.
     */
    public static void push(long page, long block) {
        if (!Page.isOwned(Page.push(page, block))) ownedSlow(page);
    }

    /** A free has made this thread the owner of an abandoned page. */
    private static void ownedSlow(long page) {
        if (Check.isOn()) Check.that(Page.isAbandoned(page));
        long heap = Page.heapAcquire(page);
        if (unlikely(Heap.isDeleted(heap)) && !Abandon.adopt(page)) return;
        Abandon.afterFree(page, Theaps.current(Page.heapAcquire(page)));
    }
}
