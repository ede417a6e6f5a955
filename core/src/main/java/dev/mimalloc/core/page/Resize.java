package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.HugePages;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.machine.Os;

/**
 * Changing the size of a large block without a copy. A block that shrinks gives its end back. A block that grows takes
 * the free slices behind it, while it is small; beyond {@link #MAPPED_MIN} it gets a mapping of its own, with as many
 * addresses behind it as it has bytes: these cost nothing, and are where it grows. When they are used up the OS moves
 * its pages to other addresses. So the part of a growing block that is there twice is never more than {@link #PIECE}.
 *
 * <p>The page's size, slices and start change then. They belong to the page's owner, as all plain fields do. Otherwise
 * only the block's user reads them, when it frees the block or asks for its size; and the user has called realloc
 * instead. So the page is owned meanwhile. Where another thread owns it, such as one that deletes its heap just now, or
 * where the block is a sample or lies inside a larger one, the answer is no, and the caller copies.
 */
public final class Resize {
    /**
     * From this size on a growing block has a mapping of its own. Smaller blocks do not grow so often, and may be many:
     * each would be one of the 65,530 mappings that a process may have.
     */
    public static final long MAPPED_MIN = 4 << 20;
    /** How many bytes are copied before as much of the old block is given back. */
    public static final long PIECE = 4 << 20;

    private Resize() {}

    /** Is it worth a call of the OS when a block of {@code usable} bytes shrinks to {@code size}? */
    public static boolean pays(long usable, long size) {
        if (size <= Config.LARGE_OBJECT_MAX) return false;
        return size < usable / 2 || usable - size >= MAPPED_MIN;
    }

    /** Gives the end of a block with a page to itself back; false if the block stays as it is. */
    public static boolean shrink(long page, long size) {
        if (!tryOwn(page)) return false;
        long wanted = Config.alignUp(size, Os.pageSize());
        boolean smaller = wanted < Page.blockSize(page) && !Page.has(page, Page.SAMPLED);
        // The end is freed, as a block is.
        if (smaller && Page.isHardened(page) && Secret.has(Secret.ZERO)) Pages.zero(page, wanted);
        if (smaller && Page.isInArena(page)) shrinkInArena(page, wanted);
        else if (smaller) shrinkMapped(page, wanted);
        giveUp(page);
        if (smaller) Purge.afterFree(Heap.subprocess(Page.heapAcquire(page)));
        return smaller;
    }

    /**
     * Makes room for {@code size} bytes in a block with a page to itself; its address, which may have changed, or 0.
     */
    public static long grow(long page, long size) {
        if (size >= Config.ADDRESSES || !Sampling.mayGrow(Page.heapAcquire(page), size) || !tryOwn(page)) return 0;
        long before = Page.blockSize(page);
        boolean done = Page.isInArena(page) ? growInArena(page, size) : growMapped(page, size);
        if (done) Sampling.grow(page, Page.blockSize(page) - before);
        long start = Page.start(page);
        giveUp(page);
        return done ? start : 0;
    }

    /** A new page, with its block free, for a block that has grown too large for page {@code old}; or 0. */
    public static long mapped(long theap, long size, long old) {
        boolean owned = tryOwn(old);
        long page = Pages.allocateGrowing(theap, size, owned ? old : 0);
        if (page != 0) Page.addOnly(page);
        if (owned) giveUp(old);
        return page;
    }

    private static boolean tryOwn(long page) {
        if (!Page.isSingleton(page) || Page.hasInterior(page)) return false;
        // The JVM's listener knows a sample by its address.
        if (Page.has(page, Page.SAMPLED) && Page.sample(page) == 0) return false;
        return Page.tryOwn(page);
    }

    /** Gives the page up, as after a free: its heap may have been deleted meanwhile. */
    private static void giveUp(long page) {
        if (!Heap.isDeleted(Page.heapAcquire(page)) || Abandon.adopt(page)) Abandon.giveUp(page);
    }

    // In an arena.

    private static void shrinkInArena(long page, long wanted) {
        long arena = Arenas.arenaOf(page);
        if (!Pages.openGuard(page)) return;
        long slices = Pages.slicesFor(wanted);
        long before = Page.slices(page);
        Pages.trace(page, false);
        long mapped = Pages.mappedSlices(page);
        Limits.discharge(Page.heapAcquire(page), Page.blockSize(page) - wanted);
        Page.setBlockSize(page, wanted);
        Page.setSlices(page, (int) slices);
        Pages.guard(page);
        Pages.trace(page, true);
        long kept = Pages.mappedSlices(page);
        PageMap.unregister(Page.start(page) + (kept << Config.SLICE_SHIFT), mapped - kept);
        if (slices != before) Arena.giveBack(arena, Arena.sliceOf(arena, page) + slices, before - slices);
    }

