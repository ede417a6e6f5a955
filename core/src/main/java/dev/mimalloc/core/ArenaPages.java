package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * What a heap knows of its pages in one arena: a bit for the first slice of each, and for each bin the abandoned ones
 * that an allocation may find.
 *
 * <pre>
 * offset width field
 *      0     8 slices     the arena's; written once
 *      8   592 abandoned  for each bin a bitmap, made when first needed; atomic
 *    640       pages      bitmap
 * </pre>
 */
final class ArenaPages {
    private static final long PAGES = 640;

    private ArenaPages() {}

    static long create(long slices) {
        long pages = Meta.allocate(PAGES + Bitmap.size(slices));
        if (pages == 0) return 0;
        putLong(pages, slices);
        Bitmap.init(pages(pages), slices);
        return pages;
    }

    static void release(long pages) {
        for (int bin = 0; bin < SizeClass.COUNT; bin++) {
            Meta.free(abandoned(pages, bin), Bitmap.size(slices(pages)));
        }
        Meta.free(pages, PAGES + Bitmap.size(slices(pages)));
    }

    static long slices(long pages) { return getLong(pages); }
    static long pages(long pages) { return pages + PAGES; }

    /** The bitmap of a bin's abandoned pages, 0 if there never was one. */
    static long abandoned(long pages, int bin) { return getAcquire(pages + 8 + bin * 8L); }

    /** The same, made when needed; 0 if there is no memory for it. */
    static long abandonedMade(long pages, int bin) {
        long bitmap = abandoned(pages, bin);
        if (bitmap != 0) return bitmap;
        long size = Bitmap.size(slices(pages));
        bitmap = Meta.allocate(size);
        if (bitmap == 0) return 0;
        Bitmap.init(bitmap, slices(pages));
        if (compareAndSet(pages + 8 + bin * 8L, 0, bitmap)) return bitmap;
        Meta.free(bitmap, size);
        return abandoned(pages, bin);
    }
}
