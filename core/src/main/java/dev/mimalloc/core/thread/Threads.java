package dev.mimalloc.core.thread;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Abandon;
import dev.mimalloc.core.page.Deferred;
import dev.mimalloc.core.page.Guarded;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.core.page.Verify;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;

/**
 * What a thread does with all its theaps at once. When it ends it gives up their pages. When a heap of its theaps was
 * deleted it adopts their pages. When the program asks, or memory is short, it frees their empty pages.
 *
 * <p>The theap for the main heap needs no lock for that, as the main heap never ends. All others are gone through under
 * the lives lock, since another thread may end their heap, and free its pages, just then.
 *
 * <p>A thread calls this for itself, with two exceptions: {@link #done(long)} is also called for a thread that has
 * ended, and {@link #collectShared} for theaps that nobody uses at the moment.
 */
public final class Threads {
    private Threads() {}

    @Export("void mi_thread_init(void)")
    public static void init() { Theaps.leave(Theaps.enter()); }

    /**
     * Ends the current thread's part in the allocator: it is about to end, or wants to be treated as if it were. Inside
     * of a function that the allocator calls nothing happens, since the call around that function goes on.
     */
    @Export("void mi_thread_done(void)")
    public static void done() {
        ThreadSlot.probeStackAround();
        long theap = ThreadSlot.theap();
        if (theap == 0 || CallOut.isInside()) return;
        if (ThreadSlot.setTheap(0)) done(theap);
    }

    /** Ends the part of the thread with this theap, which has ended: its pages are given up, for other threads. */
    @Export("void mi__thread_ended(int64_t theap)")
    public static void done(long theap) {
        long data = Theap.data(theap);
        long subprocess = ThreadData.subprocess(data);
        if (subprocess == 0) {
            release(data);
            return;
        }
        if (Check.isFull()) Verify.thread(data);
        ThreadData.setCallOuts(data, 0); // it may have ended inside of a function of the user's
        long main = ThreadData.mainTheap(data);
        long lock = Subprocess.livesLock(subprocess);
        adoptOrphans(data, main);
        Lock.acquire(lock);
        while (ThreadData.hasOrphans(data)) {
            Lock.release(lock);
            adoptOrphans(data, main);
            Lock.acquire(lock);
        }
        for (long other = ThreadData.theaps(data); other != 0; other = Theap.nextInThread(other)) {
            // Under the lock, so that a heap that ends meanwhile does not free pages that are being given up here. The
            // main heap never ends.
            if (other == main) continue;
            Quarantine.flush(other);
            Retire.collect(other, true);
            Theaps.unlinkFromHeap(other);
        }
        Lock.release(lock);
        Quarantine.flush(main);
        Retire.collect(main, true);
        Lock.acquire(lock);
        Scavenge.forgetThread(data);
        Theaps.unlinkFromHeap(main);
        Lock.release(lock);
        release(data);
        Statistics.decrease(Subprocess.statistics(subprocess), Statistics.THREADS, 1);
        Meta.collectMuch();
        Purge.tick(subprocess);
    }

    /**
     * Gives up all pages of a theap, which stays for further use: of the current thread's, or one of a thread that is in
     * no call, as long as neither theap nor heap ends.
     */
    @Export("void mi_theap_quiescent_abandon(mi_theap_t* theap)")
    public static void abandon(long theap) { if (theap != 0) abandon(theap, false); }

    /**
     * Ends a theap of the current thread, and gives up its pages. That for the main heap stays, without pages, since the
     * thread has it for as long as it lives; and so does any theap inside of a user's function, as the call around that
     * function may go on with it.
     */
    @Export("void mi_theap_delete(mi_theap_t* theap)")
    public static void delete(long theap) {
        if (theap == 0) return;
        long data = Theap.data(theap);
        if (ThreadSlot.theap() == theap && !ThreadSlot.setTheap(ThreadData.mainTheap(data))) return;
        abandon(theap, theap != ThreadData.mainTheap(data) && ThreadData.callOuts(data) == 0);
    }