    private static boolean growInArena(long page, long size) {
        long arena = Arenas.arenaOf(page);
        long slices = Pages.slicesFor(size);
        long first = Arena.sliceOf(arena, page) + Page.slices(page);
        long more = slices - Page.slices(page);
        long heap = Page.heapAcquire(page);
        if (size >= MAPPED_MIN && Pages.mayMap(heap) || first + more > Arena.slices(arena)) return false;
        long grown = (slices << Config.SLICE_SHIFT) - Pages.guardBytes();
        long charge = grown - Page.blockSize(page);
        if (!Limits.charge(heap, charge)) return false;
        boolean claimed = Bitmap.tryClaim(Arena.free(arena), first, more);
        if (!claimed || !Arena.commit(arena, first, more) || !Pages.openGuard(page)) {
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
        Page.setBlockSize(page, grown);
        // The new entries of the page map lie in the tables of the page's other slices, or in the one behind these.
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
        Pages.guard(page);
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
        cut(page, wanted + Pages.guardBytes());
        Pages.guard(page);
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
        boolean grown = growBehind(page, wanted) || Os.reservesForFree() && move(page, wanted);
        Pages.trace(page, true);
        if (grown) Pages.countGrown(page, wanted - before);
        if (grown) Pages.countMapped(page, 0, wanted - before);
        else Limits.discharge(heap, more);
        return grown;
    }

    /**
     * Grows a block into the addresses behind it. The block and its new end become one mapping, since only one mapping
     * can be moved by one call of the OS later. So the addresses behind the block are given back first: when another
     * mapping gets them in that moment, the block has to move.
     */
    private static boolean growBehind(long page, long wanted) {
        long start = Page.start(page);
        long before = Page.blockSize(page);
        long room = Page.osSize(page);
        boolean inside = wanted + Pages.guardBytes() <= room;
        // Where no more is reserved than is asked for, the system may have what is behind all the same.
        if (!inside && Os.reservesForFree()) return false;
        if (room > before) OsMemory.unmap(start + before, Config.min(wanted, room) - before);
        if (Os.remap(start, before, wanted, 0) == start) {
            // The page map changes only now: until the call returned, another page might have got these addresses.
            Page.setBlockSize(page, wanted);
            if (PageMap.register(start, Pages.mappedSlices(page), page)) {
                if (!inside) countRoom(page, wanted);
                return true;
            }
            Page.setBlockSize(page, before);
            PageMap.register(start, Pages.mappedSlices(page), page); // as it was: there are tables for these
            OsMemory.unmap(start + before, wanted - before);
        }
        // The addresses just behind the block may be another mapping's by now, and are not touched any more.
        if (room > wanted) OsMemory.unmap(start + wanted, room - wanted);
        countRoom(page, before);
        return false;
    }

    /** Notes that the addresses of a page's mapping are {@code room} bytes by now. */
    private static void countRoom(long page, long room) {
        Pages.countMapped(page, room - Page.osSize(page), 0);
        Page.setOsSize(page, room);
    }

    /** Has the OS move the pages of a block to other addresses, with room to grow. */
    private static boolean move(long page, long wanted) {
        long start = Page.start(page);
        long before = Page.blockSize(page);
        long mapped = Pages.mappedSlices(page);
        long room = Pages.room(wanted);
        long target = Pages.reserve(room);
        if (target == 0) {
            room = wanted + Pages.guardBytes();
            target = Pages.reserve(room);
        }
        if (target == 0) return false;
        // The call that moves the pages gives the target's addresses up first. So all that may be refused comes before:
        // the block's new end is committed, and the page map gets its tables.
        Page.setBlockSize(page, wanted);
        long slices = Pages.mappedSlices(page);
        boolean ready = OsMemory.commit(target + before, wanted - before) && PageMap.register(target, slices, page);
        if (!ready) {
            Page.setBlockSize(page, before);
            OsMemory.unmap(target, room);
            return false;
        }
        PageMap.unregister(target, slices);
        // Unregistered before the move: when the old addresses are free, another page may be registered there.
        PageMap.unregister(start, mapped);
        long now = Os.remap(start, before, wanted, target);
        if (now != target) {
            Page.setBlockSize(page, before);
            PageMap.register(start, mapped, page);
            // Where the block should have been may be somebody else's by now, as not all systems refuse before they
            // give the addresses up. If they are not free they are left alone, even if they are still this block's; a
            // system that has no such call has not touched them.
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

    /** Gives back the addresses behind a block that has moved away. */
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
            // Pieces end with a huge page, so that none is broken.
            next = Config.alignDown(from + at + PIECE, Arena.HUGE_PAGE << Config.SLICE_SHIFT) - from;
            if (next > size) next = size;
            copy(from + at, to + at, next - at);
            if (back && next < size) Pages.decommit(page, at, next - at);
        }
    }
}
