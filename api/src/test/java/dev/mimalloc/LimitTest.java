package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LimitTest {
    private static final long MB = 1 << 20;

    @AfterEach
    void noLimits() {
        Mimalloc.limit(0);
        Mimalloc.onLimit(null);
    }

    @Test
    void aHeapNeverHasMoreThanItsLimit() {
        try (Heap heap = Heap.create()) {
            assertThat(heap.limit()).isZero();
            heap.limit(4 * MB);
            assertThat(heap.limit()).isEqualTo(4 * MB);
            long blocks = 0;
            try {
                while (true) {
                    heap.malloc(1000);
                    blocks++;
                    assertThat(heap.used()).isLessThanOrEqualTo(4 * MB);
                }
            } catch (OutOfMemoryError e) {
                assertThat(e).hasMessageContaining("1000 bytes").hasMessageContaining("the heap has " + heap.used())
                        .hasMessageContaining("of " + 4 * MB);
            }
            assertThat(blocks * 1000).isGreaterThan(3 * MB);
            assertThatThrownBy(() -> heap.malloc(MB)).isInstanceOf(OutOfMemoryError.class);
            assertThatThrownBy(() -> heap.allocate(2 * MB, 1 << 20)).isInstanceOf(OutOfMemoryError.class);
            Mimalloc.free(Mimalloc.malloc(8 * MB)); // others are not concerned
            heap.limit(8 * MB);
            Mimalloc.free(heap.malloc(MB));
            heap.limit(0);
            Mimalloc.free(heap.malloc(10 * MB));
        }
    }

    /** A large block that grows gets more room than it asks for, but not on account of others. */
    @Test
    void roomToGrowDoesNotCount() {
        var asked = new AtomicInteger();
        Mimalloc.onLimit((whose, size, used, limit) -> asked.incrementAndGet() < 0);
        try (Heap heap = Heap.create()) {
            heap.limit(100 * MB);
            heap.realloc(heap.malloc(20 * MB), 45 * MB);
            assertThat(heap.used()).isLessThan(46 * MB);
            Mimalloc.free(heap.malloc(50 * MB));
        }
        assertThat(asked).hasValue(0);
    }

    @Test
    void aBlockOfAnySizeFitsWhereOneSliceIsLeft() {
        for (long size = 8; size <= 60 << 10; size += 8) {
            try (Heap heap = Heap.create()) {
                heap.limit(64 << 10);
                assertThat(Mimalloc.usableSize(heap.malloc(size))).isGreaterThanOrEqualTo(size);
                assertThat(heap.used()).isBetween(size, 64L << 10);
            }
        }
    }

    @Test
    void freedMemoryCountsNoMore() {
        try (Heap heap = Heap.create()) {
            heap.limit(4 * MB);
            for (int i = 0; i < 100; i++) Mimalloc.free(heap.malloc(3 * MB));
            List<Long> blocks = new ArrayList<>();
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 1500; i++) blocks.add(heap.malloc(2000));
                blocks.forEach(Mimalloc::free);
                blocks.clear();
            }
            heap.collect(true);
            assertThat(heap.used()).isLessThan(MB);
        }
    }

    @Test
    void whatIsThereAlreadyStays() {
        try (Heap heap = Heap.create()) {
            long block = heap.malloc(2 * MB);
            heap.limit(MB);
            assertThatThrownBy(() -> heap.malloc(MB)).isInstanceOf(OutOfMemoryError.class);
            Mimalloc.free(block);
            Mimalloc.free(heap.malloc(MB / 2));
        }
    }

    @Test
    void theProcessHasALimit() {
        long limit = Mimalloc.used() + 8 * MB;
        Mimalloc.limit(limit);
        assertThat(Mimalloc.limit()).isEqualTo(limit);
        assertThatThrownBy(() -> Mimalloc.malloc(9 * MB)).isInstanceOf(OutOfMemoryError.class)
                .hasMessageContaining("all heaps have");
        try (Heap heap = Heap.create()) {
            assertThatThrownBy(() -> heap.malloc(9 * MB)).isInstanceOf(OutOfMemoryError.class);
            assertThatThrownBy(() -> heap.zallocAligned(9 * MB, 1 << 20)).isInstanceOf(OutOfMemoryError.class);
        }
        long block = Mimalloc.malloc(6 * MB);
        assertThat(Mimalloc.used()).isBetween(6 * MB, limit);
        assertThatThrownBy(() -> Mimalloc.realloc(block, 9 * MB)).isInstanceOf(OutOfMemoryError.class);
        Mimalloc.free(block);
    }

    @Test
    void aHandlerMakesRoom() {
        long blockSize = MB - 100; // leaves room for what is put behind a block when leaks are tracked
        try (Heap heap = Heap.create()) {
            heap.limit(4 * MB);
            Deque<Long> cache = new ArrayDeque<>();
            AtomicInteger calls = new AtomicInteger();
            Mimalloc.onLimit((limited, size, used, limit) -> {
                calls.incrementAndGet();
                assertThat(limited).contains(heap);
                assertThat(size).isGreaterThanOrEqualTo(blockSize);
                assertThat(limit).isEqualTo(4 * MB);
                assertThat(used).isLessThanOrEqualTo(limit);
                Mimalloc.free(Mimalloc.malloc(100)); // it may allocate
                if (cache.isEmpty()) return false;
                Mimalloc.free(cache.poll());
                return true;
            });
            for (int i = 0; i < 20; i++) cache.add(heap.malloc(blockSize));
            assertThat(calls.get()).isEqualTo(16); // four find room
            assertThat(cache).hasSize(4);
            cache.clear();
            assertThatThrownBy(() -> heap.malloc(4 * MB)).isInstanceOf(OutOfMemoryError.class);
        }
    }

    @Test
    void aHandlerThatThrowsIsContained() throws InterruptedException {
        AtomicLong seen = new AtomicLong();
        Thread thread = new Thread(() -> {
            try (Heap heap = Heap.create()) {
                heap.limit(MB);
                Mimalloc.onLimit((limited, size, used, limit) -> {
                    throw new IllegalStateException("on purpose");
                });
                assertThatThrownBy(() -> heap.malloc(2 * MB)).isInstanceOf(OutOfMemoryError.class);
                Mimalloc.free(heap.malloc(100));
            }
        });
        thread.setUncaughtExceptionHandler((t, e) -> {
            if ("on purpose".equals(e.getMessage())) seen.incrementAndGet();
            else seen.addAndGet(1000);
        });
        thread.start();
        thread.join();
        assertThat(seen).hasValue(1);
    }

    @Test
    void limitsHoldForManyThreads() throws InterruptedException {
        try (Heap heap = Heap.create()) {
            heap.limit(16 * MB);
            AtomicLong most = new AtomicLong();
            AtomicLong refused = new AtomicLong();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                boolean virtual = i % 2 == 0;
                Runnable work = () -> {
                    Deque<Long> mine = new ArrayDeque<>();
                    for (int n = 0; n < 4000; n++) {
                        try {
                            mine.add(heap.malloc(n % 50 == 0 ? 300_000 : 3000));
                        } catch (OutOfMemoryError e) {
                            refused.incrementAndGet();
                            for (int k = 0; k < 300 && !mine.isEmpty(); k++) Mimalloc.free(mine.poll());
                        }
                        most.accumulateAndGet(heap.used(), Math::max);
                    }
                    mine.forEach(Mimalloc::free);
                };
                threads.add(virtual ? Thread.startVirtualThread(work) : Thread.ofPlatform().start(work));
            }
            for (Thread thread : threads) thread.join();
            assertThat(refused.get()).isPositive();
            // An attempt that is about to be refused shows for a moment.
            assertThat(most.get()).isLessThanOrEqualTo(16 * MB + 8 * 5 * MB);
        }
    }

    @Test
    void anArenaSurvivesItsHeapsLimit() {
        try (Heap heap = Heap.create()) {
            heap.limit(2 * MB);
            try (Arena arena = Arenas.in(heap).confined()) {
                arena.allocate(MB, 8);
                assertThatThrownBy(() -> arena.allocate(2 * MB, 8)).isInstanceOf(OutOfMemoryError.class);
                arena.allocate(1000, 8);
            }
        }
    }

    /** A handler that frees a cache and notes that in the arena which is being allocated in. */
    @Test
    void aHandlerAllocatesInTheArenaThatItIsFor() {
        int notes = 0;
        for (int round = 0; round < 300; round++) {
            try (Heap heap = Heap.create()) {
                heap.limit((3 << 17) + (64L << 10) * (1 + round % 12));
                Arena cache = Arenas.in(heap).shared();
                cache.allocate(300_000, 8);
                Arena arena = round % 3 == 2 ? Arenas.in(heap).shared() : Arenas.in(heap).confined();
                List<MemorySegment> segments = new ArrayList<>();
                int noteSize = 100 + 40 * (round / 10);
                int noteCount = round % 4;
                Mimalloc.onLimit((limited, size, used, limit) -> {
                    if (!cache.scope().isAlive()) return false;
                    cache.close();
                    try {
                        for (int i = 0; i <= noteCount * 20; i++) add(segments, arena, i % 5 == 4 ? 20_000 : noteSize);
                    } catch (OutOfMemoryError e) {
                        // it has met the limit itself
                    }
                    return true;
                });
                try {
                    for (int i = 0; i < 2000; i++) add(segments, arena, 16 + (i * 37 + round) % 3000);
                } catch (OutOfMemoryError e) {
                    // all that there is
                }
                if (!cache.scope().isAlive()) notes++;
                for (int i = 0; i < segments.size(); i++) assertFilled(segments.get(i), i);
                Mimalloc.onLimit(null);
                if (cache.scope().isAlive()) cache.close();
                long kept = heap.used();
                arena.close();
                heap.collect(true);
                assertThat(heap.used()).isLessThan(Math.max(kept / 2, 1 << 19)); // all blocks were known
            }
        }
        assertThat(notes).isGreaterThan(200);
    }

    private static void add(List<MemorySegment> segments, Arena arena, long size) {
        MemorySegment segment = arena.allocate(size, 8);
        segments.add(segment.fill((byte) segments.size()));
    }

    private static void assertFilled(MemorySegment segment, int value) {
        for (long i = 0; i < segment.byteSize(); i++) {
            assertThat(segment.get(ValueLayout.JAVA_BYTE, i)).as("byte %d of segment %d", i, value)
                    .isEqualTo((byte) value);
        }
    }

    @Test
    void aHandlerCannotCloseTheConfinedArenaThatItIsFor() {
        try (Heap heap = Heap.create()) {
            heap.limit(MB);
            Arena arena = Arenas.in(heap).confined();
            MemorySegment segment = arena.allocate(1000, 8).fill((byte) 1);
            List<Throwable> thrown = new ArrayList<>();
            Mimalloc.onLimit((limited, size, used, limit) -> {
                thrown.add(catchThrowable(arena::close));
                return false;
            });
            assertThatThrownBy(() -> arena.allocate(2 * MB, 8)).isInstanceOf(OutOfMemoryError.class);
            assertThat(thrown).hasSize(1).allSatisfy(t -> assertThat(t).isInstanceOf(IllegalStateException.class));
            assertFilled(segment, 1);
            arena.close(); // now it can
        }
    }

    @Test
    void aHandlerMayDoAnything() {
        try (Heap heap = Heap.create()) {
            heap.limit(MB);
            List<Heap> others = new ArrayList<>();
            AtomicInteger calls = new AtomicInteger();
            Mimalloc.onLimit(new LimitHandler() {
                @Override
                public boolean exceeded(Optional<Heap> limited, long size, long used, long limit) {
                    Mimalloc.onLimit(this);
                    heap.limit(limit + MB);
                    for (int i = 0; i < 10; i++) {
                        Heap other = Heap.create();
                        other.allocate(1000, 8);
                        others.add(other);
                        others.get((i * 7 + calls.get()) % others.size()).close();
                    }
                    long block = heap.malloc(16);
                    Mimalloc.free(Mimalloc.realloc(block, 100_000));
                    Mimalloc.collect(true);
                    heap.collect(true);
                    heap.visit(true, (area, at, length) -> true);
                    heap.statistics();
                    Option.PURGE_DELAY.set(Option.PURGE_DELAY.get());
                    try (Arena arena = Arenas.in(heap).confined()) {
                        arena.allocate(100, 8);
                    }
                    return calls.incrementAndGet() < 200;
                }
            });
            List<MemorySegment> segments = new ArrayList<>();
            for (int i = 0; i < 3000; i++) {
                segments.add(heap.allocate(i % 50 == 0 ? 700_000 : 16 + i, i % 9 == 0 ? 64 : 8).fill((byte) i));
            }
            assertThat(calls).hasValueGreaterThan(20);
            for (int i = 0; i < 3000; i += 11) assertFilled(segments.get(i), i);
            for (Heap other : others) other.close();
        }
    }

    @Test
    void whatCannotBeDoesNotLiftALimit() {
        try (Heap heap = Heap.create()) {
            heap.limit(4 * MB);
            heap.malloc(MB);
            long used = heap.used();
            for (long size : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - (5 << 20), 1L << 62, 1L << 48}) {
                assertThatThrownBy(() -> heap.malloc(size)).isInstanceOf(OutOfMemoryError.class);
                assertThat(heap.used()).isEqualTo(used);
            }
        }
    }

    @Test
    void whatAHandlerFreesIsThereForTheNextAttempt() {
        try (Heap heap = Heap.create()) {
            // Four sizes, each of which keeps memory for what comes next.
            Deque<Long> cache = new ArrayDeque<>(List.of(heap.malloc(16)));
            heap.malloc(32);
            heap.malloc(64);
            heap.malloc(128);
            heap.limit(heap.used());
            Mimalloc.onLimit((limited, size, used, limit) -> {
                if (cache.isEmpty()) return false;
                Mimalloc.free(cache.poll()); // the page that it empties would be kept for what comes next
                return true;
            });
            assertThat(heap.malloc(256)).isNotZero();
        }
    }

    @Test
    void aHandlerIsCalledAgainAfterItHasThrown() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        Thread thread = new Thread(() -> {
            try (Heap heap = Heap.create()) {
                heap.limit(MB);
                Mimalloc.onLimit((limited, size, used, limit) -> {
                    calls.incrementAndGet();
                    throw new IllegalStateException("on purpose");
                });
                for (int i = 0; i < 2; i++) {
                    assertThatThrownBy(() -> heap.malloc(2 * MB)).isInstanceOf(OutOfMemoryError.class);
                }
            }
        });
        thread.setUncaughtExceptionHandler((t, e) -> { throw new IllegalStateException("not this one either"); });
        thread.start();
        thread.join();
        assertThat(calls).hasValue(2);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A thread keeps a few KiB for each size, not a page. */
    @Test
    void manyThreadsWithFewBlocksOfManySizesFit() throws InterruptedException {
        int count = 200;
        try (Heap heap = Heap.create()) {
            heap.limit(24 * MB); // with 3 MB alive; pages of 64 KiB would be 130 MB
            var ready = new CountDownLatch(count);
            var done = new CountDownLatch(1);
            var refused = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        for (int size = 16; size <= 8192; size *= 2) heap.malloc(size);
                    } catch (OutOfMemoryError e) {
                        refused.incrementAndGet();
                    }
                    ready.countDown();
                    await(done);
                }));
            }
            ready.await();
            long used = heap.used();
            done.countDown();
            for (Thread thread : threads) thread.join();
            assertThat(refused).hasValue(0);
            assertThat(used).isLessThan(24 * MB);
        }
    }

    /** A thread has allocated, and sleeps; others have freed its blocks: that memory does not stand in the way. */
    @Test
    void whatASleepingThreadKeepsIsGivenBackBeforeARefusal() throws InterruptedException {
        try (Heap heap = Heap.create()) {
            heap.limit(40 * MB);
            List<Long> blocks = new ArrayList<>();
            var ready = new CountDownLatch(1);
            var done = new CountDownLatch(1);
            Thread sleeper = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 30_000; i++) blocks.add(heap.malloc(1000));
                // What a thread has freed in, it takes back.
                for (int i = 0; i < 30_000; i += 3) Mimalloc.free(blocks.get(i));
                ready.countDown();
                await(done);
            });
            ready.await();
            try {
                for (int i = 0; i < 30_000; i++) {
                    if (i % 3 != 0) Mimalloc.free(blocks.get(i));
                }
                assertThat(heap.malloc(35 * MB)).isNotZero();
            } finally {
                done.countDown();
                sleeper.join();
            }
        }
    }

    /** A list is made of many blocks at once; where a limit is near, of one. */
    @Test
    void smallBlocksFillALimitToTheEnd() {
        for (int size = 64; size <= 2000; size *= 2) {
            try (Heap heap = Heap.create()) {
                heap.limit(20 << 10);
                long blocks = 0;
                try {
                    while (true) {
                        heap.malloc(size);
                        blocks++;
                    }
                } catch (OutOfMemoryError e) {
                    assertThat(blocks * size).as("bytes of %d each", size).isGreaterThan(12 << 10);
                }
            }
        }
    }

    @Test
    void theErrorSaysWhatHoldsTheMemory() {
        try (Heap heap = Heap.create()) {
            heap.limit(4 * MB);
            heap.malloc(3 * MB);
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < 500; i++) blocks.add(heap.malloc(1000));
            for (int i = 0; i < 500; i += 2) Mimalloc.free(blocks.get(i));
            assertThatThrownBy(() -> heap.malloc(2 * MB)).isInstanceOf(OutOfMemoryError.class).satisfies(e -> {
                Matcher message = Pattern.compile("has (\\d+) bytes of \\d+, (\\d+) in blocks and (\\d+) that threads keep")
                        .matcher(e.getMessage());
                assertThat(message.find()).as(e.getMessage()).isTrue();
                long live = Long.parseLong(message.group(2));
                assertThat(live).isBetween(3 * MB + 250_000, 3 * MB + 300_000);
                assertThat(Long.parseLong(message.group(1))).isEqualTo(heap.used())
                        .isEqualTo(live + Long.parseLong(message.group(3)));
            });
        }
    }

    @Test
    void nonsenseIsRefused() {
        assertThatThrownBy(() -> Mimalloc.limit(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Heap.main().limit(-1)).isInstanceOf(IllegalArgumentException.class);
        Heap heap = Heap.create();
        heap.close();
        assertThatThrownBy(() -> heap.limit(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(heap::used).isInstanceOf(IllegalStateException.class);
    }
}
