package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

/**
 * A heap: first-class, any thread may allocate in it. Each thread has its own part of it, a theap. The heap itself
 * knows its pages, and which of them are abandoned, by bitmaps for each arena.
 *
 * <p>A heap that was deleted lives on, unseen, until its last page is gone: a page that another thread owned at
 * that moment cannot be taken from it. References count the pages, and one for the user until the heap is deleted.
 *
 * <pre>
 * offset width field
 *      0     8 subprocess      written once
 *      8     8 slot            where threads keep their theaps for this heap; written once
 *     16     8 sequence        a number that no other heap has; written once
 *     24     8 references      atomic
 *     32     8 exclusiveArena  the one arena to allocate in, 0 for any; written once
 *     40     8 numaNode        -1 for any
 *     48     8 charged         bytes that its pages have; atomic
 *     56     8 limit           bytes that they may have, 0 for any; atomic
 *     64     8 deleted         1 when the user has deleted it; atomic
 *     72     8 next            in the subprocess' list; livesLock
 *     80     8 prev
 *     88     8 theaps          list of the threads' parts; livesLock
 *     96   128 arenaPages      Table: by arena, an ArenaPages
 *    224   592 abandoned       for each bin, how many pages are findable; atomic
 *    816     8 osPages         list of pages straight from the OS; osLock
 *    824     8 callOuts        calls for this heap that are inside of a function of the user's; atomic
 *    832       statistics
 * </pre>
 */
final class Heap {
    static final long SIZE = 832 + Statistics.SIZE;

    private Heap() {}

    static long subprocess(long heap) { return getLong(heap); }
    static void setSubprocess(long heap, long subprocess) { putLong(heap, subprocess); }
    static long slot(long heap) { return getLong(heap + 8); }
    static void setSlot(long heap, long slot) { putLong(heap + 8, slot); }
    static long sequence(long heap) { return getLong(heap + 16); }
    static void setSequence(long heap, long sequence) { putLong(heap + 16, sequence); }
    static long addReferences(long heap, long count) { return fetchAdd(heap + 24, count) + count; }
    static long exclusiveArena(long heap) { return getLong(heap + 32); }
    static void setExclusiveArena(long heap, long arena) { putLong(heap + 32, arena); }
    static long numaNode(long heap) { return getRelaxed(heap + 40); }
    static void setNumaNode(long heap, long node) { putRelaxed(heap + 40, node); }
    static long next(long heap) { return getLong(heap + 72); }
    static void setNext(long heap, long next) { putLong(heap + 72, next); }
    static long prev(long heap) { return getLong(heap + 80); }
    static void setPrev(long heap, long prev) { putLong(heap + 80, prev); }
    static long theaps(long heap) { return getLong(heap + 88); }
    static void setTheaps(long heap, long theap) { putLong(heap + 88, theap); }
    static long osPages(long heap) { return getLong(heap + 816); }
    static void setOsPages(long heap, long page) { putLong(heap + 816, page); }
    static boolean isDeleted(long heap) { return getAcquire(heap + 64) != 0; }
    static void setDeleted(long heap) { putRelease(heap + 64, 1); }
    static long limit(long heap) { return getRelaxed(heap + 56); }
    static void setLimit(long heap, long bytes) { putRelaxed(heap + 56, bytes); }
    static long charged(long heap) { return getRelaxed(heap + 48); }
    static void addCharged(long heap, long bytes) { fetchAdd(heap + 48, bytes); }
    static long chargedWord(long heap) { return heap + 48; }
    static long arenaPagesTable(long heap) { return heap + 96; }
    static long abandoned(long heap, int bin) { return getRelaxed(heap + 224 + bin * 8L); }
    static void addAbandoned(long heap, int bin, long count) { fetchAdd(heap + 224 + bin * 8L, count); }
    /** Sequentially consistent, as whoever ends the heap looks here after it has said so; see CallOut. */
    static long callOuts(long heap) { return getVolatile(heap + 824); }
    static void addCallOuts(long heap, long count) { fetchAdd(heap + 824, count); }
    static long statistics(long heap) { return heap + 832; }

    static boolean isMain(long heap) { return Subprocess.mainHeap(subprocess(heap)) == heap; }

    /** Drops a page's reference, or the user's; the last one takes a deleted heap's struct with it. */
    static void dropReference(long heap) {
        if (addReferences(heap, -1) == 0) release(heap);
    }

    /** Enters a new heap in its subprocess' list, where it stays until its struct is given back. */
    static void link(long heap) {
        long subprocess = subprocess(heap);
        Lock.acquire(Subprocess.livesLock(subprocess));
        long first = Subprocess.heaps(subprocess);
        setNext(heap, first);
        if (first != 0) setPrev(first, heap);
        Subprocess.setHeaps(subprocess, heap);
        Lock.release(Subprocess.livesLock(subprocess));
    }

    /**
     * The next heap in the subprocess' list that is not deleted, with a reference for the caller, which keeps its struct
     * and its place in the list; 0 behind the last.
     *
     * @param heap one that the caller has a reference to; 0 for the first
     */
    static long nextReferred(long subprocess, long heap) {
        Lock.acquire(Subprocess.livesLock(subprocess));
        long next = heap == 0 ? Subprocess.heaps(subprocess) : next(heap);
        while (next != 0 && (isDeleted(next) || !tryReference(next))) next = next(next);
        Lock.release(Subprocess.livesLock(subprocess));
        return next;
    }

    /** One more reference, unless the last one has gone: then the heap is about to leave the list. */
    private static boolean tryReference(long heap) {
        long references;
        do {
            references = getRelaxed(heap + 24);
            if (references == 0) return false;
        } while (!compareAndSet(heap + 24, references, references + 1));
        return true;
    }

    private static void unlink(long heap) {
        long subprocess = subprocess(heap);
        Lock.acquire(Subprocess.livesLock(subprocess));
        if (prev(heap) != 0) setNext(prev(heap), next(heap));
        else Subprocess.setHeaps(subprocess, next(heap));
        if (next(heap) != 0) setPrev(next(heap), prev(heap));
        Statistics.merge(statistics(heap), Subprocess.statistics(subprocess));
        Lock.release(Subprocess.livesLock(subprocess));
    }

    /**
     * Gives the struct back; nobody may have the heap any more. What it counted stays in the subprocess' statistics.
     */
    static void release(long heap) {
        unlink(heap);
        releaseTables(heap);
        Meta.free(heap, SIZE);
        Meta.collectMuch();
    }

    static void releaseTables(long heap) {
        for (long i = 0; i < Subprocess.arenaCount(subprocess(heap)); i++) {
            long pages = Table.get(arenaPagesTable(heap), i);
            if (pages != 0) ArenaPages.release(pages);
        }
        Table.release(arenaPagesTable(heap));
    }

    /** Where this heap keeps its bitmaps for an arena, made when needed; 0 if there is no memory for them. */
    static long arenaPages(long heap, long arenaIndex, long slices) {
        long pages = Table.get(arenaPagesTable(heap), arenaIndex);
        if (likely(pages != 0)) return pages;
        long entry = Table.entry(arenaPagesTable(heap), arenaIndex);
        if (entry == 0) return 0;
        pages = ArenaPages.create(slices);
        if (pages == 0 || compareAndSet(entry, 0, pages)) return pages;
        ArenaPages.release(pages);
        return getAcquire(entry);
    }
}
