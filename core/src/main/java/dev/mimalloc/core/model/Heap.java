package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Export;

/**
 * A heap: first-class, any thread may allocate in it. Each thread has its own part of it, a theap. The heap itself
 * knows its pages, and which of them are abandoned, by bitmaps for each arena.
 *
 * <p>A heap that was deleted lives on, unseen, until its last page is gone: a page that another thread owned at
 * that moment cannot be taken from it. References count the pages, and one for the user until the heap is deleted.
 */
public final class Heap {
    private static final long SUBPROCESS = 0; // 8 once
    private static final long SLOT = SUBPROCESS + 8; // 8 once: where threads keep their theaps for this heap
    private static final long SEQUENCE = SLOT + 8; // 8 once: a number that no other heap has
    private static final long REFERENCES = SEQUENCE + 8; // 8 atomic
    private static final long EXCLUSIVE_ARENA = REFERENCES + 8; // 8 once: the one arena to allocate in, 0 for any
    private static final long NUMA_NODE = EXCLUSIVE_ARENA + 8; // 8 relaxed: -1 for any
    private static final long CHARGED = NUMA_NODE + 8; // 8 atomic: bytes that its pages have
    private static final long LIMIT = CHARGED + 8; // 8 relaxed: bytes that they may have, 0 for any
    private static final long PROFILER = LIMIT + 8; // 8 acquire, written under livesLock: see Profiler; 0 for none
    private static final long DELETED = PROFILER + 8; // 8 acquire: 1 when the user has deleted it
    private static final long NEXT = DELETED + 8; // 8 livesLock: in the subprocess' list
    private static final long PREV = NEXT + 8; // 8 livesLock
    private static final long THEAPS = PREV + 8; // 8 livesLock: list of the threads' parts
    private static final long ARENA_PAGES = THEAPS + 8; // Table: by arena, an ArenaPages
    private static final long ABANDONED = ARENA_PAGES + Table.SIZE; // of a bin, atomic: how many pages are findable
    private static final long OS_PAGES = ABANDONED + SizeClass.COUNT * WORD; // 8 osLock: its pages from the OS
    private static final long CALL_OUTS = OS_PAGES + 8; // 8 atomic: calls for it that are inside of a user's function
    private static final long UNFILLED = CALL_OUTS + 8; // 8 atomic: bytes that a debug build leaves as they are
    private static final long STATISTICS = UNFILLED + 8; // Statistics
    public static final long SIZE = STATISTICS + Statistics.SIZE;

    /** In place of a heap's profiler: it shall have none, also when its subprocess has one. */
    public static final long NEVER_PROFILED = 1;

    private Heap() {}

    public static long subprocess(long heap) { return getLong(heap + SUBPROCESS); }
    static void setSubprocess(long heap, long subprocess) { putLong(heap + SUBPROCESS, subprocess); }
    public static long slot(long heap) { return getLong(heap + SLOT); }
    public static void setSlot(long heap, long slot) { putLong(heap + SLOT, slot); }
    public static long sequence(long heap) { return getLong(heap + SEQUENCE); }
    static void setSequence(long heap, long sequence) { putLong(heap + SEQUENCE, sequence); }
    public static long addReferences(long heap, long count) { return fetchAdd(heap + REFERENCES, count) + count; }
    public static long exclusiveArena(long heap) { return getLong(heap + EXCLUSIVE_ARENA); }
    public static void setExclusiveArena(long heap, long arena) { putLong(heap + EXCLUSIVE_ARENA, arena); }
    public static long numaNodeRelaxed(long heap) { return getRelaxed(heap + NUMA_NODE); }
    public static void setNumaNodeRelaxed(long heap, long node) { putRelaxed(heap + NUMA_NODE, node); }
    public static long next(long heap) { return getLong(heap + NEXT); }
    public static long prev(long heap) { return getLong(heap + PREV); }
    public static long theaps(long heap) { return getLong(heap + THEAPS); }
    public static long theapsWord(long heap) { return heap + THEAPS; }
    public static long osPages(long heap) { return getLong(heap + OS_PAGES); }
    public static long osPagesWord(long heap) { return heap + OS_PAGES; }
    public static boolean isDeleted(long heap) { return getAcquire(heap + DELETED) != 0; }
    public static void setDeleted(long heap) { putRelease(heap + DELETED, 1); }
    public static long limitRelaxed(long heap) { return getRelaxed(heap + LIMIT); }
    public static void setLimitRelaxed(long heap, long bytes) { putRelaxed(heap + LIMIT, bytes); }
    /** Acquire: what a profiler was made with is seen by those who use it. 0 if the heap has none. */
    public static long profilerAcquire(long heap) { return getAcquire(heap + PROFILER) & ~NEVER_PROFILED; }
    public static void setProfilerRelease(long heap, long profiler) { putRelease(heap + PROFILER, profiler); }
    public static boolean isNeverProfiled(long heap) { return getAcquire(heap + PROFILER) == NEVER_PROFILED; }
    public static long chargedRelaxed(long heap) { return getRelaxed(heap + CHARGED); }
    public static void addCharged(long heap, long bytes) { fetchAdd(heap + CHARGED, bytes); }
    public static long chargedWord(long heap) { return heap + CHARGED; }
    public static long arenaPagesTable(long heap) { return heap + ARENA_PAGES; }
    public static long abandonedRelaxed(long heap, int bin) { return getRelaxed(heap + ABANDONED + bin * WORD); }
    public static void addAbandoned(long heap, int bin, long count) { fetchAdd(heap + ABANDONED + bin * WORD, count); }
    /** Sequentially consistent: whoever ends the heap first says so, and then looks here; see {@link CallOut}. */
    public static long callOutsVolatile(long heap) { return getVolatile(heap + CALL_OUTS); }
    public static void addCallOuts(long heap, long count) { fetchAdd(heap + CALL_OUTS, count); }
    /** Of each block's start, for the debug build, which fills all others of a new or a freed block. */
    public static long unfilledRelaxed(long heap) { return getRelaxed(heap + UNFILLED); }
    /** Never less than before: freed blocks must be known as they were left. */
    @Export("void mi_heap_set_debug_fill_preserve(mi_heap_t* heap, size_t preserve)")
    public static void raiseUnfilled(long heap, long bytes) {
        long least = heap == 0 ? 0 : Config.min(bytes < 0 ? Config.MAX_SIZE : bytes, Config.ADDRESSES) + WORD - 1 & -WORD;
        while (heap != 0 && least > unfilledRelaxed(heap)) compareAndSet(heap + UNFILLED, unfilledRelaxed(heap), least);
    }
    public static long statistics(long heap) { return heap + STATISTICS; }

