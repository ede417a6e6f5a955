package dev.mimalloc.core.face;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsConfig;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;

/** Arenas that the user asks for, or brings the memory for. An arena's id is its address; 0 stands for any arena. */
public final class ManageArenas {
    private ManageArenas() {}

    /** Reserves {@code size} bytes from the OS as an arena; 0, or ENOMEM. */
    @Export("int mi_reserve_os_memory(size_t size, bool commit, bool allow_large)")
    public static int reserve(long size, boolean commit, boolean allowLarge) {
        return reserve(size, commit, allowLarge, false, 0);
    }

    /**
     * Reserves {@code size} bytes from the OS as an arena; 0, or ENOMEM. An exclusive arena serves only heaps made for
     * it. The arena's id is stored at {@code id}, unless that is 0.
     */
    @Export("int mi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large, bool exclusive, mi_arena_id_t* arena_id)")
    public static int reserve(long size, boolean commit, boolean allowLarge, boolean exclusive, long id) {
        long arena = reserveArena(size, flagsOf(commit, false, false, exclusive) | (allowLarge ? Arena.LARGE : 0));
        store(id, arena);
        return arena == 0 ? Os.numberOf(Errors.ENOMEM) : 0;
    }

    /**
     * Reserves {@code size} bytes from the OS as an arena, and returns it; 0 if there is no memory.
     *
     * @param flags of {@link Arena}: accessible, large, exclusive
     */
    public static long reserveArena(long size, int flags) {
        if (size <= 0 || size > Config.MAX_SIZE - Config.MEDIUM_PAGE || !Startup.ready()) return 0;
        long subprocess = Theap.currentSubprocess();
        Lock.acquire(Subprocess.arenaLock(subprocess));
        long arena = Arenas.reserveMemory(subprocess, Config.alignUp(size, Config.SLICE), flags);
        Lock.release(Subprocess.arenaLock(subprocess));
        return arena;
    }

    @Export("bool mi_manage_os_memory(void* start, size_t size, bool is_committed, bool is_pinned , bool is_zero, int numa_node)")
    public static boolean manage(long start, long size, boolean committed, boolean pinned, boolean zero, int node) {
        return manage(start, size, committed, pinned, zero, node, false, 0, 0, 0);
    }

    @Export("bool mi_manage_os_memory_ex(void* start, size_t size, bool is_committed, bool is_pinned, bool is_zero, int numa_node, bool exclusive, mi_arena_id_t* arena_id)")
    public static boolean manage(long start, long size, boolean committed, boolean pinned, boolean zero, int node,
            boolean exclusive, long id) {
        return manage(start, size, committed, pinned, zero, node, exclusive, 0, 0, id);
    }

    /**
     * Makes an arena of the user's own memory, which it commits and gives back by the user's function, if there is
     * one. Memory that the allocator has already is refused.
     */
    @Export("bool mi_manage_memory(void* start, size_t size, bool is_committed, bool is_pinned, bool is_zero, int numa_node, bool exclusive, mi_commit_fun_t* commit_fun, void* commit_fun_arg, mi_arena_id_t* arena_id)")
    public static boolean manage(long start, long size, boolean committed, boolean pinned, boolean zero, int node,
            boolean exclusive, long commit, long argument, long id) {
        long arena = manageArena(start, size, flagsOf(committed, pinned, zero, exclusive), node, commit, argument);
        store(id, arena);
        return arena != 0;
    }

    private static int flagsOf(boolean committed, boolean pinned, boolean zero, boolean exclusive) {
        return (committed ? Arena.ACCESSIBLE : 0) | (pinned ? Arena.PINNED : 0) | (zero ? Arena.ZERO : 0)
                | (exclusive ? Arena.EXCLUSIVE : 0);
    }

    /**
     * Makes an arena of the user's own memory, and returns it; 0 if that cannot be.
     *
     * @param flags of {@link Arena}: what the memory is, and whether the arena is exclusive
     * @param commit the user's function to commit it, or 0
     */
    public static long manageArena(long start, long size, int flags, int node, long commit, long argument) {
        if (start == 0 || size <= 0 || start + size < start || !Startup.ready()) return 0;
        long first = Config.alignUp(start, Config.SLICE);
        long slices = start + size - first >> Config.SLICE_SHIFT;
        if (slices <= 0) {
            Errors.warn(Text.literal("memory to manage is smaller than an aligned slice, bytes"), size);
            return 0;
        }
        ThreadSlot.probeStackAround(); // an error between the locks would keep them
        long subprocess = Theap.currentSubprocess();
        // The lock is held from the question to the answer, so that of two threads that bring one memory one is
        // refused.
        Lock.acquire(Root.lock());
        boolean ours = overlaps(first, slices << Config.SLICE_SHIFT);
        long arena = ours ? 0 : Arena.create(subprocess, first, slices, flags, node);
        if (arena != 0) {
            if (commit != 0) Arena.setCommit(arena, commit, argument);
            Lock.acquire(Subprocess.arenaLock(subprocess));
            boolean published = Arenas.publish(subprocess, arena);
            Lock.release(Subprocess.arenaLock(subprocess));
            if (!published) {
                Arena.release(arena);
                arena = 0;
            }
        }
        Lock.release(Root.lock());
        if (ours) Errors.warn(Text.literal("memory to manage is the allocator's already, address"), start);
        return arena;
    }

    /** Whether some of the slices in a range are the allocator's already, and so cannot be managed. */
    public static boolean isOurs(long start, long size) {
        ThreadSlot.probeStackAround();
        long first = Config.alignUp(start, Config.SLICE);
        Lock.acquire(Root.lock());
        boolean ours = overlaps(first, Config.alignDown(start + size, Config.SLICE) - first);
        Lock.release(Root.lock());
        return ours;
    }

