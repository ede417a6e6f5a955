package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.HugePages;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Track;

/**
 * Gives the memory of a page back wherever no live block lies, by OS pages: see {@link Holes}. Two may do so: the owner of
 * a page that is in no queue; and who holds the lock of the page's theap, if malloc does not take from the page, that is,
 * if it is not the first of a queue of pages with room.
 *
 * <p>The latter works beside the page's own thread, which knows nothing of it and may be freeing blocks just then. It has
 * {@code free} to itself, since a thread takes from pages that are first, and makes them first under the lock. Of
 * {@code localFree} it has all behind the first block, which stays in the list: a free puts a block before that one, and
 * reads none. The first block it reads with acquire, so it sees the links of those behind. {@code threadFree} it takes by an
 * exchange, as an owner does, and puts back with the count that it had: its blocks count as used until the page's thread
 * takes the list. So one of them must stay, the first, whose OS page is no hole. Nothing else of the page is written: a block
 * that was in use when the lists were read lies in no hole, whatever becomes of it.
 *
 * <p>Pages with a single block, hardened ones, and memory that is not the allocator's own or that a purge would make
 * untouchable have no holes.
 */
public final class Punch {
    /** For each OS page of a page, how many of its blocks are free there; or {@link #NEW}. */
    private static final long SPOTS = Config.MEDIUM_PAGE / 4096;
    private static final long DROPPED = SPOTS * WORD; // as LAST, of the list that was filtered last: see Holes
    private static final long LAST = DROPPED + WORD;
    static final long SCRATCH = LAST + WORD;
    /** A hole that was not one before. */
    private static final long NEW = -1;

    private Punch() {}

    private static boolean may(long page) {
        if (!Holes.may(page) || Page.isHardened(page) || Track.isOn()) return false;
        if (Page.has(page, Page.SAMPLE_NEXT) || Page.has(page, Page.GUARD_NEXT) || !Pages.mayDecommit(page)) return false;
        long arena = Arenas.arenaOf(page);
        boolean stays = Arena.staysReadable(arena) && !Arena.isCommittedByUser(arena) && Os.pageSize() < Config.SLICE;
        return stays && Options.isEnabled(Options.PURGE_DECOMMITS);
    }

    /**
     * Makes the holes that can be made in a page.
     *
     * @param scratch {@link #SCRATCH} bytes
     * @param now also if the page's number of live blocks has changed since the last look
     * @param owned the caller owns the page, which is in no queue; otherwise it holds the lock of the page's theap
     */
    static void page(long page, long scratch, boolean now, boolean owned) {
        if (!may(page)) return;
        int live = Page.liveAcquire(page);
        boolean room = (Page.reservedAcquire(page) - live) * Page.blockSize(page) >= Os.pageSize();
        if (!room || !Holes.isTime(page, live, now)) return;
        long taken = Page.exchangeThreadFree(page);
        long others = Page.head(taken);
        if (owned) Page.addUsed(page, -Page.count(taken));
        long local = Page.localFreeAcquire(page);
        long arena = Arenas.arenaOf(page);
        fill(scratch, SCRATCH, 0);
        countUnlisted(page, scratch, arena);
        count(page, scratch, arena, Page.free(page));
        count(page, scratch, arena, local);
        count(page, scratch, arena, owned || others == 0 ? others : Page.nextBlock(page, others));
        boolean found = mark(page, scratch, arena);
        if (found) {
            Page.setFree(page, Holes.filter(page, arena, Page.free(page), scratch + DROPPED));
            countListed(page, -getLong(scratch + DROPPED));
            if (owned) Page.setLocalFree(page, Holes.filter(page, arena, local, scratch + DROPPED));
            else if (local != 0) filterLocal(page, scratch, arena, local);
        }
        long first = Holes.filter(page, arena, others, scratch + DROPPED);
        if (first != 0 && owned) Page.prependLocal(page, first, getLong(scratch + LAST));
        else if (first != 0) Page.pushAll(page, first, getLong(scratch + LAST), Page.count(taken));
        if (found) discard(page, scratch, arena);
    }

