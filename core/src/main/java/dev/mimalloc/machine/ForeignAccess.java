package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Memory through the foreign memory API: one segment spans everything, and an address is an offset into it.
 *
 * <p>The masks change no address that a process can have. They tell the JIT that the offset lies inside the segment,
 * so that it drops the check: an {@code and} stays, and no branch. Of a sum with what came out of {@link #address} it
 * knows that already, and that it is aligned, and nothing stays. No load or store makes an object, not even in the
 * interpreter: an {@code OutOfMemoryError} cannot come in the middle of an update.
 */
class ForeignAccess extends Access {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final VarHandle PLAIN_LONG = JAVA_LONG_UNALIGNED.varHandle();
    private static final VarHandle INT = JAVA_INT_UNALIGNED.varHandle();
    private static final VarHandle SHORT = JAVA_SHORT_UNALIGNED.varHandle();
    private static final VarHandle BYTE = JAVA_BYTE.varHandle();
    private static final VarHandle LONG = JAVA_LONG.varHandle(); // atomics want alignment
    private static final long ZEROS = Os.map(0, ZEROS_SIZE, 4096, Os.COMMIT);
    private static final long ANY = Long.MAX_VALUE >>> 1;
    private static final long STRUCT = ANY >>> 1 & -8L;

    @Override
    long address(long a) { return a & STRUCT; }

    @Override
    long getLong(long a) { return (long) PLAIN_LONG.get(ALL, a & ANY); }
    @Override
    void putLong(long a, long v) { PLAIN_LONG.set(ALL, a & ANY, v); }
    @Override
    int getInt(long a) { return (int) INT.get(ALL, a & ANY); }
    @Override
    void putInt(long a, int v) { INT.set(ALL, a & ANY, v); }
    @Override
    short getShort(long a) { return (short) SHORT.get(ALL, a & ANY); }
    @Override
    void putShort(long a, short v) { SHORT.set(ALL, a & ANY, v); }
    @Override
    byte getByte(long a) { return (byte) BYTE.get(ALL, a & ANY); }
    @Override
    void putByte(long a, byte v) { BYTE.set(ALL, a & ANY, v); }

    @Override
    long getRelaxed(long a) { return (long) LONG.getOpaque(ALL, a & ANY); }
    @Override
    void putRelaxed(long a, long v) { LONG.setOpaque(ALL, a & ANY, v); }
    @Override
    long getAcquire(long a) { return (long) LONG.getAcquire(ALL, a & ANY); }
    @Override
    void putRelease(long a, long v) { LONG.setRelease(ALL, a & ANY, v); }
    @Override
    long getVolatile(long a) { return (long) LONG.getVolatile(ALL, a & ANY); }
    @Override
    boolean compareAndSet(long a, long expected, long v) {
        return LONG.compareAndSet(ALL, a & ANY, expected, v);
    }
    @Override
    boolean weakCompareAndSet(long a, long expected, long v) {
        return LONG.weakCompareAndSet(ALL, a & ANY, expected, v);
    }
    @Override
    long exchange(long a, long v) { return (long) LONG.getAndSet(ALL, a & ANY, v); }
    @Override
    long fetchAdd(long a, long v) { return (long) LONG.getAndAdd(ALL, a & ANY, v); }
    @Override
    long fetchAnd(long a, long v) { return (long) LONG.getAndBitwiseAnd(ALL, a & ANY, v); }
    @Override
    long fetchOr(long a, long v) { return (long) LONG.getAndBitwiseOr(ALL, a & ANY, v); }

    /** Not by single stores: each of them in the source takes much of the JIT's budget for a method. */
    @Override
    void zero(long a, long words) { fill(a, words << 3, (byte) 0); }

    @Override
    void copy(long from, long to, long size) { MemorySegment.copy(ALL, from, ALL, to, size); }
    @Override
    void fill(long a, long size, byte value) {
        if (value == 0) copyZeros(ZEROS, a, size);
        else ALL.asSlice(a, size).fill(value); // makes an object; core fills with zeros only
    }
}
