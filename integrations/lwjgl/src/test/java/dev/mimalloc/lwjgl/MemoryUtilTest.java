package dev.mimalloc.lwjgl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.lwjgl.system.MemoryUtil.NULL;
import static org.lwjgl.system.MemoryUtil.getAllocator;
import static org.lwjgl.system.MemoryUtil.memAddress;
import static org.lwjgl.system.MemoryUtil.memAddress0;
import static org.lwjgl.system.MemoryUtil.memAlignedAlloc;
import static org.lwjgl.system.MemoryUtil.memAlignedFree;
import static org.lwjgl.system.MemoryUtil.memAlloc;
import static org.lwjgl.system.MemoryUtil.memAllocDouble;
import static org.lwjgl.system.MemoryUtil.memAllocInt;
import static org.lwjgl.system.MemoryUtil.memAllocPointer;
import static org.lwjgl.system.MemoryUtil.memByteBuffer;
import static org.lwjgl.system.MemoryUtil.memCalloc;
import static org.lwjgl.system.MemoryUtil.memCallocLong;
import static org.lwjgl.system.MemoryUtil.memFree;
import static org.lwjgl.system.MemoryUtil.memRealloc;
import static org.lwjgl.system.MemoryUtil.memReport;
import static org.lwjgl.system.MemoryUtil.memSet;
import static org.lwjgl.system.MemoryUtil.memUTF8;
import static org.lwjgl.system.MemoryUtil.nmemAlignedAlloc;
import static org.lwjgl.system.MemoryUtil.nmemAlignedFree;
import static org.lwjgl.system.MemoryUtil.nmemAlloc;
import static org.lwjgl.system.MemoryUtil.nmemAllocChecked;
import static org.lwjgl.system.MemoryUtil.nmemCalloc;
import static org.lwjgl.system.MemoryUtil.nmemFree;
import static org.lwjgl.system.MemoryUtil.nmemRealloc;
import static org.lwjgl.system.MemoryUtil.nmemReallocChecked;

import dev.mimalloc.Mimalloc;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LWJGL's own functions, on this allocator. */
class MemoryUtilTest {
    private static final boolean DEBUG = Boolean.getBoolean("org.lwjgl.util.DebugAllocator");
    private static final long HUGE = 1L << 50;

    private static void assertOurs(long address) { assertThat(Mimalloc.contains(address)).isTrue(); }

