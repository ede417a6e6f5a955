package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.UpperTable;

/**
 * From any address to the page it lies in, in two dependent loads: an upper table in static memory, indexed by the
 * address' highest bits, 33 to 47 or 29 to 31, and below it tables with an entry for each slice. An address that is not
 * the allocator's leads to 0 and never to memory that cannot be read, also before anything has been allocated.
 *
 * <p>Entries are written with release before the first block of the page is given out. A thread that frees a block got
 * its address by some synchronisation with the one that allocated it, so a plain read sees the entry.
 */
public final class PageMap {
    private PageMap() {}

    public static int upperSize() { return 1 << (UpperTable.addressBits() - UpperTable.shift()); }
    public static long lowerSize() { return 8L << (UpperTable.shift() - Config.SLICE_SHIFT); }
    private static long lowerMask() { return lowerSize() / 8 - 1; }

    /**
     * The page of a block at {@code address}, for the fast path of free. It is 0 if there is none, and also for an
     * address that is no multiple of 8, for which {@link #pageOf} has the answer.
     */
    public static long pageOfBlock(long address) {
        // An address that is no multiple of 8, and one beyond all memory, both have high bits in this.
        long turned = address >>> 3 | address << 61;
        long index = turned >>> (UpperTable.shift() - 3);
        if (unlikely(index >= upperSize())) return 0;
        long lower = UpperTable.get(index);
        if (unlikely(lower == 0)) return 0;
        return address(getLong(address(lower) + ((turned >>> (Config.SLICE_SHIFT - 3) & lowerMask()) << 3)));
    }

    /** The page that {@code address} lies in, or 0. */
    public static long pageOf(long address) {
        if (address >>> UpperTable.addressBits() != 0) return 0;
        long lower = UpperTable.get(address >>> UpperTable.shift());
        return lower == 0 ? 0 : getLong(lower + entry(address));
    }

    private static long entry(long address) { return (address >>> Config.SLICE_SHIFT & lowerMask()) << 3; }

    /**
     * Enters {@code page} for {@code slices} slices from {@code start} on; false if the OS has no memory for the
     * table.
     */
    public static boolean register(long start, long slices, long page) {
        if (start + (slices << Config.SLICE_SHIFT) >>> UpperTable.addressBits() != 0) return false;
        for (long i = 0; i < slices; i++) {
            long address = start + (i << Config.SLICE_SHIFT);
            long lower = lower(address);
            if (lower == 0) {
                unregister(start, i);
                return false;
            }
            if (Check.isOn()) Check.that(pageOf(address) == 0 || pageOf(address) == page);
            putRelease(lower + entry(address), page);
        }
        return true;
    }

    public static void unregister(long start, long slices) {
        for (long i = 0; i < slices; i++) {
            long address = start + (i << Config.SLICE_SHIFT);
            if (Check.isOn()) Check.that(pageOf(address) != 0);
            putRelease(lower(address) + entry(address), 0);
        }
    }

    /** Gives all lower tables back; nobody may be looking for a page. */
    public static void releaseAll() {
        for (long index = 0; index < upperSize(); index++) {
            long lower = UpperTable.getAcquire(index);
            if (lower != 0 && UpperTable.compareAndSet(index, lower, 0)) OsMemory.releaseMeta(lower, lowerSize(), Os.pageSize());
        }
    }

    private static long lower(long address) {
        long index = address >>> UpperTable.shift();
        long lower = UpperTable.getAcquire(index);
        return lower != 0 ? lower : newLower(index);
    }

    private static long newLower(long index) {
        long lower = OsMemory.mapMeta(lowerSize(), Os.pageSize());
        if (lower == 0 || UpperTable.compareAndSet(index, 0, lower)) return lower;
        OsMemory.releaseMeta(lower, lowerSize(), Os.pageSize());
        return UpperTable.getAcquire(index);
    }
}