    /**
     * For the first page of a queue, by the holder of the lock of the page's theap: gives back what no block was made of
     * yet. It may be there as a part of a huge page, or from a page that was here before.
     */
    static void first(long page, boolean now) {
        if (!may(page) || !Holes.isTime(page, Page.liveAcquire(page) | Holes.FIRST, now)) return;
        long end = Page.start(page) + spots(page) * Os.pageSize();
        long used = Page.start(page) + Page.capacityAcquire(page) * Page.blockSize(page);
        long size = end - Config.alignUp(used, Os.pageSize());
        if (size <= 0) return;
        long arena = Arenas.arenaOf(page);
        HugePages.breakUp(arena, Arena.sliceOf(arena, page), Page.slices(page));
        Arena.discard(arena, end - size, size);
    }

    /**
     * Takes blocks out of {@code localFree} behind its first block. If that one begins in a hole as well its link will read
     * as zero: so it is the last, and the others go to {@code free}.
     */
    private static void filterLocal(long page, long scratch, long arena, long local) {
        long rest = Holes.filter(page, arena, Page.nextBlock(page, local), scratch + DROPPED);
        boolean stays = !Holes.isHole(arena, local);
        long next = stays ? rest : 0;
        if (Page.nextBlock(page, local) != next) Page.setNextBlock(page, local, next); // it may be in a hole already
        if (stays || rest == 0) return;
        int blocks = 1;
        for (long block = rest; block != getLong(scratch + LAST); block = Page.nextBlock(page, block)) blocks++;
        Page.setNextBlock(page, getLong(scratch + LAST), Page.free(page));
        Page.setFree(page, rest);
        Page.clearFlag(page, Page.FREE_ZERO);
        countListed(page, blocks);
    }

    private static long spots(long page) { return ((long) Page.slices(page) << Config.SLICE_SHIFT) / Os.pageSize(); }

    /** Counts the blocks of a list; those that begin in holes are counted without it. */
    private static void count(long page, long scratch, long arena, long block) {
        for (; block != 0; block = Page.nextBlock(page, block)) if (!Holes.isHole(arena, block)) add(page, scratch, block);
    }

    /** A block is free in all OS pages that it lies in. */
    private static void add(long page, long scratch, long block) {
        long offset = block - Page.start(page);
        long last = (offset + Page.blockSize(page) - 1) / Os.pageSize();
        for (long i = offset / Os.pageSize(); i <= last; i++) putLong(scratch + i * WORD, getLong(scratch + i * WORD) + 1);
    }

    /** Counts the free blocks that are in no list: hidden ones, and those that were never linked in. */
    private static void countUnlisted(long page, long scratch, long arena) {
        int capacity = Page.capacityAcquire(page);
        int reserved = Page.reservedAcquire(page);
        for (int i = Holes.has(page) ? 0 : capacity; i < reserved; i++) {
            long block = Page.start(page) + i * Page.blockSize(page);
            if (i >= capacity || Holes.isHole(arena, block)) add(page, scratch, block);
        }
    }

    /** Makes OS pages holes in which all blocks are free; false if there are no new ones. */
    private static boolean mark(long page, long scratch, long arena) {
        int reserved = Page.reservedAcquire(page);
        boolean found = false;
        for (long i = 0; i < spots(page); i++) {
            long at = i * Os.pageSize();
            long first = at / Page.blockSize(page);
            long end = Config.min(reserved, (at + Os.pageSize() - 1) / Page.blockSize(page) + 1);
            boolean free = getLong(scratch + i * WORD) == Config.max(0, end - first);
            if (!free || Holes.isHole(arena, Page.start(page) + at)) continue;
            Holes.add(arena, Page.start(page) + at);
            putLong(scratch + i * WORD, NEW);
            found = true;
        }
        return found;
    }

    /** Counts blocks that have come to {@code free} as given out, as its owner does when it fills the list. */
    private static void countListed(long page, long blocks) {
        int bin = Statistics.MALLOC_BINS + Page.bin(page) * Statistics.COUNT_SIZE;
        Statistics.add(Heap.statistics(Page.heapAcquire(page)), bin, blocks * Page.blockSize(page));
    }

    private static void discard(long page, long scratch, long arena) {
        HugePages.breakUp(arena, Arena.sliceOf(arena, page), Page.slices(page));
        long end;
        for (long at = 0; at < spots(page); at = end + 1) {
            for (end = at; end < spots(page) && getLong(scratch + end * WORD) == NEW; end++) {}
            long size = (end - at) * Os.pageSize();
            if (size != 0) Arena.discard(arena, Page.start(page) + at * Os.pageSize(), size);
        }
    }
}
