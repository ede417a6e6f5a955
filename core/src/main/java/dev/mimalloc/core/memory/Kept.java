package dev.mimalloc.core.memory;

import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;

/**
 * Mappings of pages straight from the OS that the OS has refused to take back. Linux refuses when a mapping lies in the
 * middle of a larger one, and to cut it out would make more mappings than a process may have. Its memory has been given
 * back; its addresses wait in a list of the subprocess, for the next such page, or until the OS takes them after all.
 * The list's nodes are the pages' descriptors: base, size, next, and whether the memory is zero. The list is read and
 * changed under the subprocess' lock of OS pages.
 */
public final class Kept {
    private Kept() {}

    /**
     * Gives back the mapping of a page that is in no list, and its descriptor: now, or as soon as the OS takes it.
     *
     * @param committed how many bytes of it were committed
     */
    public static void giveBack(long page, long subprocess, long committed) {
        long statistics = Subprocess.statistics(subprocess);
        Statistics.decrease(statistics, Statistics.COMMITTED, committed);
        if (tryUnmap(page, subprocess)) {
            retry(subprocess);
            return;
        }
        int result = OsMemory.decommit(Page.osBase(page), Page.osSize(page));
        // Only memory that is zero, and needs no new commit for that, counts as zero later.
        Page.setFlags(page, result == 2 ? Page.MEMORY_ZERO : 0);
        add(page, subprocess);
    }

    private static boolean tryUnmap(long page, long subprocess) {
        if (!OsMemory.unmap(Page.osBase(page), Page.osSize(page))) return false;
        Statistics.decrease(Subprocess.statistics(subprocess), Statistics.RESERVED, Page.osSize(page));
        Meta.free(page, Page.OS_SIZE);
        return true;
    }

    public static void add(long page, long subprocess) {
        Lock.acquire(Subprocess.osLock(subprocess));
        absorbNeighbours(page, subprocess);
        Page.setOsNext(page, Subprocess.keptRelaxed(subprocess));
        Subprocess.setKeptRelaxed(subprocess, page);
        Lock.release(Subprocess.osLock(subprocess));
    }

    /**
     * Joins a mapping with its neighbours in the list: otherwise pieces would become ever smaller, until nothing fits.
     */
    private static void absorbNeighbours(long page, long subprocess) {
        long before = 0;
        long next;
        for (long other = Subprocess.keptRelaxed(subprocess); other != 0; other = next) {
            next = Page.osNext(other);
            boolean below = Page.osBase(other) + Page.osSize(other) == Page.osBase(page);
            if (!below && Page.osBase(page) + Page.osSize(page) != Page.osBase(other)) {
                before = other;
                continue;
            }
            if (below) Page.setOsBase(page, Page.osBase(other));
            Page.setOsSize(page, Page.osSize(page) + Page.osSize(other));
            if (!Page.has(other, Page.MEMORY_ZERO)) Page.clearFlag(page, Page.MEMORY_ZERO);
            if (before == 0) Subprocess.setKeptRelaxed(subprocess, next);
            else Page.setOsNext(before, next);
            Meta.free(other, Page.OS_SIZE);
        }
    }

    /** Takes a mapping of {@code size} bytes or more, with that alignment, out of the list; 0 if there is none. */
    private static long remove(long subprocess, long size, long alignment) {
        // A look without the lock: nearly always the list is empty.
        if (Subprocess.keptRelaxed(subprocess) == 0) return 0;
        Lock.acquire(Subprocess.osLock(subprocess));
        long before = 0;
        long page = Subprocess.keptRelaxed(subprocess);
        while (page != 0 && (Page.osSize(page) < size || (Page.osBase(page) & alignment - 1) != 0)) {
            before = page;
            page = Page.osNext(page);
        }
        if (page != 0 && before == 0) Subprocess.setKeptRelaxed(subprocess, Page.osNext(page));
        else if (page != 0) Page.setOsNext(before, Page.osNext(page));
        Lock.release(Subprocess.osLock(subprocess));
        return page;
    }

    /** Tries to give one mapping of the list back: the OS has just taken another, and so may have room now. */
    private static void retry(long subprocess) {
        long page = remove(subprocess, 0, 1);
        if (page != 0 && !tryUnmap(page, subprocess)) add(page, subprocess);
    }

    /**
     * Makes a page of {@code size} bytes of a mapping in the list, committed; 0 if there is none that is large enough.
     * The rest of the mapping stays in the list.
     */
    public static long take(long subprocess, long size, long alignment) {
        long page = remove(subprocess, size, alignment);
        if (page == 0) return 0;
        long base = Page.osBase(page);
        long rest = Page.osSize(page) - size;
        int flags = Page.has(page, Page.MEMORY_ZERO) ? Page.MEMORY_ZERO : 0;
        long other = rest == 0 ? 0 : Meta.allocate(Page.OS_SIZE);
        if (rest != 0 && other == 0 || !OsMemory.commit(base, size)) {
            Meta.free(other, Page.OS_SIZE);
            add(page, subprocess);
            return 0;
        }
        if (other != 0) {
            Page.setOsBase(other, base + size);
            Page.setOsSize(other, rest);
            Page.setFlags(other, flags);
            add(other, subprocess);
        }
        Page.clear(page);
        Page.setStart(page, base);
        Page.setOsBase(page, base);
        Page.setOsSize(page, size);
        Page.setFlags(page, flags);
        Statistics.increase(Subprocess.statistics(subprocess), Statistics.COMMITTED, size);
        return page;
    }

    /** The subprocess ends: mappings that the OS still refuses go to the list of {@code heir}, unless that is 0. */
    public static void end(long subprocess, long heir) {
        long page;
        while ((page = remove(subprocess, 0, 1)) != 0) {
            long size = Page.osSize(page);
            if (tryUnmap(page, subprocess) || heir == 0) continue;
            Statistics.increase(Subprocess.statistics(heir), Statistics.RESERVED, size);
            add(page, heir);
        }
    }
}
