package dev.mimalloc;

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
final class KnownHeaps {
    private static final Set<Heap> OPEN = ConcurrentHashMap.newKeySet();
    private static volatile Consumer<HeapInfo> listener; // where a flight recording runs

    private KnownHeaps() {}

    static void listener(Consumer<HeapInfo> listener) { KnownHeaps.listener = listener; }

    /** Lists a heap, which does not end meanwhile. */
    static void add(Heap heap) {
        if (heap != Heap.main()) OPEN.add(heap);
    }

    /** Tells what a listed heap is now. Not from inside of the heap, whose end would wait for that. */
    static void changed(Heap heap) {
        HeapInfo info = listener == null || !isKnown(heap) ? null : heap.info();
        if (info != null) tell(info);
    }

    static boolean isKnown(Heap heap) { return OPEN.contains(heap); }

    /** A heap has ended; what it was at last. */
    static void remove(Heap heap, HeapInfo last) {
        OPEN.remove(heap);
        tell(last);
    }

    private static void tell(HeapInfo info) {
        Consumer<HeapInfo> to = listener;
        if (to != null) to.accept(info);
    }

    /** All that are open, by their numbers. */
    static List<HeapInfo> infos() {
        return Stream.concat(Stream.of(Heap.main()), OPEN.stream()).map(Heap::info).filter(Objects::nonNull)
                .sorted((one, other) -> Long.compare(one.number(), other.number())).toList();
    }
}