    @Test
    void theAllocatorIsFoundByItsName() {
        assertThat(getAllocator()).isInstanceOf(MimallocAllocator.class);
        assertThat(getAllocator(true) instanceof MimallocAllocator).isEqualTo(!DEBUG);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 1000, 65_536, 10_000_000})
    void buffersOfAnySize(int size) {
        ByteBuffer buffer = memAlloc(size);
        assertOurs(memAddress0(buffer));
        assertThat(buffer.capacity()).isEqualTo(size);
        assertThat(memAddress0(buffer) % (size < 16 ? 8 : 16)).isZero();
        for (int i = 0; i < size; i += 97) buffer.put(i, (byte) i);
        for (int i = 0; i < size; i += 97) assertThat(buffer.get(i)).isEqualTo((byte) i);
        memFree(buffer);
    }

    @Test
    void buffersOfOtherElements() {
        var ints = memAllocInt(100);
        var doubles = memAllocDouble(100);
        var pointers = memAllocPointer(100);
        var text = memUTF8("text with ümlauts");
        assertOurs(memAddress(ints));
        assertOurs(memAddress(doubles));
        assertOurs(pointers.address());
        assertOurs(memAddress(text));
        pointers.put(99, memAddress(ints));
        assertThat(pointers.get(99)).isEqualTo(memAddress(ints));
        memFree(ints);
        memFree(doubles);
        memFree(pointers);
        memFree(text);
        memFree((ByteBuffer) null);
    }

    @Test
    void callocIsZeroEvenWhereMemoryWasUsedBefore() {
        for (int round = 0; round < 50; round++) {
            ByteBuffer used = memAlloc(3000);
            memSet(used, -1);
            memFree(used);
            ByteBuffer buffer = memCalloc(30, 100);
            for (int i = 0; i < 3000; i++) assertThat(buffer.get(i)).isZero();
            memFree(buffer);
        }
        var longs = memCallocLong(10);
        assertThat(longs.get(9)).isZero();
        memFree(longs);
    }

    @Test
    void reallocKeepsTheContents() {
        ByteBuffer buffer = memAlloc(10);
        for (int i = 0; i < 10; i++) buffer.put((byte) i);
        buffer = memRealloc(buffer, 1_000_000);
        assertOurs(memAddress0(buffer));
        assertThat(buffer.position()).isEqualTo(10);
        buffer = memRealloc(buffer, 5);
        for (int i = 0; i < 5; i++) assertThat(buffer.get(i)).isEqualTo((byte) i);
        memFree(buffer);
        memFree(memRealloc((ByteBuffer) null, 100));
    }

    @Test
    void sizesOfZero() {
        long one = nmemAlloc(0);
        long two = nmemCalloc(0, 8);
        long three = nmemRealloc(NULL, 0);
        long four = nmemAlignedAlloc(64, 0);
        assertThat(List.of(one, two, three, four, NULL)).doesNotHaveDuplicates();
        assertThat(four % 64).isZero();
        nmemFree(one);
        assertThat(nmemRealloc(two, 0)).isEqualTo(NULL); // it has been freed
        nmemFree(three);
        nmemAlignedFree(four);
        nmemFree(NULL);
        nmemAlignedFree(NULL);
        long block = nmemAlloc(100);
        nmemFree(nmemReallocChecked(block, 0)); // to LWJGL this is one byte
    }

    @ParameterizedTest
    @ValueSource(longs = {HUGE, Long.MAX_VALUE, -1, Long.MIN_VALUE})
    void moreThanThereIs(long size) {
        assertThat(nmemAlloc(size)).isEqualTo(NULL);
        assertThat(nmemCalloc(1, size)).isEqualTo(NULL);
        assertThat(nmemCalloc(size, 1 << 20)).isEqualTo(NULL);
        assertThat(nmemAlignedAlloc(64, size)).isEqualTo(NULL);
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> nmemAllocChecked(size));
        long block = nmemAlloc(16);
        ByteBuffer content = memByteBuffer(block, 16);
        memSet(content, 42);
        assertThat(nmemRealloc(block, size)).isEqualTo(NULL);
        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> nmemReallocChecked(block, size));
        for (int i = 0; i < 16; i++) assertThat(content.get(i)).isEqualTo((byte) 42);
        nmemFree(block);
    }

    @Test
    void aProductThatOverflows() {
        assertThat(nmemCalloc(1L << 32, 1L << 32)).isEqualTo(NULL);
        assertThat(nmemCalloc(3, Long.MAX_VALUE / 2)).isEqualTo(NULL);
    }

    @Test
    void alignedBlocks() {
        for (int alignment = 1; alignment <= 1 << 20; alignment <<= 1) {
            ByteBuffer buffer = memAlignedAlloc(alignment, 3 * alignment);
            assertOurs(memAddress0(buffer));
            assertThat(memAddress0(buffer) % alignment).isZero();
            buffer.put(3 * alignment - 1, (byte) 1);
            memAlignedFree(buffer);
        }
        nmemFree(nmemAlignedAlloc(4096, 100)); // either free will do
        nmemAlignedFree(nmemAlloc(100));
    }

    @Test
    void misuseIsRefused() {
        var allocator = getAllocator();
        assertThatIllegalArgumentException().isThrownBy(() -> nmemAlignedAlloc(48, 100))
                .withMessageContaining("not a power of two").withMessageContaining(" 48");
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.free(0x1234_5670L))
                .withMessageContaining("0x12345670");
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.aligned_free(0x1234_5670L));
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.realloc(0x1234_5670L, 10));
        assertThatIllegalArgumentException().isThrownBy(() -> allocator.realloc(0x1234_5670L, 0));
    }

    @Test
    void othersFreeWhatSomeHaveAllocated() throws Exception {
        BlockingQueue<ByteBuffer> queue = new ArrayBlockingQueue<>(100);
        try (ExecutorService threads = Executors.newCachedThreadPool();
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> done = new ArrayList<>();
            for (ExecutorService executor : List.of(threads, virtual)) {
                done.add(executor.submit(() -> {
                    for (int i = 0; i < 3000; i++) queue.put(memAlloc(4 + i % 900).putInt(0, i));
                    return 0;
                }));
            }
            for (ExecutorService executor : List.of(virtual, threads)) {
                done.add(executor.submit(() -> {
                    int sum = 0;
                    for (int i = 0; i < 3000; i++) {
                        ByteBuffer buffer = queue.take();
                        sum += buffer.getInt(0);
                        memFree(buffer);
                    }
                    return sum;
                }));
            }
            int sum = 0;
            for (Future<Integer> future : done) sum += future.get();
            assertThat(sum).isEqualTo(2 * (3000 * 2999 / 2));
        }
    }

    @Test
    void theDebugAllocatorKnowsWhatIsInUse() {
        Assumptions.assumeTrue(DEBUG);
        ByteBuffer buffer = memAlloc(123_457);
        List<Long> sizes = new ArrayList<>();
        memReport((address, size, thread, name, trace) -> {
            if (address == memAddress0(buffer)) sizes.add(size);
        });
        assertThat(sizes).containsExactly(123_457L);
        memFree(buffer);
        memReport((address, size, thread, name, trace) -> assertThat(size).isNotEqualTo(123_457L));
    }
}
