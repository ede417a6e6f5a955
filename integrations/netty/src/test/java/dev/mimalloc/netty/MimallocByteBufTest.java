package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.Option;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.IllegalReferenceCountException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What Netty's contract does not ask of a buffer. Each test gives back all memory. */
class MimallocByteBufTest {
    private final MimallocByteBufAllocator allocator = new MimallocByteBufAllocator(true);

    @AfterEach
    void allMemoryIsBack() {
        assertThat(allocator.metric().usedDirectMemory()).isZero();
        assertThat(allocator.metric().usedHeapMemory()).isZero();
    }

    @Test
    void isABlockOfTheAllocator() {
        ByteBuf buffer = allocator.directBuffer(1000);
        assertThat(Mimalloc.contains(buffer.memoryAddress())).isTrue();
        assertThat(Mimalloc.usableSize(buffer.memoryAddress())).isGreaterThanOrEqualTo(1000);
        assertThat(buffer.hasMemoryAddress()).isTrue();
        assertThat(buffer.isContiguous()).isTrue();
        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffer.alloc()).isSameAs(allocator);
        assertThat(buffer.unwrap()).isNull();
        assertThatThrownBy(buffer::array).isInstanceOf(UnsupportedOperationException.class);
        buffer.release();
    }

    @Test
    void whatIsPreferredIsDirect() {
        for (ByteBuf buffer : new ByteBuf[] {allocator.buffer(), allocator.ioBuffer(),
                new MimallocByteBufAllocator(false).ioBuffer(10)}) {
            assertThat(buffer.isDirect()).isTrue();
            buffer.release();
        }
        ByteBuf heap = new MimallocByteBufAllocator(false).buffer();
        assertThat(heap.isDirect()).isFalse();
        heap.release();
    }

    @Test
    void keepsItsContentsWhenItGrowsAndShrinks() {
        byte[] bytes = random(3_000_000);
        ByteBuf buffer = allocator.directBuffer(0);
        for (int i = 0; i < bytes.length; i += 1000) buffer.writeBytes(bytes, i, 1000);
        assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(bytes);
        buffer.capacity(100);
        assertThat(buffer.writerIndex()).isEqualTo(100);
        assertThat(allocator.metric().usedDirectMemory()).isEqualTo(100);
        assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(Arrays.copyOf(bytes, 100));
        buffer.capacity(0).capacity(64).setLong(56, 42);
        assertThat(buffer.internalNioBuffer(56, 8).getLong()).isEqualTo(42);
        buffer.release();
    }

    @Test
    void theInternalBufferFollowsTheBlock() {
        ByteBuf buffer = allocator.directBuffer(16);
        buffer.internalNioBuffer(0, 16).putLong(7);
        buffer.capacity(1 << 20);
        assertThat(buffer.getLong(0)).isEqualTo(7);
        buffer.internalNioBuffer(1 << 19, 8).putLong(8);
        assertThat(buffer.getLong(1 << 19)).isEqualTo(8);
        buffer.release();
    }

    @Test
    void rangesMayOverlap() {
        ByteBuf buffer = allocator.directBuffer(1000);
        byte[] bytes = random(1000);
        buffer.writeBytes(bytes);
        buffer.setBytes(100, buffer, 0, 900);
        System.arraycopy(bytes, 0, bytes, 100, 900);
        assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(bytes);
        buffer.slice(500, 500).getBytes(0, buffer, 450, 500);
        System.arraycopy(bytes, 500, bytes, 450, 500);
        assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(bytes);
        buffer.setBytes(1, buffer.nioBuffer(0, 999));
        System.arraycopy(bytes, 0, bytes, 1, 999);
        assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(bytes);
        buffer.release();
    }

    /** From and to each kind of buffer there is. */
    @Test
    void copiesFromAndToAllKinds() {
        byte[] bytes = random(600);
        CompositeByteBuf composite = allocator.compositeBuffer();
        for (int i = 0; i < 3; i++) composite.addComponent(true, allocator.directBuffer().writeZero(200));
        ByteBuf[] others = {allocator.directBuffer(600), allocator.heapBuffer(600), composite,
                Unpooled.directBuffer(600), Unpooled.wrappedBuffer(new byte[600]),
                Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(600)), allocator.directBuffer(900).slice(200, 600)};
        for (ByteBuf other : others) {
            ByteBuf from = allocator.directBuffer(700).writeZero(100).writeBytes(bytes);
            from.getBytes(100, other, 0, 600);
            ByteBuf to = allocator.directBuffer(700).setBytes(50, other, 0, 600).setIndex(50, 650);
            assertThat(ByteBufUtil.getBytes(to)).as(other.toString()).isEqualTo(bytes);
            from.release();
            to.release();
            other.release();
        }
    }

    @Test
    void leavesReadOnlyTargetsAlone() {
        ByteBuf from = allocator.directBuffer(8).writeLong(42);
        ByteBuf to = allocator.directBuffer(8).writeLong(0);
        assertThatThrownBy(() -> from.getBytes(0, to.asReadOnly(), 0, 8)).isInstanceOf(ReadOnlyBufferException.class);
        ByteBuffer nio = to.nioBuffer().asReadOnlyBuffer();
        assertThatThrownBy(() -> from.getBytes(0, nio)).isInstanceOf(ReadOnlyBufferException.class);
        assertThat(to.getLong(0)).isZero();
        from.release();
        to.release();
    }

    @Test
    void filesAndStreams(@TempDir Path folder) throws IOException {
        byte[] bytes = random(50_000);
        Path file = folder.resolve("bytes");
        ByteBuf buffer = allocator.directBuffer(10);
        assertThat(buffer.writeBytes(new ByteArrayInputStream(bytes), bytes.length)).isEqualTo(bytes.length);
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            assertThat(buffer.readBytes(out, 5, 30_000)).isEqualTo(30_000);
            out.position(30_005);
            assertThat(buffer.readBytes(out, 20_000)).isEqualTo(20_000);
        }
        try (FileChannel in = FileChannel.open(file)) {
            assertThat(buffer.clear().writeBytes(in, 5, 50_000)).isEqualTo(50_000);
            assertThat(ByteBufUtil.getBytes(buffer)).isEqualTo(bytes);
            assertThat(buffer.clear().writeBytes(in.position(5), 49_000)).isEqualTo(49_000);
            assertThat(buffer.setBytes(49_000, in, 1_000)).isEqualTo(1_000);
            assertThat(buffer.setBytes(0, in, 1_000)).isEqualTo(-1);
        }
        FileChannel closed = FileChannel.open(file);
        closed.close();
        assertThat(buffer.setBytes(0, closed, 1_000)).isEqualTo(-1);
        assertThat(buffer.setBytes(0, closed, 0L, 1_000)).isEqualTo(-1);
        try (var out = Files.newOutputStream(file)) {
            buffer.setIndex(0, 50_000).readBytes(out, 50_000);
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
        buffer.release();
    }

    static Stream<Consumer<ByteBuf>> uses() {
        return Stream.of(b -> b.getByte(0), b -> b.setByte(0, 1), b -> b.getShortLE(0), b -> b.setMedium(0, 1),
                b -> b.getLong(0), b -> b.setLongLE(0, 1), ByteBuf::readInt, b -> b.writeInt(1), ByteBuf::memoryAddress,
                b -> b.nioBuffer(), b -> b.internalNioBuffer(0, 1), b -> b.capacity(1), b -> b.copy().release(),
                ByteBuf::retainedSlice, ByteBuf::retain, ByteBuf::release, b -> b.setZero(0, 1), b -> b.writeZero(1),
                b -> b.getBytes(0, new byte[1]), b -> b.setBytes(0, new byte[1]),
                b -> b.getBytes(0, ByteBuffer.allocate(1)), b -> b.setBytes(0, ByteBuffer.allocate(1)),
                b -> b.getBytes(0, Unpooled.buffer(1)), b -> b.setBytes(0, Unpooled.wrappedBuffer(new byte[1])));
    }

    @ParameterizedTest
    @MethodSource("uses")
    void noUseAfterRelease(Consumer<ByteBuf> use) {
        ByteBuf buffer = allocator.directBuffer(64).writeLong(1);
        use.accept(buffer); // is fine before
        ByteBuf other = allocator.directBuffer(64);
        assertThat(other.release()).isTrue();
        while (buffer.refCnt() > 0) buffer.release();
        assertThatThrownBy(() -> use.accept(buffer)).isInstanceOf(IllegalReferenceCountException.class);
        ByteBuf next = allocator.directBuffer(64); // likely at the same address, but never the same object
        assertThatThrownBy(() -> use.accept(buffer)).isInstanceOf(IllegalReferenceCountException.class);
        next.release();
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> allocator.directBuffer(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> allocator.directBuffer(11, 10)).isInstanceOf(IllegalArgumentException.class);
        ByteBuf buffer = allocator.directBuffer(10, 20);
        assertThatThrownBy(() -> buffer.capacity(21)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> buffer.writeZero(21)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> buffer.getBytes(5, new byte[6])).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> buffer.getByte(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        buffer.release();
    }

    @Test
    void saysHowMuchThereWasNoMemoryFor() {
        ByteBuf buffer = allocator.directBuffer(16).writeLong(1).writeLong(2);
        Option.DISALLOW_OS_ALLOC.set(1);
        try {
            assertThatThrownBy(() -> allocator.directBuffer(Integer.MAX_VALUE)).isInstanceOf(OutOfMemoryError.class)
                    .hasMessageContaining("2147483647");
            assertThatThrownBy(() -> buffer.capacity(2_000_000_000)).isInstanceOf(OutOfMemoryError.class)
                    .hasMessageContaining("2000000000");
        } finally {
            Option.DISALLOW_OS_ALLOC.set(0);
        }
        assertThat(buffer.capacity()).isEqualTo(16);
        assertThat(buffer.getLong(8)).isEqualTo(2);
        buffer.release();
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }
}
