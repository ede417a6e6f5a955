package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Blocks that are passed on, threads that end too early, heaps that end while others work. */
abstract class ConcurrencyContract extends Contract {
    private static final int SIZES = 2000;

    ConcurrencyContract(Allocator allocator) { super(allocator); }

    @AfterEach
    void nothingIsLeft() { // in the pages that the test's threads left behind
        assertNoError();
    }

    /** A block that carries its own size and seed: {@link #open} checks all of it. */
    private long sealed(long block, long size, long seed) {
        assertThat(block).isNotZero();
        Pattern.write(block + 16, size, seed);
        Raw.putLong(block, size);
        Raw.putLong(block + 8, seed);
        return block;
    }

    private long newSealed(Random random) {
        long size = random.nextInt(100) == 0 ? random.nextInt(100_000) : random.nextInt(SIZES);
        return sealed(allocator.malloc(size + 16), size, random.nextLong());
    }

    private long open(long block) {
        long size = Raw.getLong(block);
        long seed = Raw.getLong(block + 8);
        assertThat(size).as("size in block 0x%x", block).isBetween(0L, 10_000_000L);
        long at = Pattern.mismatch(block + 16, size, seed);
        assertThat(at).as("mismatch in block 0x%x of %d bytes", block, size).isEqualTo(-1);
        return block;
    }

    @Test
    void producersAndConsumers() throws Exception {
        int pairs = 3;
        int blocks = 200_000;
        var queue = new ArrayBlockingQueue<Long>(1000);
        Threads.run(2 * pairs, number -> {
            var random = new Random(number);
            for (int i = 0; i < blocks / pairs; i++) {
                if (number < pairs) queue.put(newSealed(random));
                else allocator.free(open(queue.take()));
            }
        });
        assertThat(queue).isEmpty();
    }

    @Test
    void aRingOfThreadsPassesBlocksOn() throws Exception {
        int threads = 8;
        int rounds = 20_000;
        List<LinkedBlockingQueue<Long>> queues = new ArrayList<>();
        for (int i = 0; i < threads; i++) queues.add(new LinkedBlockingQueue<>());
        Threads.run(threads, number -> {
            var random = new Random(number);
            for (int i = 0; i < 32; i++) queues.get(number).put(newSealed(random));
            for (int i = 0; i < rounds; i++) {
                long block = open(queues.get(number).take());
                if (random.nextInt(4) == 0) { // most wander on, some end here
                    allocator.free(block);
                    block = newSealed(random);
                } else if (random.nextInt(8) == 0) {
                    long size = random.nextInt(SIZES);
                    block = sealed(allocator.realloc(block, size + 16), size, random.nextLong());
                }
                queues.get((number + 1) % threads).put(block);
            }
            for (int i = 0; i < 32; i++) allocator.free(open(queues.get(number).take()));
        });
    }

    @Test
    void threadsDieWithLiveBlocks() throws Exception {
        var left = new ConcurrentLinkedQueue<Long>();
        for (int generation = 0; generation < 30; generation++) {
            int seed = generation;
            Threads.run(6, number -> {
                var random = new Random(seed * 31L + number);
                for (int i = 0; i < 1000; i++) {
                    left.add(newSealed(random));
                    if (random.nextInt(10) < 9) allocator.free(open(left.poll())); // mostly blocks of the dead
                }
            });
        }
        while (!left.isEmpty()) allocator.free(open(left.poll()));
    }

    @Test
    void theDeadLeaveFullPagesOfEveryClass() throws Exception {
        var sizes = Sizes.classes(allocator);
        Threads.run(3, number -> {
            for (long size : sizes) {
                for (int i = 0; i < Math.min(300, 300_000 / size + 2); i++) live.add(allocator.malloc(size), size);
            }
        });
        live.checkAll();
        var left = live.all(); // a thread that looked later would find blocks whose patterns are being written
        Threads.run(3, number -> { // others free them, and allocate in the pages that so come back
            for (LiveBlocks.Block block : left) {
                if (block.seed() % 3 != number) continue;
                live.free(block.address());
                if (block.seed() % 2 == 0) live.add(allocator.malloc(block.size()), block.size());
            }
        });
        live.checkAll();
    }

