package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.HugePages;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Trace;

/**
 * Changing the size of a large block without a copy. One that shrinks gives its end back. One that grows takes the free
 * slices behind it, while it is small; beyond {@link #MAPPED_MIN} it gets a mapping of its own, with as many addresses
 * behind it as it has bytes: these cost nothing, and are where it grows. When they are used up the OS moves its pages to
 * other addresses. So what a growing block has twice is never more than {@link #PIECE}.
 *
 * <p>Its page's size, slices and start change then. They belong to who owns the page, as all plain fields do; the block's
 * user is the only one to look at them otherwise, when it frees the block or asks for its size, and calls us instead. So
 * the page is owned meanwhile. Where somebody else has it, as a heap that is deleted just now, or where anything is not
 * plain, the answer is no, and the caller copies.
 */
public final class Resize {
    /** Smaller blocks do not grow so often, and where there are many of them each mapping would be one too many. */
    public static final long MAPPED_MIN = 4 << 20;
    /** What is copied before as much of the old block is given back. */
    public static final long PIECE = 4 << 20;

    private Resize() {}

    /** Are whole OS pages to be given back when a block of {@code usable} bytes gets as small as this? */
    public static boolean pays(long usable, long size) {
        if (size <= Config.LARGE_OBJECT_MAX) return false;
        return size < usable / 2 || usable - size >= MAPPED_MIN;
    }

    /** Gives the end of a block with a page to itself back; false if it stays as it is. */
    public static boolean shrink(long page, long size) {
        if (!tryOwn(page)) return false;
        long wanted = Config.alignUp(size, Os.pageSize());
        boolean smaller = wanted < Page.blockSize(page);
        if (smaller && Page.isInArena(page)) shrinkInArena(page, wanted);
        else if (smaller) shrinkMapped(page, wanted);
        giveUp(page);
        if (smaller) Purge.afterFree(Heap.subprocess(Page.heapAcquire(page)));
        return smaller;
    }

    /** Makes room for {@code size} bytes in a block with a page to itself; its address, which may be another one, or 0. */
    public static long grow(long page, long size) {
        if (size >= Config.ADDRESSES || Trace.sampleInterval() != 0 || !tryOwn(page)) return 0;
        boolean done = Page.isInArena(page) ? growInArena(page, size) : growMapped(page, size);
        long start = Page.start(page);
        giveUp(page);
        return done ? start : 0;
    }

    /** A new page for a block that has grown too large for {@code old}, with its block free; or 0. */
    public static long mapped(long theap, long size, long old) {
        boolean owned = tryOwn(old);
        long page = Pages.allocateGrowing(theap, size, owned ? old : 0);
        if (page != 0) Page.addOnly(page);
        if (owned) giveUp(old);
        return page;
    }

    private static boolean tryOwn(long page) {
        if (!Page.isSingleton(page) || Page.hasInterior(page) || Page.has(page, Page.SAMPLED)) return false;
        return Page.tryOwn(page);
    }

    /** As after a free; the heap may have been deleted meanwhile. */
    private static void giveUp(long page) {
        if (!Heap.isDeleted(Page.heapAcquire(page)) || Abandon.adopt(page)) Abandon.giveUp(page);
    }

    // In an arena.

    private static void shrinkInArena(long page, long wanted) {
        long arena = Arenas.arenaOf(page);
        long slices = Config.alignUp(wanted, Config.SLICE) >>> Config.SLICE_SHIFT;
        long before = Page.slices(page);
        Pages.trace(page, false);
        long mapped = Pages.mappedSlices(page);
        Limits.discharge(Page.heapAcquire(page), Page.blockSize(page) - wanted);
        Page.setBlockSize(page, wanted);
        Page.setSlices(page, (int) slices);
        Pages.trace(page, true);
        if (slices == before) return;
        long kept = Pages.mappedSlices(page);
        PageMap.unregister(Page.start(page) + (kept << Config.SLICE_SHIFT), mapped - kept);
        Arena.giveBack(arena, Arena.sliceOf(arena, page) + slices, before - slices);
    }

    private static boolean growInArena(long page, long size) {
        long arena = Arenas.arenaOf(page);
        long slices = Config.alignUp(size, Config.SLICE) >>> Config.SLICE_SHIFT;
        long first = Arena.sliceOf(arena, page) + Page.slices(page);
        long more = slices - Page.slices(page);
        long heap = Page.heapAcquire(page);
        if (size >= MAPPED_MIN && Pages.mayMap(heap) || first + more > Arena.slices(arena)) return false;
        long charge = (slices << Config.SLICE_SHIFT) - Page.blockSize(page);
        if (!Limits.charge(heap, charge)) return false;
        boolean claimed = Bitmap.tryClaim(Arena.free(arena), first, more);
        if (!claimed || !Arena.commit(arena, first, more)) {
            if (claimed) Arena.unclaim(arena, first, more);
            Limits.discharge(heap, charge);
            return false;
        }
        HugePages.afterClaim(arena, first, more);
        Arena.use(arena, first, more);
        Pages.trace(page, false);
        long before = Page.blockSize(page);
        long mapped = Pages.mappedSlices(page);
        Page.setSlices(page, (int) slices);
        Page.setBlockSize(page, slices << Config.SLICE_SHIFT);
        // Its neighbours' entries are in the same tables, or in the next one.
        boolean registered = PageMap.register(Page.start(page), Pages.mappedSlices(page), page);
        if (!registered) {
            Page.setSlices(page, (int) (slices - more));
            Page.setBlockSize(page, before);
            PageMap.register(Page.start(page), mapped, page);
            Arena.giveBack(arena, first, more);
            Limits.discharge(heap, charge);
        } else {
            Pages.countGrown(page, Page.blockSize(page) - before);
        }
        Pages.trace(page, true);
        return registered;
    }

