package dev.mimalloc.core.page;

import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;

/**
 * The user's deferred frees: a function that is called again after a bounded number of allocations, and frees blocks
 * whose free the program has put off.
 */
public final class Deferred {
    private Deferred() {}

    @Export("void mi_register_deferred_free(mi_deferred_free_fun* deferred_free, void* arg)")
    public static void register(long function, long argument) { Root.setDeferred(function, argument); }

    /** Calls the function, in a call that has entered {@code theap}; see {@link CallOut} for what it may do. */
    public static void call(long theap, boolean force) {
        long function = Root.deferredAcquire(), argument = Root.deferredArgumentAcquire();
        long data = Theap.data(theap);
        if (function == 0 || function != Root.deferredAcquire() || ThreadData.inDeferred(data)) return;
        ThreadData.setInDeferred(data, true);
        long beat = ThreadData.nextHeartbeat(data);
        CallOut.begin(theap);
        Callback.deferredFree(function, force, beat, argument);
        CallOut.end(theap);
        ThreadData.setInDeferred(data, false);
    }
}
