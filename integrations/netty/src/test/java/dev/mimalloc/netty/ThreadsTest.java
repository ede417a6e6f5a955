package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Buffers that pass from thread to thread. Each test gives back all memory, and the metrics say so. */
class ThreadsTest {
    private final MimallocByteBufAllocator allocator = new MimallocByteBufAllocator(true);

    @AfterEach
    void allMemoryIsBack() { assertThat(allocator.metric().usedDirectMemory()).isZero(); }

    @Test
    void platformThreadsReleaseWhatOthersAllocate() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            handOver(threads, 4, 20_000);
        }
    }

    @Test
    void threadsOfNettyReleaseWhatOthersAllocate() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4, new DefaultThreadFactory("netty"))) {
            handOver(threads, 4, 20_000);
        }
    }

    @Test
    void buffersOutliveTheirThreadOfNetty() throws Exception {
        List<ByteBuf> buffers = new ArrayList<>();
        inThreadOfNetty(() -> {
            for (int i = 1; i <= 100; i++) buffers.add(allocator.directBuffer(i));
            buffers.removeFirst().release();
        });
        assertThat(allocator.metric().usedDirectMemory()).isEqualTo(5049);
        inThreadOfNetty(() -> {
            ByteBuf own = allocator.directBuffer(7);
            buffers.removeFirst().release();
            assertThat(allocator.metric().usedDirectMemory()).isEqualTo(5054);
            own.release();
        });
        buffers.forEach(ByteBuf::release);
    }

    @Test
    void aThreadOfNettyLosesItsValues() throws Exception {
        inThreadOfNetty(() -> {
            ByteBuf old = allocator.directBuffer(100);
            ByteBuf older = allocator.directBuffer(10);
            FastThreadLocal.removeAll();
            old.capacity(50);
            ByteBuf fresh = allocator.directBuffer(1000);
            older.release();
            assertThat(allocator.metric().usedDirectMemory()).isEqualTo(1050);
            old.release();
            fresh.release();
        });
    }

    /** What an ended thread had counted stays, whether or not Netty's values of it were removed. */
    @Test
    void manyThreadsOfNettyComeAndGo() throws Exception {
        List<ByteBuf> buffers = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            Runnable task = () -> buffers.add(allocator.directBuffer(10));
            Thread thread = i % 2 == 0 ? new FastThreadLocalThread(task) : new FastThreadLocalThread() {
                @Override
                public void run() { task.run(); }
            };
            thread.start();
            assertThat(allocator.metric().usedDirectMemory()).isBetween(10L * (i - 1), 10L * i);
            thread.join();
            assertThat(allocator.metric().usedDirectMemory()).isEqualTo(10L * i);
        }
        buffers.forEach(ByteBuf::release);
    }

    private static void inThreadOfNetty(Runnable task) throws Exception {
        try (ExecutorService thread = Executors.newSingleThreadExecutor(new DefaultThreadFactory("netty"))) {
            thread.submit(task).get();
        }
    }

    @Test
    void virtualThreadsReleaseWhatOthersAllocate() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            handOver(threads, 1000, 50);
        }
    }

    /** Half of the tasks allocate and fill, the other half check and release. */
    private void handOver(ExecutorService threads, int tasks, int buffers) throws Exception {
        BlockingQueue<ByteBuf> queue = new ArrayBlockingQueue<>(100);
        List<Future<?>> running = new ArrayList<>();
        for (int task = 0; task < tasks; task += 2) {
            running.add(threads.submit(() -> {
                for (int i = 0; i < buffers; i++) {
                    int size = ThreadLocalRandom.current().nextInt(3000);
                    ByteBuf buffer = allocator.directBuffer(size / 2);
                    while (buffer.readableBytes() < size) buffer.writeByte(size);
                    queue.put(buffer);
                }
                return null;
            }));
            running.add(threads.submit(() -> {
                for (int i = 0; i < buffers; i++) {
                    ByteBuf buffer = queue.take();
                    byte value = (byte) buffer.readableBytes();
                    assertThat(buffer.forEachByte(b -> b == value)).isEqualTo(-1);
                    assertThat(buffer.release()).isTrue();
                }
                return null;
            }));
        }
        for (Future<?> task : running) task.get();
    }

    /** Of many releases at once, one more than there are references, exactly one fails and one frees. */
    @Test
    void racingReleasesFreeOnce() throws Exception {
        int racers = 4;
        try (ExecutorService threads = Executors.newFixedThreadPool(racers)) {
            for (int round = 0; round < 2000; round++) {
                ByteBuf buffer = allocator.directBuffer(100).retain(racers - 2);
                CountDownLatch start = new CountDownLatch(racers);
                AtomicInteger freed = new AtomicInteger();
                AtomicInteger refused = new AtomicInteger();
                List<Future<?>> running = new ArrayList<>();
                for (int i = 0; i < racers; i++) {
                    running.add(threads.submit(() -> {
                        start.countDown();
                        start.await();
                        try {
                            if (buffer.release()) freed.incrementAndGet();
                        } catch (IllegalReferenceCountException _) {
                            refused.incrementAndGet();
                        }
                        return null;
                    }));
                }
                for (Future<?> racer : running) racer.get();
                assertThat(freed).hasValue(1);
                assertThat(refused).hasValue(1);
            }
        }
    }

    @Test
    void threadsThatEndLeaveTheirBuffersUsable() throws Exception {
        List<ByteBuf> buffers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int value = i;
            Thread thread = new Thread(() -> buffers.add(allocator.directBuffer(64).writeInt(value)));
            thread.start();
            thread.join();
        }
        assertThat(allocator.metric().usedDirectMemory()).isEqualTo(50 * 64);
        for (int i = 0; i < 50; i++) {
            ByteBuf buffer = buffers.get(i).capacity(5000);
            assertThat(buffer.readInt()).isEqualTo(i);
            buffer.release();
            assertThatThrownBy(buffer::release).isInstanceOf(IllegalReferenceCountException.class);
        }
    }
}
