package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.memory.Kept;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Misuse;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Guarded blocks: few, chosen by {@link Sampling}, each in a mapping of its own with an OS page at the end that cannot
 * be touched. The block ends there, so that a write or read past its end faults at the instruction that does it. A few
 * bytes just before and behind the block, which no user has, hold a pattern that is looked at when the block is freed.
 *
 * <p>When such a block is freed its addresses stay for a while, without access: so a use after the free faults, too. Its
 * story is in a table whose entries serve one after the other: a freed block's addresses go when
 * its entry is the next one. In C the handler of a fault reads the table, which therefore is a mapping of plain words
 * that may be read at any moment.
 */
public final class Guarded {
    // The story of a guarded block; C's mi_guarded. It stays until another block gets the entry.
    private static final long BLOCK = 0; // 8 once: its address
    private static final long BYTES = BLOCK + 8; // 8 once: how many were asked for
    private static final long START = BYTES + 8; // 8 once: its mapping
    private static final long HEAP = START + 8; // 8 once: the number of its heap
    private static final long THREAD = HEAP + 8; // 8 once: the thread that has allocated it
    private static final long FREER = THREAD + 8; // 8 atomic: the thread that has freed it; 0 as long as it lives
    private static final long TAKEN = FREER + 8; // 8 atomic: 1 until its page has gone
    private static final long KEPT = TAKEN + 8; // 8 atomic: that page, when its addresses are kept; or 0
    private static final long ENTRY = KEPT + 8;

    /**
     * How many entries there are: blocks that live, and freed ones whose addresses are kept. At one guarded block in
     * 1000 they reach back to the last 4 million allocations. Each is one or two of the 65,530 mappings that Linux
     * gives a process, so that most of these are left for all else.
     */
    private static final int MOST = 4096;
    /**
     * How many of them serve when one block in {@link #RARE} or fewer is guarded, as in production: a mapping that is used
     * again costs an eighth of a new one (2.5 µs and 20 µs), so there should be few new ones. They reach back to the last
     * million allocations at one guarded block in 20,000.
     */
    private static final int FEW = 64;
    private static final int RARE = 1000;
    /** How many entries are looked at for one that nobody has: when half of them live, all but one search succeed in 256. */
    private static final int SEARCH = 8;

    private static final long NEXT = 0; // 8 atomic: how many entries were looked at so far
    private static final long SPARE = NEXT + 8; // 8 atomic: the page that an entry kept last, for the next block; or 0
    private static final long ENTRIES = SPARE + 8; // MOST of them
    public static final long SIZE = ENTRIES + MOST * ENTRY;

    /**
     * Larger mappings are not kept when their block is freed: so those that are have at most 256 MiB of addresses; twice as
     * many where an OS page alone has as much.
     */
    private static final long KEPT_BYTES = 64 << 10;
    /** Is in the bytes around a block, and in few others. */
    private static final int PATTERN = 0xDE;
    /** How many bytes before a block have the pattern: a write that runs backwards begins there. */
    private static final long BEFORE = LINE;

    private Guarded() {}

    /** The address of a page's guarded block. */
    public static long block(long page) { return Page.guardedBlock(page); }

    /** The bytes of a page's guarded block, exactly those that were asked for. */
    public static long bytes(long page) { return getLong(Page.guard(page) + BYTES); }

    private static long table() {
        if (Root.guardedAcquire() != 0) return Root.guardedAcquire();
        long table = Meta.allocate(SIZE);
        if (table != 0 && Root.casGuarded(0, table)) Os.watchFaults(table + ENTRIES, MOST);
        else Meta.free(table, SIZE);
        return Root.guardedAcquire();
    }

    /** An entry that nobody has: the oldest, or the next one whose block does not live; or 0. */
    private static long take() {
        long table = table();
        int entries = Options.bounded(Options.GUARDED_SAMPLE_RATE) < RARE ? MOST : FEW;
        for (int i = 0; table != 0 && i < SEARCH; i++) {
            long entry = table + ENTRIES + (fetchAdd(table + NEXT, 1) & entries - 1) * ENTRY;
            if (!compareAndSet(entry + TAKEN, 0, 1)) continue;
            giveBack(exchange(table + SPARE, exchange(entry + KEPT, 0)));
            return entry;
        }
        return 0;
    }

    private static void giveBack(long page) {
        if (page != 0) Kept.giveBack(page, Main.subprocess(), 0);
    }

    /**
     * A page of a block that was freed long ago, for another one with a mapping of the same size: two calls of the
     * system in place of six. All but its guard is committed; 0 if there is none.
     */
    static long reuse(long subprocess, long bytes) {
        long table = Root.guardedAcquire();
        long page = table == 0 || subprocess != Main.subprocess() ? 0 : exchange(table + SPARE, 0);
        if (page == 0) return 0;
        long start = Page.osBase(page);
        if (Page.osSize(page) != bytes || !OsMemory.commit(start, bytes - Os.pageSize())) {
            giveBack(page);
            return 0;
        }
        Page.clear(page);
        Page.setStart(page, start);
        Page.setOsBase(page, start); // in the secure build the field lies in what is cleared
        Page.setFlags(page, isSmall(bytes) ? 0 : Page.MEMORY_ZERO);
        Statistics.increase(Subprocess.statistics(subprocess), Statistics.COMMITTED, bytes);
        return page;
    }

