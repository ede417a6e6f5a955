package dev.mimalloc.core;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.UpperTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What must hold of the arenas' and heaps' bitmaps and of the page map; see {@link Invariants}. */
final class InvariantsOfArenas {
    private static final int UPPER = 1 << 15; // tables that the page map has room for, and the entries of each
    private static final int LOWER = 1 << 17;

    private final InvariantsOfPages.Verdict verdict;
    private final Set<Long> pages; // all there are

    InvariantsOfArenas(InvariantsOfPages.Verdict verdict, Set<Long> pages) {
        this.verdict = verdict;
        this.pages = pages;
    }

    /** All pages of a heap, by its bitmaps and its list. */
    static List<Long> pagesOf(long heap) {
        var all = new ArrayList<Long>();
        long subprocess = Heap.subprocess(heap);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long known = Table.get(Heap.arenaPagesTable(heap), i);
            long arena = Subprocess.arena(subprocess, i);
            if (known == 0 || arena == 0) continue;
            for (long bit = 0; bit < Arena.slices(arena); bit++) {
                if (Bitmap.isSet(ArenaPages.pages(known), bit)) all.add(Arena.descriptor(arena, bit));
            }
        }
        for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) all.add(page);
        return all;
    }

    /** A bit for each findable page, in the bitmap of its bin, and no other. */
    static void checkFindable(InvariantsOfPages.Verdict verdict, long heap, long[] findable) {
        long subprocess = Heap.subprocess(heap);
        long[] bits = new long[findable.length];
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long known = Table.get(Heap.arenaPagesTable(heap), i);
            long arena = Subprocess.arena(subprocess, i);
            if (known == 0 || arena == 0) continue;
            checkMap(verdict, ArenaPages.pages(known), Arena.slices(arena));
            for (int bin = 0; bin < bits.length; bin++) {
                long bitmap = ArenaPages.abandonedAcquire(known, bin);
                if (bitmap == 0) continue;
                checkMap(verdict, bitmap, Arena.slices(arena));
                for (long bit = 0; (bit = Bitmap.nextSet(bitmap, bit, Arena.slices(arena))) >= 0; bit++) {
                    bits[bin]++;
                    long page = Arena.descriptor(arena, bit);
                    verdict.that(Page.threadId(page) == Page.FINDABLE && Page.bin(page) == bin && Page.heapAcquire(page) == heap,
                            "a bit leads to page 0x%x, which is not findable in bin %d", page, bin);
                }
            }
        }
        for (int bin = 0; bin < bits.length; bin++) {
            verdict.that(bits[bin] == findable[bin] && Heap.abandonedRelaxed(heap, bin) == findable[bin],
                    "heap 0x%x: %d pages of bin %d are findable, %d bits are set, %d counted", heap, findable[bin], bin,
                    bits[bin], Heap.abandonedRelaxed(heap, bin));
        }
    }

    /** A chunk with a bit set is in the map of chunks. */
    private static void checkMap(InvariantsOfPages.Verdict verdict, long bitmap, long bits) {
        for (long bit = 0; bit < bits; bit++) {
            if (!Bitmap.isSet(bitmap, bit)) continue;
            verdict.that(Bitmap.mayHave(bitmap, bit / Bitmap.CHUNK), "bitmap 0x%x hides bit %d", bitmap, bit);
            bit |= Bitmap.CHUNK - 1;
        }
    }

    void check(long subprocess) {
        long waiting = 0;
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0) continue;
            checkSlices(arena);
            waiting += Bitmap.countSet(Arena.waiting(arena), 0, Arena.slices(arena));
            for (long bitmap : new long[] {Arena.free(arena), Arena.committed(arena), Arena.dirty(arena),
                    Arena.waiting(arena), Arena.aged(arena), Arena.early(arena)}) {
                checkMap(verdict, bitmap, Arena.slices(arena));
            }
        }
        verdict.that(Subprocess.waiting(subprocess) == waiting, "%d slices wait to be purged, %d counted",
                waiting, Subprocess.waiting(subprocess));
        checkPageMap();
    }

    /** Each slice is free or belongs to one page. */
    private void checkSlices(long arena) {
        int slices = (int) Arena.slices(arena);
        long[] holder = new long[slices];
        for (long page : pages) {
            if (!Page.isInArena(page) || !Arena.contains(arena, Page.start(page))) continue;
            int first = (int) Arena.sliceOf(arena, page);
            verdict.that(Arena.descriptor(arena, first) == page, "page 0x%x starts at slice %d", page, first);
            for (int slice = first; slice < first + Page.slices(page); slice++) {
                verdict.that(holder[slice] == 0, "slice %d is of 0x%x and of 0x%x", slice, holder[slice], page);
                holder[slice] = page;
            }
        }
        for (int slice = 0; slice < slices; slice++) {
            boolean free = Bitmap.isSet(Arena.free(arena), slice);
            verdict.that(free == (holder[slice] == 0), "slice %d of arena 0x%x is %s; its page is 0x%x", slice, arena,
                    free ? "free" : "not free", holder[slice]);
            verdict.that(free || Bitmap.isSet(Arena.dirty(arena), slice), "slice %d in use is not dirty", slice);
            verdict.that(free || Bitmap.isSet(Arena.committed(arena), slice), "slice %d in use has no memory", slice);
        }
    }

    /** Nothing else is in the map. */
    private void checkPageMap() {
        for (int i = 0; i < UPPER; i++) {
            long lower = UpperTable.get(i);
            if (lower == 0) continue;
            for (int j = 0; j < LOWER; j++) {
                long page = Memory.getLong(lower + j * 8L);
                if (page == 0) continue;
                long address = ((long) i * LOWER + j) << Config.SLICE_SHIFT;
                verdict.that(pages.contains(page), "the map has 0x%x at 0x%x, which is no page", page, address);
                if (!pages.contains(page)) continue;
                verdict.that(address >= Page.start(page) - Config.SLICE && address < InvariantsOfPages.mappedEnd(page),
                        "the map has page 0x%x at 0x%x, where it is not", page, address);
            }
        }
    }
}
