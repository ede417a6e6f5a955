package dev.mimalloc.core.page;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Check;

/**
 * Memory limits, of a heap and of the process. What counts are the OS pages of large blocks, and of a page of small
 * blocks those OS pages whose blocks have been linked in, given out or not. The rest of such a page counts when it is
 * linked in, a few KiB at a time. Memory is charged before it is taken, so that a limit is never exceeded, not even for
 * a moment.
 */
public final class Limits {
    private Limits() {}

    /** Sets how many bytes a heap may have, 0 for any number. A heap that has more already keeps them. */
    public static void setLimit(long heap, long bytes) { Heap.setLimitRelaxed(heap, bytes); }
    public static long limit(long heap) { return Heap.limitRelaxed(heap); }
    /** The bytes that a heap has. */
    public static long used(long heap) { return Heap.chargedRelaxed(heap); }

    /** Sets how many bytes all heaps together may have, 0 for any number. */
    public static void setProcessLimit(long bytes) { Root.setLimitRelaxed(bytes); }
    public static long processLimit() { return Root.limitRelaxed(); }
    public static long processUsed() { return Root.charged(); }

    /** Registers the function that is called when a limit stands in the way of an allocation; 0 for none. */
    public static void setFunction(long function, long argument) { Root.setAtLimit(function, argument); }

    /** Charges memory to a heap and to the process; false, with nothing changed, if a limit forbids it. */
    static boolean charge(long heap, long bytes) {
        if (!add(Heap.chargedWord(heap), bytes, Heap.limitRelaxed(heap))) return false;
        if (add(Root.chargedWord(), bytes, Root.limitRelaxed())) return true;
        Heap.addCharged(heap, -bytes);
        return false;
    }

    /** Adds {@code bytes} to a word, unless it would be more than {@code limit} then; limit 0 allows any number. */
    private static boolean add(long word, long bytes, long limit) {
        if (likely(limit == 0)) {
            fetchAdd(word, bytes);
            return true;
        }
        long old;
        do {
            old = getRelaxed(word);
            if (old > limit - bytes) return false;
        } while (!compareAndSet(word, old, old + bytes));
        return true;
    }

    static void discharge(long heap, long bytes) {
        Root.addCharged(-bytes);
        Heap.addCharged(heap, -bytes);
        if (Check.isOn()) Check.that(Root.charged() >= 0 && Heap.chargedRelaxed(heap) >= 0);
    }

    /** Charges the bytes of a page that has changed its heap to the new one. */
    static void move(long from, long to, long bytes) {
        Heap.addCharged(from, -bytes);
        Heap.addCharged(to, bytes);
    }

    /**
     * A page of {@code size} bytes could not be had. If a limit is the reason, the user's function may make room and
     * say that it is worth another try. It may also have ended the theap's heap; see {@link CallOut}.
     */
    public static boolean retry(long theap, long size) {
        long function = Root.atLimitAcquire(), argument = Root.atLimitArgumentAcquire();
        if (function == 0 || function != Root.atLimitAcquire()) return false;
        long heap = Theap.heap(theap);
        boolean own = exceeds(Heap.chargedRelaxed(heap), size, Heap.limitRelaxed(heap));
        if (!own && !exceeds(Root.charged(), size, Root.limitRelaxed())) return false;
        long used = own ? Heap.chargedRelaxed(heap) : Root.charged();
        long limit = own ? Heap.limitRelaxed(heap) : Root.limitRelaxed();
        CallOut.begin(theap);
        boolean again = Callback.limit(function, own ? heap : 0, size, used, limit, argument);
        CallOut.end(theap);
        return again;
    }

    private static boolean exceeds(long used, long bytes, long limit) { return limit != 0 && used > limit - bytes; }
}
