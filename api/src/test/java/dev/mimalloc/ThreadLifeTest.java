package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.face.ProcessLife;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Threads come and go, and what they leave is used again. */
class ThreadLifeTest {
    private static final long MIB = 1 << 20;

    @Test
    void tenThousandShortThreadsLeaveNoMemory() throws Exception {
        shortThreads(500, 100);
        // A system may keep something of each thread for itself: qemu keeps 280 KB.
        long kept = leftByThreads(10_000, 0);
        long left = leftByThreads(10_000, 100);
        // The Java heap is resident as well, and may just have grown; what a thread leaves is left each time.
        for (int again = 0; again < 3 && left - kept >= 64 * MIB; again++) left = leftByThreads(10_000, 100);
        assertThat(left - kept).isLessThan(64 * MIB);
    }

    private static long leftByThreads(int count, int blocks) throws InterruptedException {
        Mimalloc.collect(true);
        long before = resident();
        shortThreads(count, blocks);
        Mimalloc.collect(true);
        return resident() - before;
    }

    private static void shortThreads(int count, int blocksOfEach) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                long[] blocks = new long[blocksOfEach];
                for (int j = 0; j < blocks.length; j++) blocks[j] = Mimalloc.zalloc(16 + 40L * j);
                for (long block : blocks) Mimalloc.free(block);
            }));
            if (threads.size() == 16) {
                for (Thread thread : threads) thread.join();
                threads.clear();
            }
        }
        for (Thread thread : threads) thread.join();
        Thread.sleep(300); // the last ends are noticed
    }

    @Test
    void whatAnEndedThreadLeavesIsUsedAgain() throws Exception {
        int rounds = 200, blocks = 1000;
        long before = 0;
        for (int round = 0; round < rounds; round++) {
            List<Long> left = new ArrayList<>();
            Thread.ofPlatform().start(() -> {
                for (int i = 0; i < blocks; i++) left.add(Mimalloc.malloc(1000));
            }).join();
            left.forEach(Mimalloc::free);
            if (round == rounds / 4) before = resident();
        }
        assertThat(resident() - before).isLessThan(64 * MIB);
    }

    @Test
    void manyVirtualThreadsNeedFewTheaps() throws Exception {
        ProcessLife.tick();
        long before = resident();
        AtomicInteger wrong = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                long mark = i;
                work.add(threads.submit(() -> {
                    long block = Mimalloc.malloc(64);
                    MemorySegment segment = MemorySegment.ofAddress(block).reinterpret(64);
                    segment.set(ValueLayout.JAVA_LONG, 0, mark);
                    sleep(1);
                    if (segment.get(ValueLayout.JAVA_LONG, 0) != mark) wrong.incrementAndGet();
                    Mimalloc.free(block);
                }));
            }
            for (Future<?> each : work) each.get();
        }
        assertThat(wrong).hasValue(0);
        assertThat(resident() - before).isLessThan(512 * MIB); // the threads themselves need most of it
    }

    @Test
    void aFullStackTearsNothing() throws Exception {
        AtomicInteger overflows = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int round = 0; round < 5; round++) {
            Thread thread = Thread.ofPlatform().stackSize(512 << 10).start(() -> {
                try (Heap heap = Heap.create()) {
                    List<Long> blocks = new ArrayList<>(1 << 16);
                    descend(heap, blocks, overflows);
                    assertThat(blocks).doesNotHaveDuplicates().allMatch(heap::contains);
                    for (int i = 0; i < blocks.size(); i += 2) Mimalloc.free(blocks.get(i));
                    for (int i = 0; i < 10_000; i++) heap.malloc(8 + i % 2000);
                    assertThat(heap.visit(true, (area, block, size) -> true)).isTrue();
                } catch (Throwable t) {
                    failure.set(t);
                }
            });
            thread.join();
            assertThat(failure.get()).isNull();
        }
        assertThat(overflows.get()).isPositive();
    }

    /** Allocates and frees at each depth, down to the end of the stack and on the way back up. */
    private static void descend(Heap heap, List<Long> blocks, AtomicInteger overflows) {
        try {
            use(heap, blocks);
            if (blocks.size() < 1 << 16) descend(heap, blocks, overflows);
        } catch (StackOverflowError e) {
            overflows.incrementAndGet();
        }
    }

    private static void use(Heap heap, List<Long> blocks) {
        int size = blocks.size();
        long block = heap.malloc(8 + 64L * (size % 200));
        if (size % 3 == 0) Mimalloc.free(block);
        else blocks.add(block);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static long resident() { return ProcessInfo.now().resident(); }
}
