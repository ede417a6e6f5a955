package dev.mimalloc.machine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The current thread: its id, and one word for it, the theap.
 *
 * <p>The words lie in a table of chains of immutable entries, found by the low bits of the thread's id; ids come in
 * sequence, so chains are short, and any number of threads fits. A chain changes by a compare-and-set of its head.
 *
 * <p><b>Why {@link #theap} may read plainly.</b> Each head is derived from the one before it by a compare-and-set, so
 * the writes of a head are totally ordered by happens-before, and a thread that has set its own entry can read that
 * head or a later one, never an earlier one. Every later head still has the thread's entry, as only the thread itself
 * takes it out, or the housekeeper when the thread has ended. The fields of an entry are final, so that what is
 * reached through a head read in a race is complete. A thread without an entry finds none in any head, as owners are
 * compared.
 */
public final class ThreadSlot {
    private static final int CHAINS = 4096;
    private static final Entry NONE = new Entry(null, 0, null); // ends a chain, so that no link is null
    private static final Entry[] TABLE = new Entry[CHAINS];
    private static final VarHandle HEAD = MethodHandles.arrayElementVarHandle(Entry[].class);

    static {
        Arrays.fill(TABLE, NONE);
        StackProbe.warmUp(); // a class that is first used on a full stack would be lost for good
        Unpinned.warmUp();
    }

    private static final class Entry {
        final Thread owner;
        final long theap;
        final Entry next;

        Entry(Thread owner, long theap, Entry next) {
            this.owner = owner;
            this.theap = theap;
            this.next = next;
        }
    }

    private ThreadSlot() {}

    /** The thread's id: a multiple of 16, not 0, never given to another thread. Virtual threads have one as well. */
    public static long id() { return Thread.currentThread().threadId() << 4; }

    /** The thread's theap, 0 if it has none. */
    public static long theap() {
        Thread thread = Thread.currentThread();
        Entry entry = TABLE[chain(thread)];
        return entry.owner == thread ? entry.theap : search(entry, thread);
    }

    /**
     * Sets the thread's theap; 0 takes it away. When a thread ends with a theap, the housekeeper finds it
     * ({@link Lifecycle#threadEnded}). Not for virtual threads.
     *
     * @return false, with nothing changed, if there is no room for an entry in the Java heap
     */
    public static boolean setTheap(long theap) {
        try {
            replace(Thread.currentThread(), theap);
        } catch (OutOfMemoryError e) {
            return false;
        }
        if (theap != 0) Housekeeper.watch();
        return true;
    }

    /**
     * May the thread have a theap of its own? Virtual threads may not: there can be a million of them, and their ends
     * go unnoticed. In C a thread may not once its end was told, though its last destructors may still allocate.
     */
    public static boolean mayOwn() { return !Thread.currentThread().isVirtual(); }

    /**
     * Throws {@code StackOverflowError} when less than 20 KiB of stack are left: now, and not in the middle of the
     * update that the caller is about to make.
     */
    public static void probeStack() { StackProbe.run(); }

    /** Would {@link #probeStack} pass? */
    public static boolean hasStack() {
        try {
            StackProbe.run();
            return true;
        } catch (StackOverflowError e) {
            return false;
        }
    }

    /** Probes the stack for 28 KiB: before several calls each of which probes it, so that none of them throws. */
    public static void probeStackAround() { StackProbe.around(); }

    /** Probes the stack for 8 KiB: does not throw where {@link #probeStack} has just passed. */
    public static void probeStackAgain() { StackProbe.again(); }

    /** The listener for the ends of threads; null for none. JVM only. */
    public static void lifecycle(Lifecycle lifecycle) { Housekeeper.lifecycle = lifecycle; }

    /**
     * Ends the thread that notices the ends of others, and waits for its end; the next theap of a thread starts it
     * again. JVM only.
     */
    public static void stopWatching() {
        Housekeeper.stop();
        collectEnded(Housekeeper.lifecycle);
    }

    /** A thread's name and number, or the number alone of one that is not the caller and has no theap. JVM only. */
    static String name(long id) {
        long number = id >>> 4;
        Thread self = Thread.currentThread();
        if (self.threadId() == number) return name(self);
        Entry entry = (Entry) HEAD.getAcquire(TABLE, (int) number & CHAINS - 1);
        while (entry != NONE && entry.owner.threadId() != number) entry = entry.next;
        return entry == NONE ? "#" + number : name(entry.owner);
    }

    private static String name(Thread thread) {
        return (thread.getName().isEmpty() ? "" : "\"" + thread.getName() + "\" ") + "#" + thread.threadId();
    }

    private static int chain(Thread thread) { return (int) thread.threadId() & CHAINS - 1; }

    private static long search(Entry entry, Thread thread) {
        while (entry != NONE && entry.owner != thread) entry = entry.next;
        return entry.theap;
    }

    private static void replace(Thread owner, long theap) {
        int chain = chain(owner);
        Entry head, rest;
        do {
            head = (Entry) HEAD.getAcquire(TABLE, chain);
            rest = without(head, owner);
            if (theap == 0 && rest == head) return;
        } while (!HEAD.compareAndSet(TABLE, chain, head, theap == 0 ? rest : new Entry(owner, theap, rest)));
    }

    /** The chain without the owner's entry; it is the same object when there is none. */
    private static Entry without(Entry head, Thread owner) {
        int before = 0;
        Entry found = head;
        for (; found != NONE && found.owner != owner; found = found.next) before++;
        if (found == NONE) return head;
        Entry chain = found.next;
        for (Entry e = head; before-- > 0; e = e.next) chain = new Entry(e.owner, e.theap, chain);
        return chain;
    }

    /**
     * Takes the theaps of ended threads out and hands them on, each once: by one thread at a time. Returns how many.
     */
    static synchronized int collectEnded(Lifecycle lifecycle) {
        int ended = 0;
        for (int chain = 0; chain < CHAINS; chain++) {
            Entry head = (Entry) HEAD.getAcquire(TABLE, chain);
            for (Entry entry = head; entry != NONE; entry = entry.next) {
                // That isAlive() is false comes after everything the thread did (JLS 17.4.4).
                if (entry.owner.isAlive()) continue;
                replace(entry.owner, 0);
                ended++;
                if (lifecycle != null) lifecycle.threadEnded(entry.theap);
            }
        }
        return ended;
    }

    /** How many threads have a theap. */
    static int entries() {
        int entries = 0;
        for (int chain = 0; chain < CHAINS; chain++) {
            for (Entry entry = (Entry) HEAD.getAcquire(TABLE, chain); entry != NONE; entry = entry.next) entries++;
        }
        return entries;
    }
}
