package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.SizeClass;

/**
 * What a heap knows of its pages in one arena: a bit for the first slice of each, and for each bin the abandoned ones
 * that an allocation may find.
 */
public final class ArenaPages {
    private static final long SLICES = 0; // 8 once: the arena's
    private static final long ABANDONED = SLICES + 8; // of a bin, atomic: a bitmap, 0 until it is needed
    private static final long PAGES = ABANDONED + SizeClass.COUNT * WORD + LINE - 1 & -LINE; // Bitmap

    private ArenaPages() {}

    static long create(long slices) {
        long pages = Meta.allocate(PAGES + Bitmap.size(slices));
        if (pages == 0) return 0;
        putLong(pages + SLICES, slices);
        Bitmap.init(pages(pages), slices);
        return pages;
    }

    static void release(long pages) {
        for (int bin = 0; bin < SizeClass.COUNT; bin++) {
            Meta.free(abandonedAcquire(pages, bin), Bitmap.size(slices(pages)));
        }
        Meta.free(pages, PAGES + Bitmap.size(slices(pages)));
    }

    public static long slices(long pages) { return getLong(pages + SLICES); }
    public static long pages(long pages) { return pages + PAGES; }

    /** The bitmap of a bin's abandoned pages, 0 if there never was one. */
    public static long abandonedAcquire(long pages, int bin) { return getAcquire(pages + ABANDONED + bin * WORD); }

    /** The bitmap of a bin's abandoned pages, made when first needed; 0 if there is no memory for it. */
    public static long makeAbandoned(long pages, int bin) {
        long bitmap = abandonedAcquire(pages, bin);
        if (bitmap != 0) return bitmap;
        long size = Bitmap.size(slices(pages));
        bitmap = Meta.allocate(size);
        if (bitmap == 0) return 0;
        Bitmap.init(bitmap, slices(pages));
        if (compareAndSet(pages + ABANDONED + bin * WORD, 0, bitmap)) return bitmap;
        Meta.free(bitmap, size);
        return abandonedAcquire(pages, bin);
    }
}
