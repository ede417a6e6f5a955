package dev.mimalloc.netty;

import dev.mimalloc.Mimalloc;
import io.netty.buffer.AbstractReferenceCountedByteBuf;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.util.Objects;

/**
 * A direct buffer: one block of the allocator, freed by the last release.
 *
 * <p>The object itself is new for each buffer, and not recycled: young objects cost the JVM less than any pool of them,
 * and a reference that somebody still holds after the release never comes to mean another buffer. A {@code ByteBuffer}
 * over the block is made only when somebody asks for one.
 *
 * <p>As all of Netty's buffers it is for one thread at a time, except for its reference count.
 */
final class MimallocByteBuf extends AbstractReferenceCountedByteBuf {
    private final Usage.Share share;
    private long address;
    private int capacity;
    private ByteBuffer internal; // made by the first internalNioBuffer

    MimallocByteBuf(Usage usage, int capacity, int maxCapacity) {
        super(maxCapacity);
        this.capacity = capacity;
        share = usage.share();
        share.add(capacity); // it may want Java heap, and so comes before there is a block
        try {
            address = Mimalloc.malloc(capacity);
        } catch (Throwable t) {
            share.add(-capacity);
            throw t;
        }
    }

    @Override
    protected void deallocate() {
        Mimalloc.free(address);
        int freed = capacity;
        address = 0;
        capacity = 0; // so that an index is out of bounds even where Netty's check of the count is switched off
        if (internal != null) internal = null; // most often it is, and the store costs more
        share.add(-freed);
    }

    @Override
    public int capacity() { return capacity; }

    @Override
    public ByteBuf capacity(int newCapacity) {
        checkNewCapacity(newCapacity);
        if (newCapacity == capacity) return this;
        address = Mimalloc.realloc(address, newCapacity);
        int grown = newCapacity - capacity;
        capacity = newCapacity;
        internal = null;
        trimIndicesToCapacity(newCapacity);
        share.add(grown);
        return this;
    }

    @Override
    public ByteBufAllocator alloc() { return share.usage.allocator; }
    @Override
    @SuppressWarnings("deprecation")
    public ByteOrder order() { return ByteOrder.BIG_ENDIAN; }
    @Override
    public ByteBuf unwrap() { return null; }
    @Override
    public boolean isDirect() { return true; }
    @Override
    public boolean isContiguous() { return true; }
    @Override
    public boolean hasArray() { return false; }
    @Override
    public byte[] array() { throw noArray(); }
    @Override
    public int arrayOffset() { throw noArray(); }

    private static UnsupportedOperationException noArray() {
        return new UnsupportedOperationException("a direct buffer has no array");
    }

    @Override
    public boolean hasMemoryAddress() { return true; }

    @Override
    public long memoryAddress() {
        ensureAccessible();
        return address;
    }

    // Single values. Netty has checked the index when it calls these.

    @Override
    protected byte _getByte(int index) { return Memory.getByte(address + index); }
    @Override
    protected short _getShort(int index) { return Memory.getShort(address + index); }
    @Override
    protected short _getShortLE(int index) { return Memory.getShortLE(address + index); }
    @Override
    protected int _getUnsignedMedium(int index) {
        return (_getByte(index) & 0xff) << 16 | _getShort(index + 1) & 0xffff;
    }
    @Override
    protected int _getUnsignedMediumLE(int index) {
        return _getShortLE(index) & 0xffff | (_getByte(index + 2) & 0xff) << 16;
    }
    @Override
    protected int _getInt(int index) { return Memory.getInt(address + index); }
    @Override
    protected int _getIntLE(int index) { return Memory.getIntLE(address + index); }
    @Override
    protected long _getLong(int index) { return Memory.getLong(address + index); }
    @Override
    protected long _getLongLE(int index) { return Memory.getLongLE(address + index); }

    @Override
    protected void _setByte(int index, int value) { Memory.setByte(address + index, (byte) value); }
    @Override
    protected void _setShort(int index, int value) { Memory.setShort(address + index, (short) value); }
    @Override
    protected void _setShortLE(int index, int value) { Memory.setShortLE(address + index, (short) value); }
    @Override
    protected void _setMedium(int index, int value) {
        _setByte(index, value >>> 16);
        _setShort(index + 1, value);
    }
    @Override
    protected void _setMediumLE(int index, int value) {
        _setShortLE(index, value);
        _setByte(index + 2, value >>> 16);
    }
    @Override
    protected void _setInt(int index, int value) { Memory.setInt(address + index, value); }
    @Override
    protected void _setIntLE(int index, int value) { Memory.setIntLE(address + index, value); }
    @Override
    protected void _setLong(int index, long value) { Memory.setLong(address + index, value); }
    @Override
    protected void _setLongLE(int index, long value) { Memory.setLongLE(address + index, value); }