    private static void abandon(long theap, boolean ends) {
        ThreadSlot.probeStackAround();
        long lock = Subprocess.livesLock(Theap.subprocess(theap));
        // A heap that ends meanwhile does not free pages that are being given up here. What is left then is the thread's.
        Lock.acquire(lock);
        boolean orphan = Theap.isOrphan(theap);
        if (!orphan) Quarantine.flush(theap);
        if (!orphan) Retire.collect(theap, true);
        if (!orphan && ends) Theaps.unlink(theap);
        Lock.release(lock);
        if (orphan || !ends) return;
        Quarantine.drop(theap);
        Meta.free(theap, Theap.SIZE);
    }

    private static void release(long data) {
        freeTheaps(ThreadData.theaps(data));
        freeTheaps(ThreadData.orphansAcquire(data)); // some only if the subprocess has ended
        Table.release(ThreadData.bySlot(data));
        Meta.free(data, ThreadData.SIZE);
    }

    private static void freeTheaps(long theap) {
        while (theap != 0) {
            long next = Theap.nextInThread(theap);
            Quarantine.drop(theap);
            Meta.free(theap, Theap.SIZE);
            theap = next;
        }
    }

    /**
     * Takes the pages of theaps whose heap has ended into the thread's main theap. One of these theaps may be the
     * thread's default. Nothing happens inside of a user's function: the call around it may be for one of them.
     *
     * @param theap which the caller has entered: its struct stays until the thread comes by again
     * @return {@code theap}, or the main theap if {@code theap} was an orphan
     */
    public static long adoptOrphans(long data, long theap) {
        if (!ThreadData.hasOrphans(data) || ThreadData.callOuts(data) != 0) return theap;
        long main = ThreadData.mainTheap(data);
        long current = ThreadSlot.theap();
        boolean mine = current != 0 && Theap.data(current) == data;
        // On the JVM this may fail for want of Java heap: then the orphans are adopted another time.
        if (mine && Heap.isDeleted(Theap.heap(current)) && !ThreadSlot.setTheap(main)) return theap;
        boolean ended = false;
        long orphan;
        while ((orphan = takeOrphan(data)) != 0) {
            Quarantine.flush(orphan);
            moveAll(orphan, main);
            if (orphan == theap) {
                ended = true;
                continue;
            }
            Heap.dropReference(Theap.heap(orphan));
            Quarantine.drop(orphan);
            Meta.free(orphan, Theap.SIZE);
        }
        if (!ended) return theap;
        putOrphanBack(data, theap);
        return main;
    }

    private static void putOrphanBack(long data, long theap) {
        long lock = Subprocess.livesLock(ThreadData.subprocess(data));
        Lock.acquire(lock);
        Theap.setKept(theap);
        Theap.pushOrphan(theap);
        Lock.release(lock);
    }

    private static long takeOrphan(long data) {
        long lock = Subprocess.livesLock(ThreadData.subprocess(data));
        Lock.acquire(lock);
        long theap = ThreadData.orphansAcquire(data);
        if (theap != 0) {
            Scavenge.forget(theap);
            Theap.removeOrphan(theap);
        }
        Lock.release(lock);
        return theap;
    }

