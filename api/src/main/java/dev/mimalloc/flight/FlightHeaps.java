package dev.mimalloc.flight;

import dev.mimalloc.HeapInfo;
import java.util.List;
import java.util.function.Consumer;

/** The heaps that have events: their owner implements this, so that what makes events knows what it needs and no more. */
public interface FlightHeaps {
    /** What each of them is now. */
    List<HeapInfo> infos();

    /** Sets who is told when one of them begins, changes or ends; null for nobody. */
    void listener(Consumer<HeapInfo> listener);
}
