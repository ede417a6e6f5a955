package dev.mimalloc.ignite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.ProcessInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.ignite.internal.mem.unsafe.UnsafeMemoryAllocator;
import org.apache.ignite.internal.util.GridUnsafe;
import org.apache.ignite.mem.MemoryAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a region's allocator must do: Ignite's own is held to the same. */
class AllocatorTest {
    private static final List<Long> SIZES = List.of(1L, 8L, 100L, 4096L, 1L << 20, 20L << 20, 188_743_680L);

    static Stream<MemoryAllocator> both() { return Stream.of(new UnsafeMemoryAllocator(), new MimallocMemoryAllocator()); }

    @ParameterizedTest
    @MethodSource("both")
    void memoryIsAlignedForAnyWordAndWholeForUse(MemoryAllocator allocator) {
        for (long size : SIZES) {
            long address = allocator.allocateMemory(size);
            assertThat(address % 16).as("alignment of %d bytes", size).isZero();
            GridUnsafe.putByte(address, (byte) 1);
            GridUnsafe.putByte(address + size - 1, (byte) 2);
            assertThat(GridUnsafe.getByte(address + size - 1)).isEqualTo((byte) 2);
            allocator.freeMemory(address);
        }
    }

    @ParameterizedTest
    @MethodSource("both")
    void blocksDoNotOverlap(MemoryAllocator allocator) {
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            blocks.add(allocator.allocateMemory(100_000));
            GridUnsafe.setMemory(blocks.get(i), 100_000, (byte) i);
        }
        for (int i = 0; i < 50; i++) {
            for (int at = 0; at < 100_000; at += 997) {
                assertThat(GridUnsafe.getByte(blocks.get(i) + at)).isEqualTo((byte) i);
            }
            allocator.freeMemory(blocks.get(i));
        }
    }

    @ParameterizedTest
    @MethodSource("both")
    void nothingIsNothing(MemoryAllocator allocator) {
        assertThat(allocator.allocateMemory(0)).isZero();
        allocator.freeMemory(0);
    }

    @ParameterizedTest
    @MethodSource("both")
    void anAbsurdSizeIsRefused(MemoryAllocator allocator) {
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.allocateMemory(-1));
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> allocator.allocateMemory(1L << 60));
        allocator.freeMemory(allocator.allocateMemory(100));
    }

    @ParameterizedTest
    @MethodSource("both")
    void anotherThreadMayFree(MemoryAllocator allocator) throws Exception {
        long address = allocator.allocateMemory(1 << 20);
        Thread thread = Thread.ofPlatform().start(() -> allocator.freeMemory(address));
        thread.join();
        allocator.freeMemory(allocator.allocateMemory(1 << 20));
    }

    @Test
    void aSegmentLiesOnPagesOfTheSystem() {
        var allocator = new MimallocMemoryAllocator();
        for (long size : SIZES) {
            long address = allocator.allocateMemory(size);
            assertThat(address % 4096).isZero();
            assertThat(Mimalloc.usableSize(address)).isGreaterThanOrEqualTo(size);
            allocator.freeMemory(address);
        }
    }

    @Test
    void whatIsNotABlockIsRefused() {
        var allocator = new MimallocMemoryAllocator();
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.freeMemory(12345));
        long address = allocator.allocateMemory(64 << 20);
        allocator.freeMemory(address);
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.freeMemory(address));
    }

    /** An address space in use is no memory in use: a region of a terabyte may be asked for, and filled as data comes. */
    @Test
    void aSegmentTakesMemoryOnlyWhereItIsWritten() {
        var allocator = new MimallocMemoryAllocator();
        long size = 2L << 30;
        long before = ProcessInfo.now().resident();
        long address = allocator.allocateMemory(size);
        for (long at = 0; at < 64 << 20; at += 4096) GridUnsafe.putByte(address + at, (byte) 1);
        assertThat(ProcessInfo.now().resident() - before).isBetween(32L << 20, 512L << 20);
        allocator.freeMemory(address);
    }

    @Test
    void aLimitHolds() {
        var allocator = new MimallocMemoryAllocator();
        long limit = Mimalloc.limit();
        Mimalloc.limit(Mimalloc.used() + (32 << 20));
        try {
            assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> allocator.allocateMemory(64 << 20));
        } finally {
            Mimalloc.limit(limit);
        }
        allocator.freeMemory(allocator.allocateMemory(64 << 20));
    }

    /** A node's configuration travels to the others. */
    @Test
    void itIsSerializable() throws Exception {
        var bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(new MimallocMemoryAllocator());
        Object copy = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        MemoryAllocator allocator = (MemoryAllocator) copy;
        allocator.freeMemory(allocator.allocateMemory(100));
    }
}