    private static void moveAll(long from, long to) {
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long page;
            while ((page = PageQueue.first(Theap.queue(from, index))) != 0) {
                PageQueue.remove(from, index, page);
                if (Page.isEmpty(page)) {
                    Pages.release(page);
                } else if (Abandon.moveToMain(page)) {
                    Page.setTheap(page, to);
                    Theap.lock(to);
                    PageQueue.pushBack(to, index, page);
                    Theap.unlock(to);
                } else {
                    Abandon.abandon(page);
                }
            }
        }
    }

    /** Frees the current thread's empty pages; with {@code force} also gives free memory back to the OS at once. */
    @Export("void mi_collect(bool force)")
    public static void collect(boolean force) {
        ThreadSlot.probeStackAround();
        long theap = Theaps.enter();
        if (theap == 0) return;
        long subprocess = Theap.subprocess(theap);
        Deferred.call(theap, force);
        collectAll(Theap.data(theap), theap, force);
        if (force) {
            collectShared();
            Scavenge.all(subprocess);
            Purge.run(subprocess);
        } else {
            Purge.tick(subprocess);
        }
        if (Check.isFull() && force) Verify.thread(Theap.data(theap));
        Theaps.leave(theap);
    }

    /**
     * Collects, and gives free memory back to the OS; then the current thread gives up pages, as if it had ended, until
     * those that it keeps have no more than {@code target} bytes. Other threads that look for a page find the ones that
     * were given up.
     */
    @Export("void mi_collect_reduce(size_t target_thread_owned)")
    public static void collectReduce(long target) {
        ThreadSlot.probeStackAround();
        long theap = Theaps.enter();
        if (theap == 0) return;
        long data = Theap.data(theap);
        Deferred.call(theap, true);
        collectAll(data, theap, true);
        reduce(data, target < 0 ? Config.MAX_SIZE : target);
        Scavenge.punch(ThreadData.subprocess(data), true);
        Purge.run(ThreadData.subprocess(data));
        Theaps.leave(theap);
    }

    private static void collectAll(long data, long theap, boolean all) {
        adoptOrphans(data, theap);
        collectPages(data, all);
    }

    /** Frees the empty pages of all the thread's theaps, and with {@code all} what waits in their quarantines. */
    private static void collectPages(long data, boolean all) {
        long main = ThreadData.mainTheap(data);
        long lock = Subprocess.livesLock(ThreadData.subprocess(data));
        Lock.acquire(lock);
        for (long theap = ThreadData.theaps(data); theap != 0; theap = Theap.nextInThread(theap)) {
            if (theap != main && all) Quarantine.flush(theap);
            if (theap != main) Retire.collect(theap, false);
        }
        Lock.release(lock);
        if (all) Quarantine.flush(main);
        Retire.collect(main, false);
    }

    /**
     * Before an allocation fails for want of memory: gives back all memory that is kept for later. Where many threads
     * meet a limit at one time one of them does it for all that wait for it, and virtual threads that wait lend their
     * lease to others meanwhile. In a function of the user's that is called from here nothing more is given back.
     */
    public static void collectEverything(long theap) {
        long data = Theap.data(theap);
        long subprocess = ThreadData.subprocess(data);
        if (Subprocess.collectorRelaxed(subprocess) == ThreadSlot.id()) return;
        // An error half-way would keep the lock. A thread that has a lease has looked at the stack before.
        if (!ThreadData.isShared(data)) ThreadSlot.probeStackAround();
        long before = Subprocess.collectionsVolatile(subprocess);
        if (!ThreadData.isShared(data)) collectPages(data, true);
        CallOut.pause(theap);
        Lock.acquire(Subprocess.collectLock(subprocess));
        if (Subprocess.collectionsVolatile(subprocess) == before) {
            Subprocess.countCollection(subprocess);
            Subprocess.setCollectorRelaxed(subprocess, ThreadSlot.id());
            collectShared();
            Guarded.collect();
            Scavenge.all(subprocess);
            Purge.run(subprocess);
            Subprocess.setCollectorRelaxed(subprocess, 0);
        }
        Lock.release(Subprocess.collectLock(subprocess));
        CallOut.resume(theap);
    }

    private static void reduce(long data, long target) {
        long lock = Subprocess.livesLock(ThreadData.subprocess(data));
        // Under the lock, as when a thread ends: a heap that ends meanwhile must not free pages that are being given
        // up.
        Lock.acquire(lock);
        long excess = -target;
        for (long theap = ThreadData.theaps(data); theap != 0; theap = Theap.nextInThread(theap)) {
            excess += Retire.owned(theap);
        }
        for (long theap = ThreadData.theaps(data); theap != 0 && excess > 0; theap = Theap.nextInThread(theap)) {
            if (theap != ThreadData.mainTheap(data)) excess -= Retire.abandon(theap, excess);
        }
        Lock.release(lock);
        if (excess > 0) Retire.abandon(ThreadData.mainTheap(data), excess);
    }

    /**
     * Frees the empty pages of theaps that virtual threads share and nobody is using just now. Their blocks are all
     * freed as if by other threads, so that their pages' owner does not notice when a page runs empty.
     */
    public static void collectShared() {
        for (long i = 0; i < Root.sharedCountAcquire(); i++) {
            long data = Root.sharedDataAcquire(i);
            if (data == 0 || !ThreadData.tryLease(data)) continue;
            collectAll(data, ThreadData.mainTheap(data), true);
            ThreadData.endLease(data);
        }
    }

    /** A hint that the thread belongs to a pool. Nothing here depends on it. */
    @Export("void mi_thread_set_in_threadpool(void)")
    public static void setInThreadPool() {}
}
