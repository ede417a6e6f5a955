package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Os;

/**
 * From any address to the page it lies in, in two dependent loads: an upper table indexed by the address' bits 29 to 47, and
 * below it tables with an entry for each slice. An address that is not ours leads to 0 and never to memory that cannot
 * be read.
 *
 * <p>Entries are written with release before the first block of the page is given out. Who frees a block got its address
 * by some synchronisation with who allocated it, so a plain read sees the entry.
 */
public final class PageMap {
    private static final int ADDRESS_BITS = 48;
    private static final int LOWER_SHIFT = 29;
    private static final long UPPER_SIZE = 8L << (ADDRESS_BITS - LOWER_SHIFT);
    private static final long LOWER_SIZE = 8L << (LOWER_SHIFT - Config.SLICE_SHIFT);
    private static final long LOWER_MASK = LOWER_SIZE / 8 - 1;

    private PageMap() {}

    /** Reserves the upper table; false if the OS has no memory. */
    static boolean init() {
        long map = Os.map(UPPER_SIZE, Os.pageSize(), true, false);
        if (map != 0) Os.transparentHugePages(map, UPPER_SIZE, false);
        Root.setPageMap(map);
        return map != 0;
    }

    /** The page that {@code address} lies in, or 0. */
    public static long pageOf(long address) {
        if (unlikely(address >>> ADDRESS_BITS != 0)) return 0;
        long lower = getLong(Root.pageMap() + (address >>> LOWER_SHIFT << 3));
        return unlikely(lower == 0) ? 0 : getLong(lower + ((address >>> Config.SLICE_SHIFT & LOWER_MASK) << 3));
    }

    /** Enters {@code page} for {@code slices} slices from {@code start} on; false if the OS has no memory for the table. */
    static boolean register(long start, long slices, long page) {
        for (long i = 0; i < slices; i++) {
            long address = start + (i << Config.SLICE_SHIFT);
            long lower = lower(address);
            if (lower == 0) {
                unregister(start, i);
                return false;
            }
            putRelease(lower + ((address >>> Config.SLICE_SHIFT & LOWER_MASK) << 3), page);
        }
        return true;
    }

    static void unregister(long start, long slices) {
        for (long i = 0; i < slices; i++) {
            long address = start + (i << Config.SLICE_SHIFT);
            putRelease(lower(address) + ((address >>> Config.SLICE_SHIFT & LOWER_MASK) << 3), 0);
        }
    }

    private static long lower(long address) {
        long entry = Root.pageMap() + (address >>> LOWER_SHIFT << 3);
        long lower = getAcquire(entry);
        return lower != 0 ? lower : newLower(entry);
    }

    private static long newLower(long entry) {
        long lower = Os.map(LOWER_SIZE, Os.pageSize(), true, false);
        if (lower == 0 || compareAndSet(entry, 0, lower)) return lower;
        Os.unmap(lower, LOWER_SIZE);
        return getAcquire(entry);
    }
}