    /** Makes a heap in zeroed memory. It is in no list yet. */
    public static void init(long heap, long subprocess) {
        setSubprocess(heap, subprocess);
        setSequence(heap, Root.nextSequence());
        setNumaNodeRelaxed(heap, -1);
        addReferences(heap, 1);
        Statistics.init(statistics(heap));
    }

    /** Makes a subprocess and its main heap in zeroed memory, and enters the subprocess in the list of all. */
    public static void initMain(long heap, long subprocess) {
        init(heap, subprocess);
        Subprocess.init(subprocess, heap);
    }

    public static boolean isMain(long heap) { return Subprocess.mainHeap(subprocess(heap)) == heap; }

    /** Drops a page's reference, or the user's; the last one takes a deleted heap's struct with it. */
    public static void dropReference(long heap) {
        long left = addReferences(heap, -1);
        if (Check.isOn()) Check.that(left >= 0);
        if (left == 0) release(heap);
    }

    /** Enters a new heap in its subprocess' list, where it stays until its struct is given back. */
    public static void link(long heap) {
        long subprocess = subprocess(heap);
        Lock.acquire(Subprocess.livesLock(subprocess));
        setProfilerRelease(heap, Subprocess.profiler(subprocess));
        Links.push(Subprocess.heapsWord(subprocess), heap, NEXT);
        Lock.release(Subprocess.livesLock(subprocess));
    }

    /**
     * The next heap in the subprocess' list that is not deleted, with a reference for the caller, which keeps its
     * struct and its place in the list; 0 behind the last.
     *
     * @param heap one that the caller has a reference to; 0 for the first
     */
    public static long nextReferred(long subprocess, long heap) {
        Lock.acquire(Subprocess.livesLock(subprocess));
        long next = heap == 0 ? Subprocess.heaps(subprocess) : next(heap);
        while (next != 0 && (isDeleted(next) || !tryReference(next))) next = next(next);
        Lock.release(Subprocess.livesLock(subprocess));
        return next;
    }

    /** Adds a reference, unless the last one has gone: then the heap is about to leave the list, and it is false. */
    private static boolean tryReference(long heap) {
        long references;
        do {
            references = getRelaxed(heap + REFERENCES);
            if (references == 0) return false;
        } while (!compareAndSet(heap + REFERENCES, references, references + 1));
        return true;
    }

    private static void unlink(long heap) {
        long subprocess = subprocess(heap);
        Lock.acquire(Subprocess.livesLock(subprocess));
        Links.remove(Subprocess.heapsWord(subprocess), heap, NEXT);
        Statistics.merge(statistics(heap), Subprocess.statistics(subprocess));
        Lock.release(Subprocess.livesLock(subprocess));
    }

    /**
     * Gives the struct back; nobody may have the heap any more. What it counted stays in the subprocess' statistics.
     */
    public static void release(long heap) {
        unlink(heap);
        releaseTables(heap);
        Meta.free(heap, SIZE);
        Meta.collectMuch();
    }

    public static void releaseTables(long heap) {
        for (long i = 0; i < Subprocess.arenaCount(subprocess(heap)); i++) {
            long pages = Table.get(arenaPagesTable(heap), i);
            if (pages != 0) ArenaPages.release(pages);
        }
        Table.release(arenaPagesTable(heap));
    }

    /** What this heap knows of its pages in an arena, made when first needed; 0 if there is no memory for it. */
    public static long arenaPages(long heap, long arenaIndex, long slices) {
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
