package dev.mimalloc;

import java.util.Optional;

/**
 * Is called when a memory limit stands in the way of an allocation, by the thread that allocates: it may free what it
 * can do without, such as a cache, and have the allocation tried again. Set by {@link Mimalloc#onLimit}.
 *
 * <p>It may do what any code may, also allocate in the heap or arena that the allocation is for. An allocation of its own
 * that meets a limit fails at once. To end that heap is refused with an {@code IllegalStateException}, and so is to close
 * that arena if it is a confined one; when it closes a shared one, the allocation throws that it has been closed. What it
 * throws goes to the thread's handler of uncaught exceptions, and the allocation fails.
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
}