    /** Makes the block of a new singleton, with its guard behind it, a guarded one; false if there are as many as may be. */
    static boolean enter(long page, long bytes, long alignment) {
        long entry = take();
        if (entry == 0) return false;
        long least = Options.isEnabled(Options.UNSAFE_GUARDED_PRECISE) ? 1 : bytes <= 8 ? 8 : 16;
        putLong(entry + BLOCK, Config.alignDown(guard(page) - bytes, Config.max(alignment, least)));
        putLong(entry + BYTES, bytes);
        putLong(entry + START, Page.start(page));
        putLong(entry + HEAP, Heap.sequence(Page.heapAcquire(page)));
        putLong(entry + THREAD, ThreadSlot.id());
        putRelease(entry + FREER, 0);
        Page.setGuard(page, entry);
        Page.setGuarded(page);
        Page.addOnly(page);
        Statistics.add(Heap.statistics(Page.heapAcquire(page)), Statistics.MALLOC_GUARDED_COUNT, 1);
        return true;
    }

    private static long before(long page) { return Config.max(Page.start(page), block(page) - BEFORE); }

    private static long guard(long page) { return Page.start(page) + Page.blockSize(page); }

    /** Writes the pattern around the block of a page, which is about to be given out; returns the block. */
    public static long seal(long page) {
        fill(before(page), block(page) - before(page), PATTERN);
        fill(block(page) + bytes(page), guard(page) - block(page) - bytes(page), PATTERN);
        return block(page);
    }

    private static boolean isSealed(long from, long to) {
        while (from < to && getByte(from) == PATTERN) from++;
        return from >= to;
    }

    /** May this guarded block be freed? False if it begins elsewhere, or somebody else frees it at this moment. */
    public static boolean free(long page, long p) {
        long freer = Page.guard(page) + FREER;
        if (p != block(page) || getAcquire(freer) != 0) return false;
        boolean sealed = isSealed(before(page), p) && isSealed(p + bytes(page), guard(page));
        if (!sealed) Misuse.report(Errors.EFAULT, Text.literal("bytes around a block were written to, the block"), p);
        return compareAndSet(freer, 0, ThreadSlot.id());
    }

    /**
     * Ends the guarded block of a page that goes, and keeps the page's addresses; false if these are to go, as those of
     * subprocesses do, which may end before.
     */
    static boolean keep(long page, long subprocess) {
        if (!Page.isGuarded(page)) return false;
        long entry = Page.guard(page);
        compareAndSet(entry + FREER, 0, ThreadSlot.id()); // the end of a heap is that of its blocks, too
        long size = Page.osSize(page);
        boolean kept = size <= Config.max(KEPT_BYTES, 2 * Os.pageSize()) && subprocess == Main.subprocess() && close(Page.start(page), size);
        if (kept) Statistics.decrease(Subprocess.statistics(subprocess), Statistics.COMMITTED, Page.blockSize(page));
        if (kept) putRelease(entry + KEPT, page);
        putRelease(entry + TAKEN, 0);
        return kept;
    }

    /** Is this a freed guarded block whose addresses are kept? Then that is reported, with the block's story. */
    public static boolean raiseFreed(long p) {
        long table = Root.guardedAcquire();
        for (long i = 0; table != 0 && i < MOST; i++) {
            long entry = table + ENTRIES + i * ENTRY;
            if (getLong(entry + BLOCK) != p || getAcquire(entry + KEPT) == 0) continue;
            Misuse.reportGuarded(p, getLong(entry + BYTES), getAcquire(entry + FREER));
            return true;
        }
        return false;
    }

    /** Is there one OS page before the guard, and not a large one? */
    private static boolean isSmall(long bytes) { return bytes <= Config.min(2 * Os.pageSize(), KEPT_BYTES / 2); }

    /**
     * Takes access to a mapping away. A small one keeps its memory, of 16 MiB in all at most, or 64 MiB with OS pages of 16 KiB: to give it back, and to have
     * the next block fault it in again, takes four times as long.
     */
    private static boolean close(long start, long size) {
        return isSmall(size) ? Os.protect(start, size, Os.NO_ACCESS) >= 0 : OsMemory.discard(start, size);
    }

    /** Gives all addresses that are kept back. */
    public static void collect() {
        long table = Root.guardedAcquire();
        if (table != 0) giveBack(exchange(table + SPARE, 0));
        for (long i = 0; table != 0 && i < MOST; i++) giveBack(exchange(table + ENTRIES + i * ENTRY + KEPT, 0));
    }
}
