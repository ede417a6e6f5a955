package dev.mimalloc.netty;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Memory at an address as Java's own types see it: copies from and to arrays and {@code ByteBuffer}s, which are correct
 * where the two overlap, and {@code ByteBuffer}s over it. Nothing here checks an address.
 */
final class Bulk {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Bulk() {}

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
