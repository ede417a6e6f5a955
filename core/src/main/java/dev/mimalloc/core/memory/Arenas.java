package dev.mimalloc.core.memory;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsConfig;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Trace;

/**
 * Gives pages their slices. The arenas of a subprocess are searched in the order in which they were made; when none has
 * room, one more is reserved from the OS.
 *
 * <p>An arena is added under the arena lock, is complete before it is counted, and stays as long as its subprocess. So
 * a search takes no lock and meets no arena that goes away; it claims slices by their bits. Any thread may call.
 */
public final class Arenas {
    /** The first slice of an arena is aligned like this, so that transparent huge pages fit. */
    private static final long ALIGNMENT = 2 << 20;
    /**
     * The first slice of an arena of 1 GiB or more is aligned like this where it can be: 1 GiB is what one page
     * directory of the processor maps. With libraries and others' mappings in one directory with huge pages, all code
     * ran a tenth slower in a virtual machine. The price: nine random bits less in the arena's address. In the secure
     * build an arena lies far from all else.
     */
    private static final long DIRECTORY = 1 << 30;
    /** An arena's index has two bytes in a page. */
    private static final long MAX = 65535;
    /** How often an arena is reserved for one request: other threads may take its slices first. */
    private static final int ATTEMPTS = 16;
    /**
     * An answer in place of a page: there is room, but the OS has no memory for it, and another arena would not help.
     */
    private static final long NO_COMMIT = -1;

    private Arenas() {}