    @Tag("usage")
    @Test
    void frozenThreadsBlocksAreFreedByOthers() throws Exception { // their pages stay theirs, the frees must not be lost
        var done = new CountDownLatch(1);
        var ready = new CountDownLatch(4);
        var blocks = new ConcurrentLinkedQueue<Long>();
        long before = allocator.statistic("malloc_normal").current();
        var owners = Thread.ofPlatform().start(() -> {
            try {
                Threads.run(4, number -> {
                    var random = new Random(number);
                    for (int i = 0; i < 5000; i++) blocks.add(newSealed(random));
                    ready.countDown();
                    done.await();
                });
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        ready.await();
        Threads.run(4, number -> {
            for (Long block = blocks.poll(); block != null; block = blocks.poll()) allocator.free(open(block));
        });
        assertThat(allocator.statistic("malloc_normal").current()).isEqualTo(before);
        done.countDown();
        owners.join();
    }

    @Test
    void heapsAreDestroyedWhileOthersAllocate() throws Exception {
        var stop = new AtomicBoolean();
        Threads.run(6, number -> {
            var random = new Random(number);
            try {
                if (number < 2) { // heaps come and go
                    for (int i = 0; i < 500; i++) {
                        long heap = allocator.heapNew();
                        for (int j = 0; j < 200; j++) {
                            long size = random.nextInt(SIZES);
                            open(sealed(allocator.heapMalloc(heap, size + 16), size, random.nextLong()));
                        }
                        sealed(allocator.heapMalloc(heap, 1_000_016), 1_000_000, 1);
                        allocator.heapDestroy(heap);
                    }
                } else {
                    var mine = new ArrayList<Long>();
                    for (int i = 0; !stop.get(); i++) {
                        mine.add(newSealed(random));
                        if (mine.size() > 500) allocator.free(open(mine.remove(random.nextInt(mine.size()))));
                    }
                    for (long block : mine) allocator.free(open(block));
                }
            } finally {
                if (number < 2) stop.set(true);
            }
        });
    }

    @Test
    void manyThreadsShareAHeapThatIsThenDestroyed() throws Exception {
        for (int round = 0; round < 20; round++) {
            long heap = allocator.heapNew();
            var over = new CyclicBarrier(4);
            Threads.run(4, number -> {
                var random = new Random(number);
                var mine = new ArrayList<Long>();
                for (int i = 0; i < 1000; i++) {
                    long size = random.nextInt(SIZES);
                    mine.add(sealed(allocator.heapMalloc(heap, size + 16), size, random.nextLong()));
                    if (i % 3 == 0) allocator.free(open(mine.remove(random.nextInt(mine.size()))));
                }
                for (long block : mine) open(block);
                over.await(); // their parts of the heap still live when it is destroyed
                if (number == 0) allocator.heapDestroy(heap);
                over.await();
                for (int i = 0; i < 100; i++) allocator.free(open(newSealed(random)));
            });
        }
    }

    @Tag("usage")
    @Test
    void aHeapIsDeletedWhileItsBlocksAreFreed() throws Exception {
        allocator.collect(true);
        long bytes = allocator.statistic("malloc_normal").current();
        long pages = allocator.statistic("pages").current();
        for (int round = 0; round < 30; round++) {
            long heap = allocator.heapNew();
            var blocks = new ConcurrentLinkedQueue<Long>();
            var random = new Random(round);
            Threads.run(2, number -> {
                for (int i = 0; i < 2000; i++) {
                    long size = 16L + i % SIZES;
                    blocks.add(sealed(allocator.heapMalloc(heap, size + 16), size, number));
                }
            });
            for (int i = 0; i < 2000; i++) blocks.add(sealed(allocator.heapMalloc(heap, i + 16), i, random.nextLong()));
            var start = new CyclicBarrier(4);
            Threads.run(4, number -> {
                start.await();
                if (number == 0) allocator.heapDelete(heap);
                else for (Long block = blocks.poll(); block != null; block = blocks.poll()) allocator.free(open(block));
            });
            assertThat(blocks).isEmpty();
        }
        assertThat(allocator.statistic("malloc_normal").current()).isEqualTo(bytes);
        Eventually.that(() -> {
            allocator.collect(true);
            return allocator.statistic("pages").current() <= pages;
        }, () -> "there were %d pages, and are %d now".formatted(pages, allocator.statistic("pages").current()));
    }

    @Test
    void heapsAreDeletedByOthersThanThoseWhoUsedThem() throws Exception {
        int threads = 4;
        var heaps = new AtomicReferenceArray<Long>(threads);
        var blocks = new ConcurrentLinkedQueue<Long>();
        var turn = new CyclicBarrier(threads);
        Threads.run(threads, number -> {
            var random = new Random(number);
            for (int round = 0; round < 200; round++) {
                heaps.set(number, allocator.heapNew());
                turn.await();
                for (int i = 0; i < 50; i++) { // everybody uses every heap
                    long size = random.nextInt(SIZES);
                    long heap = heaps.get(i % threads);
                    blocks.add(sealed(allocator.heapMalloc(heap, size + 16), size, random.nextLong()));
                }
                long other = heaps.get((number + 1) % threads);
                turn.await();
                allocator.heapDelete(other);
                for (int i = 0; i < 50; i++) allocator.free(open(blocks.poll()));
            }
        });
        assertThat(blocks).isEmpty();
    }

    @Test
    void moreThreadsThanProcessorsExchangeAtRandom() throws Exception {
        int threads = 16;
        var shared = new AtomicReferenceArray<Long>(1024);
        Threads.run(threads, number -> {
            var random = new Random(number);
            for (int i = 0; i < 30_000; i++) {
                Long old = shared.getAndSet(random.nextInt(1024), newSealed(random));
                if (old != null) allocator.free(open(old));
            }
        });
        for (int i = 0; i < 1024; i++) {
            if (shared.get(i) != null) allocator.free(open(shared.get(i)));
        }
    }

    @Test
    void collectsGoOnMeanwhile() throws Exception {
        var shared = new AtomicReferenceArray<Long>(256);
        var stop = new AtomicBoolean();
        Threads.run(5, number -> {
            var random = new Random(number);
            try {
                if (number == 0) {
                    while (!stop.get()) allocator.collect(random.nextBoolean());
                    return;
                }
                for (int i = 0; i < 20_000; i++) {
                    Long old = shared.getAndSet(random.nextInt(256), newSealed(random));
                    if (old != null) allocator.free(open(old));
                }
            } finally {
                stop.set(true);
            }
        });
        for (int i = 0; i < 256; i++) {
            if (shared.get(i) != null) allocator.free(open(shared.get(i)));
        }
    }
}
