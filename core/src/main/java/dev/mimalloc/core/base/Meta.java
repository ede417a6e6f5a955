package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;

/**
 * Memory for the allocator's own structs, apart from the users' blocks. A meta page is a mapping aligned to its own
 * size, with a bitmap of its free 128-byte units at the start; a struct is a run of units. Meta pages stay for ever,
 * and their number is bounded by the most that was in use at once; the memory of free units is given back to the OS now
 * and then, as far as they make whole OS pages. All is lock-free. Larger structs come straight from the OS.
 */
public final class Meta {
    private static final long NEXT = 0; // 8 once: the page made before this one
    private static final long FREED = NEXT + 8; // 8 atomic: 1 when something was freed since the last collect
    private static final long FREE = FREED + 8 + LINE - 1 & -LINE; // Bitmap: of the units

    public static final long PAGE = 512 << 10;
    private static final long UNIT = 128;
    private static final long UNITS = PAGE / UNIT;
    private static final long LARGE = 64 << 10;
    /**
     * After this many freed bytes their memory goes back to the OS at the next end of a thread or a heap, and does not
     * wait for its time.
     */
    private static final long MUCH = 16 << 20;

    private Meta() {}

    /** The meta page behind another one, or the first for 0; 0 behind the last. */
    public static long nextPage(long page) { return page == 0 ? Root.metaPagesAcquire() : getLong(page + NEXT); }

    /** Zeroed memory, 128-byte aligned, or 0. {@link #free} wants the size again. */
    public static long allocate(long size) {
        if (size > LARGE) return OsMemory.mapMeta(size, Os.pageSize());
        long units = (size + UNIT - 1) / UNIT;
        while (true) {
            long first = Root.metaPagesAcquire();
            for (long page = first; page != 0; page = getLong(page + NEXT)) {
                long unit = Bitmap.claimRun(page + FREE, 0, UNITS, units, 1);
                if (unit >= 0) {
                    fill(page + unit * UNIT, units * UNIT, 0);
                    return page + unit * UNIT;
                }
            }
            if (!addPage(first)) return 0;
        }
    }

    public static void free(long address, long size) {
        if (address == 0) return;
        if (size > LARGE) {
            OsMemory.releaseMeta(address, size, Os.pageSize());
            return;
        }
        long page = address & -PAGE;
        long units = (size + UNIT - 1) / UNIT;
        if (Check.isOn()) Check.that(Bitmap.countSet(page + FREE, (address - page) / UNIT, units) == 0);
        Bitmap.set(page + FREE, (address - page) / UNIT, units);
        // Written after the bits, so that a collection that clears this sees the bits; or else the next one does.
        exchange(page + FREED, 1);
        Root.addMetaFreed(size);
    }

    /** Gives free memory back to the OS if there is much of it. */
    public static void collectMuch() {
        if (Root.metaFreedRelaxed() >= MUCH) collect();
    }

    /** Gives the memory of free units back to the OS. */
    public static void collect() {
        if (Root.clearMetaFreed() == 0) return;
        for (long page = Root.metaPagesAcquire(); page != 0; page = getLong(page + NEXT)) {
            if (getRelaxed(page + FREED) != 0 && exchange(page + FREED, 0) != 0) collect(page);
        }
    }

    private static void collect(long page) {
        long each = Os.pageSize() / UNIT;
        long at = each; // the page's own units are in the first one
        while (at < UNITS) {
            long end = Config.min(UNITS, Config.alignDown(at, Bitmap.CHUNK) + Bitmap.CHUNK);
            long run = Config.alignDown(Bitmap.runLength(page + FREE, at, end), each);
            // Claimed, so that no allocation gets them meanwhile.
            if (run > 0 && Bitmap.tryClaim(page + FREE, at, run)) giveBack(page, at, run);
            at += Config.max(run, each);
        }
    }

    private static void giveBack(long page, long unit, long units) {
        long address = page + unit * UNIT;
        int done = OsMemory.decommit(address, units * UNIT);
        boolean accessible = done < 0 || (done & OsMemory.UNCOMMITTED) == 0 || OsMemory.commit(address, units * UNIT);
        if (accessible) Bitmap.set(page + FREE, unit, units);
    }

    /** Gives all pages back with whatever structs are in them; nobody may use one any more. Not what is large. */
    public static void releaseAll() {
        long next;
        for (long page = Root.metaPagesAcquire(); page != 0; page = next) {
            next = getLong(page + NEXT);
            OsMemory.releaseMeta(page, PAGE, PAGE);
        }
    }

    private static boolean addPage(long first) {
        long page = OsMemory.mapMeta(PAGE, PAGE);
        if (page == 0) return false;
        long own = (FREE + Bitmap.size(UNITS) + UNIT - 1) / UNIT;
        Bitmap.init(page + FREE, UNITS);
        Bitmap.set(page + FREE, own, UNITS - own);
        putLong(page + NEXT, first);
        // If another thread has added a page meanwhile, that one will do.
        if (!Root.casMetaPages(first, page)) OsMemory.releaseMeta(page, PAGE, PAGE);
        return true;
    }
}