    /**
     * Claims slices for a page of {@code heap}, and commits them; reserves an arena if none has room.
     *
     * @param alignment of the first slice's address, in slices, a power of two
     * @param sparse perhaps little will be used of the slices
     * @return the page's descriptor, with its memory's fields filled in, or 0
     */
    public static long allocate(long heap, long slices, long alignment, boolean sparse) {
        long subprocess = Heap.subprocess(heap);
        long exclusive = Heap.exclusiveArena(heap);
        sparse = sparse || !HugePages.pay();
        if (exclusive != 0) {
            long page = allocateIn(exclusive, slices, alignment, sparse);
            return page == NO_COMMIT ? 0 : page;
        }
        if (Options.isEnabled(Options.DISALLOW_ARENA_ALLOC)) return 0;
        if (slices << Config.SLICE_SHIFT > Options.boundedSize(Options.ARENA_MAX_OBJECT_SIZE)) return 0;
        boolean local = Heap.numaNodeRelaxed(heap) < 0 && Options.isEnabled(Options.ARENA_IS_NUMA_LOCAL);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long count = Subprocess.arenaCount(subprocess);
            long node = local ? localNode() : Heap.numaNodeRelaxed(heap);
            long page = allocateInAny(subprocess, count, node, slices, alignment, sparse);
            // The option prefers a new arena to one of another node, a heap's affinity does not.
            if (page <= 0 && node >= 0 && !local) page = allocateInAny(subprocess, count, -1, slices, alignment, sparse);
            if (page > 0 || page == NO_COMMIT && !local) return Config.max(page, 0);
            if (page == 0 && reserveMore(subprocess, count, slices + alignment - 1)) continue;
            if (!local) return 0;
            local = false;
        }
        return 0;
    }

    /** The NUMA node that the thread runs on just now, among as many as the option says there are. */
    private static long localNode() {
        long nodes = Options.bounded(Options.USE_NUMA_NODES);
        long node = Config.max(0, Os.node()); // the first one where the system does not say
        return nodes > 0 ? node % nodes : node;
    }

    private static long allocateInAny(long subprocess, long count, long numaNode, long slices, long alignment,
            boolean sparse) {
        long found = 0;
        // For a node: first its own arenas, then those of none.
        for (int pass = numaNode < 0 ? 1 : 0; pass < 2; pass++) {
            for (long i = 0; i < count; i++) {
                long arena = Subprocess.arena(subprocess, i);
                if (arena == 0 || Arena.isExclusive(arena)) continue;
                if (numaNode >= 0 && Arena.numaNodeRelaxed(arena) != (pass == 0 ? numaNode : -1)) continue;
                long page = allocateIn(arena, slices, alignment, sparse);
                if (page != 0 && page != NO_COMMIT) return page;
                if (page == NO_COMMIT) found = page;
            }
        }
        return found;
    }

    /**
     * Claims and commits slices in one arena: the descriptor of a page; 0 if the arena has no room; {@link #NO_COMMIT}.
     */
    private static long allocateIn(long arena, long slices, long alignment, boolean sparse) {
        long slice = Purge.claim(arena, slices, alignment, sparse);
        if (slice < 0) return 0;
        if (!Arena.commit(arena, slice, slices)) {
            Statistics.add(Subprocess.statistics(Arena.subprocess(arena)), Statistics.ARENA_ROLLBACK_COUNT, 1);
            Arena.unclaim(arena, slice, slices);
            slice = Arena.claimAccessible(arena, slices, alignment);
            if (slice < 0) return NO_COMMIT;
            Arena.commit(arena, slice, slices); // which needs nothing of the OS
        }
        if (sparse) HugePages.withdraw(arena, slice, slices);
        else HugePages.afterClaim(arena, slice, slices);
        boolean zero = Arena.use(arena, slice, slices);
        long page = Arena.descriptor(arena, slice);
        Page.clear(page);
        Page.setStart(page, Arena.address(arena, slice));
        Page.setSlices(page, (int) slices);
        Page.setArena(page, (int) Arena.index(arena));
        if (zero) Page.setFlags(page, Page.MEMORY_ZERO);
        return page;
    }

    /** The arena that a page's slices belong to. */
    public static long arenaOf(long page) {
        return Subprocess.arena(Heap.subprocess(Page.heapAcquire(page)), Page.arena(page));
    }

    /**
     * Reserves one more arena with room for {@code slices}, unless another thread has just added one; false if the OS
     * has no addresses for it.
     */
    private static boolean reserveMore(long subprocess, long count, long slices) {
        if (Options.isEnabled(Options.DISALLOW_OS_ALLOC)) return false;
        Lock.acquire(Subprocess.arenaLock(subprocess));
        boolean more = Subprocess.arenaCount(subprocess) != count || reserve(subprocess, count, slices);
        Lock.release(Subprocess.arenaLock(subprocess));
        return more;
    }

    private static boolean reserve(long subprocess, long count, long slices) {
        long unit = alignment();
        long least = Config.alignUp(slices << Config.SLICE_SHIFT, unit);
        long size = Options.boundedSize(Options.ARENA_RESERVE);
        if (size == 0) return false;
        // The more arenas there are, the larger the next: their number stays small, and so does the search through
        // them.
        size = Config.max(Config.alignUp(size << Config.min(count / 8, 16), unit), least);
        long eager = Options.bounded(Options.ARENA_EAGER_COMMIT);
        int flags = Options.isEnabled(Options.ALLOW_LARGE_OS_PAGES) ? Arena.LARGE : 0;
        if (eager == 1 || !Os.reservesForFree()) flags |= Arena.ACCESSIBLE;
        // Large OS pages are there from the start.
        else if (eager == 2 && OsConfig.overcommits()) flags |= flags == Arena.LARGE ? Arena.ACCESSIBLE : Arena.BY_STEPS;
        while (true) {
            if (size == least || !Os.reservesForFree() || isThereTwice(size)) {
                long arena = reserveMemory(subprocess, size, flags);
                if (arena != 0 && Options.isEnabled(Options.ARENA_IS_NUMA_LOCAL)) Arena.setNumaNodeRelaxed(arena, localNode());
                if (arena != 0) return true;
            }
            if (size == least) return false;
            size = Config.max(Config.alignUp(size / 2, unit), least);
        }
    }

    /** What the addresses and the size of an arena are multiples of. */
    private static long alignment() { return Os.reservesForFree() ? ALIGNMENT : Config.SLICE; }

    /**
     * Are there twice as many addresses as an arena would take? The address space may have a limit, of which an arena
     * should take half at most: the page map needs some of it, and the program has mappings of its own.
     */
    private static boolean isThereTwice(long size) {
        long start = OsMemory.map(size * 2, Os.pageSize(), 0);
        if (start != 0) OsMemory.unmap(start, size * 2);
        return start != 0;
    }

    /**
     * Reserves {@code size} bytes from the OS and makes an arena of them, under the arena lock; 0 if there is no
     * memory.
     *
     * @param flags the arena's; with {@link Arena#ACCESSIBLE} all of it is committed, and only then in large pages
     */
    public static long reserveMemory(long subprocess, long size, int flags) {
        boolean commit = (flags & Arena.ACCESSIBLE) != 0;
        int mapping = !commit ? 0 : (flags & Arena.LARGE) != 0 ? Os.COMMIT | Os.LARGE : Os.COMMIT;
        long start = size < DIRECTORY || !Os.reservesForFree() || Random.isOn() ? 0 : OsMemory.map(size, DIRECTORY, mapping);
        if (start == 0) start = OsMemory.map(size, alignment(), mapping);
        if (start == 0) return 0;
        Statistics.add(Subprocess.statistics(subprocess), Statistics.MMAP_CALLS, 1);
        flags |= Arena.OWNED | Arena.ZERO;
        if (!commit && (flags & Arena.BY_STEPS) == 0 && !OsConfig.overcommits()) flags |= Arena.STRICTLY;
        long arena = Arena.create(subprocess, start, size >>> Config.SLICE_SHIFT, flags, -1);
        if (arena != 0) HugePages.afterReserve(arena);
        if (arena != 0 && publish(subprocess, arena)) return arena;
        if (arena != 0) Arena.release(arena);
        OsMemory.unmap(start, size);
        return 0;
    }

    /** Lets all threads see a new arena, under the arena lock; false if there are as many arenas as there can be. */
    public static boolean publish(long subprocess, long arena) {
        long index = Subprocess.arenaCount(subprocess);
        if (index == MAX) return false;
        Arena.setIndex(arena, index);
        if (!Table.set(Subprocess.arenas(subprocess), index, arena)) return false;
        Subprocess.setArenaCount(subprocess, index + 1);
        Statistics.add(Subprocess.statistics(subprocess), Statistics.ARENA_COUNT, 1);
        Statistics.increase(Subprocess.statistics(subprocess), Statistics.RESERVED, Arena.size(arena));
        Trace.arena(true, Arena.start(arena), Arena.size(arena));
        return true;
    }

    /** The arena that an address lies in, or 0. */
    public static long find(long subprocess, long address) {
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena != 0 && Arena.contains(arena, address)) return arena;
        }
        return 0;
    }
}
