package dev.mimalloc.tests;

import static dev.mimalloc.tests.Sizes.GIB;
import static dev.mimalloc.tests.Sizes.KIB;
import static dev.mimalloc.tests.Sizes.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Options;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** What child processes do: see {@link Child}. A failure is an exit code other than 0. */
enum Scenario {
    /** A burst that is freed by the thread that made it, which then goes on with little. */
    BURST {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            long[] blocks = burst(a, start);
            free(a, blocks);
            assertReturns(a, start);
        }
    },
    /** A burst that is freed by the thread that made it, which then makes no more calls: others do. */
    BURST_OF_A_THREAD_THAT_FALLS_SILENT {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            var freed = new CountDownLatch(1);
            var end = new CountDownLatch(1);
            Thread.ofPlatform().daemon().start(() -> {
                free(a, burst(a, start));
                freed.countDown();
                await(end);
            });
            freed.await();
            assertReturns(a, start);
            end.countDown();
        }
    },
    /** A burst that another thread frees, while its maker makes no more calls. */
    BURST_FREED_BY_ANOTHER_THREAD {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            var made = new CountDownLatch(1);
            var end = new CountDownLatch(1);
            var blocks = new long[1][];
            Thread.ofPlatform().daemon().start(() -> {
                blocks[0] = burst(a, start);
                made.countDown();
                await(end);
            });
            made.await();
            free(a, blocks[0]);
            assertReturns(a, start);
            end.countDown();
        }
    },
    /** A burst whose maker has ended when another thread frees it. */
    BURST_OF_A_THREAD_THAT_ENDED {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            var blocks = new long[1][];
            Threads.run(() -> blocks[0] = burst(a, start));
            free(a, blocks[0]);
            assertReturns(a, start);
        }
    },
    /** A burst beside as much that stays in use, and then nobody calls at all. */
    SILENCE_AFTER_A_BURST {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            long[] kept = blocks(a, GIB / 2);
            long used = Memory.resident() - start;
            free(a, burst(a, start + used));
            Eventually.that(() -> Memory.resident() - start < used * 5 / 4 + 100 * MIB,
                    () -> "%,d bytes are in use, %,d resident".formatted(used, Memory.resident() - start));
            free(a, kept);
        }
    },
    /** A burst in a heap, which is destroyed. */
    BURST_IN_A_HEAP {
        @Override
        void run(Allocator a) throws Exception {
            long start = settle(a);
            long heap = a.heapNew();
            long before = a.theapSetDefault(a.heapTheap(heap));
            burst(a, start);
            a.theapSetDefault(before);
            a.heapDestroy(heap);
            assertReturns(a, start);
        }
    },
    /** As many blocks as an hour of a busy server brings, passed from thread to thread: the live ones are few. */
    PRODUCERS_AND_CONSUMERS {
        @Override
        void run(Allocator a) throws Exception {
            int pairs = 2;
            int batches = 80_000;
            int batch = 256;
            int capacity = 200;
            long start = settle(a);
            var queue = new ArrayBlockingQueue<long[]>(capacity);
            var live = new AtomicLong();
            var peakLive = new AtomicLong();
            var peakResident = new AtomicLong();
            Threads.run(2 * pairs, number -> {
                var random = new Random(number);
                for (int i = 0; i < batches / pairs; i++) {
                    if (number < pairs) {
                        int size = 16 << (i / 500) % 6; // in phases, so that the classes' needs change
                        long[] blocks = new long[batch];
                        long bytes = 0;
                        for (int j = 0; j < batch; j++) {
                            blocks[j] = a.malloc(size + random.nextInt(size));
                            Raw.putLong(blocks[j], number);
                            bytes += a.usableSize(blocks[j]);
                        }
                        peakLive.accumulateAndGet(live.addAndGet(bytes), Math::max);
                        queue.put(blocks);
                    } else {
                        long bytes = 0;
                        for (long block : queue.take()) {
                            bytes += a.usableSize(block);
                            a.free(block);
                        }
                        live.addAndGet(-bytes);
                        if (i % 500 == 0) peakResident.accumulateAndGet(Memory.resident() - start, Math::max);
                    }
                }
            });
            System.out.printf("%,d blocks; live: %,d bytes; resident: %,d more than at the start%n", batches * batch,
                    peakLive.get(), peakResident.get());
            assertThat(peakResident.get()).isLessThan(4 * peakLive.get() + 32 * MIB);
        }
    },
    /** Many threads that live for a moment; what they leave behind is freed later. */
    SHORT_THREADS {
        @Override
        void run(Allocator a) throws Exception {
            shortThreads(a, 1000);
            quiet(a);
            long threads = a.statistic("threads").current();
            long committed = a.statistic("committed").current();
            long reserved = a.statistic("reserved").current();
            long resident = Memory.resident();
            shortThreads(a, 10_000);
            quiet(a);
            assertThat(a.statistic("threads").total()).isGreaterThanOrEqualTo(11_000);
            Eventually.that(() -> a.statistic("threads").current() <= threads,
                    () -> "%d threads are still counted".formatted(a.statistic("threads").current()));
            assertThat(a.statistic("theaps").current()).as("theaps").isLessThanOrEqualTo(threads);
            assertThat(a.statistic("pages").current()).as("pages").isZero();
            assertThat(a.statistic("pages_abandoned").current()).as("abandoned pages").isZero();
            assertThat(a.statistic("reserved").current()).as("reserved").isEqualTo(reserved);
            committedAtMost(a, committed + 8 * MIB);
            assertThat(Memory.resident()).as("resident").isLessThan(resident + 32 * MIB);
        }
    },
    /** Heaps and heaps: each leaves nothing behind. */
    SHORT_HEAPS {
        @Override
        void run(Allocator a) throws Exception {
            shortHeaps(a, 1000);
            quiet(a);
            long committed = a.statistic("committed").current();
            long resident = Memory.resident();
            shortHeaps(a, 20_000);
            quiet(a);
            assertThat(a.statistic("heaps").current()).as("heaps").isEqualTo(1);
            assertThat(a.statistic("pages").current()).as("pages").isZero();
            committedAtMost(a, committed + 8 * MIB);
            assertThat(Memory.resident()).as("resident").isLessThan(resident + 32 * MIB);
        }
    },
    /** Threads and heaps do all sorts of things; then all is freed, and the statistics say so. */
    ALL_IS_FREED {
        @Override
        void run(Allocator a) throws Exception {
            var live = new LiveBlocks(a);
            Threads.run(4, number -> {
                var random = new Random(number);
                long heap = a.heapNew();
                for (int i = 0; i < 20_000; i++) {
                    double most = random.nextInt(500) == 0 ? 5e6 : 2e4;
                    long size = (long) Math.exp(random.nextDouble() * Math.log(most));
                    boolean inHeap = random.nextInt(3) == 0;
                    long block = inHeap ? a.heapMalloc(heap, size) : a.mallocAligned(size, 1L << 4 + random.nextInt(8));
                    live.add(block, size, inHeap ? heap : 0);
                    if (i % 4 != 0) live.free(block);
                }
                if (number % 2 == 0) live.removeHeap(heap);
                if (number % 2 == 0) a.heapDestroy(heap);
                else a.heapDelete(heap);
            });
            long malloc = a.statistic("malloc_normal").current() + a.statistic("malloc_huge").current();
            assertThat(malloc).as("bytes in blocks").isGreaterThanOrEqualTo(live.usableBytes());
            live.freeAll();
            quiet(a);
            for (String name : new String[] {"malloc_normal", "malloc_huge", "pages", "pages_abandoned"}) {
                assertThat(a.statistic(name).current()).as(name).isZero();
            }
            assertThat(a.statistic("heaps").current()).as("heaps").isEqualTo(1);
        }
    },
    /** A million threads, nearly: virtual ones pass blocks on. JVM only. */
    VIRTUAL_THREADS("-Xmx512m") {
        @Override
        void run(Allocator a) throws Exception {
            int count = 100_000;
            var passed = new ConcurrentLinkedQueue<Long>();
            var failure = new AtomicLong();
            var done = new CountDownLatch(count);
            for (int i = 0; i < count; i++) {
                int number = i;
                Thread.ofVirtual().start(() -> {
                    try {
                        long[] blocks = new long[10];
                        for (int j = 0; j < 10; j++) {
                            long size = 16 + (number * 31L + j * 97L) % 2000;
                            blocks[j] = a.malloc(size);
                            Pattern.write(blocks[j], size, number);
                            if (j == 5) LockSupport.parkNanos(1); // it may go on on another carrier
                        }
                        for (int j = 0; j < 10; j++) {
                            long size = 16 + (number * 31L + j * 97L) % 2000;
                            if (Pattern.mismatch(blocks[j], size, number) >= 0) failure.incrementAndGet();
                            if (j == 0) passed.add(blocks[j]);
                            else a.free(blocks[j]);
                        }
                        if (number % 2 == 0) a.free(passed.poll());
                    } catch (Throwable t) {
                        t.printStackTrace();
                        failure.incrementAndGet();
                    }
                    done.countDown();
                });
            }
            done.await();
            assertThat(failure.get()).as("failures").isZero();
            long few = 4L * Runtime.getRuntime().availableProcessors() + 16;
            assertThat(a.statistic("theaps").peak()).as("theaps").isLessThanOrEqualTo(few);
            assertThat(passed).hasSize(count / 2);
            passed.forEach(a::free);
            quiet(a);
            assertThat(a.statistic("malloc_normal").current()).isZero();
        }
    },
    /** Prints the options, one a line. */
    PRINT_OPTIONS {
        @Override
        void run(Allocator a) {
            for (int option = 0; option < Options.COUNT; option++) System.out.println(option + "=" + a.option(option));
        }
    },
    /** Some blocks, some of which are never freed. */
    SOME_BLOCKS {
        @Override
        void run(Allocator a) {
            for (int i = 0; i < 10_000; i++) {
                long block = a.malloc(i);
                if (i % 10 != 0) a.free(block);
            }
        }
    },
    /** Prints how many of some blocks lie in an arena that belongs to the NUMA node {@code NODE}. */
    BLOCKS_AND_THE_ARENA_OF_A_NODE {
        @Override
        void run(Allocator a) {
            long size = 64 * MIB;
            long start = Arena.global().allocate(size, 64 * KIB).address();
            assertThat(a.manage(start, size, Integer.parseInt(System.getenv("NODE")))).isTrue();
            int inside = 0;
            for (int i = 0; i < 400; i++) {
                long block = a.malloc(70_000);
                assertThat(block).isNotZero();
                if (block >= start && block < start + size) inside++;
            }
            System.out.println("inside=" + inside);
        }
    },
    /** A pointer that was never given out. */
    INVALID_FREE {
        @Override
        void run(Allocator a) {
            for (int i = 0; i < 5; i++) a.free(0xdead_beef_0000L + i * 16L);
        }
    };

    /** How much more may be resident than at the start, when a burst of a GiB is over. */
    private static final long RESIDUE = GIB / 10;

    /** What its JVM is started with; by default with a heap that hardly moves in what is resident. */
    private final String options;

    Scenario() { this("-Xms64m -Xmx64m -Xmn32m -XX:+AlwaysPreTouch"); }

    Scenario(String options) { this.options = options; }

    List<String> options() { return List.of(options.split(" ", -1)); }

    abstract void run(Allocator a) throws Exception;

    public static void main(String[] arguments) throws Exception {
        Allocator allocator = arguments[0].equals("jvm") ? JvmAllocator.INSTANCE : NativeAllocator.INSTANCE;
        valueOf(arguments[1]).run(allocator);
        System.out.println("done");
    }

    /** Warms the classes and the compiler up; returns what is resident then. */
    private static long settle(Allocator a) throws Exception {
        for (int i = 0; i < 3; i++) free(a, blocks(a, 16 * MIB));
        a.collect(true);
        Thread.sleep(300);
        return Memory.resident();
    }

    /** A GiB of blocks from 32 bytes to some MiB, all written. */
    private static long[] burst(Allocator a, long start) {
        long[] blocks = blocks(a, GIB);
        assertThat(Memory.resident() - start).as("resident after the burst").isGreaterThan(GIB * 9 / 10);
        return blocks;
    }

    private static long[] blocks(Allocator a, long total) {
        var random = new Random(42);
        long[] blocks = new long[(int) (total / KIB)];
        long bytes = 0;
        int count = 0;
        while (bytes < total) {
            int kind = random.nextInt(1000);
            long size = kind < 900 ? 32 + random.nextInt(1000) : kind < 995 ? 1000 + random.nextInt(30_000)
                    : 50_000 + random.nextInt(3_000_000);
            long block = a.malloc(size);
            assertThat(block).isNotZero();
            Raw.fill(block, size, 0x55);
            blocks[count++] = block;
            bytes += size;
        }
        return Arrays.copyOf(blocks, count);
    }

    private static void free(Allocator a, long[] blocks) {
        for (long block : blocks) a.free(block);
    }

    /** Waits for the memory to go back; the calls that a living program makes go on. */
    private static void assertReturns(Allocator a, long start) {
        Eventually.that(() -> {
            for (int i = 0; i < 200; i++) a.free(a.malloc(100 + i * 10L));
            return Memory.resident() < start + RESIDUE;
        }, () -> "%,d bytes were resident at the start, %,d are now".formatted(start, Memory.resident()));
    }

    private static void shortThreads(Allocator a, int count) throws Exception {
        var left = new ConcurrentLinkedQueue<Long>();
        for (int i = 0; i < count; i += 8) {
            int round = i;
            Threads.run(8, number -> {
                for (int j = 0; j < 50; j++) {
                    long block = a.malloc(16 + (round * 7L + number * 131L + j * 37L) % 4000);
                    Raw.putLong(block, round);
                    if (j % 5 == 0) left.add(block);
                    else a.free(block);
                }
            });
            while (left.size() > 1000) a.free(left.poll());
        }
        left.forEach(a::free);
    }

    private static void shortHeaps(Allocator a, int count) {
        for (int i = 0; i < count; i++) {
            long heap = a.heapNew();
            for (int j = 0; j < 10; j++) {
                long block = a.heapMalloc(heap, 16 + (i * 7L + j * 997L) % 9000);
                Raw.putLong(block, i);
                if (i % 2 == 0) a.free(block);
            }
            if (i % 2 == 0) a.heapDelete(heap);
            else a.heapDestroy(heap);
        }
    }

    /** All ends of threads have been seen, and what is free has been given back. */
    private static void quiet(Allocator a) {
        Eventually.that(() -> {
            a.collect(true);
            return a.statistic("pages").current() == 0;
        }, () -> "%d pages are left".formatted(a.statistic("pages").current()));
    }

    /** What another thread has freed meanwhile is purged by the housekeeper, or by the next collection. */
    private static void committedAtMost(Allocator a, long bytes) {
        Eventually.that(() -> {
            a.collect(true);
            return a.statistic("committed").current() <= bytes;
        }, () -> "%d bytes are committed, %d allowed".formatted(a.statistic("committed").current(), bytes));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

}
