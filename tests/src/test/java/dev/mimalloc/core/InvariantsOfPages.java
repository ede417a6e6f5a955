package dev.mimalloc.core;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.machine.Memory;
import java.util.BitSet;

/** What must hold of one page and its blocks; see {@link Invariants}. */
final class InvariantsOfPages {
    /** Takes a rule that holds or does not, and a text for when it does not. */
    interface Verdict { void that(boolean holds, String rule, Object... arguments); }

    private final Verdict verdict;
    private final long page;
    private final long size;
    private final BitSet seen = new BitSet();

    private InvariantsOfPages(Verdict verdict, long page) {
        this.verdict = verdict;
        this.page = page;
        this.size = Page.blockSize(page);
    }

    static void check(Verdict verdict, long page) { new InvariantsOfPages(verdict, page).check(); }

    private void check() {
        int capacity = Page.capacity(page);
        int used = Page.used(page);
        long word = Page.threadFreeAcquire(page);
        verdict.that(
                size > 0 && capacity <= Page.reserved(page) && used >= 0 && used <= capacity && Page.live(page) >= 0,
                "page 0x%x: size %d, used %d, of which freed by others %d, capacity %d, reserved %d", page, size, used,
                Page.count(word), capacity, Page.reserved(page));
        int free = walk("free", Page.free(page));
        int local = walk("localFree", Page.localFree(page));
        int others = walk("threadFree", Page.head(word));
        verdict.that(free + local == capacity - used, "page 0x%x: %d + %d blocks are free, %d of %d used", page, free,
                local, used, capacity);
        verdict.that(others == Page.count(word), "page 0x%x: freed by others %d, counted %d", page, others,
                Page.count(word));
        if (Page.has(page, Page.FREE_ZERO)) zero();
        if (Page.isInArena(page)) {
            long bytes = (long) Page.slices(page) << Config.SLICE_SHIFT;
            verdict.that(size * Page.reserved(page) <= bytes, "page 0x%x has more blocks than there is room for", page);
        }
        for (long at = Page.start(page); at < mappedEnd(page); at += Config.SLICE) {
            long found = PageMap.pageOf(at);
            verdict.that(found == page, "page 0x%x: the map has 0x%x at 0x%x", page, found, at);
        }
    }

    /** Only the beginning of a large block that nobody has an address inside of is in the map. */
    static long mappedEnd(long page) {
        long end = Page.start(page) + Config.alignUp(Page.blockSize(page) * Page.reserved(page), Config.SLICE);
        boolean whole = !Page.isSingleton(page) || Page.has(page, Page.MAPPED_WHOLE);
        return whole ? end : Math.min(end, Page.start(page) + Pages.INTERIOR_SLICES * Config.SLICE);
    }

    /** The length of a list, all of whose blocks are the page's and in no other list. */
    private int walk(String list, long block) {
        int length = 0;
        for (; block != 0; block = Page.nextBlock(block)) {
            long offset = block - Page.start(page);
            if (offset < 0 || offset >= size * Page.capacity(page) || offset % size != 0) {
                verdict.that(false, "page 0x%x: no block at 0x%x, in %s after %d", page, block, list, length);
                return length;
            }
            int index = (int) (offset / size);
            if (seen.get(index)) {
                verdict.that(false, "page 0x%x: block 0x%x of %s has been seen before", page, block, list);
                return length;
            }
            seen.set(index);
            length++;
        }
        return length;
    }

    private void zero() {
        for (long block = Page.free(page); block != 0; block = Page.nextBlock(block)) {
            for (long at = block + 8; at < block + Math.min(size, Config.SLICE); at += 8) {
                if (Memory.getLong(at) == 0) continue;
                verdict.that(false, "page 0x%x: block 0x%x should be zero", page, block);
                return;
            }
        }
    }
}
