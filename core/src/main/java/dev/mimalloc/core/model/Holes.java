package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.machine.Os;

/**
 * Holes: OS pages inside pages in use whose memory went back, since no live block lies in them. An arena has an entry
 * for each slice, with a bit for each OS page of it. Blocks that begin in a hole are hidden: they are free, and in no
 * list, since their links are gone. Only the last block of {@code localFree} may be one, as its link reads as zero then.
 * They count neither as used nor as anything else; so a page's counts say how many they are, and the bits which.
 *
 * <p>Malloc never meets a hole. Before a page becomes the first of its queue its hidden blocks are put back into its
 * {@code localFree}, which touches their memory anew.
 *
 * <p>Entries belong to the page's owner if the page is in no queue; and to who holds the lock of the page's theap if it
 * is in one.
 */
public final class Holes {
    static final long ENTRY = 4;
    /** The bits of an entry with a bit for each OS page. */
    private static final int MASK = (1 << 16) - 1;
    /** Where in the entry of a page's first slice it is noted how many blocks lived at the last look. */
    private static final int LOOK = 16;
    /** In that note: at that number of live blocks the page was punched. */
    private static final int DONE = 1 << 15;
    /** Beside that number: the page was the first of its queue. No page has as many blocks. */
    public static final int FIRST = 1 << 14;

    private Holes() {}

    private static long arena(long page) {
        return Subprocess.arena(Heap.subprocess(Page.heapAcquire(page)), Page.arena(page));
    }

    private static long entry(long arena, long address) {
        return Arena.holes(arena) + (address - Arena.start(arena) >>> Config.SLICE_SHIFT) * ENTRY;
    }

    private static int bit(long address) { return 1 << (address & Config.SLICE - 1) / Os.pageSize(); }

    /** Is the OS page of an address of the arena a hole? A block that begins there is hidden. */
    public static boolean isHole(long arena, long address) { return (getInt(entry(arena, address)) & bit(address)) != 0; }

    /** Makes the OS page of an address a hole. The caller takes blocks that begin there out of all lists. */
    public static void add(long arena, long address) {
        long at = entry(arena, address);
        putInt(at, getInt(at) | bit(address));
    }

    /** May the page have holes, as one of an arena with several blocks? */
    public static boolean may(long page) { return Page.isInArena(page) && !Page.isSingleton(page); }

    /** Has the page holes? */
    public static boolean has(long page) {
        int bits = 0;
        long at = may(page) ? entry(arena(page), Page.start(page)) : 0;
        for (int i = 0; at != 0 && i < Page.slices(page); i++) bits |= getInt(at + i * ENTRY) & MASK;
        return bits != 0;
    }

    /** How many blocks are hidden. */
    public static int hidden(long page) {
        int blocks = 0;
        long arena = has(page) ? arena(page) : 0;
        for (int i = 0; arena != 0 && i < Page.capacity(page); i++) {
            if (isHole(arena, Page.start(page) + i * Page.blockSize(page))) blocks++;
        }
        return blocks;
    }

    /**
     * Takes the blocks that begin in holes out of a list, whose new first block is returned.
     *
     * @param told where to write two words: how many blocks were taken out, and which is the last of the others, or 0
     */
    public static long filter(long page, long arena, long block, long told) {
        long first = 0;
        long last = 0;
        long dropped = 0;
        long next;
        for (; block != 0; block = next) {
            next = Page.nextBlock(page, block);
            if (isHole(arena, block)) {
                dropped++;
                continue;
            }
            if (first == 0) first = block;
            else if (Page.nextBlock(page, last) != block) Page.setNextBlock(page, last, block);
            last = block;
        }
        if (last != 0) Page.setNextBlock(page, last, 0);
        if (told != 0) putLong(told, dropped);
        if (told != 0) putLong(told + WORD, last);
        return first;
    }

    /** For the page's own thread, before the page is first of its queue: puts hidden blocks into {@code localFree}. */
    public static void fill(long page) {
        if (!has(page)) return;
        long arena = arena(page);
        Page.setFree(page, filter(page, arena, Page.free(page), 0));
        Page.setLocalFree(page, filter(page, arena, Page.localFree(page), 0));
        // Some of the hidden blocks may count as freed by others: from now on as free ones.
        long taken = Page.exchangeThreadFree(page);
        Page.addUsed(page, -Page.count(taken));
        long next;
        for (long block = Page.head(taken); block != 0; block = next) {
            next = Page.nextBlock(page, block);
            Page.prependLocal(page, block, block);
        }
        long size = Page.blockSize(page);
        long end = Page.start(page) + Page.capacity(page) * size;
        for (long block = Page.start(page); block < end; block += size) {
            if (isHole(arena, block)) Page.prependLocal(page, block, block);
        }
        clear(page);
    }

    /** The page has no holes any more, or is about to go. */
    public static void clear(long page) {
        long at = may(page) ? entry(arena(page), Page.start(page)) : 0;
        for (int i = 0; at != 0 && i < Page.slices(page); i++) {
            if (getInt(at + i * ENTRY) != 0) putInt(at + i * ENTRY, 0);
        }
    }

    /**
     * Notes that a page has {@code live} blocks, and says whether it is time to look for holes: when it had as many at
     * the last look, and none was made since. Even {@code now} it is not for a {@link #FIRST} one that was punched so.
     */
    public static boolean isTime(long page, int live, boolean now) {
        long at = entry(arena(page), Page.start(page));
        int last = getInt(at) >>> LOOK;
        boolean time = last == live || now && (last != (live | DONE) || (live & FIRST) == 0);
        if (!time && last != (live | DONE)) Os.stirPurgeThread();
        putInt(at, getInt(at) & MASK | (time || last == (live | DONE) ? live | DONE : live) << LOOK);
        return time;
    }
}
