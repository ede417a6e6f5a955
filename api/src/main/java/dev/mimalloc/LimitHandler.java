package dev.mimalloc;

import dev.mimalloc.core.Limits;
import dev.mimalloc.machine.Callback;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Is called when a memory limit stands in the way of an allocation, by the thread that allocates: it may free what it
 * can do without, such as a cache, and have the allocation tried again. Set by {@link Mimalloc#onLimit}.
 *
 * <p>It may allocate and free. An allocation of its own that meets a limit fails at once. What it throws goes to the
 * thread's handler of uncaught exceptions, and the allocation fails.
 *
 * @see Heap#limit(long)
 * @see Mimalloc#limit(long)
 */
@FunctionalInterface
public interface LimitHandler {
    /**
     * An allocation meets a limit.
     *
     * @param heap the heap whose limit it is; empty for the limit of the process
     * @param size bytes that are wanted: a block's, or those of a page of blocks
     * @param used bytes that there are
     * @param limit bytes that there may be
     * @return whether to try again: only if there is more room than before, or it will be called for ever
     */
    boolean exceeded(Optional<Heap> heap, long size, long used, long limit);

    /** The handler that is set, and what it needs to know. */
    final class Installed {
        private static final Map<Long, Heap> LIMITED = new ConcurrentHashMap<>();
        private static long handle;

        private Installed() {}

        /** The heap behind an address, while it has a limit; null to forget it. */
        static void remember(long address, Heap heap) {
            if (heap == null) LIMITED.remove(address);
            else LIMITED.put(address, heap);
        }

        static synchronized void set(LimitHandler handler) {
            long old = handle;
            handle = handler == null ? 0 : Callback.register((Callback.LimitHandler) (heap, size, used, limit) -> handler.exceeded(Optional.ofNullable(LIMITED.get(heap)), size, used, limit));
            Limits.setFunction(handle, 0);
            Callback.unregister(old);
        }
    }
}
