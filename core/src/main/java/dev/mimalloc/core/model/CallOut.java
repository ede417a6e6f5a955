package dev.mimalloc.core.model;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.machine.ThreadSlot;

/**
 * What holds while a function of the user's runs in the middle of a call: at a limit, for deferred frees, to commit
 * memory, or as a visitor. The function may do what it likes: allocate, free, collect, begin and end heaps, also the
 * one that the call is for. So before it is called nothing is half-way, and nobody has a lease; and what the call goes
 * on with afterwards is kept for it, which is the theap.
 *
 * <p>A heap that ends leaves its theaps to their threads, as orphans. A thread adopts its orphans, and gives their
 * structs back, only where it is inside of no such function; see {@code Threads.adoptOrphans}. An orphan refers to its
 * heap, so that the heap's struct stays as well. After the function the call adopts the orphans itself, and learns by
 * that whether its own theap was one.
 *
 * <p>The thread's count is plain: only the thread changes it. Virtual threads that share thread data do so while they
 * have the lease: a call counts before it gives the lease away for the time of the function, and after it has got it
 * back; meanwhile others may have the lease, and find by the count that somebody will come back to a theap. A thread
 * that wants to end a heap learns from the heap's count that a call for it will not return before the user's function
 * does.
 *
 * <p>These places call out. No lock is held there, but in a purge those of the purge, and of the collection that it may
 * be part of: a call from inside the function does without the purge and the collection.
 *
 * <table>
 * <caption>Functions of the user's</caption>
 * <tr><td>{@code Deferred.call}</td><td>at a heartbeat, and in a collection</td></tr>
 * <tr><td>{@code Limits.retry}</td><td>when no page was to be had</td></tr>
 * <tr><td>{@code Visit}</td><td>between two pages or blocks; what is shown is a copy</td></tr>
 * <tr><td>{@code Subprocesses.visitHeaps}</td><td>with a reference to the heap that is shown, so that it stays in the
 * list</td></tr>
 * <tr><td>{@link Arena#commit}, {@code Purge.run}</td><td>with slices that are claimed; a purge in a free passes over
 * memory that the user commits, as its caller may have a lock</td></tr>
 * <tr><td>{@link Errors#raise}, {@link Printer#flush}</td><td>at the end of a call, when nothing is left to do, or
 * with a copy of what is printed: there is nothing to keep</td></tr>
 * <tr><td>{@code Samples}</td><td>at the end of an allocation, and before a page goes that has no block any more</td></tr>
 * <tr><td>{@code CppNames}</td><td>between two attempts</td></tr>
 * </table>
 *
 * <p>{@link dev.mimalloc.machine.Trace} is no such place: its listener is not the user's, and may call nothing.
 */
public final class CallOut {
    private CallOut() {}

    /** Before a function of the user's: it may need a lease of its own, and nobody may hold two. */
    public static void begin(long theap) {
        long data = Theap.data(theap);
        count(data, 1);
        Theap.setKept(theap);
        Heap.addCallOuts(Theap.heap(theap), 1);
        if (ThreadData.isShared(data)) ThreadData.endLease(data);
    }

    /** After a function of the user's. */
    public static void end(long theap) {
        long data = Theap.data(theap);
        if (ThreadData.isShared(data)) awaitLease(data);
        Heap.addCallOuts(Theap.heap(theap), -1);
        count(data, -1);
    }

    /**
     * Before a function that is called far below the call, where the call's theap is not known: all orphans of the
     * thread are kept, and not one theap. A virtual thread keeps its lease, and so nobody adopts its orphans.
     */
    public static void beginBelow() {
        long theap = ThreadSlot.theap();
        if (theap != 0) ThreadData.setKeepsOrphans(Theap.data(theap));
        countOwn(1);
    }

    public static void endBelow() { countOwn(-1); }

    /**
     * Before a call waits for other threads, as for a lock that is held for long: those who share the data may go on
     * meanwhile. No function of the user's is called for the theap's heap, so whoever ends that waits for the call.
     */
    public static void pause(long theap) {
        long data = Theap.data(theap);
        if (!ThreadData.isShared(data)) return;
        count(data, 1);
        ThreadData.endLease(data);
    }

    public static void resume(long theap) {
        long data = Theap.data(theap);
        if (!ThreadData.isShared(data)) return;
        awaitLease(data);
        count(data, -1);
    }

    private static void awaitLease(long data) {
        while (!ThreadData.tryLease(data)) ThreadData.awaitLease(data);
    }

    /** Is the current thread inside of such a function? A virtual thread has nothing that could tell. */
    public static boolean isInside() {
        long theap = ThreadSlot.theap();
        return theap != 0 && ThreadData.callOuts(Theap.data(theap)) != 0;
    }

    private static void countOwn(long change) {
        long theap = ThreadSlot.theap();
        if (theap != 0) count(Theap.data(theap), change);
    }

    private static void count(long data, long change) {
        ThreadData.setCallOuts(data, ThreadData.callOuts(data) + change);
    }
}
