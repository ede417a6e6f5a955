package dev.mimalloc.core.memory;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.Arena;

/**
 * Transparent huge pages, where they pay. A region of 2 MiB that is advised so is backed by the OS at its first touch,
 * in one page fault in place of 512; but as a whole, whatever is used of it. So slices are advised region by region as
 * they are claimed, and at most the rest of one region for each kind of chunk is resident and not used. A region that
 * somebody has touched stays as it is, since the OS would not join its small pages.
 *
 * <p>Not advised are the first memory of a process, sparse pages (see {@code Pages}), and large blocks of which little
 * is touched (see {@link Density}). These lie in chunks of their own, which begin with what the first memory has left.
 *
 * <p>Memory of a huge page is given back by the whole where that will do, see {@link Purge}: to give back a piece
 * breaks the huge page, and the piece is small pages when it is touched again.
 *
 * <p>Any thread may call, for slices that it has claimed. Two threads that have parts of one region may both advise it,
 * or one may touch it before the other advises it: then it is small pages, and counts as a huge one.
 */
public final class HugePages {
    /**
     * While fewer bytes are in use, with those that are asked for, all memory is small pages. With a smaller limit a
     * process of little memory would no longer be one; with 4 MiB, page faults were a fifth of the time of a program
     * that lives for 0.1 s.
     */
    private static final long ENOUGH = 1 << 20;

    private HugePages() {}

    /**
     * Tells the OS which pages an arena that was just reserved shall have. Its first slice starts a region of 2 MiB.
     */
    static void afterReserve(long arena) {
        long allowed = Options.bounded(Options.ALLOW_THP);
        boolean all = allowed == 2;
        if (!OsMemory.allowHugePages(Arena.start(arena), Arena.size(arena), all)) return;
        if (all) Bitmap.set(Arena.huge(arena), 0, Arena.slices(arena) / Arena.HUGE_PAGE);
        else if (allowed != 0 && Arena.staysReadable(arena)) Arena.setAdvisable(arena, true);
    }

    /** Is enough memory in use for huge pages to pay? */
    static boolean pay() { return Root.charged() >= ENOUGH; }

    /** Advises the regions of slices that were claimed, where nobody has touched them yet. */
    public static void afterClaim(long arena, long slice, long count) {
        if (!Arena.isAdvisable(arena)) return;
        long end = Config.min((slice + count - 1) / Arena.HUGE_PAGE + 1, Arena.slices(arena) / Arena.HUGE_PAGE);
        long region = slice / Arena.HUGE_PAGE;
        while (region < end) {
            long first = region;
            while (region < end && isToBeAdvised(arena, region)) region++;
            if (region == first) region++;
            else if (!advise(arena, first, region - first)) return;
        }
    }

    /**
     * Withdraws the advice for the regions of slices that were claimed, and of which little will be used: for regions
     * that lie in these slices as a whole, and for those that nobody has touched yet.
     */
    static void withdraw(long arena, long slice, long count) { withdraw(arena, slice, count, false); }

    /**
     * Before the memory of slices goes back, or of parts of them: withdraws the advice for regions that do not go as a whole.
     * Linux would join the small pages that are left in such a region, and zeros for what has gone, into a huge page again. The
     * caller has the slices; so no one can advise the region before it has gone as a whole.
     */
    public static void breakUp(long arena, long slice, long count) { withdraw(arena, slice, count, true); }

    private static void withdraw(long arena, long slice, long count, boolean parts) {
        if (!Arena.isAdvisable(arena)) return;
        long end = Config.min((slice + count - 1) / Arena.HUGE_PAGE + 1, Arena.slices(arena) / Arena.HUGE_PAGE);
        for (long region = slice / Arena.HUGE_PAGE; region < end; region++) {
            if (!Bitmap.isSet(Arena.huge(arena), region)) continue;
            long first = region * Arena.HUGE_PAGE;
            boolean whole = first >= slice && first + Arena.HUGE_PAGE <= slice + count;
            if (whole == parts || !whole && !parts && !isUntouched(arena, region)) continue;
            long size = Arena.HUGE_PAGE << Config.SLICE_SHIFT;
            if (!OsMemory.allowHugePages(Arena.address(arena, first), size, false)) return;
            Bitmap.clear(Arena.huge(arena), region);
        }
    }

    /** False if the OS has no such pages, or no room for one more mapping: then it will not be asked again. */
    private static boolean advise(long arena, long region, long count) {
        long address = Arena.address(arena, region * Arena.HUGE_PAGE);
        boolean done = OsMemory.allowHugePages(address, count * Arena.HUGE_PAGE << Config.SLICE_SHIFT, true);
        if (done) Bitmap.set(Arena.huge(arena), region, count);
        else Arena.setAdvisable(arena, false);
        return done;
    }

    private static boolean isToBeAdvised(long arena, long region) {
        return !Bitmap.isSet(Arena.huge(arena), region) && isUntouched(arena, region);
    }

    private static boolean isUntouched(long arena, long region) {
        return Bitmap.countSet(Arena.dirty(arena), region * Arena.HUGE_PAGE, Arena.HUGE_PAGE) == 0;
    }

    /** Is the region of this slice advised to be a huge page? */
    public static boolean isHuge(long arena, long slice) {
        long region = slice / Arena.HUGE_PAGE;
        return region < Arena.slices(arena) / Arena.HUGE_PAGE && Bitmap.isSet(Arena.huge(arena), region);
    }
}