    // Ranges.

    @Override
    public ByteBuf getBytes(int index, ByteBuf dst, int dstIndex, int length) {
        checkDstIndex(index, length, dstIndex, dst.capacity());
        if (dst.isReadOnly()) throw new ReadOnlyBufferException();
        if (dst.hasMemoryAddress()) Memory.copy(address + index, dst.memoryAddress() + dstIndex, length);
        else if (dst.hasArray()) Memory.copy(address + index, dst.array(), dst.arrayOffset() + dstIndex, length);
        else dst.setBytes(dstIndex, this, index, length);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, byte[] dst, int dstIndex, int length) {
        checkDstIndex(index, length, dstIndex, dst.length);
        Memory.copy(address + index, dst, dstIndex, length);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, ByteBuffer dst) {
        checkIndex(index, dst.remaining());
        if (dst.isReadOnly()) throw new ReadOnlyBufferException();
        Memory.copy(address + index, dst);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, OutputStream out, int length) throws IOException {
        checkIndex(index, length);
        byte[] part = new byte[Math.min(length, 8192)];
        for (int done = 0; done < length; done += part.length) {
            int size = Math.min(length - done, part.length);
            Memory.copy(address + index + done, part, 0, size);
            out.write(part, 0, size);
        }
        return this;
    }

    @Override
    public int getBytes(int index, GatheringByteChannel out, int length) throws IOException {
        return out.write(nioBuffer(index, length));
    }

    @Override
    public int getBytes(int index, FileChannel out, long position, int length) throws IOException {
        return out.write(nioBuffer(index, length), position);
    }

    @Override
    public ByteBuf setBytes(int index, ByteBuf src, int srcIndex, int length) {
        checkSrcIndex(index, length, srcIndex, src.capacity());
        if (src.hasMemoryAddress()) Memory.copy(src.memoryAddress() + srcIndex, address + index, length);
        else if (src.hasArray()) Memory.copy(src.array(), src.arrayOffset() + srcIndex, address + index, length);
        else src.getBytes(srcIndex, this, index, length);
        return this;
    }

    @Override
    public ByteBuf setBytes(int index, byte[] src, int srcIndex, int length) {
        checkSrcIndex(index, length, srcIndex, src.length);
        Memory.copy(src, srcIndex, address + index, length);
        return this;
    }

    @Override
    public ByteBuf setBytes(int index, ByteBuffer src) {
        checkIndex(index, src.remaining());
        Memory.copy(src, address + index);
        return this;
    }

    /** Asks the stream once, as Netty's buffers do, and gives it room for everything. */
    @Override
    public int setBytes(int index, InputStream in, int length) throws IOException {
        checkIndex(index, length);
        byte[] bytes = new byte[length];
        int read = in.read(bytes, 0, length);
        if (read > 0) Memory.copy(bytes, 0, address + index, read);
        return read;
    }

    @Override
    public int setBytes(int index, ScatteringByteChannel in, int length) throws IOException {
        try {
            return in.read(internalNioBuffer(index, length));
        } catch (ClosedChannelException _) {
            return -1;
        }
    }

    @Override
    public int setBytes(int index, FileChannel in, long position, int length) throws IOException {
        try {
            return in.read(internalNioBuffer(index, length), position);
        } catch (ClosedChannelException _) {
            return -1;
        }
    }

    @Override
    public ByteBuf setZero(int index, int length) {
        checkIndex(index, length);
        Memory.zero(address + index, length);
        return this;
    }

    @Override
    public ByteBuf writeZero(int length) {
        ensureWritable(length);
        int index = writerIndex();
        setZero(index, length);
        return writerIndex(index + length);
    }

    @Override
    public ByteBuf copy(int index, int length) {
        checkIndex(index, length);
        return alloc().directBuffer(length, maxCapacity()).writeBytes(this, index, length);
    }

    // Views for channels.

    @Override
    public int nioBufferCount() { return 1; }

    @Override
    public ByteBuffer nioBuffer(int index, int length) {
        checkIndex(index, length);
        return Memory.buffer(address + index, length);
    }

    @Override
    public ByteBuffer[] nioBuffers(int index, int length) { return new ByteBuffer[] {nioBuffer(index, length)}; }

    @Override
    public ByteBuffer internalNioBuffer(int index, int length) {
        checkIndex(index, length);
        if (internal == null) internal = Memory.buffer(address, capacity);
        return internal.limit(index + length).position(index);
    }
}
