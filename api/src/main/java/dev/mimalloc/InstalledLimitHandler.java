package dev.mimalloc;

import dev.mimalloc.core.page.Limits;
import dev.mimalloc.machine.Callback;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The limit handler that is set, and what it needs to know. */
final class InstalledLimitHandler {
    private static final Map<Long, Heap> LIMITED = new ConcurrentHashMap<>();
    private static long handle; // guarded by the class

    private InstalledLimitHandler() {}

    /** The heap behind an address, while it has a limit; null to forget it. */
    static void remember(long address, Heap heap) {
        if (heap == null && LIMITED.isEmpty()) return; // each end of a heap asks
        if (heap == null) LIMITED.remove(address);
        else LIMITED.put(address, heap);
    }

    static synchronized void set(LimitHandler handler) {
        long old = handle;
        handle = handler == null ? 0 : Callback.register(call(handler));
        Limits.setFunction(handle, 0);
        Callback.unregister(old);
    }

    private static Callback.LimitHandler call(LimitHandler handler) {
        return (heap, size, used, limit) -> handler.exceeded(Optional.ofNullable(LIMITED.get(heap)), size, used, limit);
    }
}
