package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A million virtual threads, which hand blocks on to each other and move from carrier to carrier. */
@SuppressWarnings("ThreadPriorityCheck") // that a thread yields is for it to move, and nothing relies on it
class VirtualThreadsTest {
    private static final int WAVE = 50_000;
    private static final int WAVES = 20;

    private final AtomicLong failures = new AtomicLong();

    @AfterEach
    void allIsWhole() { Invariants.check(); }

    private interface Work { void run(int number) throws Exception; }

    private void wave(Work work) throws InterruptedException {
        var done = new CountDownLatch(WAVE);
        for (int i = 0; i < WAVE; i++) {
            int number = i;
            Thread.startVirtualThread(() -> {
                try {
                    work.run(number);
                } catch (Throwable t) {
                    if (failures.getAndIncrement() == 0) t.printStackTrace();
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
    }

    /** Not their bytes: what other tests have left in a page keeps all of it that was used meanwhile. */
    private static long pages() { return Heap.main().statistics().pages().current(); }

    @Test
    void aMillionShareAFewTheaps() throws Exception {
        Mimalloc.collect(true);
        long before = pages();
        var passed = new ConcurrentLinkedQueue<Long>();
        for (int i = 0; i < WAVES; i++) {
            wave(number -> {
                long size = 16L + number % 1500;
                long block = Mimalloc.malloc(size);
                Raw.putLong(block, size);
                if (number % 4 == 0) Thread.yield(); // it may go on elsewhere
                passed.add(block);
                long taken = passed.poll(); // there is one for each thread that has come this far
                if (Raw.getLong(taken) > Mimalloc.usableSize(taken)) failures.incrementAndGet();
                Mimalloc.free(taken);
            });
        }
        assertThat(failures.get()).isZero();
        assertThat(passed).isEmpty();
        // Those of platform threads that tests before this one have left count too, until they are noticed.
        long few = 4L * Runtime.getRuntime().availableProcessors() + 32;
        assertThat(Heap.main().statistics().theaps().current()).as("theaps").isLessThanOrEqualTo(few);
        Eventually.that(() -> {
            Mimalloc.collect(true);
            return pages() <= before + 64;
        }, () -> "%,d pages were in use at the start, %,d are now".formatted(before, pages()));
    }

    @Test
    void limitsHoldForThem() throws Exception {
        try (Heap heap = Heap.create()) {
            heap.limit(32 << 20);
            var kept = new ConcurrentLinkedQueue<Long>();
            var refused = new AtomicLong();
            wave(number -> {
                try {
                    kept.add(heap.malloc(2000));
                } catch (OutOfMemoryError e) {
                    refused.incrementAndGet();
                    Long block = kept.poll();
                    if (block != null) Mimalloc.free(block);
                }
                if (number % 1000 == 0) Thread.yield();
            });
            assertThat(failures.get()).isZero();
            assertThat(refused.get()).isPositive();
            assertThat(heap.used()).isLessThanOrEqualTo(32 << 20);
            assertThat(heap.statistics().theaps().current()).isLessThanOrEqualTo(64);
            kept.forEach(Mimalloc::free);
        }
    }

    /** The thread that made a block is gone, or about to be, when it is freed by another. */
    @Test
    void whatThreadsThatEndHaveMadeIsFreedByOthers() throws Exception {
        var blocks = new ConcurrentLinkedQueue<Long>();
        Threads.run(8, number -> {
            if (number < 2) { // these free as long as the others come and go
                for (int idle = 0; idle < 2000;) {
                    Long block = blocks.poll();
                    if (block == null) {
                        idle++;
                        Thread.sleep(0, 100_000);
                        continue;
                    }
                    idle = 0;
                    Mimalloc.free(block);
                }
                return;
            }
            for (int i = 0; i < 60; i++) {
                Runnable maker = () -> {
                    for (int j = 0; j < 400; j++) blocks.add(Mimalloc.malloc(number * 40L + j * 7L));
                };
                Thread thread = i % 2 == 0 ? Thread.ofPlatform().start(maker) : Thread.startVirtualThread(maker);
                if (i % 3 == 0) thread.join();
            }
        });
        Long block;
        while ((block = blocks.poll()) != null) Mimalloc.free(block);
    }
}