    // In a mapping of its own.

    private static void shrinkMapped(long page, long wanted) {
        long start = Page.start(page);
        Pages.trace(page, false);
        long charge = Pages.charge(page);
        long before = Page.blockSize(page);
        long mapped = Pages.mappedSlices(page);
        Page.setBlockSize(page, wanted);
        long kept = Pages.mappedSlices(page);
        PageMap.unregister(start + (kept << Config.SLICE_SHIFT), mapped - kept);
        cut(page, wanted);
        Limits.discharge(Page.heapAcquire(page), charge - Pages.charge(page));
        Pages.countMapped(page, 0, wanted - before);
        Pages.trace(page, true);
    }

    /** Gives all addresses of a page's mapping back but the first {@code size}. */
    private static void cut(long page, long size) {
        long rest = Page.osSize(page) - size;
        if (rest == 0) return;
        OsMemory.release(Page.start(page) + size, rest);
        Page.setOsSize(page, size);
        Pages.countMapped(page, -rest, 0);
    }

    private static boolean growMapped(long page, long size) {
        if (Page.osBase(page) != Page.start(page)) return false;
        long heap = Page.heapAcquire(page);
        long before = Page.blockSize(page);
        long wanted = Pages.roomy(heap, size);
        long more = wanted - Pages.charge(page);
        if (!Limits.charge(heap, more)) return false;
        Pages.trace(page, false);
        boolean grown = growBehind(page, wanted) || move(page, wanted);
        Pages.trace(page, true);
        if (grown) Pages.countGrown(page, wanted - before);
        if (grown) Pages.countMapped(page, 0, wanted - before);
        else Limits.discharge(heap, more);
        return grown;
    }

    /**
     * The block and what is new become one mapping, as what the OS moves in one call has to be. So the addresses behind
     * the block are given back first: when another mapping gets them in that moment, the block has to move.
     */
    private static boolean growBehind(long page, long wanted) {
        long start = Page.start(page);
        long before = Page.blockSize(page);
        long room = Page.osSize(page);
        if (wanted > room) return false;
        OsMemory.unmap(start + before, wanted - before);
        if (Os.remap(start, before, wanted, 0) == start) {
            // Only now: meanwhile another page might have been there.
            Page.setBlockSize(page, wanted);
            if (PageMap.register(start, Pages.mappedSlices(page), page)) return true;
            Page.setBlockSize(page, before);
            PageMap.register(start, Pages.mappedSlices(page), page); // as it was: there are tables for these
            OsMemory.unmap(start + before, wanted - before);
        }
        // What may be somebody else's by now is not touched any more.
        if (room > wanted) OsMemory.unmap(start + wanted, room - wanted);
        Page.setOsSize(page, before);
        Pages.countMapped(page, before - room, 0);
        return false;
    }

    /** Has the OS move the pages of a block to other addresses, with room to grow. */
    private static boolean move(long page, long wanted) {
        long start = Page.start(page);
        long before = Page.blockSize(page);
        long mapped = Pages.mappedSlices(page);
        long room = Pages.room(wanted);
        long target = Pages.reserve(room);
        if (target == 0) {
            room = wanted;
            target = Pages.reserve(room);
        }
        if (target == 0) return false;
        // All that may be refused comes before the call that gives the target's addresses up first: what is new is
        // committed, and there are tables for what will be registered.
        Page.setBlockSize(page, wanted);
        long slices = Pages.mappedSlices(page);
        boolean ready = OsMemory.commit(target + before, wanted - before) && PageMap.register(target, slices, page);
        if (!ready) {
            Page.setBlockSize(page, before);
            OsMemory.unmap(target, room);
            return false;
        }
        PageMap.unregister(target, slices);
        // Before the addresses are free for others, who may register a page there.
        PageMap.unregister(start, mapped);
        long now = Os.remap(start, before, wanted, target);
        if (now != target) {
            Page.setBlockSize(page, before);
            PageMap.register(start, mapped, page);
            // Where the block should have been may be somebody else's by now, as not all systems refuse before they give
            // the addresses up. If they are not free they are left alone, even if they are still ours; but a system that
            // has no such call has not touched them.
            if (now == Os.UNSUPPORTED || OsMemory.mapAt(target, wanted)) OsMemory.unmap(target, wanted);
            if (room > wanted) OsMemory.unmap(target + wanted, room - wanted);
            return false;
        }
        PageMap.register(target, slices, page);
        cutOff(page, start, before);
        Page.setStart(page, target);
        Page.setOsBase(page, target);
        Page.setOsSize(page, room);
        Pages.countMapped(page, room - before, 0);
        return true;
    }

    /** The addresses behind a block that has moved away. */
    private static void cutOff(long page, long start, long size) {
        long rest = Page.osSize(page) - size;
        if (rest == 0) return;
        OsMemory.release(start + size, rest);
        Pages.countMapped(page, -rest, 0);
    }

    /** Copies {@code size} bytes of a block, and gives the memory of what was copied back where that is possible. */
    public static void copyAway(long page, long from, long to, long size) {
        boolean back = from == Page.start(page) && Pages.mayDecommit(page);
        long next;
        for (long at = 0; at < size; at = next) {
            // Huge pages go by the whole.
            next = Config.alignDown(from + at + PIECE, Arena.HUGE_PAGE << Config.SLICE_SHIFT) - from;
            if (next > size) next = size;
            copy(from + at, to + at, next - at);
            if (back && next < size) Pages.decommit(page, at, next - at);
        }
    }
}
