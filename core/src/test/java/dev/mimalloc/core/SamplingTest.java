package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.page.Sampling;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.core.thread.Visit;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Trace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What core tells a listener. A sum of weights is an estimate: at the tolerances here it is off once in 10^9 runs. */
class SamplingTest {
    private static final long INTERVAL = 4096;
    private static final long ALL = 1; // every byte is a sample, and so every allocation that is not tiny

    private final Ear ear = new Ear();

    /** Writes down what it hears. */
    private static class Ear implements Trace.Listener {
        final Map<Long, Long> live = new ConcurrentHashMap<>(); // size by address
        final AtomicLong samples = new AtomicLong(), weight = new AtomicLong(), frees = new AtomicLong();
        final Map<Long, Long> pages = new ConcurrentHashMap<>(); // bytes by start
        final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
        long interval;
        boolean missesSome; // it is not called where the stack is full

        @Override
        public long weigh(long size) { return Math.round(size / -Math.expm1(-(double) size / interval)); }
        @Override
        public void allocated(long block, long size, long weight, long heap) {
            if (live.put(block, size) != null) wrong.add("sampled twice: " + block);
            samples.incrementAndGet();
            this.weight.addAndGet(weight);
        }
        @Override
        public void freed(long block) {
            if (live.remove(block) == null && !missesSome) wrong.add("freed twice: " + block);
            frees.incrementAndGet();
        }
        @Override
        public void page(boolean fresh, long start, long bytes, long blockSize, long heap) {
            Long before = fresh ? pages.put(start, bytes) : pages.remove(start);
            if (fresh && before != null && !missesSome) wrong.add("a page that is there already: " + start);
            if (!fresh && before != null && before != bytes && !missesSome) wrong.add("a page changed its size: " + start);
        }
        @Override
        public void arena(boolean fresh, long start, long bytes) {}
        @Override
        public void purging() {}
        @Override
        public void purged(long start, long bytes) {}
        @Override
        public void tick() {}
    }

    private void listen(long interval) {
        ear.interval = interval;
        Trace.listener(ear);
        Trace.sampleEvery(interval);
    }

