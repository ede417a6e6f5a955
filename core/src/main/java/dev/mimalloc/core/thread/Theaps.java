package dev.mimalloc.core.thread;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Finds the theap that the current thread allocates with, and makes it when there is none yet. A thread has no theap
 * for a heap of another subprocess, whose lists have a lock of their own.
 *
 * <p>A thread's theaps are in a list and in a table by the heap's slot. Other threads touch these only when they end
 * a heap, under the subprocess' lives lock; the thread itself may read its table without the lock, since nobody asks
 * for the theap of a heap that is being ended, and entries do not move.
 *
 * <p>Virtual threads, and in C threads that are at their end, lease one of the shared thread data for the time of a
 * call. At first there are as many of these as processors, rounded up to a power of two, and at most
 * {@link Root#SHARED_MAX}. A lease is short: a call that waits for long between {@link #enter} and {@link #leave} gives
 * it away meanwhile ({@code CallOut.pause}).
 */
public final class Theaps {
    /** After this many failed attempts at a lease the number of shared theaps is doubled. */
    private static final int LEASE_PATIENCE = 256;

    private Theaps() {}

    /** The theap for the default heap; give it back with {@link #leave}. 0 if there is no memory. */
    public static long enter() {
        long theap = ThreadSlot.theap();
        return likely(theap != 0) ? theap : enterSlow(0);
    }

    /**
     * The theap for a heap, or for the default heap if that is 0; give it back with {@link #leave}. 0 if there is no
     * memory.
     */
    public static long enter(long heap) {
        long theap = current(heap);
        return likely(theap != 0) ? theap : enterSlow(heap);
    }

    public static void leave(long theap) {
        if (theap != 0 && !ThreadSlot.mayOwn()) ThreadData.endLease(Theap.data(theap));
    }

    /** The current thread's own theap for a heap, its default one for 0; 0 if it has none (yet). */
    public static long current(long heap) {
        long theap = ThreadSlot.theap();
        if (theap == 0 || heap == 0 || Theap.heap(theap) == heap) return theap;
        return Table.get(ThreadData.bySlot(Theap.data(theap)), Heap.slot(heap));
    }

    private static long enterSlow(long heap) {
        ThreadSlot.probeStack();
        long theap = ThreadSlot.theap();
        if (theap == 0) theap = ThreadSlot.mayOwn() ? startThread(Main.subprocess()) : lease();
        if (theap == 0 || heap == 0 || Theap.heap(theap) == heap) return theap;
        long data = Theap.data(theap);
        long other = Table.get(ThreadData.bySlot(data), Heap.slot(heap));
        boolean foreign = Heap.subprocess(heap) != ThreadData.subprocess(data);
        if (other == 0 && !foreign) other = create(data, heap);
        if (Check.isOn()) Check.that(other == 0 || Theap.heap(other) == heap && Theap.data(other) == data);
        if (other == 0) leave(theap);
        if (foreign) Errors.raise(Errors.EINVAL, Text.literal("heap of another subprocess"), heap);
        return other;
    }

    /** Begins the current thread's part in a subprocess; returns its theap for the main heap. */
    static long startThread(long subprocess) {
        if (!Startup.ready()) return 0;
        long data = newData(ThreadSlot.id(), subprocess);
        if (data == 0) return 0;
        if (!ThreadSlot.setTheap(ThreadData.mainTheap(data))) {
            discard(ThreadData.mainTheap(data));
            Meta.free(data, ThreadData.SIZE);
            return 0;
        }
        Statistics.increase(Subprocess.statistics(subprocess), Statistics.THREADS, 1);
        return ThreadData.mainTheap(data);
    }

    private static long newData(long id, long subprocess) {
        long data = Meta.allocate(ThreadData.SIZE);
        if (data == 0) return 0;
        ThreadData.setId(data, id);
        ThreadData.setSubprocess(data, subprocess);
        ThreadData.setSequence(data, Root.nextSequence());
        long theap = create(data, Subprocess.mainHeap(subprocess));
        if (theap == 0) {
            Meta.free(data, ThreadData.SIZE);
            return 0;
        }
        return data;
    }

    /** Leases one of the shared thread data, for one thread at a time; it is made when first needed. */
    private static long lease() {
        if (!Startup.ready()) return 0;
        long at = ThreadSlot.id() >>> 4;
        for (long i = 0;; i++) {
            long index = at + i & Root.sharedCountAcquire() - 1;
            long data = Root.sharedDataAcquire(index);
            if (data == 0) data = share(index);
            if (data == 0) return 0;
            if (ThreadData.tryLease(data)) return ThreadData.mainTheap(data);
            if (i < 2 * Root.sharedCountAcquire()) continue;
            // Whoever has a lease may be waiting for a lock, and need the processor. If all of them call a function
            // of the user's that allocates, more are needed.
            ThreadData.awaitLease(data);
            if (i % LEASE_PATIENCE == 0) Root.raiseSharedCount();
        }
    }

    private static long share(long index) {
        // No thread has an id this large, so all frees of these theaps' blocks go through the thread-free list.
        long data = newData(-16 * (index + 1), Main.subprocess());
        if (data == 0) return 0;
        ThreadData.setShared(data);
        if (Root.casSharedData(index, data)) return data;
        discard(ThreadData.mainTheap(data));
        Meta.free(data, ThreadData.SIZE);
        return Root.sharedDataAcquire(index);
    }

    private static long create(long data, long heap) {
        long theap = Meta.allocate(Theap.SIZE);
        if (theap == 0) return 0;
        Theap.init(theap, data, heap);
        long lock = Subprocess.livesLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        boolean entered = Table.set(ThreadData.bySlot(data), Heap.slot(heap), theap);
        if (entered) link(theap, data, heap);
        Lock.release(lock);
        if (!entered) {
            Meta.free(theap, Theap.SIZE);
            return 0;
        }
        Statistics.increase(Heap.statistics(heap), Statistics.THEAPS, 1);
        return theap;
    }

    private static void link(long theap, long data, long heap) {
        // The first theap is the one for the main heap. It is set before it is in a list, so that whoever finds the
        // thread there finds this, too.
        if (ThreadData.mainTheap(data) == 0) ThreadData.setMainTheap(data, theap);
        Links.push(ThreadData.theapsWord(data), theap, Theap.IN_THREAD);
        Links.push(Heap.theapsWord(heap), theap, Theap.IN_HEAP);
        Theap.setProfiled(theap, Heap.profilerAcquire(heap) != 0);
    }

    /**
     * The subprocess of this main heap ends: its threads' data are marked, so that the ends of these threads, which
     * may only be noticed later, find nothing to give up.
     */
    static void endThreads(long main) {
        for (long theap = Heap.theaps(main); theap != 0; theap = Theap.nextInHeap(theap)) {
            ThreadData.setSubprocess(Theap.data(theap), 0);
        }
    }

    /** Takes a theap out of its thread's list, under the lives lock. */
    static void unlinkFromThread(long theap) {
        if (Check.isOn()) Check.that(!Theap.isOrphan(theap));
        Scavenge.forget(theap);
        Links.remove(ThreadData.theapsWord(Theap.data(theap)), theap, Theap.IN_THREAD);
    }

    /** Takes a theap out of its heap's list, under the lives lock. */
    static void unlinkFromHeap(long theap) {
        Links.remove(Heap.theapsWord(Theap.heap(theap)), theap, Theap.IN_HEAP);
        long statistics = Heap.statistics(Theap.heap(theap));
        Theap.addCounters(theap, statistics);
        Statistics.decrease(statistics, Statistics.THEAPS, 1);
    }

    /** Takes a theap that has no pages out of its thread's and its heap's list, under the lives lock. */
    static void unlink(long theap) {
        unlinkFromThread(theap);
        unlinkFromHeap(theap);
        Table.set(ThreadData.bySlot(Theap.data(theap)), Heap.slot(Theap.heap(theap)), 0);
    }

    /** Ends a thread's only theap, which has no pages. */
    private static void discard(long theap) {
        long lock = Subprocess.livesLock(Theap.subprocess(theap));
        Lock.acquire(lock);
        Scavenge.forgetThread(Theap.data(theap));
        unlink(theap);
        Lock.release(lock);
        Table.release(ThreadData.bySlot(Theap.data(theap)));
        Meta.free(theap, Theap.SIZE);
    }
}
