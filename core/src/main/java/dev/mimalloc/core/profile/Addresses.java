package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Meta;

/** The addresses of all stacks of a profile, each once and in order. */
final class Addresses {
    private static final long COUNT = 0; // 8
    private static final long CAPACITY = COUNT + 8; // 8
    private static final long ENTRIES = CAPACITY + 8; // of an index: 8

    private Addresses() {}

    /** Those of all stacks there are now; 0 if there is no memory. */
    static long of(long stacks) {
        long capacity = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) capacity += Stacks.depth(stack);
        long addresses = Meta.allocate(ENTRIES + capacity * WORD);
        if (addresses == 0) return 0;
        putLong(addresses + CAPACITY, capacity);
        long count = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) {
            // Stacks that have come meanwhile may find no room; they are left to the next profile.
            for (long i = 0; i < Stacks.depth(stack) && count < capacity; i++) set(addresses, count++, Stacks.frame(stack, i));
        }
        sort(addresses, count);
        putLong(addresses + COUNT, unique(addresses, count));
        return addresses;
    }

    static void release(long addresses) { Meta.free(addresses, ENTRIES + getLong(addresses + CAPACITY) * WORD); }

    static long count(long addresses) { return getLong(addresses + COUNT); }
    static long get(long addresses, long i) { return getLong(addresses + ENTRIES + i * WORD); }
    private static void set(long addresses, long i, long address) { putLong(addresses + ENTRIES + i * WORD, address); }

    /** The place of an address; -1 if it is not among them. */
    static long indexOf(long addresses, long address) {
        long low = 0, high = count(addresses) - 1;
        while (low <= high) {
            long middle = low + high >>> 1;
            long found = get(addresses, middle);
            if (found == address) return middle;
            if (found < address) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    /** Heapsort: in place, and in n log n steps whatever is there. */
    private static void sort(long addresses, long count) {
        for (long i = count / 2 - 1; i >= 0; i--) sink(addresses, i, count);
        for (long last = count - 1; last > 0; last--) {
            long largest = get(addresses, 0);
            set(addresses, 0, get(addresses, last));
            set(addresses, last, largest);
            sink(addresses, 0, last);
        }
    }

    private static void sink(long addresses, long i, long count) {
        long address = get(addresses, i);
        while (2 * i + 1 < count) {
            long child = 2 * i + 1;
            if (child + 1 < count && get(addresses, child) < get(addresses, child + 1)) child++;
            if (get(addresses, child) <= address) break;
            set(addresses, i, get(addresses, child));
            i = child;
        }
        set(addresses, i, address);
    }

    private static long unique(long addresses, long count) {
        long kept = 0;
        for (long i = 0; i < count; i++) {
            if (kept == 0 || get(addresses, kept - 1) != get(addresses, i)) set(addresses, kept++, get(addresses, i));
        }
        return kept;
    }
}
