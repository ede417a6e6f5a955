package dev.mimalloc.core;

import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;

/**
 * The user's deferred frees: a function that is called in a bounded number of allocations, to free what it put off.
 */
public final class Deferred {
    private Deferred() {}

    @Export("void mi_register_deferred_free(mi_deferred_free_fun* deferred_free, void* arg)")
    public static void register(long function, long argument) { Root.setDeferred(function, argument); }

    /** Calls the function, which may allocate and free as it likes. */
    static void call(long data, boolean force) {
        long function = Root.deferred();
        if (function == 0 || ThreadData.inDeferred(data)) return;
        long beat = ThreadData.nextHeartbeat(data);
        enter(data);
        Callback.deferredFree(function, force, beat, Root.deferredArgument());
        leave(data);
    }

    /** Before a function of the user's that may allocate: what it does calls no such function again. */
    static void enter(long data) {
        ThreadData.setInDeferred(data, true);
        // It may need a lease of its own, and nobody may hold two.
        if (ThreadData.isShared(data)) ThreadData.endLease(data);
    }

    static void leave(long data) {
        while (ThreadData.isShared(data) && !ThreadData.tryLease(data)) ThreadData.awaitLease(data);
        ThreadData.setInDeferred(data, false);
    }
}
