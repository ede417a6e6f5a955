package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void aHeapShowsWhatIsInItsBlocks() {
        try (Heap heap = Heap.create()) {
            List<Long> blocks = new ArrayList<>();
            long bytes = 0;
            for (int i = 0; i < 5000; i++) {
                blocks.add(heap.malloc(i));
                bytes += Mimalloc.usableSize(blocks.getLast());
            }
            long huge = heap.malloc(9 << 20);
            Statistics statistics = heap.statistics();
            assertThat(statistics.mallocNormal().current()).isEqualTo(bytes);
            assertThat(statistics.mallocNormal().peak()).isEqualTo(bytes);
            assertThat(statistics.mallocNormal().total()).isGreaterThanOrEqualTo(bytes);
            assertThat(statistics.mallocNormalCount()).isGreaterThanOrEqualTo(5000);
            assertThat(statistics.mallocHuge().current()).isEqualTo(Mimalloc.usableSize(huge));
            assertThat(statistics.mallocHugeCount()).isEqualTo(1);
            assertThat(statistics.allocated().current()).isEqualTo(bytes + Mimalloc.usableSize(huge));
            assertThat(statistics.mallocCount() - statistics.freeCount()).isEqualTo(blocks.size() + 1L);
            assertThat(statistics.freed()).isEqualTo(statistics.allocated().total() - statistics.allocated().current());
            assertThat(statistics.bins().stream().mapToLong(bin -> bin.bytes().current()).sum())
                    .isEqualTo(bytes + Mimalloc.usableSize(huge));
            assertThat(statistics.bins().stream().mapToLong(bin -> bin.pages().current()).sum())
                    .isEqualTo(statistics.pages().current());
            for (Statistics.Bin bin : statistics.bins()) {
                if (bin.blockSize() != 0) assertThat(bin.bytes().current() % bin.blockSize()).isZero();
            }

            blocks.forEach(Mimalloc::free);
            Mimalloc.free(huge);
            heap.collect(true);
            statistics = heap.statistics();
            assertThat(statistics.pages().current()).isZero();
            assertThat(statistics.mallocNormal().current()).isZero();
            assertThat(statistics.mallocNormal().peak()).isEqualTo(bytes);
            // Ahead at most by what a list still had when its page went: nobody walks through lists to count.
            assertThat(statistics.mallocNormal().total()).isGreaterThanOrEqualTo(bytes).isLessThan(2 * bytes);
            assertThat(statistics.mallocNormalCount()).isGreaterThanOrEqualTo(5000);
            assertThat(statistics.mallocHuge().current()).isZero();
        }
    }

    @Test
    void theBinsAreTheSizesOfBlocks() {
        List<Statistics.Bin> bins = Mimalloc.statistics().bins();
        for (Statistics.Bin bin : bins.subList(0, bins.size() - 1)) {
            assertThat(Mimalloc.goodSize(bin.blockSize())).isEqualTo(bin.blockSize());
        }
        assertThat(bins).extracting(Statistics.Bin::blockSize).startsWith(8L, 16L, 32L, 48L, 64L).endsWith(0L)
                .doesNotHaveDuplicates();
    }

    @Test
    void theWholeHasWhatTheHeapsHave() {
        Statistics before = Mimalloc.statistics();
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 1000; i++) heap.malloc(1000);
            Statistics during = Mimalloc.statistics();
            assertThat(during.heaps().current()).isEqualTo(before.heaps().current() + 1);
            assertThat(during.mallocNormal().current()).isGreaterThanOrEqualTo(
                    before.mallocNormal().current() + 1_000_000);
            assertThat(during.mallocNormalCount()).isGreaterThanOrEqualTo(before.mallocNormalCount() + 1000);
            assertThat(during.committed().current()).isGreaterThanOrEqualTo(during.mallocNormal().current());
            assertThat(during.reserved().current()).isGreaterThanOrEqualTo(during.committed().current());
            assertThat(heap.statistics().reserved()).isEqualTo(new Statistics.Count(0, 0, 0));
        }
        Statistics after = Mimalloc.statistics();
        assertThat(after.heaps().current()).isEqualTo(before.heaps().current());
        assertThat(after.mallocNormal().peak()).isGreaterThanOrEqualTo(before.mallocNormal().current() + 1_000_000);
    }

    @Test
    void nothingIsEverNegativeNorDoesAPeakFall() throws Exception {
        var stop = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int n = 0; n < 4; n++) {
            Thread.Builder builder = n == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            threads.add(builder.start(() -> {
                var blocks = new long[500];
                for (int i = 0; stop.getCount() != 0; i++) {
                    int at = i * 31 % blocks.length;
                    Mimalloc.free(blocks[at]);
                    blocks[at] = Mimalloc.malloc(i * 131 % 20_000);
                    if (i % 5000 == 0) {
                        try (Heap heap = Heap.create()) {
                            for (int j = 0; j < 300; j++) heap.malloc(j);
                        }
                    }
                }
                for (long block : blocks) Mimalloc.free(block);
            }));
        }
        long peak = 0;
        for (int i = 0; i < 60; i++) {
            Statistics statistics = Mimalloc.statistics();
            assertSane(statistics);
            assertThat(statistics.pages().peak()).isGreaterThanOrEqualTo(peak);
            peak = statistics.pages().peak();
        }
        stop.countDown();
        for (Thread thread : threads) thread.join();
        assertSane(Mimalloc.statistics());
        assertSane(Heap.main().statistics());
    }

    private static void assertSane(Statistics statistics) throws Exception {
        for (RecordComponent field : Statistics.class.getRecordComponents()) {
            Object value = field.getAccessor().invoke(statistics);
            if (value instanceof Statistics.Count count) assertSane(field.getName(), count);
            if (value instanceof Long total) assertThat(total).as(field.getName()).isNotNegative();
        }
        for (Statistics.Bin bin : statistics.bins()) {
            assertSane("bytes of " + bin.blockSize(), bin.bytes());
            assertSane("pages of " + bin.blockSize(), bin.pages());
        }
    }

    private static void assertSane(String name, Statistics.Count count) {
        assertThat(count.current()).as(name).isNotNegative();
        assertThat(count.peak()).as(name).isGreaterThanOrEqualTo(count.current());
        assertThat(count.total()).as(name).isNotNegative();
    }

    @Test
    void textAndJsonShowTheSnapshot() {
        try (Heap heap = Heap.create()) {
            heap.malloc(100);
            Statistics statistics = heap.statistics();
            heap.malloc(100_000);
            assertThat(statistics.toJson()).startsWith("{").endsWith("}\n").contains("\"malloc_normal\"",
                    "\"current\": 112}", "\"mimalloc_version\": " + Mimalloc.version(), "\"peak_rss\"", "page_bins");
            assertThat(statistics.toText()).contains("in blocks", "112 B", "process: elapsed");
        }
    }

    @Test
    void aClosedHeapHasNone() {
        Heap heap = Heap.create();
        heap.close();
        assertThatIllegalStateException().isThrownBy(heap::statistics).withMessage("the heap has been closed");
        Heap deleted = Heap.create();
        deleted.delete();
        assertThatIllegalStateException().isThrownBy(deleted::statistics);
    }

    @Test
    void aHeapMayBeClosedWhileOthersLook() throws Exception {
        for (int round = 0; round < 50; round++) {
            Heap heap = Heap.create();
            heap.malloc(1000);
            Thread looking = Thread.ofPlatform().start(() -> {
                try {
                    while (heap.statistics().mallocNormal().current() == 1024) Thread.onSpinWait();
                } catch (IllegalStateException e) {
                    return;
                }
                throw new AssertionError("a heap that is neither whole nor closed");
            });
            var thrown = new ArrayList<Throwable>();
            looking.setUncaughtExceptionHandler((thread, e) -> thrown.add(e));
            if (round % 2 == 0) Thread.sleep(1);
            heap.close();
            looking.join();
            assertThat(thrown).isEmpty();
        }
    }

    @Test
    void theProcessIsThatOfTheSystem() {
        long block = Mimalloc.malloc(1000);
        ProcessInfo info = ProcessInfo.now();
        assertThat(info.resident()).isGreaterThan(10 << 20);
        assertThat(info.peakResident()).isGreaterThanOrEqualTo(info.resident() / 2);
        assertThat(info.committed()).isPositive();
        assertThat(info.peakCommitted()).isGreaterThanOrEqualTo(info.committed());
        assertThat(info.userMillis()).isPositive();
        assertThat(info.systemMillis()).isNotNegative();
        assertThat(info.minorPageFaults()).isPositive();
        assertThat(info.pageFaults()).isNotNegative();
        assertThat(ProcessInfo.now().elapsedMillis()).isGreaterThanOrEqualTo(info.elapsedMillis());
        Mimalloc.free(block);
    }
}
