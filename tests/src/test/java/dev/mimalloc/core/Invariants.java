package dev.mimalloc.core;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Verify;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.UpperTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Checks what must hold of the allocator's structures at rest: when no thread is in the middle of a call, whatever has
 * happened before. {@link Verify#whole} walks over the structures. What is looked at here besides holds only because
 * nobody is in a visitor or another function that a call has called, or is not worth core's lines.
 *
 * <p>The caller sees to it that no other thread allocates or frees meanwhile; the housekeeper may be at work, and is
 * kept out: what it does for shared theaps and for purges needs a lease and a lock, which this takes, and that all
 * threads' ends have been noticed is waited for. A lease or a lock that is never given back is found so, too.
 *
 * <p>Nothing here allocates with the allocator. Threads that allocated, and end, have been joined: an end gives pages
 * back.
 */
public final class Invariants {
    private static final long PATIENCE = 20_000_000_000L;
    private static final int MOST = 20;
    private static final int UPPER = 1 << 15; // tables that the page map has room for, and the entries of each
    private static final int LOWER = 1 << 17;

    private final long subprocess = Main.subprocess();
    private final List<String> wrong = new ArrayList<>();
    private final Set<Long> pages = new HashSet<>();
    private final Map<Long, Integer> orphans = new HashMap<>(); // of each heap, the ended theaps that name it
    private long charged;
    private long heaps;

    private Invariants() {}

    /** Fails with a list of what is wrong. */
    public static void check() {
        atRest(() -> {
            Verify.whole();
            var invariants = new Invariants();
            invariants.checkAll();
            if (invariants.wrong.isEmpty()) return;
            throw new AssertionError("the allocator is not whole:\n" + String.join("\n", invariants.wrong));
        });
    }

    /** Waits until the housekeeper has noticed the ends of all threads. */
    public static void awaitThreadEnds() {
        if (Root.stateAcquire() == 2) new Invariants().awaitEnds();
    }

    /** Does something while nobody else is in a call, the housekeeper included; nothing if nothing was ever allocated. */
    static void atRest(Runnable work) {
        if (Root.stateAcquire() != 2) return;
        var invariants = new Invariants();
        invariants.awaitEnds();
        List<Long> leases = invariants.lease();
        long purge = Subprocess.purgeLock(invariants.subprocess);
        invariants.await(() -> Lock.tryAcquire(purge), "the purge lock");
        try {
            for (long lock : new long[] {Subprocess.livesLock(invariants.subprocess),
                    Subprocess.arenaLock(invariants.subprocess), Subprocess.osLock(invariants.subprocess), Root.lock()}) {
                invariants.await(() -> Memory.getLong(lock) == 0, "a lock");
            }
            invariants.locked(work);
        } finally {
            Lock.release(purge);
            leases.forEach(ThreadData::endLease);
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
    private void that(boolean holds, String rule, Object... arguments) {
        if (!holds && wrong.size() < MOST) wrong.add(String.format(rule, arguments));
    }

    private void equal(long actual, long expected, String what, long where) {
        that(actual == expected, "%s of 0x%x is %d, not %d", what, where, actual, expected);
    }

    private void await(BooleanSupplier condition, String what) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE) throw new AssertionError("waited in vain for " + what);
            LockSupport.parkNanos(100_000);
        }
    }

    /** Every theap is a living thread's, or shared: an end is noticed soon, and counted last. */
    private void awaitEnds() {
        var theaps = new ArrayList<Long>();
        try {
            await(() -> {
                Set<Long> living = Thread.getAllStackTraces().keySet().stream().map(t -> t.threadId() << 4)
                        .collect(Collectors.toSet());
                theaps.clear();
                locked(() -> ownTheaps(theaps));
                long threads = Statistics.current(Subprocess.statistics(subprocess), Statistics.THREADS);
                return theaps.stream().allMatch(t -> living.contains(Theap.threadId(t))) && threads == theaps.size();
            }, "the ends of threads");
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "; theaps of threads "
                    + theaps.stream().map(t -> Theap.threadId(t) >> 4).toList() + ", counted "
                    + Statistics.current(Subprocess.statistics(subprocess), Statistics.THREADS), e);
        }
    }

    private void ownTheaps(List<Long> theaps) {
        for (long t = Heap.theaps(Main.heap()); t != 0; t = Theap.nextInHeap(t)) {
            if (!ThreadData.isShared(Theap.data(t))) theaps.add(t);
        }
    }

    private void locked(Runnable work) {
        await(this::tryLock, "the lives lock");
        try {
            work.run();
        } finally {
            Lock.release(Subprocess.livesLock(subprocess));
        }
    }

    /** Pages that a scavenge has found are neither here nor there until it ends. */
    private boolean tryLock() {
        if (!Lock.tryAcquire(Subprocess.livesLock(subprocess))) return false;
        if (Subprocess.addFinishing(subprocess, 0) == 0) return true;
        Lock.release(Subprocess.livesLock(subprocess));
        return false;
    }

    private List<Long> lease() {
        var leases = new ArrayList<Long>();
        for (long i = 0; i < Root.SHARED_MAX; i++) {
            long data = Root.sharedDataAcquire(i);
            if (data == 0) continue;
            await(() -> ThreadData.tryLease(data), "the lease of shared theap " + i);
            leases.add(data);
        }
        return leases;
    }

    private void checkAll() {
        threads();
        long before = 0;
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            that(Heap.prev(heap) == before, "list of heaps: 0x%x before 0x%x", Heap.prev(heap), heap);
            before = heap;
            heap(heap);
        }
        equal(Root.charged(), charged, "bytes charged to the process", 0);
        equal(Statistics.current(Subprocess.statistics(subprocess), Statistics.HEAPS), heaps, "heaps counted", 0);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0) continue;
            for (long bitmap : new long[] {Arena.free(arena), Arena.committed(arena), Arena.dirty(arena),
                    Arena.waiting(arena), Arena.aged(arena), Arena.early(arena)}) {
                bitmap(bitmap, Arena.slices(arena));
            }
        }
        pageMap();
    }

    /** Each thread's theaps; those of deleted heaps are only found here. */
    private void threads() {
        for (long main = Heap.theaps(Main.heap()); main != 0; main = Theap.nextInHeap(main)) {
            long data = Theap.data(main);
            that(ThreadData.mainTheap(data) == main, "theap 0x%x is not its thread's main one", main);
            that(!ThreadData.inDeferred(data), "thread data 0x%x seems to be in a user's function", data);
            that(ThreadData.callOuts(data) == 0, "thread data 0x%x counts %d call-outs", data,
                    ThreadData.callOuts(data));
            long before = 0;
            for (long theap = ThreadData.theaps(data); theap != 0; theap = Theap.nextInThread(theap)) {
                that(Theap.prevInThread(theap) == before, "list of a thread's theaps at 0x%x", theap);
                that(Theap.data(theap) == data, "theap 0x%x is in another thread's list", theap);
                long slot = Table.get(ThreadData.bySlot(data), Heap.slot(Theap.heap(theap)));
                that(slot == theap, "slot of theap 0x%x has 0x%x", theap, slot);
                before = theap;
            }
            for (long theap = ThreadData.orphansAcquire(data); theap != 0; theap = Theap.nextInThread(theap)) {
                that(Theap.data(theap) == data, "ended theap 0x%x is in another thread's list", theap);
                orphans.merge(Theap.heap(theap), 1, Integer::sum);
            }
            long spare = ThreadData.spare(data);
            that(spare == 0 || spare == ThreadData.LENT || PageMap.pageOf(spare) != 0, "spare block 0x%x", spare);
        }
    }

    private void heap(long heap) {
        boolean deleted = Heap.isDeleted(heap);
        if (!deleted) heaps++;
        long count = 0;
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1), count++) {
            pages.add(HeapPages.page(heap, at));
        }
        for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page), count++) pages.add(page);
        long theaps = 0;
        long before = 0;
        for (long theap = Heap.theaps(heap); theap != 0; theap = Theap.nextInHeap(theap)) {
            theaps++;
            that(Theap.prevInHeap(theap) == before, "list of a heap's theaps at 0x%x", theap);
            that(Theap.heap(theap) == heap, "theap 0x%x is in another heap's list", theap);
            before = theap;
        }
        that(!deleted || theaps == 0, "the deleted heap 0x%x has theaps", heap);
        charged += Heap.chargedRelaxed(heap);
        long ended = orphans.getOrDefault(heap, 0);
        equal(Heap.addReferences(heap, 0), count + ended + (deleted ? 0 : 1), "references", heap);
        equal(Statistics.current(Heap.statistics(heap), Statistics.THEAPS), theaps, "theaps counted", heap);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long known = Table.get(Heap.arenaPagesTable(heap), i);
            if (known == 0) continue;
            bitmap(ArenaPages.pages(known), ArenaPages.slices(known));
            for (int bin = 0; bin < SizeClass.COUNT; bin++) {
                long bitmap = ArenaPages.abandonedAcquire(known, bin);
                if (bitmap != 0) bitmap(bitmap, ArenaPages.slices(known));
            }
        }
    }

    /** A chunk with a bit set is in the map of chunks. */
    private void bitmap(long bitmap, long bits) {
        for (long bit = 0; bit < bits; bit++) {
            if (!Bitmap.isSet(bitmap, bit)) continue;
            that(Bitmap.mayHave(bitmap, bit / Bitmap.CHUNK), "bitmap 0x%x hides bit %d", bitmap, bit);
            bit |= Bitmap.CHUNK - 1;
        }
    }

    /** Nothing is in the page map but the pages that there are, where they are. */
    private void pageMap() {
        for (int i = 0; i < UPPER; i++) {
            long lower = UpperTable.get(i);
            if (lower == 0) continue;
            for (int j = 0; j < LOWER; j++) {
                long page = Memory.getLong(lower + j * 8L);
                if (page == 0) continue;
                long address = ((long) i * LOWER + j) << Config.SLICE_SHIFT;
                that(pages.contains(page), "the map has 0x%x at 0x%x, which is no page", page, address);
                if (!pages.contains(page)) continue;
                that(address >= Page.start(page) && address < mappedEnd(page),
                        "the map has page 0x%x at 0x%x, where it is not", page, address);
            }
        }
    }

    /** Only the beginning of a large block that nobody has an address inside of is in the map. */
    private static long mappedEnd(long page) {
        long end = Page.start(page) + Config.alignUp(Page.bytes(page), Config.SLICE);
        boolean whole = !Page.isSingleton(page) || Page.has(page, Page.MAPPED_WHOLE);
        return whole ? end : Math.min(end, Page.start(page) + Pages.INTERIOR_SLICES * Config.SLICE);
    }
}
