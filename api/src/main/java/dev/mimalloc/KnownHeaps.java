package dev.mimalloc;

import dev.mimalloc.flight.FlightHeaps;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The heaps that have a name or a limit, until they end, and the main heap. The others are not listed: a program may have
 * a heap for each request, and whoever wants to tell heaps apart gives them names.
 */
final class KnownHeaps implements FlightHeaps {
    static final KnownHeaps ALL = new KnownHeaps();

    private final Set<Heap> open = ConcurrentHashMap.newKeySet();
    private volatile Consumer<HeapInfo> listener; // where a flight recording runs

    private KnownHeaps() {}

    @Override
    public void listener(Consumer<HeapInfo> listener) { this.listener = listener; }

    /** Lists a heap, which does not end meanwhile. */
    void add(Heap heap) {
        if (heap != Heap.main()) open.add(heap);
    }

    /** Tells what a listed heap is now. Not from inside of the heap, whose end would wait for that. */
    void changed(Heap heap) {
        HeapInfo info = listener == null || !isKnown(heap) ? null : heap.info();
        if (info != null) tell(info);
    }

    boolean isKnown(Heap heap) { return open.contains(heap); }

    /** A heap has ended; what it was at last. */
    void remove(Heap heap, HeapInfo last) {
        open.remove(heap);
        tell(last);
    }

    private void tell(HeapInfo info) {
        Consumer<HeapInfo> to = listener;
        if (to != null) to.accept(info);
    }

    /** All that are open, by their numbers. */
    @Override
    public List<HeapInfo> infos() {
        return Stream.concat(Stream.of(Heap.main()), open.stream()).map(Heap::info).filter(Objects::nonNull)
                .sorted((one, other) -> Long.compare(one.number(), other.number())).toList();
    }
}
