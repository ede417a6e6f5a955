package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Frees pages in theaps that are empty because other threads have freed their blocks. The owner does not notice, and
 * may sleep, or allocate elsewhere, for ever: so any thread that comes by looks for such pages in all theaps.
 *
 * <p>A theap's owner takes the theap's lock before it changes its queues, and only then looks at pages other than the
 * first ones with room, from which malloc takes. An empty page has no block that the owner could free. So the holder of
 * the lock may take out any page that is empty and not such a first one ({@link Page#isEmptied}), and malloc, free and
 * the refill of a page's list know nothing of it. A thread that looks never waits for the lock, and gives way when the
 * owner waits for it. Meanwhile the subprocess' lives lock keeps theaps from ending, and their pages from being freed
 * with their heap.
 *
 * <p>What stays is of the first pages of silent theaps, one for each bin at most, what blocks were made of: see {@link
 * Punch}. Orphans, of which
 * malloc does not take if their thread will not come back to them, keep none; and an orphan without pages goes as well.
 *
 * <p>It is time for a look after each purge delay, and after up to {@link #WAIT_MAX} of them while nothing is found;
 * and whenever {@link #STEP} more bytes are in use, so that what is not found is a part of what is in use, however fast
 * pages are made. A look goes on where the last one ended.
 */
public final class Scavenge {
    /** The longest time between two looks while nothing is found, in purge delays. */
    private static final long WAIT_MAX = 16;
    /** Bytes: a look comes when as much more is in use. They are 256 pages of 64 KiB. */
    private static final long STEP = 16 << 20;
    /**
     * How many pages a look sees that comes with {@link #STEP}: four for each page of 64 KiB that was made, so that it
     * gets around.
     */
    private static final long STEP_LOOKS = 1024;
    /** How many pages a look sees that comes with the time: as many as take no more than a millisecond. */
    private static final long TICK_LOOKS = 16384;
    /** What a theap's queues cost, in pages looked at. */
    private static final long THEAP_LOOKS = 8;
    /** How many pages of a queue are looked at in one go: the owner may be waiting for the lock. */
    private static final int QUEUE_LOOKS = 2048;
    /** More pages than there are. */
    private static final long CUT = 1L << 48;
    /** After how many pages of a queue it is asked whether the owner waits. */
    private static final int WAY = 64;
    /** How often a look at everything tries to have a theap's lock. */
    private static final int PATIENCE = 1000;

    /** In the word that says how the walk makes holes, beside the scratch memory's address: at once. */
    private static final long NOW = 1;
    /** Milliseconds from one look for holes to the next: two looks see that a page rests. */
    private static final long PUNCH_DELAY = 4000;

    private Scavenge() {}

    /** Looks for emptied pages if it is time. */
    public static void tick(long subprocess) {
        long due = Subprocess.scavengeDueRelaxed(subprocess);
        long now = Os.clock();
        if (due > now) return;
        long delay = Arena.purgeDelay() > 0 ? Arena.purgeDelay() : 1000;
        long next = now + delay * Config.max(1, Subprocess.scavengeWaitRelaxed(subprocess));
        if (!Subprocess.casScavengeDue(subprocess, due, next)) return;
        look(subprocess, TICK_LOOKS);
        Meta.collect();
    }

    /** Before a page is made: looks if {@link #STEP} bytes more are in use than at the last look. */
    static void pace(long subprocess) {
        if (Root.charged() >= Subprocess.scavengeMarkRelaxed(subprocess)) look(subprocess, STEP_LOOKS);
    }

    private static void look(long subprocess, long looks) {
        Subprocess.setScavengeMarkRelaxed(subprocess, Root.charged() + STEP);
        long lives = Subprocess.livesLock(subprocess);
        if (!Lock.tryAcquire(lives)) return;
        walk(subprocess, looks, 0);
        release(subprocess, lives);
    }

    /** Looks for emptied pages in all theaps. */
    public static void all(long subprocess) { all(subprocess, 0); }

    private static void all(long subprocess, long punch) {
        // As often as it takes to see all of a long queue; but a page that rests is one that was so at the last look.
        long passes = punch != 0 && (punch & NOW) == 0 ? 1 : 1 + (Root.charged() >>> Config.SLICE_SHIFT) / QUEUE_LOOKS;
        long lives = Subprocess.livesLock(subprocess);
        Lock.acquire(lives);
        Subprocess.setPunch(subprocess, punch);
        Subprocess.setCursor(subprocess, 0);
        boolean cut = walk(subprocess, Config.MAX_SIZE, PATIENCE);
        while (Subprocess.cursor(subprocess) != 0 || cut && --passes > 0) {
            if (Subprocess.cursor(subprocess) == 0) cut = false;
            release(subprocess, lives);
            Lock.acquire(lives);
            cut |= walk(subprocess, Config.MAX_SIZE, PATIENCE);
        }
        // Another thread that began such a walk meanwhile makes no more holes.
        Subprocess.setPunch(subprocess, 0);
        release(subprocess, lives);
        Meta.collect();
    }

    /**
     * Looks for emptied pages in all theaps, and makes holes in the others, and in those that nobody owns: with
     * {@code now} wherever it can, otherwise in those whose number of live blocks is that of the last look. Of the pages
     * without an owner it sees the main heap's, which no other thread ends.
     */
    public static void punch(long subprocess, boolean now) {
        Subprocess.setPunchDueRelaxed(subprocess, Os.clock() + PUNCH_DELAY);
        long scratch = Meta.allocate(Punch.SCRATCH);
        if (scratch == 0) return;
        all(subprocess, scratch | (now ? NOW : 0));
        long heap = Subprocess.mainHeap(subprocess);
        long lives = Subprocess.livesLock(subprocess);
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            long page = HeapPages.page(heap, at);
            if (!Page.isAbandoned(page) || Page.isSingleton(page)) continue;
            Lock.acquire(lives);
            boolean owned = Subprocess.addVisitors(subprocess, 0) == 0 && Page.tryOwn(page);
            if (owned && Page.heapAcquire(page) == heap) Punch.page(page, scratch, now, true);
            Lock.release(lives);
            if (owned) Abandon.giveUp(page);
        }
        Meta.free(scratch, Punch.SCRATCH);
        Purge.trim(subprocess, now);
    }

    /** Looks for holes if it is time; returns when it is the next time. */
    public static long punchTick(long subprocess) {
        if (Os.clock() >= Subprocess.punchDueRelaxed(subprocess)) punch(subprocess, false);
        return Subprocess.punchDueRelaxed(subprocess);
    }

    /** Releases the lives lock, and then frees the pages that were found, since that may call the user's functions. */
    private static void release(long subprocess, long lives) {
        long page = Subprocess.emptied(subprocess);
        long theap = Subprocess.endedTheaps(subprocess);
        Subprocess.setEmptied(subprocess, 0);
        Subprocess.setEndedTheaps(subprocess, 0);
        Subprocess.addFinishing(subprocess, 1);
        Lock.release(lives);
        long next;
        for (; theap != 0; theap = next) {
            next = Theap.nextInThread(theap);
            Heap.dropReference(Theap.heap(theap));
            Meta.free(theap, Theap.SIZE);
        }
        for (; page != 0; page = next) {
            next = Page.next(page);
            Pages.finish(page);
        }
        Subprocess.addFinishing(subprocess, -1);
        Subprocess.setScavengeMarkRelaxed(subprocess, Root.charged() + STEP);
    }

    /**
     * Looks at theaps until it has seen {@code looks} pages, or a thread waits for the lives lock, which is held. Has it left
     * pages of a queue for the next time?
     */
    private static boolean walk(long subprocess, long looks, int patience) {
        long lives = Subprocess.livesLock(subprocess);
        long theap = Subprocess.cursor(subprocess);
        if (Subprocess.addVisitors(subprocess, 0) != 0) {
            Subprocess.setCursor(subprocess, 0);
            return false;
        }
        if (theap == 0) theap = first(subprocess);
        boolean cut = false;
        while (theap != 0 && looks > 0) {
            long next = next(theap);
            looks -= THEAP_LOOKS;
            long seen = tryLock(theap, patience) ? theap(subprocess, theap) : 0;
            looks -= seen & CUT - 1;
            cut |= seen >= CUT;
            theap = next;
            if (Lock.isAwaited(lives)) break;
        }
        Subprocess.setCursor(subprocess, theap);
        if (theap != 0) return cut;
        boolean found = Subprocess.scavenged(subprocess) != 0;
        long wait = Config.max(1, Subprocess.scavengeWaitRelaxed(subprocess));
        Subprocess.setScavengeWaitRelaxed(subprocess, found ? 1 : Config.min(2 * wait, WAIT_MAX));
        Subprocess.setScavenged(subprocess, 0);
        return cut;
    }

    private static boolean tryLock(long theap, int patience) {
        while (!Lock.tryAcquire(Theap.lockWord(theap))) {
            if (patience-- <= 0) return false;
            pause();
        }
        return true;
    }

    /** Where the walk begins. */
    static long first(long subprocess) { return firstOf(Heap.theaps(Subprocess.mainHeap(subprocess))); }

    /** The theap after {@code theap} in the walk: of its thread, of its thread's orphans, of the next thread. */
    static long next(long theap) {
        long next = Theap.nextInThread(theap);
        long data = Theap.data(theap);
        if (next == 0 && !Theap.isOrphan(theap)) next = ThreadData.orphansAcquire(data);
        return next != 0 ? next : nextThread(data);
    }

    private static long nextThread(long data) { return firstOf(Theap.nextInHeap(ThreadData.mainTheap(data))); }

    /** The first theap of the thread whose theap for the main heap is {@code main}. */
    private static long firstOf(long main) { return main == 0 ? 0 : ThreadData.theaps(Theap.data(main)); }

    /** Under the lives lock, when a theap is about to leave its thread's list: the walk goes on behind it. */
    public static void forget(long theap) {
        long subprocess = ThreadData.subprocess(Theap.data(theap));
        if (Subprocess.cursor(subprocess) == theap) Subprocess.setCursor(subprocess, next(theap));
    }

    /**
     * When a thread's theaps are about to end, and that for the main heap is still in its list: the walk passes them.
     */
    public static void forgetThread(long data) {
        long subprocess = ThreadData.subprocess(data);
        long cursor = Subprocess.cursor(subprocess);
        if (cursor != 0 && Theap.data(cursor) == data) Subprocess.setCursor(subprocess, nextThread(data));
    }

    /**
     * Takes the emptied pages out of a theap whose lock is held, and releases it; returns how many pages it has seen, and
     * {@link #CUT} more for each queue of which it has not seen all.
     */
    private static long theap(long subprocess, long theap) {
        boolean ended = Theap.isOrphan(theap) && !Theap.isKept(theap) && !ThreadData.keepsOrphans(Theap.data(theap));
        long looks = 0;
        for (int index = 1; index < 2 * SizeClass.COUNT && Theap.pageCount(theap) != 0; index++) {
            looks += queue(subprocess, theap, index, index < SizeClass.COUNT && !ended);
        }
        boolean gone = ended && Theap.pageCount(theap) == 0;
        Lock.release(Theap.lockWord(theap));
        if (gone) end(subprocess, theap);
        return looks;
    }

    /** Looks at the pages of a queue; of the first one malloc takes if {@code taken}. */
    private static long queue(long subprocess, long theap, int index, boolean taken) {
        long punch = Subprocess.punch(subprocess);
        boolean now = (punch & NOW) != 0;
        long first = PageQueue.first(Theap.queue(theap, index));
        long page = first;
        int looks = 0;
        long seen = 0;
        boolean goesOn = true;
        long next;
        for (; page != 0 && goesOn; page = next) {
            next = Page.next(page);
            boolean stays = taken && page == first;
            if (!stays && Page.isEmptied(page)) {
                PageQueue.remove(theap, index, page);
                setAside(subprocess, page);
            } else {
                seen = page;
                if (punch != 0 && stays) Punch.first(page, now);
                else if (punch != 0) Punch.page(page, punch & -WORD, now, false);
            }
            looks++;
            goesOn = looks % WAY != 0 || looks < QUEUE_LOOKS && !Lock.isAwaited(Theap.lockWord(theap));
        }
        if (page != 0 && seen != 0) PageQueue.turn(Theap.queue(theap, index), seen);
        return page != 0 ? looks | CUT : looks;
    }

    private static void setAside(long subprocess, long page) {
        Pages.detach(page);
        Page.setNext(page, Subprocess.emptied(subprocess));
        Subprocess.setEmptied(subprocess, page);
        Subprocess.setScavenged(subprocess, Subprocess.scavenged(subprocess) + 1);
    }

    /** Ends an orphan without pages, which its thread may never notice. */
    private static void end(long subprocess, long theap) {
        Theap.removeOrphan(theap);
        Theap.setNextInThread(theap, Subprocess.endedTheaps(subprocess));
        Subprocess.setEndedTheaps(subprocess, theap);
    }

    /** Pages stay from now on until {@link #resume}: before they are shown to a visitor. */
    public static void suspend(long subprocess) {
        ThreadSlot.probeStack();
        Subprocess.addVisitors(subprocess, 1);
        // A thread that looks just now may not have seen the count; the next holder of the lock will.
        Lock.acquire(Subprocess.livesLock(subprocess));
        Lock.release(Subprocess.livesLock(subprocess));
    }

    public static void resume(long subprocess) { Subprocess.addVisitors(subprocess, -1); }
}
