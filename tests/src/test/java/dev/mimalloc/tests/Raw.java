package dev.mimalloc.tests;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Memory by its address: the tests read and write blocks without the machine that they test. */
final class Raw {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    static long getLong(long a) { return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, a); }
    static void putLong(long a, long v) { ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, a, v); }
    static int getByte(long a) { return ALL.get(ValueLayout.JAVA_BYTE, a) & 0xff; }
    static void putByte(long a, int v) { ALL.set(ValueLayout.JAVA_BYTE, a, (byte) v); }
    static void fill(long a, long size, int v) { segment(a, size).fill((byte) v); }

    static MemorySegment segment(long a, long size) { return MemorySegment.ofAddress(a).reinterpret(size); }

    /** The offset of the first byte that is not zero, -1 if all are. */
    static long firstDirty(long a, long size) {
        long i = 0;
        for (; i + 8 <= size; i += 8) {
            if (getLong(a + i) != 0) break;
        }
        for (; i < size; i++) {
            if (getByte(a + i) != 0) return i;
        }
        return -1;
    }

    private Raw() {}
}
