package dev.mimalloc.core;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.machine.Memory;
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
 * happened before. The caller sees to it that no other thread allocates or frees meanwhile; the housekeeper may be at
 * work, and is kept out: what it does for shared theaps and for purges needs a lease and a lock, which this takes, and
 * that all threads' ends have been noticed is waited for. A lease or a lock that is never given back is found so, too.
 *
 * <p>Nothing here allocates with the allocator. Threads that allocated, and end, have been joined: an end gives pages
 * back.
 */
public final class Invariants {
    private static final long PATIENCE = 20_000_000_000L;
    private static final int MOST = 20;

    private final long subprocess = Main.subprocess();
    private final List<String> wrong = new ArrayList<>();
    private final Map<Long, Long> queued = new HashMap<>(); // pages in a queue, and the theap whose it is
    private final Set<Long> pages = new HashSet<>();
    private final Map<Long, Integer> orphans = new HashMap<>(); // of each heap, the ended theaps that name it
    private long charged;
    private long heaps;

    private Invariants() {}

    /** Fails with a list of what is wrong. */
    public static void check() {
        if (Root.stateAcquire() != 2) return; // nothing was ever allocated
        var invariants = new Invariants();
        invariants.awaitEnds();
        List<Long> leases = invariants.lease();
        invariants.await(() -> Lock.tryAcquire(Subprocess.purgeLock(invariants.subprocess)), "the purge lock");
        try {
            invariants.checkAll();
        } finally {
            Lock.release(Subprocess.purgeLock(invariants.subprocess));
            leases.forEach(ThreadData::endLease);
        }
        if (!invariants.wrong.isEmpty()) {
            throw new AssertionError("the allocator is not whole:\n" + String.join("\n", invariants.wrong));
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
        for (long lock : new long[] {Subprocess.livesLock(subprocess), Subprocess.arenaLock(subprocess),
                Subprocess.osLock(subprocess), Root.lock()}) {
            await(() -> Memory.getLong(lock) == 0, "a lock");
        }
        locked(() -> {
            threads();
            long before = 0;
            for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
                that(Heap.prev(heap) == before, "list of heaps: 0x%x before 0x%x", Heap.prev(heap), heap);
                before = heap;
                heap(heap);
            }
        });
        equal(Root.charged(), charged, "bytes charged to the process", 0);
        equal(Statistics.current(Subprocess.statistics(subprocess), Statistics.HEAPS), heaps, "heaps counted", 0);
        for (long page : queued.keySet()) that(pages.contains(page), "page 0x%x is in a queue, and in no heap", page);
        new InvariantsOfArenas(this::that, pages).check(subprocess);
    }

    /** Each thread's theaps, with their queues; those of deleted heaps are only found here. */
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
                queues(theap);
            }
            for (long theap = ThreadData.orphansAcquire(data); theap != 0; theap = Theap.nextInThread(theap)) {
                that(Theap.data(theap) == data, "ended theap 0x%x is in another thread's list", theap);
                orphans.merge(Theap.heap(theap), 1, Integer::sum);
                queues(theap);
            }
            long spare = ThreadData.spare(data);
            that(spare == 0 || spare == ThreadData.LENT || PageMap.pageOf(spare) != 0, "spare block 0x%x", spare);
        }
    }

    private void queues(long theap) {
        long sum = 0;
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long queue = Theap.queue(theap, index);
            long count = 0;
            long before = 0;
            for (long page = PageQueue.first(queue); page != 0; page = Page.next(page)) {
                count++;
                if (queued.put(page, theap) != null) {
                    that(false, "page 0x%x is in two queues, or twice in one", page);
                    return;
                }
                that(Page.prev(page) == before, "queue %d of 0x%x: what is before page 0x%x", index, theap, page);
                that(Page.queue(page) == index, "page 0x%x of queue %d is in %d", page, Page.queue(page), index);
                that(Page.theap(page) == theap, "page 0x%x in theap 0x%x is 0x%x's", page, theap, Page.theap(page));
                that(Page.threadId(page) == Theap.threadId(theap), "page 0x%x has owner 0x%x", page, Page.threadId(page));
                that(Page.isOwned(Page.threadFreeAcquire(page)), "page 0x%x in a queue is not owned", page);
                that(Page.heapAcquire(page) == Theap.heap(theap), "page 0x%x and its theap are of different heaps", page);
                boolean waits = Page.retire(page) != 0 && Page.isEmpty(page);
                that(!waits || index >= Theap.retireFirst(theap) && index <= Theap.retireLast(theap),
                        "retired page 0x%x in bin %d is not in sight", page, index);
                before = page;
            }
            that(PageQueue.last(queue) == before, "end of queue %d of 0x%x", index, theap);
            equal(PageQueue.countRelaxed(queue), count, "count of queue " + index, theap);
            sum += count;
        }
        equal(Theap.pageCount(theap), sum, "count of pages", theap);
        for (long size = 0; size <= Config.SMALL_SIZE_MAX; size += 8) {
            long first = PageQueue.first(Theap.queue(theap, SizeClass.bin(size)));
            long direct = Theap.direct(theap, size);
            that(direct == (first == 0 ? Main.emptyPage() : first), "direct page of %d bytes in 0x%x", size, theap);
        }
        that(Page.free(Main.emptyPage()) == 0, "the empty page has a block");
    }

    private void heap(long heap) {
        boolean deleted = Heap.isDeleted(heap);
        if (!deleted) heaps++;
        List<Long> all = InvariantsOfArenas.pagesOf(heap);
        long[] findable = new long[SizeClass.COUNT];
        long bytes = 0;
        for (long page : all) {
            that(pages.add(page), "page 0x%x is in two heaps", page);
            that(Page.heapAcquire(page) == heap, "page 0x%x of heap 0x%x is in 0x%x", page, Page.heapAcquire(page), heap);
            InvariantsOfPages.check(this::that, page);
            bytes += Pages.charge(page);
            if (queued.containsKey(page)) continue;
            that(Page.isAbandoned(page), "page 0x%x is in no queue, its owner is 0x%x", page, Page.threadId(page));
            that(!Page.isOwned(Page.threadFreeAcquire(page)), "page 0x%x is abandoned and owned", page);
            that(!Page.isEmpty(page), "page 0x%x is abandoned and empty", page);
            if (Page.threadId(page) == Page.FINDABLE) findable[Page.bin(page)]++;
        }
        InvariantsOfArenas.checkFindable(this::that, heap, findable);
        long theaps = 0;
        long before = 0;
        for (long theap = Heap.theaps(heap); theap != 0; theap = Theap.nextInHeap(theap)) {
            theaps++;
            that(Theap.prevInHeap(theap) == before, "list of a heap's theaps at 0x%x", theap);
            that(Theap.heap(theap) == heap, "theap 0x%x is in another heap's list", theap);
            before = theap;
        }
        that(!deleted || theaps == 0, "the deleted heap 0x%x has theaps", heap);
        charged += bytes;
        long ended = orphans.getOrDefault(heap, 0);
        equal(Heap.addReferences(heap, 0), all.size() + ended + (deleted ? 0 : 1), "references", heap);
        equal(Heap.chargedRelaxed(heap), bytes, "bytes charged", heap);
        equal(Statistics.current(Heap.statistics(heap), Statistics.THEAPS), theaps, "theaps counted", heap);
    }
}
