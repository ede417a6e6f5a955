package dev.mimalloc.arrow;

import static dev.mimalloc.arrow.MimallocAllocationManager.FACTORY;
import static dev.mimalloc.arrow.Ours.assertEmpty;
import static dev.mimalloc.arrow.Ours.assertOurs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.arrow.memory.AllocationListener;
import org.apache.arrow.memory.AllocationOutcome;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Buffers, and what Arrow's accounting makes of them. */
class BufferTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 7, 8, 63, 64, 65, 1000, 1024, 4096, 100_000, 1 << 20, (16 << 20) + 1, 40_000_001})
    void aBufferIsOursAlignedAndWholeForUse(long size) {
        try (RootAllocator root = Ours.root(); ArrowBuf buffer = root.buffer(size)) {
            assertOurs(buffer);
            long capacity = buffer.capacity();
            assertThat(capacity).isGreaterThanOrEqualTo(size);
            assertThat(buffer.memoryAddress() % (capacity >= 64 ? 64 : capacity >= 16 ? 16 : 8)).isZero();
            assertThat(root.getAllocatedMemory()).isEqualTo(capacity);
            assertThat(buffer.getActualMemoryConsumed()).isEqualTo(capacity);
            buffer.setOne(0, capacity);
            assertThat(buffer.getByte(0)).isEqualTo((byte) -1);
            assertThat(buffer.getByte(capacity - 1)).isEqualTo((byte) -1);
        }
    }

    @Test
    void aRoundingPolicyMayLeaveSizesAsTheyAre() {
        try (RootAllocator root = new RootAllocator(RootAllocator.configBuilder()
                .allocationManagerFactory(FACTORY)
                .roundingPolicy(size -> size).build())) {
            List<ArrowBuf> buffers = new ArrayList<>();
            for (int size = 1; size < 20_000; size += 1 + size / 20) {
                buffers.add(root.buffer(size));
                assertThat(buffers.getLast().capacity()).isEqualTo(size);
            }
            for (ArrowBuf buffer : buffers) {
                assertThat(buffer.memoryAddress() % (buffer.capacity() >= 64 ? 64 : 8)).isZero();
                buffer.close();
            }
        }
    }

    @Test
    void aBufferOfNoBytesCostsNothingAndMayBeClosedAtWill() {
        try (RootAllocator root = Ours.root(0); BufferAllocator child = root.newChildAllocator("child", 0, 0)) {
            ArrowBuf empty = root.buffer(0);
            assertThat(empty.capacity()).isZero();
            assertThat(empty).isSameAs(root.getEmpty()).isSameAs(child.getEmpty());
            assertOurs(empty);
            empty.close();
            empty.close();
            assertThat(root.buffer(0).capacity()).isZero();
            assertThatThrownBy(() -> empty.setByte(0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aLimitLeavesNothingBehind() {
        try (RootAllocator root = Ours.root(1 << 20);
                BufferAllocator child = root.newChildAllocator("child", 1 << 10, 1 << 16);
                ArrowBuf held = child.buffer(1 << 15)) {
            long used = Ours.used();
            for (int i = 0; i < 100; i++) {
                assertThatThrownBy(() -> child.buffer((1 << 15) + 1)).isInstanceOf(OutOfMemoryException.class)
                        .hasMessageContaining("rounded from 32769");
                assertThatThrownBy(() -> root.buffer(1 << 20)).isInstanceOf(OutOfMemoryException.class);
            }
            assertThat(Ours.used()).isEqualTo(used);
            assertThat(child.getAllocatedMemory()).isEqualTo(held.capacity());
            assertThat(root.getAllocatedMemory()).isEqualTo(held.capacity());
            child.buffer(1 << 15).close(); // up to the limit there is room as before
        }
    }

    @Test
    void whatTheSystemDoesNotHaveIsArrowsExceptionAndLeavesNothingBehind() {
        try (RootAllocator root = Ours.root()) {
            for (long size : new long[] {1L << 50, Long.MAX_VALUE}) {
                assertThatThrownBy(() -> root.buffer(size)).isInstanceOf(OutOfMemoryException.class)
                        .hasMessageContaining(size + " bytes").hasCauseInstanceOf(OutOfMemoryError.class);
                assertEmpty(root);
            }
        }
    }

    @Test
    void aManagerThatCannotBeMadeKeepsNoMemory() {
        RootAllocator closed = Ours.root();
        closed.close();
        long used = Ours.used();
        for (int i = 0; i < 100; i++) {
            assertThatIllegalStateException().isThrownBy(() -> FACTORY.create(closed, 1 << 16));
            assertThatThrownBy(() -> FACTORY.create(null, 1 << 16))
                    .isInstanceOf(NullPointerException.class);
        }
        assertThat(Ours.used()).isEqualTo(used);
    }

    @Test
    void aNegativeSizeIsRefused() {
        try (RootAllocator root = Ours.root()) {
            assertThatIllegalArgumentException().isThrownBy(() -> root.buffer(-1))
                    .withMessageContaining("non-negative");
            assertThatIllegalArgumentException().isThrownBy(() -> FACTORY.create(root, -1))
                    .withMessage("size is negative: -1");
        }
    }

    @Test
    void aReleasedBufferIsRefusedByArrow() {
        RootAllocator root = Ours.root();
        ArrowBuf buffer = root.buffer(100);
        buffer.close();
        assertThatIllegalStateException().isThrownBy(buffer::close).withMessageContaining("RefCnt has gone negative");
        root.close();
        assertThatIllegalStateException().isThrownBy(() -> root.buffer(1)).withMessageContaining("closed");
    }

    @Test
    void aLeakIsReported() {
        RootAllocator root = Ours.root();
        ArrowBuf leaked = root.buffer(1000);
        assertThat(leaked.refCnt()).isEqualTo(1);
        assertThatIllegalStateException().isThrownBy(root::close).withMessageContaining(Ours.LEAK)
                .withMessageContaining("1024");
    }

    @Test
    void sharesOfABufferKeepItUntilTheLastHasGone() {
        long used = Ours.used();
        try (RootAllocator root = Ours.root();
                BufferAllocator giver = root.newChildAllocator("giver", 0, 1 << 20);
                BufferAllocator taker = root.newChildAllocator("taker", 0, 1 << 20)) {
            ArrowBuf buffer = giver.buffer(1 << 12);
            buffer.setLong(1000, 42);
            ArrowBuf slice = buffer.slice(1000, 8);
            slice.getReferenceManager().retain();
            ArrowBuf shared = buffer.getReferenceManager().retain(buffer, taker);
            assertThat(giver.getAllocatedMemory()).isEqualTo(1 << 12);
            assertEmpty(taker);
            buffer.close();
            slice.close(); // the last of the giver: the taker has to pay now
            assertEmpty(giver);
            assertThat(taker.getAllocatedMemory()).isEqualTo(1 << 12);
            assertThat(shared.getLong(1000)).isEqualTo(42);
            assertOurs(shared);
            shared.close();
            assertEmpty(root);
        }
        assertThat(Ours.used()).isEqualTo(used);
    }

    @Test
    void ownershipMovesBetweenAllocators() {
        try (RootAllocator root = Ours.root();
                BufferAllocator giver = root.newChildAllocator("giver", 0, 1 << 20);
                BufferAllocator taker = root.newChildAllocator("taker", 0, 1 << 11)) {
            ArrowBuf buffer = giver.buffer(1 << 12);
            var moved = buffer.getReferenceManager().transferOwnership(buffer, taker);
            assertThat(moved.getAllocationFit()).isFalse(); // more than the taker may have, and yet it goes
            buffer.close();
            assertEmpty(giver);
            assertThat(moved.getTransferredBuffer().memoryAddress()).isEqualTo(buffer.memoryAddress());
            moved.getTransferredBuffer().close();
            assertEmpty(root);
        }
    }

    @Test
    void listenersSeeEveryBuffer() {
        long[] bytes = new long[3];
        AllocationListener listener = new AllocationListener() {
            @Override
            public void onAllocation(long size) { bytes[0] += size; }
            @Override
            public void onRelease(long size) { bytes[1] += size; }
            @Override
            public boolean onFailedAllocation(long size, AllocationOutcome outcome) {
                bytes[2] += size;
                return false;
            }
        };
        try (RootAllocator root = Ours.root();
                BufferAllocator child = root.newChildAllocator("child", listener, 0, 1 << 12)) {
            for (int i = 0; i < 10; i++) child.buffer(1 << 10).close();
            assertThatThrownBy(() -> child.buffer(1 << 13)).isInstanceOf(OutOfMemoryException.class);
        }
        assertThat(bytes).containsExactly(10 << 10, 10 << 10, 1 << 13);
    }

    @Test
    void othersReleaseWhatSomeHaveAllocated() throws Exception {
        int producers = 3;
        int each = 5_000;
        BlockingQueue<ArrowBuf> queue = new ArrayBlockingQueue<>(200);
        try (RootAllocator root = Ours.root();
                ExecutorService threads = Executors.newCachedThreadPool();
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> sums = new ArrayList<>();
            for (int p = 0; p < producers; p++) {
                int seed = p;
                Callable<Long> producer = () -> {
                    for (int i = 0; i < each; i++) {
                        ArrowBuf buffer = root.buffer(9 + (i * 37 + seed) % 3000);
                        buffer.setLong(0, i);
                        buffer.setByte(buffer.capacity() - 1, 77);
                        queue.put(buffer);
                    }
                    return 0L;
                };
                Callable<Long> consumer = () -> {
                    long sum = 0;
                    for (int i = 0; i < each; i++) {
                        try (ArrowBuf buffer = queue.take()) {
                            sum += buffer.getLong(0);
                            assertThat(buffer.getByte(buffer.capacity() - 1)).isEqualTo((byte) 77);
                        }
                    }
                    return sum;
                };
                sums.add(threads.submit(producer));
                sums.add((p == 0 ? virtual : threads).submit(consumer));
            }
            long sum = 0;
            for (Future<Long> future : sums) sum += future.get();
            assertThat(sum).isEqualTo(producers * (each * (each - 1L) / 2));
            assertEmpty(root);
        }
    }
}
