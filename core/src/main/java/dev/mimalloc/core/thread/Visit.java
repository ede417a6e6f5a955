package dev.mimalloc.core.thread;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Guarded;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Walks a heap's pages and their blocks, in time proportional to them. The visitor may do what it likes, see
 * {@link CallOut}; a visit ends when it has ended the heap. Blocks that are allocated or freed in the heap meanwhile,
 * by the visitor or another thread, may be shown or not; the visitor may free the block that it is shown.
 *
 * <p>So after each call of the visitor a visit believes nothing that it has seen before. It reads a page of an arena at
 * any time, as the memory of arenas and their descriptors stay; what it reads may make no sense then, and is held
 * against the page's bounds. A page straight from the OS it only reads under the lock of these pages' lists, and as
 * long as the page map knows the page: it is unmapped after it has left its list.
 */
public final class Visit {
    // The area that a visitor gets, mi_heap_area_t.
    private static final long BLOCKS = 0; // 8: where its blocks begin
    private static final long RESERVED = BLOCKS + 8; // 8: bytes for blocks
    private static final long COMMITTED = RESERVED + 8; // 8: of these, bytes in use so far
    private static final long USED = COMMITTED + 8; // 8: blocks in use
    private static final long BLOCK_SIZE = USED + 8; // 8
    private static final long FULL_BLOCK_SIZE = BLOCK_SIZE + 8; // 8: from one block to the next
    private static final long PAGE = FULL_BLOCK_SIZE + 8; // 8
    private static final long AREA = PAGE + 8;

    /** A page straight from the OS, in a list that was copied: its descriptor and its start. */
    private static final long ENTRY_PAGE = 0; // 8
    private static final long ENTRY_START = ENTRY_PAGE + 8; // 8
    private static final long ENTRY = ENTRY_START + 8;

    /** Which pages to look at; any other number is the theap that they belong to. */
    private static final long ALL = 0;
    private static final long ABANDONED = 1;

    private Visit() {}

