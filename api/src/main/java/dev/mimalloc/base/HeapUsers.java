package dev.mimalloc.base;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.locks.LockSupport;

/**
 * How many calls are inside of a heap, and how many arenas are open in it, so that it does not end under one of them. A
 * call is counted first and then looks at the state; who ends the heap sets the state first and then looks at the
 * counts. All of these accesses are volatile, so one of the two sees the other: either the call finds that the heap is
 * ending, and waits for what comes of it, or the end finds the call, and waits for it or is refused.
 *
 * <p>There is one count, as in most heaps few threads meet; when two have met at it, there are more, far apart from each
 * other, and a thread takes the one that its id leads to. A call is taken off the count that it was added to: so no count
 * is ever below what is inside, and a heap whose counts are found at 0, one after the other, is empty.
 *
 * <p>A call that could not be taken off would keep the heap open for ever. So it is taken off in the way in which it was
 * added: that needs no more stack, and nothing that the JDK would have to make in the Java heap when it is first used.
 */
public final class HeapUsers {
    private static final int OPEN = 0;
    private static final int ENDING = 1;
    private static final int ENDED = 2;

    /** Two lines of the cache, which processors fetch together. */
    private static final int APART = 16;
    private static final int COUNTS = Integer.highestOneBit(
            Math.clamp(Runtime.getRuntime().availableProcessors() * 2L - 1, 2, 64));

    /** Longer than any call takes that has the processor. */
    private static final int SPINS = 1000;
    private static final long PAUSE_NANOS = 50_000;

    /** The place of the first count; others are their indexes in the array, which begin after it. */
    private static final int FIRST_PLACE = 0;
    private static final AtomicLongFieldUpdater<HeapUsers> FIRST = AtomicLongFieldUpdater.newUpdater(HeapUsers.class,
            "first");

    private volatile int state;
    private volatile long first;
    private volatile AtomicLongArray more; // null until two threads have met
    private final AtomicInteger arenas = new AtomicInteger(); // open in the heap

    /**
     * Counts a call of the current thread; to be ended with {@link #leave} and the same place.
     *
     * @throws IllegalStateException if the heap has ended
     */
    public int enter() {
        int place = add();
        if (state == OPEN) return place;
        leave(place);
        return enterSlow();
    }

    private int enterSlow() {
        while (true) {
            for (int i = 0; state == ENDING; i++) pause(i);
            if (state == ENDED) throw new IllegalStateException("the heap has been closed");
            int place = add();
            if (state == OPEN) return place;
            leave(place);
        }
    }

    private int add() {
        AtomicLongArray more = this.more;
        if (more == null) {
            long inside = first;
            if (FIRST.compareAndSet(this, inside, inside + 1)) return FIRST_PLACE;
            more = spread();
        }
        int place = APART * (1 + ((int) Thread.currentThread().threadId() & COUNTS - 1));
        long inside;
        do {
            inside = more.get(place);
        } while (!more.compareAndSet(place, inside, inside + 1));
        return place;
    }

    private AtomicLongArray spread() {
        synchronized (this) {
            if (more == null) more = new AtomicLongArray((COUNTS + 2) * APART);
            return more;
        }
    }

    public void leave(int place) {
        long inside;
        if (place == FIRST_PLACE) {
            do {
                inside = first;
            } while (!FIRST.compareAndSet(this, inside, inside - 1));
        } else {
            AtomicLongArray more = this.more;
            do {
                inside = more.get(place);
            } while (!more.compareAndSet(place, inside, inside - 1));
        }
    }

    /**
     * An arena begins to allocate in the heap.
     *
     * @throws IllegalStateException if the heap has ended
     */
    public void enterArena() {
        int place = enter();
        arenas.incrementAndGet();
        leave(place);
    }

    public void leaveArena() { arenas.decrementAndGet(); }

    /** How many arenas are open in the heap: after {@link #close}, when no call is inside, there will be no more. */
    public int arenas() { return arenas.get(); }

    /** From here on calls wait at the door; for one thread at a time. */
    public void close() { state = ENDING; }

    /** The heap has not ended after all. */
    public void reopen() { state = OPEN; }

    public void end() { state = ENDED; }

    /** Whether one of the calls that came before {@link #close} is still inside. */
    public boolean areInside() {
        if (first != 0) return true;
        AtomicLongArray more = this.more;
        if (more == null) return false;
        for (int i = 1; i <= COUNTS; i++) {
            if (more.get(APART * i) != 0) return true;
        }
        return false;
    }

    public static void pause(int i) {
        if (i < SPINS) Thread.onSpinWait();
        else LockSupport.parkNanos(PAUSE_NANOS);
    }
}
