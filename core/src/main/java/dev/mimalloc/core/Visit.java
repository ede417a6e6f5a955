package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;

/**
 * Walks a heap's pages and their blocks, in time proportional to them. Nobody may allocate or free in the heap
 * meanwhile, the visitor aside, which may free the block that it is shown.
 *
 * <p>The area that a visitor gets, {@code mi_heap_area_t}:
 *
 * <pre>
 * offset width field
 *      0     8 blocks         the first block's address
 *      8     8 reserved       bytes reserved for blocks
 *     16     8 committed      bytes that blocks have been made of
 *     24     8 used           blocks in use
 *     32     8 blockSize      bytes of a block that its user may use
 *     40     8 fullBlockSize
 *     48     8 reserved1      the page
 * </pre>
 */
public final class Visit {
    private static final long AREA = 64;

    /** Which pages to look at. */
    private static final int ALL = 0;
    private static final int ABANDONED = 1;

    private Visit() {}

    /** Shows each page, and each of its live blocks if asked to; false as soon as the visitor says so. */
    @Export("bool mi_heap_visit_blocks(mi_heap_t* heap, bool visit_blocks, mi_block_visit_fun* visitor, void* arg)")
    public static boolean heapBlocks(long heap, boolean blocks, long visitor, long argument) {
        return heap(heap, ALL, blocks, visitor, argument);
    }

    @Export("bool mi_heap_visit_abandoned_blocks(mi_heap_t* heap, bool visit_blocks, mi_block_visit_fun* visitor, void* arg)")
    public static boolean abandonedBlocks(long heap, boolean blocks, long visitor, long argument) {
        return heap(heap, ABANDONED, blocks, visitor, argument);
    }

    @Export("bool mi_theap_visit_blocks(const mi_theap_t* theap, bool visit_blocks, mi_block_visit_fun* visitor, void* arg)")
    public static boolean theapBlocks(long theap, boolean blocks, long visitor, long argument) {
        if (theap == 0) return false;
        Scavenge.suspend(Theap.subprocess(theap));
        boolean all = ofTheap(theap, blocks, visitor, argument);
        Scavenge.resume(Theap.subprocess(theap));
        return all;
    }

    private static boolean ofTheap(long theap, boolean blocks, long visitor, long argument) {
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long next;
            for (long page = PageQueue.first(Theap.queue(theap, index)); page != 0; page = next) {
                next = Page.next(page);
                if (!page(Theap.heap(theap), page, blocks, visitor, argument)) return false;
            }
        }
        return true;
    }

    private static boolean heap(long heap, int which, boolean blocks, long visitor, long argument) {
        if (heap == 0) return false;
        long subprocess = Heap.subprocess(heap);
        Scavenge.suspend(subprocess);
        boolean all = ofHeap(heap, subprocess, which, blocks, visitor, argument);
        Scavenge.resume(subprocess);
        return all;
    }

    private static boolean ofHeap(long heap, long subprocess, int which, boolean blocks, long visitor, long argument) {
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long pages = Table.get(Heap.arenaPagesTable(heap), i);
            if (pages == 0) continue;
            long arena = Subprocess.arena(subprocess, i);
            long slices = Arena.slices(arena);
            for (long bit = 0; (bit = Bitmap.nextSet(ArenaPages.pages(pages), bit, slices)) >= 0; bit++) {
                if (!selected(heap, Arena.descriptor(arena, bit), which, blocks, visitor, argument)) return false;
            }
        }
        long next;
        for (long page = Heap.osPages(heap); page != 0; page = next) {
            next = Page.osNext(page);
            if (!selected(heap, page, which, blocks, visitor, argument)) return false;
        }
        return true;
    }

    private static boolean selected(long heap, long page, int which, boolean blocks, long visitor, long argument) {
        return which == ABANDONED && !Page.isAbandoned(page) || page(heap, page, blocks, visitor, argument);
    }

    private static boolean page(long heap, long page, boolean blocks, long visitor, long argument) {
        long area = Meta.allocate(AREA);
        if (area == 0) return false;
        long size = Page.blockSize(page);
        int live = Page.live(page);
        putLong(area, Page.start(page));
        putLong(area + 8, Page.reserved(page) * size);
        putLong(area + 16, Page.capacity(page) * size);
        putLong(area + 24, live);
        putLong(area + 32, size);
        putLong(area + 40, size);
        putLong(area + 48, page);
        boolean more = Callback.visitBlock(visitor, heap, area, 0, size, argument);
        if (more && blocks && live > 0) more = blocks(heap, page, area, visitor, argument);
        Meta.free(area, AREA);
        return more;
    }

    private static boolean blocks(long heap, long page, long area, long visitor, long argument) {
        int capacity = Page.capacity(page);
        long bytes = (capacity + 63L >>> 6) * 8;
        // One bit for each free block. The visitor may free blocks, so the lists are looked at only now.
        long free = Meta.allocate(bytes);
        if (free == 0) return false;
        long start = Page.start(page);
        long size = Page.blockSize(page);
        mark(page, Page.free(page), free);
        mark(page, Page.localFree(page), free);
        mark(page, Page.head(Page.threadFree(page)), free);
        boolean more = true;
        for (int i = 0; i < capacity && more; i++) {
            if ((getLong(free + (i >> 6) * 8L) >>> (i & 63) & 1) != 0) continue;
            more = Callback.visitBlock(visitor, heap, area, start + i * size, size, argument);
        }
        Meta.free(free, bytes);
        return more;
    }

    private static void mark(long page, long block, long free) {
        for (; block != 0; block = Page.nextBlock(block)) {
            int i = (int) Long.divideUnsigned(block - Page.start(page), Page.blockSize(page));
            putLong(free + (i >> 6) * 8L, getLong(free + (i >> 6) * 8L) | 1L << (i & 63));
        }
    }
}