    /**
     * Does a range overlap an arena, or a page straight from the OS, of any subprocess? Asked under the root's lock.
     */
    private static boolean overlaps(long start, long size) {
        boolean found = false;
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            for (long i = 0; i < Subprocess.arenaCount(s); i++) {
                long arena = Subprocess.arena(s, i);
                if (arena != 0) found |= meet(start, size, Arena.start(arena), Arena.size(arena));
            }
            Lock.acquire(Subprocess.livesLock(s));
            Lock.acquire(Subprocess.osLock(s));
            for (long heap = Subprocess.heaps(s); heap != 0; heap = Heap.next(heap)) {
                for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) {
                    found |= meet(start, size, Page.osBase(page), Page.osSize(page));
                }
            }
            Lock.release(Subprocess.osLock(s));
            Lock.release(Subprocess.livesLock(s));
        }
        return found;
    }

    private static boolean meet(long a, long aSize, long b, long bSize) {
        return Bits.below(a, b + bSize) && Bits.below(b, a + aSize);
    }

    @Export("int mi_reserve_huge_os_pages_at(size_t pages, int numa_node, size_t timeout_msecs)")
    public static int reserveHugeAt(long pages, int node, long timeout) {
        return reserveHugeAt(pages, node, timeout, false, 0);
    }

    /**
     * Reserves pages of 1 GiB at a NUMA node, one after the other until the time is over; 0, or ENOMEM if not one was
     * to be had.
     */
    @Export("int mi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_msecs, bool exclusive, mi_arena_id_t* arena_id)")
    public static int reserveHugeAt(long pages, int node, long timeout, boolean exclusive, long id) {
        store(id, 0);
        if (pages == 0) return 0;
        if (pages < 0 || pages > 1 << 20 || !Startup.ready()) return Os.numberOf(Errors.ENOMEM);
        long until = timeout == 0 ? Config.MAX_SIZE : Os.clock() + timeout;
        // Owned is only looked at when the arena's subprocess ends: nothing of it is ever purged.
        int flags = flagsOf(true, true, true, exclusive) | Arena.OWNED;
        long made = 0;
        while (made < pages && Os.clock() < until) {
            long memory = OsMemory.mapHuge(OsMemory.HUGE_PAGE, node);
            if (memory == 0) break;
            long arena = manageArena(memory, OsMemory.HUGE_PAGE, flags, node, 0, 0);
            if (made == 0) store(id, arena);
            if (arena == 0) {
                OsMemory.unmap(memory, OsMemory.HUGE_PAGE);
                break;
            }
            made++;
        }
        if (made < pages) Errors.warn(Text.literal("huge OS pages that could not be had"), pages - made);
        return made == 0 ? Os.numberOf(Errors.ENOMEM) : 0;
    }

    /** Reserves pages of 1 GiB in equal parts at NUMA nodes; 0 nodes stand for all that there are. */
    @Export("int mi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes, size_t timeout_msecs)")
    public static int reserveHugeInterleaved(long pages, long nodes, long timeout) {
        if (pages == 0) return 0;
        long known = Options.bounded(Options.USE_NUMA_NODES);
        long all = OsConfig.nodes(); // their numbers may have gaps
        long count = nodes > 0 && nodes < 1 << 16 ? nodes : known > 0 ? known : Bits.count(all);
        long each = timeout == 0 ? 0 : timeout / count + 50;
        for (int i = 0; i < count && pages > 0; i++) {
            long share = pages / (count - i);
            int node = all == 0 ? i : Bits.trailingZeros(all);
            all &= all - 1;
            int error = reserveHugeAt(share, node, each);
            if (error != 0) return error;
            pages -= share;
        }
        return 0;
    }

    /** The arena's size in bytes. */
    public static long size(long arena) { return Arena.size(arena); }

    /** The arena's memory; its size in bytes is stored at {@code size}. */
    @Export("void* mi_arena_area(mi_arena_id_t arena_id, size_t* size)")
    public static long area(long arena, long size) {
        if (size != 0) putPointer(size, arena == 0 ? 0 : Arena.size(arena));
        return arena == 0 ? 0 : Arena.start(arena);
    }

    @Export("bool mi_arena_contains(mi_arena_id_t arena_id, const void* p)")
    public static boolean contains(long arena, long p) { return arena != 0 && Arena.contains(arena, p); }

    /** Purges what waits in all arenas of the current subprocess. */
    @Export("void mi_arenas_purge(void)")
    public static void purge() { if (Startup.ready()) Purge.run(Theap.currentSubprocess()); }

    @Export({"void mi_arenas_print(void)", "void mi_debug_show_arenas(void)"})
    public static void print() {
        if (!Startup.ready()) return;
        long subprocess = Theap.currentSubprocess();
        long printer = Printer.open(0, 0);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) print(printer, Subprocess.arena(subprocess, i));
        Printer.close(printer);
    }

    private static void print(long printer, long arena) {
        if (arena == 0) return;
        long slices = Arena.slices(arena);
        line(printer, Text.literal("arena at "), Arena.start(arena), true);
        line(printer, Text.literal(": slices "), slices, false);
        line(printer, Text.literal(", free "), Bitmap.countSet(Arena.free(arena), 0, slices), false);
        line(printer, Text.literal(", committed "), Bitmap.countSet(Arena.committed(arena), 0, slices), false);
        line(printer, Text.literal(", to be purged "), Bitmap.countSet(Arena.waiting(arena), 0, slices), false);
        Printer.letter(printer, '\n');
    }

    private static void line(long printer, long text, long value, boolean hex) {
        Printer.text(printer, text);
        if (hex) Printer.hex(printer, value);
        else Printer.number(printer, value);
    }

    private static void store(long target, long value) {
        if (target != 0) putPointer(target, value);
    }
}
