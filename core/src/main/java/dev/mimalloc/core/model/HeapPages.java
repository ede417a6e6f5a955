package dev.mimalloc.core.model;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Table;

/**
 * The walk over a heap's pages in arenas. A place is an arena's index and a slice in it; pages come in the order of
 * their places. The walk may or may not meet a page that another thread adds or frees meanwhile.
 *
 * <pre>{@code
 * for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) ... HeapPages.page(heap, at)
 * }</pre>
 */
public final class HeapPages {
    /** An arena has fewer slices than this: 2^32 of them are 256 TiB. */
    private static final int SLICE_BITS = 32;

    private HeapPages() {}

    /** The first place, from {@code place} on, where a page of the heap begins; -1 if there is none. */
    public static long next(long heap, long place) {
        long slice = slice(place);
        for (long i = place >>> SLICE_BITS; i < Subprocess.arenaCount(Heap.subprocess(heap)); i++) {
            long pages = Table.get(Heap.arenaPagesTable(heap), i);
            long found = pages == 0 ? -1 : Bitmap.nextSet(ArenaPages.pages(pages), slice, ArenaPages.slices(pages));
            if (found >= 0) return i << SLICE_BITS | found;
            slice = 0;
        }
        return -1;
    }

    public static long page(long heap, long place) { return Arena.descriptor(arena(heap, place), slice(place)); }

    /** Where the page's memory begins. */
    public static long start(long heap, long place) { return Arena.address(arena(heap, place), slice(place)); }

    private static long arena(long heap, long place) {
        return Subprocess.arena(Heap.subprocess(heap), place >>> SLICE_BITS);
    }

    private static long slice(long place) { return place & (1L << SLICE_BITS) - 1; }
}