    @AfterEach
    void stop() {
        Trace.sampleEvery(0);
        Trace.listener(null);
        assertThat(ear.wrong).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 8, 16, 48, 100, 1000, 1024, 1025, 5000, 70_000, 600_000})
    void theWeightsAddUpToWhatWasAllocated(long size) {
        long good = Sampling.bytes(size);
        int count = (int) Math.max(2000, Math.min(10_000 * INTERVAL / good, 2_000_000));
        listen(INTERVAL);
        for (int i = 0; i < count; i++) Free.free(Allocate.malloc(size));
        assertThat(ear.weight.doubleValue()).isCloseTo((double) good * count, withinPercentage(15));
        assertThat(ear.frees.get()).isEqualTo(ear.samples.get());
        assertThat(ear.live).isEmpty();
    }

    @Test
    void theWeightsAddUpWhenBlocksStay() {
        long heap = Heaps.create();
        listen(INTERVAL);
        long allocated = 0;
        for (int i = 0; i < 300_000; i++) {
            long size = 16 + i * 7919L % 500;
            long block = i % 3 == 0 ? Allocate.heapZalloc(heap, size) : Allocate.heapMalloc(heap, size);
            allocated += Sampling.bytes(size);
            if (i % 2 == 0) Free.free(block);
        }
        assertThat(ear.weight.doubleValue()).isCloseTo((double) allocated, withinPercentage(10));
        assertThat(ear.live).isNotEmpty();
        Heaps.destroy(heap);
        assertThat(ear.live).as("what a destroyed heap frees").isEmpty();
    }

    /** As when the free lists' lengths and a loop's allocations are in step: half of a loop's would never be seen. */
    @Test
    void aLoopThatAllocatesTwiceIsSampledInBothPlaces() {
        listen(INTERVAL);
        long[] samples = new long[2];
        for (int i = 0; i < 400_000; i++) {
            long before = ear.samples.get();
            Allocate.malloc(64);
            samples[i & 1] += ear.samples.get() - before;
        }
        assertThat(samples[0] + samples[1]).isGreaterThan(5000);
        assertThat((double) samples[0]).isCloseTo((double) samples[1], withinPercentage(20));
    }

    @Test
    void shortThreadsAndHeapsAreNotOverlooked() throws Exception {
        listen(INTERVAL);
        int threads = 1000;
        for (int i = 0; i < threads; i++) {
            Thread.ofPlatform().start(() -> {
                long heap = Heaps.create();
                for (int j = 0; j < 64; j++) Allocate.heapMalloc(heap, 128);
                Heaps.destroy(heap);
                Threads.done();
            }).join();
        }
        assertThat(ear.weight.doubleValue()).isCloseTo(threads * 64 * 128.0, withinPercentage(20));
    }

    @Test
    void anotherThreadFreesASample() throws Exception {
        listen(ALL);
        long heap = Heaps.create(); // a new one, whose pages were all made under our eyes
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 1000; i++) blocks.add(Allocate.heapMalloc(heap, 50 + i));
        assertThat(ear.live.keySet()).containsAll(blocks);
        Thread.ofPlatform().start(() -> blocks.forEach(Free::free)).join();
        assertThat(ear.live).isEmpty();
        assertThat(blocks).noneMatch(Heaps::anyContains);
        Heaps.destroy(heap);
    }

    @Test
    void samplesAreBlocksLikeAnyOther() {
        listen(ALL);
        for (long size = 0; size < 2_000_000; size = size * 5 / 4 + 1) {
            long block = Allocate.zalloc(size);
            assertThat(block % 16).isZero();
            assertThat(Free.usableSize(block)).isGreaterThanOrEqualTo(size);
            assertThat(Heaps.of(block)).isEqualTo(Heaps.main());
            for (long at = 0; at + 8 <= size; at += 8) assertZero(Memory.getLong(block + at));
            for (long at = 0; at + 8 <= size; at += 8) Memory.putLong(block + at, at);
            long moved = Reallocate.realloc(block, 2 * size + 5000);
            for (long at = 0; at + 8 <= size; at += 8) assertZero(Memory.getLong(moved + at) - at);
            assertThat(Reallocate.expand(moved, 2 * size + 5000)).isEqualTo(moved);
            Free.free(moved);
        }
        assertThat(ear.samples.get()).isGreaterThan(100);
        assertThat(ear.live).isEmpty();
    }

    private static void assertZero(long value) {
        if (value != 0) throw new AssertionError(value);
    }

    @Test
    void alignedAllocationsAreSampledAndAligned() {
        listen(ALL);
        long heap = Heaps.create();
        Set<Long> blocks = new HashSet<>();
        for (long alignment = 1; alignment <= 4 << 20; alignment *= 2) {
            for (long size = 24; size <= 1 << 20; size *= 16) {
                long block = AllocateAligned.heapZalloc(heap, size, alignment);
                assertThat(block % alignment).isZero();
                assertThat(Free.usableSize(block)).isGreaterThanOrEqualTo(size);
                Memory.fill(block, size, 0x55);
                blocks.add(block);
                // Between a block's start and its end lies the aligned address: such a block is no sample.
                long inside = AllocateAligned.mallocAt(size, alignment, alignment / 2);
                assertThat((inside + alignment / 2) % alignment).isZero();
                Free.free(inside);
            }
        }
        assertThat(ear.live.keySet()).containsAll(blocks);
        blocks.forEach(Free::free);
        assertThat(ear.live).isEmpty();
        Heaps.destroy(heap);
    }

    @Test
    void aDeletedHeapKeepsItsSamples() {
        listen(ALL);
        long heap = Heaps.create();
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 100; i++) blocks.add(Allocate.heapMalloc(heap, 100));
        Heaps.delete(heap);
        assertThat(ear.live.keySet()).containsAll(blocks);
        blocks.forEach(Free::free);
        assertThat(ear.live).isEmpty();
    }

    @Test
    void pagesComeAndGo() {
        long heap = Heaps.create();
        listen(0);
        Map<Long, Long> before = new HashMap<>(ear.pages);
        for (int i = 0; i < 10_000; i++) Allocate.heapMalloc(heap, 8 + i % 5000);
        Allocate.heapMalloc(heap, 5 << 20);
        assertThat(ear.pages.size() - before.size()).isGreaterThan(50);
        assertThat(ear.pages.values()).allMatch(bytes -> bytes % Config.SLICE == 0).anyMatch(bytes -> bytes >= 5 << 20);
        Heaps.destroy(heap);
        assertThat(ear.pages).isEqualTo(before);
        assertThat(ear.samples.get()).as("nothing is sampled").isZero();
    }

    @Test
    void virtualThreadsAreSampledUnderALease() throws Exception {
        listen(INTERVAL);
        int threads = 200, rounds = 500;
        AtomicLong bytes = new AtomicLong();
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            long size = 32L + t;
            all.add(Thread.startVirtualThread(() -> {
                for (int i = 0; i < rounds; i++) {
                    Free.free(Allocate.malloc(size));
                    bytes.addAndGet(SizeClass.goodSize(size));
                    if (i % 50 == 0) LockSupport.parkNanos(1);
                }
            }));
        }
        for (Thread thread : all) thread.join();
        assertThat(ear.weight.doubleValue()).isCloseTo(bytes.doubleValue(), withinPercentage(15));
        assertThat(ear.live).isEmpty();
    }

    @Test
    void manyThreadsFreeEachOthersSamples() throws Exception {
        listen(512);
        var exchange = new ConcurrentLinkedQueue<Long>();
        CountDownLatch done = new CountDownLatch(4);
        for (int t = 0; t < 4; t++) {
            Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 20_000; i++) {
                    exchange.add(Allocate.malloc(16 + i % 300));
                    if (i % 2 == 1) {
                        Free.free(exchange.remove());
                        Free.free(exchange.remove());
                    }
                }
                Threads.done();
                done.countDown();
            });
        }
        done.await();
        exchange.forEach(Free::free);
        assertThat(ear.samples.get()).isGreaterThan(1000);
        assertThat(ear.live).isEmpty();
    }

    @Test
    void aListenerThatThrowsHarmsNobody() {
        for (Throwable thrown : List.of(new IllegalStateException(), new OutOfMemoryError(), new StackOverflowError())) {
            Trace.listener(new Thrower(thrown));
            Trace.sampleEvery(256);
            long lost = Trace.lost();
            useAHeap();
            assertThat(Trace.lost()).isGreaterThan(lost + 100);
        }
    }

    /** Throws whatever it was given. */
    private static final class Thrower extends Ear {
        private final Throwable thrown;
        private int calls;

        Thrower(Throwable thrown) { this.thrown = thrown; }

        @Override
        public long weigh(long size) {
            if (calls++ % 4 == 0) this.<RuntimeException>fail();
            return size;
        }
        @Override
        public void allocated(long block, long size, long weight, long heap) { this.<RuntimeException>fail(); }
        @Override
        public void freed(long block) { this.<RuntimeException>fail(); }
        @Override
        public void page(boolean fresh, long start, long bytes, long blockSize, long heap) {
            this.<RuntimeException>fail();
        }

        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private <T extends Throwable> void fail() throws T { throw (T) thrown; }
    }

    @Test
    void aFullStackHarmsNobody() throws Exception {
        listen(256);
        ear.missesSome = true;
        for (boolean virtual : new boolean[] {false, true}) {
            List<Long> blocks = new ArrayList<>();
            Thread.Builder builder = virtual ? Thread.ofVirtual() : Thread.ofPlatform();
            builder.start(() -> {
                for (int i = 0; i < 5; i++) {
                    try {
                        deep(blocks, 0);
                    } catch (StackOverflowError e) {
                        // as it should be
                    }
                }
            }).join();
            assertThat(blocks).doesNotHaveDuplicates();
            blocks.forEach(Free::free);
            useAHeap();
        }
        assertThat(ear.live).isEmpty();
    }

    private static void deep(List<Long> blocks, int depth) {
        long block = Allocate.malloc(24 + blocks.size() % 64);
        blocks.add(block);
        if (depth < Integer.MAX_VALUE) deep(blocks, depth + 1);
    }

    /** Each block is one of the heap's, has its contents, and is seen by a visitor once; at the end none is left. */
    private static void useAHeap() {
        long heap = Heaps.create();
        Map<Long, Long> blocks = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            long block = Allocate.heapMalloc(heap, 8 + i % 700);
            Memory.putLong(block, block);
            assertThat(blocks.put(block, 8L + i % 700)).isNull();
            if (i % 3 == 0) blocks.keySet().stream().findFirst().ifPresent(b -> {
                Free.free(b);
                blocks.remove(b);
            });
        }
        Set<Long> seen = new HashSet<>();
        long visitor = Callback.register((Callback.BlockVisitor) (h, area, block, size, arg) -> block == 0 || seen.add(block));
        assertThat(Visit.heapBlocks(heap, true, visitor, 0)).isTrue();
        Callback.unregister(visitor);
        assertThat(seen).isEqualTo(blocks.keySet());
        long stats = Meta.allocate(Statistics.SIZE);
        blocks.keySet().forEach(block -> {
            assertThat(Memory.getLong(block)).isEqualTo(block);
            Free.free(block);
        });
        Report.heap(heap, stats);
        assertThat(Statistics.current(stats, Statistics.MALLOC_NORMAL)).isZero();
        assertThat(Statistics.current(stats, Statistics.MALLOC_HUGE)).isZero();
        Meta.free(stats, Statistics.SIZE);
        Heaps.destroy(heap);
    }
}
