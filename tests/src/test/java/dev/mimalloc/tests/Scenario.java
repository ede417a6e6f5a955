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
    /** A freed block is not given out again for a while, whatever its size. */
    QUARANTINE_KEEPS_ADDRESSES {
        @Override
        void run(Allocator a) {
            for (long size : QUARANTINED) {
                int again = 0;
                for (int i = 0; i < 100; i++) {
                    long block = a.malloc(size);
                    a.free(block);
                    long[] next = new long[4];
                    for (int j = 0; j < next.length; j++) next[j] = a.malloc(size);
                    for (long other : next) if (other == block) again++;
                    for (long other : next) a.free(other);
                    for (int j = 0; j < 2000 && size < 1000; j++) a.free(a.malloc(size));
                }
                assertThat(again).as("%d bytes: given out again at once", size).isLessThan(10);
            }
        }
    },
    /** A second free is found, also when the block's page has given out all others since. */
    QUARANTINE_FINDS_DOUBLE_FREES {
        @Override
        void run(Allocator a) throws Exception {
            for (long size : QUARANTINED) {
                int found = 0;
                for (int i = 0; i < 20; i++) {
                    long block = a.malloc(size);
                    a.free(block);
                    long[] others = new long[size > 10_000 ? 3 : 200];
                    for (int j = 0; j < others.length; j++) others[j] = a.malloc(size);
                    assertThat(a.takeError()).isZero();
                    a.free(block);
                    if (a.takeError() == Allocator.EAGAIN) found++;
                    Threads.run(() -> {
                        a.free(block);
                        assertThat(a.takeError()).as("in another thread").isEqualTo(Allocator.EAGAIN);
                    });
                    free(a, others);
                }
                assertThat(found).as("%d bytes", size).isEqualTo(20);
            }
        }
    },
    /** A free block is known as one whatever is asked of it, and stays as it is. */
    FREED_BLOCKS_ARE_REFUSED {
        @Override
        void run(Allocator a) throws Exception {
            for (long size : new long[] {1, 15, 24, 100, 1000, 5000, 70_000}) {
                long stays = a.malloc(size);
                long block = a.malloc(size);
                Raw.fill(block, size, 0xA5);
                a.free(block);
                refuse(a, block, size);
                long others = a.malloc(size);
                Threads.run(() -> a.free(others));
                refuse(a, others, size);
                Threads.run(() -> refuse(a, others, size));
                a.free(stays);
                assertThat(a.takeError()).isZero();
            }
        }

        private static void refuse(Allocator a, long block, long size) {
            refuse(a, a.usableSize(block));
            for (long bytes : new long[] {0, size, 2 * size, 100 * size}) {
                refuse(a, a.realloc(block, bytes));
                refuse(a, a.rezalloc(block, bytes));
                refuse(a, a.reallocAligned(block, bytes, 64));
                refuse(a, a.recallocAligned(block, 1, bytes, 64));
            }
            refuse(a, a.expand(block, size));
            a.free(block);
            refuse(a, 0);
        }

        private static void refuse(Allocator a, long result) {
            assertThat(result).isZero();
            assertThat(a.takeError()).isEqualTo(Allocator.EAGAIN);
        }
    },
    /** A write to a small block is found when the block leaves. */
    QUARANTINE_FINDS_WRITES {
        @Override
        void run(Allocator a) {
            for (int offset : new int[] {0, 8}) {
                long block = a.malloc(100);
                a.free(block);
                Raw.putLong(block + offset, 1);
                a.collect(true); // leaves it where it is
                boolean found = false;
                for (int i = 0; i < 1_000_000 && !found; i++) {
                    a.free(a.malloc(100));
                    found = a.takeError() != 0;
                }
                assertThat(found).as("at %d", offset).isTrue();
            }
        }
    },
    /** What waits is bounded, in bytes and blocks. */
    QUARANTINE_IS_BOUNDED {
        @Override
        void run(Allocator a) {
            a.collect(true);
            for (long size : QUARANTINED) {
                for (int i = 0; i < 10_000; i++) a.free(a.malloc(size));
                long live = a.statistic("page_committed").current();
                assertThat(live).as("bytes of pages after blocks of %d", size).isLessThan(300 * MIB);
            }
            assertThat(a.statistic("committed").current()).as("memory").isLessThan(64 * MIB);
            quiet(a);
        }
    },
    /** Blocks of heaps that end, of threads that end, and of other threads, in all orders. */
    QUARANTINE_ENDS {
        @Override
        void run(Allocator a) throws Exception {
            for (int i = 0; i < 200; i++) {
                int way = i;
                long heap = a.heapNew();
                long[] blocks = new long[200];
                Threads.run(() -> {
                    for (int j = 0; j < blocks.length; j++) blocks[j] = a.heapMalloc(heap, QUARANTINED[j % QUARANTINED.length]);
                    for (int j = 0; j < 50; j++) a.free(blocks[j]);
                });
                long before = a.theapSetDefault(a.heapTheap(heap));
                for (int j = 50; j < 100; j++) a.free(blocks[j]);
                Threads.run(() -> {
                    for (int j = 100; j < 150; j++) a.free(blocks[j]);
                    if (way % 5 == 0) a.collect(true);
                });
                a.theapSetDefault(before);
                boolean destroyed = way % 2 == 0;
                if (destroyed) a.heapDestroy(heap);
                else a.heapDelete(heap);
                for (int j = 150; j < 200 && !destroyed; j++) a.free(blocks[j]);
                if (way % 7 == 0) a.collect(true);
            }
            assertThat(a.takeError()).isZero();
            quiet(a);
            assertThat(a.statistic("heaps").current()).as("heaps").isEqualTo(1);
            assertThat(a.statistic("malloc_normal").current()).as("bytes in blocks").isZero();
            assertThat(a.statistic("malloc_huge").current()).as("bytes in large blocks").isZero();
        }
    },
    /** Large blocks, whose memory was taken away meanwhile, are blocks as ever when they are given out again. */
    QUARANTINE_OPENS_LARGE_BLOCKS {
        @Override
        void run(Allocator a) {
            var random = new Random(1);
            long[] blocks = new long[16];
            for (int i = 0; i < 5000; i++) {
                int at = random.nextInt(blocks.length);
                long size = 100_000L + random.nextInt(i % 100 == 0 ? 8_000_000 : 400_000);
                a.free(blocks[at]);
                blocks[at] = i % 3 == 0 ? a.mallocAligned(size, 1 << 17) : a.zalloc(size);
                assertThat(blocks[at]).isNotZero();
                if (i % 3 != 0) for (long j = 0; j + 8 <= size; j += 4096) assertThat(Raw.getLong(blocks[at] + j)).isZero();
                Raw.fill(blocks[at], size, 7);
                if (i % 5 == 0) blocks[at] = a.realloc(blocks[at], size * 2);
                if (i % 500 == 0) a.collect(true);
            }
            free(a, blocks);
            assertThat(a.takeError()).isZero();
            quiet(a);
        }
    },
    /** Ends before the end, where a freed large block cannot be touched. */
    USE_OF_A_FREED_LARGE_BLOCK("-XX:-CreateCoredumpOnCrash -XX:ErrorFile=/dev/null") {
        @Override
        void run(Allocator a) {
            long block = a.malloc(100_000);
            a.free(block);
            Raw.putLong(block + 5000, 1);
        }
    },
    /** A pointer that was never given out. */
    INVALID_FREE {
        @Override
        void run(Allocator a) {
            for (int i = 0; i < 5; i++) a.free(0xdead_beef_0000L + i * 16L);
        }
    };

    /** Sizes of small, medium and large blocks; a single thread's quarantine has room for some of each. */
    private static final long[] QUARANTINED = {24, 100, 5000, 20_000, 100_000, 3_000_000};

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
