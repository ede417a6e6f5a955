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
        ThreadData.setInDeferred(data, true);
        long beat = ThreadData.nextHeartbeat(data);
        suspend(data);
        Callback.deferredFree(function, force, beat, Root.deferredArgument());
        resume(data);
        ThreadData.setInDeferred(data, false);
    }

    /** Before a function of the user's: it may need a lease of its own, and nobody may hold two. */
    static void suspend(long data) {
        if (ThreadData.isShared(data)) ThreadData.endLease(data);
    }

    static void resume(long data) {
        while (ThreadData.isShared(data) && !ThreadData.tryLease(data)) ThreadData.awaitLease(data);
    }
}