    /** Shows each page, and with {@code blocks} each of its live blocks; false as soon as the visitor returns false. */
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
        return theap != 0 && heap(Theap.heap(theap), theap, blocks, visitor, argument);
    }

    private static boolean heap(long heap, long which, boolean blocks, long visitor, long argument) {
        if (heap == 0) return false;
        ThreadSlot.probeStackAround(); // an error half-way would keep the heap for ever
        // What waits in this thread's quarantine is no live block; what waits in others' is shown as one.
        long theap = Theaps.current(heap);
        if (theap != 0) Quarantine.flush(theap);
        // The struct stays when the visitor ends the heap.
        Heap.addReferences(heap, 1);
        Heap.addCallOuts(heap, 1);
        Scavenge.suspend(Heap.subprocess(heap));
        boolean all = inArenas(heap, which, blocks, visitor, argument) && fromOs(heap, which, blocks, visitor, argument);
        Scavenge.resume(Heap.subprocess(heap));
        Heap.addCallOuts(heap, -1);
        Heap.dropReference(heap);
        return all;
    }

    private static boolean inArenas(long heap, long which, boolean blocks, long visitor, long argument) {
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            long page = HeapPages.page(heap, at);
            if (!isSelected(page, which)) continue;
            if (!page(heap, page, HeapPages.start(heap, at), 0, blocks, visitor, argument)) return false;
        }
        return true;
    }

    private static boolean fromOs(long heap, long which, boolean blocks, long visitor, long argument) {
        long lock = Subprocess.osLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        long size = 0;
        for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) size += ENTRY;
        long pages = size == 0 ? 0 : Meta.allocate(size);
        long end = pages;
        for (long page = pages == 0 ? 0 : Heap.osPages(heap); page != 0; page = Page.osNext(page)) {
            if (!isSelected(page, which)) continue;
            putLong(end + ENTRY_PAGE, page);
            putLong(end + ENTRY_START, Config.alignDown(Page.start(page), Config.SLICE));
            end += ENTRY;
        }
        Lock.release(lock);
        boolean more = size == 0 || pages != 0;
        for (long at = pages; more && at < end; at += ENTRY) {
            more = page(heap, getLong(at + ENTRY_PAGE), getLong(at + ENTRY_START), lock, blocks, visitor, argument);
        }
        Meta.free(pages, size);
        return more;
    }

    private static boolean isSelected(long page, long which) {
        if (which == ALL) return true;
        return which == ABANDONED ? Page.isAbandoned(page) : !Page.isAbandoned(page) && Page.theap(page) == which;
    }

    /** From here on to {@link #closePage} the page can be read; false if it is not there any more. */
    private static boolean openPage(long heap, long page, long start, long osLock) {
        if (osLock != 0) Lock.acquire(osLock);
        return page != 0 && PageMap.pageOf(start) == page && Page.heapAcquire(page) == heap;
    }

    private static void closePage(long osLock) {
        if (osLock != 0) Lock.release(osLock);
    }

    /** Shows a page; false when the visit is to end. */
    private static boolean page(long heap, long page, long start, long osLock, boolean blocks, long visitor,
            long argument) {
        long area = Meta.allocate(AREA);
        if (area == 0) return false;
        boolean there = openPage(heap, page, start, osLock);
        long size = there ? Page.blockSize(page) : 0;
        long shown = there && Page.isGuarded(page) ? Guarded.bytes(page) : size;
        long capacity = there ? Page.capacity(page) : 0;
        long live = there ? Page.live(page) : 0;
        putLong(area + BLOCKS, start);
        putLong(area + RESERVED, there ? Page.reserved(page) * size : 0);
        closePage(osLock);
        putLong(area + COMMITTED, capacity * size);
        putLong(area + USED, live);
        putLong(area + BLOCK_SIZE, shown);
        putLong(area + FULL_BLOCK_SIZE, size);
        putLong(area + PAGE, page);
        boolean more = true;
        if (size > 0) {
            more = show(visitor, heap, area, 0, shown, argument);
            if (more && blocks && live > 0) more = blocks(heap, page, area, osLock, visitor, argument);
        }
        Meta.free(area, AREA);
        return more;
    }

    private static boolean show(long visitor, long heap, long area, long block, long size, long argument) {
        return Callback.visitBlock(visitor, heap, area, block, size, argument) && !Heap.isDeleted(heap);
    }

    private static boolean blocks(long heap, long page, long area, long osLock, long visitor, long argument) {
        long start = getLong(area + BLOCKS);
        long size = getLong(area + FULL_BLOCK_SIZE);
        long capacity = Long.divideUnsigned(getLong(area + COMMITTED), size);
        long bytes = (capacity + 63 >>> 6) * WORD;
        // A bit for each free block. The lists are looked at only now, since the visitor may have freed blocks.
        long free = Meta.allocate(bytes);
        if (free == 0) return false;
        boolean there = openPage(heap, page, start, osLock) && Page.blockSize(page) == size;
        if (there && !Page.isSingleton(page)) { // a single one is live, and has no link
            mark(page, Page.free(page), size, capacity, free);
            mark(page, Page.localFree(page), size, capacity, free);
            mark(page, Page.head(Page.threadFreeAcquire(page)), size, capacity, free);
            if (Page.isInArena(page)) markHidden(Subprocess.arena(Heap.subprocess(heap), Page.arena(page)), start, size, capacity, free);
        }
        long first = there && Page.isGuarded(page) ? Guarded.block(page) : start;
        closePage(osLock);
        boolean more = true;
        for (long i = 0; i < capacity && there && more; i++) {
            if ((getLong(free + (i >> 6) * WORD) >>> (i & 63) & 1) != 0) continue;
            more = show(visitor, heap, area, first + i * size, getLong(area + BLOCK_SIZE), argument);
        }
        Meta.free(free, bytes);
        return more;
    }

    /**
     * Marks the blocks of a free list. A list that others change meanwhile may lead anywhere: it is followed inside the
     * page only, and for no more steps than the page has blocks.
     */
    private static void mark(long page, long block, long size, long capacity, long free) {
        long start = Page.start(page);
        for (long steps = 0; steps < capacity; steps++) {
            if (!Bits.below(block - start, capacity * size)) return;
            long i = Long.divideUnsigned(block - start, size);
            setFree(free, i);
            block = Page.nextBlock(page, block);
        }
    }

    /** Marks the blocks that begin in holes, if the page is still there. */
    private static void markHidden(long arena, long start, long size, long capacity, long free) {
        if (arena == 0 || !Arena.contains(arena, start) || !Arena.contains(arena, start + capacity * size - 1)) return;
        for (long i = 0; i < capacity; i++) if (Holes.isHole(arena, start + i * size)) setFree(free, i);
    }

    private static void setFree(long free, long i) { putLong(free + (i >> 6) * WORD, getLong(free + (i >> 6) * WORD) | 1L << (i & 63)); }
}
