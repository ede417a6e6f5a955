package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;

/**
 * A table of words that grows without ever moving an entry, so that readers need no lock: segment {@code k} has
 * {@code 16 << k} entries and is allocated when the first of them is written. The struct is 16 pointers.
 */
public final class Table {
    private static final int FIRST = 4;
    /** The entries of the first segment. */
    private static final long ENTRIES = 1 << FIRST;
    private static final int SEGMENTS = 16;
    public static final long SIZE = SEGMENTS * WORD;

    private Table() {}

    public static long get(long table, long index) {
        int segment = segment(index);
        long entries = getAcquire(table + segment * WORD);
        return entries == 0 ? 0 : getAcquire(entries + (index + ENTRIES - (ENTRIES << segment)) * WORD);
    }

    /** Writes an entry with release; false if there is no memory for its segment. */
    public static boolean set(long table, long index, long value) {
        long entry = entry(table, index);
        if (entry == 0) return false;
        putRelease(entry, value);
        return true;
    }

    /** The address of an entry, or 0 if there is no memory for its segment. */
    public static long entry(long table, long index) {
        int segment = segment(index);
        if (segment >= SEGMENTS) return 0;
        long at = table + segment * WORD;
        long entries = getAcquire(at);
        if (entries == 0) {
            entries = Meta.allocate(bytes(segment));
            if (entries == 0) return 0;
            if (!compareAndSet(at, 0, entries)) {
                Meta.free(entries, bytes(segment));
                entries = getAcquire(at);
            }
        }
        return entries + (index + ENTRIES - (ENTRIES << segment)) * WORD;
    }

    /** Frees the segments; nobody may use the table any more. */
    public static void release(long table) {
        for (int segment = 0; segment < SEGMENTS; segment++) {
            Meta.free(getLong(table + segment * WORD), bytes(segment));
            putLong(table + segment * WORD, 0);
        }
    }

    private static int segment(long index) { return 63 - Bits.leadingZeros(index + ENTRIES) - FIRST; }

    private static long bytes(int segment) { return (ENTRIES << segment) * WORD; }
}
