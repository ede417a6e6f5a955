package dev.mimalloc.profile;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Objects of which equal ones are there once. It only grows, and nobody ever waits: the JDK's hash map locks its bins,
 * and a virtual thread that waits for a lock lets others run, which must not happen in the middle of the allocator.
 */
final class Interned<T> {
    /** Lists of hashes: with 65,536 objects, the most stacks that a profile has, the average one has four. */
    private static final int LISTS = 1 << 14;

    private final AtomicReferenceArray<Node<T>> lists = new AtomicReferenceArray<>(LISTS);
    private final AtomicInteger size = new AtomicInteger();

    private record Node<T>(T value, Node<T> next) {}

    int size() { return size.get(); }

    /** The one that equals this, or null. */
    T find(T like) { return find(lists.get(list(like)), like); }

    /** Enters an object, unless there is an equal one by now; the one that is there. */
    T add(T value) {
        int list = list(value);
        while (true) {
            Node<T> first = lists.get(list);
            T other = find(first, value);
            if (other != null) return other;
            if (lists.compareAndSet(list, first, new Node<>(value, first))) {
                size.incrementAndGet();
                return value;
            }
        }
    }

    /** Those that are there now. */
    List<T> all() {
        List<T> all = new ArrayList<>();
        for (int i = 0; i < LISTS; i++) {
            for (Node<T> node = lists.get(i); node != null; node = node.next) all.add(node.value);
        }
        return all;
    }

    private static <T> T find(Node<T> first, T like) {
        for (Node<T> node = first; node != null; node = node.next) if (node.value.equals(like)) return node.value;
        return null;
    }

    private static int list(Object value) {
        int hash = value.hashCode();
        return (hash ^ hash >>> 14) & LISTS - 1;
    }
}
