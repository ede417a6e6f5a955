package dev.mimalloc.netty;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.BIG_ENDIAN;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Memory at an address, as Netty wants it: values in both byte orders, copies from and to what Java has, which are
 * correct where the two overlap, and {@code ByteBuffer}s over it. Nothing here checks an address.
 *
 * <p>One segment spans everything, and an address is an offset into it. The JIT hoists the segment's own check out of
 * a loop over a buffer.
 */
final class Memory {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final VarHandle BYTE = JAVA_BYTE.varHandle();
    private static final VarHandle SHORT = JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN).varHandle();
    private static final VarHandle SHORT_LE = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT = JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN).varHandle();
    private static final VarHandle INT_LE = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN).varHandle();
    private static final VarHandle LONG = JAVA_LONG_UNALIGNED.withOrder(BIG_ENDIAN).varHandle();
    private static final VarHandle LONG_LE = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN).varHandle();

    private Memory() {}

    static byte getByte(long a) { return (byte) BYTE.get(ALL, a); }
    static void setByte(long a, byte v) { BYTE.set(ALL, a, v); }
    static short getShort(long a) { return (short) SHORT.get(ALL, a); }
    static void setShort(long a, short v) { SHORT.set(ALL, a, v); }
    static short getShortLE(long a) { return (short) SHORT_LE.get(ALL, a); }
    static void setShortLE(long a, short v) { SHORT_LE.set(ALL, a, v); }
    static int getInt(long a) { return (int) INT.get(ALL, a); }
    static void setInt(long a, int v) { INT.set(ALL, a, v); }
    static int getIntLE(long a) { return (int) INT_LE.get(ALL, a); }
    static void setIntLE(long a, int v) { INT_LE.set(ALL, a, v); }
    static long getLong(long a) { return (long) LONG.get(ALL, a); }
    static void setLong(long a, long v) { LONG.set(ALL, a, v); }
    static long getLongLE(long a) { return (long) LONG_LE.get(ALL, a); }
    static void setLongLE(long a, long v) { LONG_LE.set(ALL, a, v); }

    static void copy(long from, long to, int length) { MemorySegment.copy(ALL, from, ALL, to, length); }

    static void copy(long from, byte[] to, int index, int length) {
        MemorySegment.copy(ALL, JAVA_BYTE, from, to, index, length);
    }

    static void copy(byte[] from, int index, long to, int length) {
        MemorySegment.copy(from, index, ALL, JAVA_BYTE, to, length);
    }

    /** Fills what remains of a buffer, and moves its position. */
    static void copy(long from, ByteBuffer to) {
        MemorySegment.copy(ALL, from, MemorySegment.ofBuffer(to), 0, to.remaining());
        to.position(to.limit());
    }

    /** Takes what remains of a buffer, and moves its position. */
    static void copy(ByteBuffer from, long to) {
        MemorySegment.copy(MemorySegment.ofBuffer(from), 0, ALL, to, from.remaining());
        from.position(from.limit());
    }

    static void zero(long address, int length) { ALL.asSlice(address, length).fill((byte) 0); }

    /** A direct buffer, big-endian as a new one is. */
    static ByteBuffer buffer(long address, int length) { return ALL.asSlice(address, length).asByteBuffer(); }
}
