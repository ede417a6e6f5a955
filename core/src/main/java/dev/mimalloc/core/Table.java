package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;

/**
 * A table of words that grows without ever moving an entry, so that readers need no lock: segment {@code k} has
 * {@code 16 << k} entries and is allocated when the first of them is written. The struct is 16 pointers.
 */
final class Table {
    static final long SIZE = 128;
    private static final int FIRST = 4;
    private static final int SEGMENTS = 16;

    private Table() {}

    static long get(long table, long index) {
        int segment = segment(index);
        long entries = getAcquire(table + segment * 8L);
        return entries == 0 ? 0 : getAcquire(entries + (index + 16 - (16L << segment)) * 8);
    }

    /** Writes an entry with release; false if there is no memory for its segment. */
    static boolean set(long table, long index, long value) {
        long entry = entry(table, index);
        if (entry == 0) return false;
        putRelease(entry, value);
        return true;
    }

    /** The address of an entry, or 0 if there is no memory for its segment. */
    static long entry(long table, long index) {
        int segment = segment(index);
        if (segment >= SEGMENTS) return 0;
        long at = table + segment * 8L;
        long entries = getAcquire(at);
        if (entries == 0) {
            entries = Meta.allocate(bytes(segment));
            if (entries == 0) return 0;
            if (!compareAndSet(at, 0, entries)) {
                Meta.free(entries, bytes(segment));
                entries = getAcquire(at);
            }
        }
        return entries + (index + 16 - (16L << segment)) * 8;
    }

    /** Frees the segments; nobody may use the table any more. */
    static void release(long table) {
        for (int segment = 0; segment < SEGMENTS; segment++) {
            Meta.free(getLong(table + segment * 8L), bytes(segment));
            putLong(table + segment * 8L, 0);
        }
    }

    private static int segment(long index) { return 63 - Bits.leadingZeros(index + 16) - FIRST; }

    private static long bytes(int segment) { return (16L << segment) * 8; }
}
