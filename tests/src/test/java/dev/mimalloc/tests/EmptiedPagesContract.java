package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages whose last blocks others free come back, whoever has them, and whatever that thread does. */
abstract class EmptiedPagesContract extends Contract {
    private static final int[] SIZES = {16, 80, 600, 1000, 5000, 20_000};
    private static final long MIB = 1 << 20;
    /** The first pages of a few bins of a few threads, and what other tests' threads still have. */
    private static final long FEW = 50;

    EmptiedPagesContract(Allocator allocator) { super(allocator); }

    @AfterEach
    void nothingWasWrong() {
        assertNoError();
    }

    /** Without those that earlier tests have left to be collected. */
    private long pagesBefore() {
        allocator.collect(true);
        return pages();
    }

    private long pages() { return allocator.statistic("pages").current(); }

    /** Blocks of many sizes, of so many bytes together. */
    private List<Long> blocks(long bytes) {
        List<Long> blocks = new ArrayList<>();
        for (int size : SIZES) {
            for (long left = bytes / SIZES.length; left > 0; left -= size) blocks.add(allocator.malloc(size));
        }
        return blocks;
    }

    private void freeAll(List<Long> blocks) {
        for (long block : blocks) allocator.free(block);
        blocks.clear();
    }

    /** A thread that does what it is told, and otherwise nothing. */
    private static final class Sleeper implements AutoCloseable {
        private final BlockingQueue<Threads.Work> work = new SynchronousQueue<>();
        private final Thread thread = Thread.ofPlatform().start(() -> {
            try {
                while (true) work.take().run();
            } catch (Exception e) {
                // an interrupt: the end
            }
        });

        void run(Threads.Work todo) throws Exception {
            var done = new CountDownLatch(1);
            work.put(() -> {
                try {
                    todo.run();
                } finally {
                    done.countDown();
                }
            });
            done.await();
        }

        @Override
        public void close() {
            thread.interrupt();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Every third of the blocks. */
    private static List<Long> third(List<Long> blocks, int which) {
        List<Long> third = new ArrayList<>();
        for (int i = which; i < blocks.size(); i += 3) third.add(blocks.get(i));
        return third;
    }

    /** Blocks of a sleeper, in pages that are all in its hands: it takes them back when it frees in them. */
    private List<Long> blocksOf(Sleeper sleeper, long bytes) throws Exception {
        List<Long> blocks = new ArrayList<>();
        sleeper.run(() -> {
            blocks.addAll(blocks(bytes));
            freeAll(third(blocks, 0));
        });
        return blocks;
    }

    @Test
    void ofASleepingThread() throws Exception {
        try (var sleeper = new Sleeper()) {
            long before = pagesBefore();
            List<Long> blocks = blocksOf(sleeper, 64 * MIB);
            assertThat(pages()).isGreaterThan(before + 300);
            freeAll(third(blocks, 1));
            freeAll(third(blocks, 2));
            allocator.collect(true);
            assertThat(pages()).isLessThan(before + FEW);
        }
    }

    /** Then nobody is told that a page is empty: others have freed, and the owner's last free is like any other. */
    @Test
    void whereTheOwnerFreesLast() throws Exception {
        try (var sleeper = new Sleeper()) {
            long before = pagesBefore();
            List<Long> blocks = blocksOf(sleeper, 64 * MIB);
            freeAll(third(blocks, 1));
            sleeper.run(() -> freeAll(third(blocks, 2)));
            allocator.collect(true);
            assertThat(pages()).isLessThan(before + FEW);
        }
    }

    @Test
    void beforeOthersHaveMadeAsManyPages() throws Exception {
        try (var sleeper = new Sleeper()) {
            List<Long> blocks = blocksOf(sleeper, 256 * MIB);
            long before = pages();
            freeAll(third(blocks, 1));
            freeAll(third(blocks, 2));
            List<Long> mine = blocks(128 * MIB);
            long after = pages();
            freeAll(mine);
            assertThat(after).isLessThan(before - 500);
        }
    }

    @Test
    void ofHeapsThatWereDeletedWithLiveBlocks() throws Exception {
        try (var other = new Sleeper()) {
            long before = pagesBefore();
            for (int round = 0; round < 1000; round++) {
                List<Long> blocks = new ArrayList<>();
                long heap = allocator.heapNew();
                for (int i = 0; i < 300; i++) blocks.add(allocator.heapMalloc(heap, 1000));
                allocator.heapDelete(heap);
                other.run(() -> freeAll(blocks)); // 5 pages each time
            }
            assertThat(pages()).isLessThan(before + 1500);
            allocator.collect(true);
            assertThat(pages()).isLessThan(before + FEW);
        }
    }

    /** The thread that has allocated in them never notices that they have ended. */
    @Test
    void ofDeletedHeapsOfASleepingThread() throws Exception {
        try (var sleeper = new Sleeper()) {
            long before = pagesBefore();
            List<Long> blocks = new ArrayList<>();
            List<Long> heaps = new ArrayList<>();
            for (int i = 0; i < 500; i++) heaps.add(allocator.heapNew());
            sleeper.run(() -> {
                for (long heap : heaps) {
                    for (int size : SIZES) blocks.add(allocator.heapMalloc(heap, size));
                }
            });
            assertThat(pages()).isGreaterThan(before + 2900);
            for (long heap : heaps) allocator.heapDelete(heap);
            freeAll(blocks);
            allocator.collect(true);
            assertThat(pages()).isLessThan(before + FEW);
            sleeper.run(() -> freeAll(blocks(MIB)));
        }
    }

    /** Owners whose queues change all the time, blocks freed by all, and somebody who looks for empty pages all the time. */
    @Test
    void whileTheirOwnersAreAtWork() throws Exception {
        var stop = new AtomicBoolean();
        var shared = new AtomicReferenceArray<Long>(10_000);
        Threads.run(5, number -> {
            if (number == 4) {
                while (!stop.get()) allocator.collect(true);
                return;
            }
            var random = new Random(number);
            try {
                for (int i = 0; i < 300_000; i++) {
                    long size = 32 + 16L * random.nextInt(random.nextInt(20) == 0 ? 1000 : 8);
                    long block = allocator.malloc(size);
                    Pattern.write(block + 16, size - 16, block);
                    Raw.putLong(block, size);
                    // Now and then a burst, so that pages run full, and empty.
                    int at = i / 2000 % 2 == 0 ? random.nextInt(shared.length()) : i % shared.length();
                    Long old = shared.getAndSet(at, block);
                    if (old != null) free(old);
                    if (i % 50_000 == 0) {
                        for (int j = 0; j < shared.length(); j++) {
                            old = shared.getAndSet(j, null);
                            if (old != null) free(old);
                        }
                    }
                }
            } finally {
                stop.set(true);
            }
        });
        for (int i = 0; i < shared.length(); i++) {
            if (shared.get(i) != null) free(shared.get(i));
        }
    }

    private void free(long block) {
        assertThat(Pattern.mismatch(block + 16, Raw.getLong(block) - 16, block)).as("in 0x%x", block).isEqualTo(-1);
        allocator.free(block);
    }
}
