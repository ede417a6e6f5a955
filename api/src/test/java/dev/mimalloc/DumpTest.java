package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a dump has; that it is JSON, and can be drawn, is for the tools' tests. */
class DumpTest {
    private static final Pattern PAGE = Pattern.compile("\\[(\\d+),(\\d+),(\\d+),(\\d+),(\\d+),(\\d+),(\\d+),(\\d+),\"(\\w+)\",(-?\\d+)]");

    private static final boolean LINUX = System.getProperty("os.name").equals("Linux");

    @TempDir
    private Path folder;

    /** A row of a page, as far as it is looked at here. */
    private record Page(long slices, long blockSize, long capacity, long live, long owner, long heap, String state, long resident) {}

    /** The pages of a dump; new lines and spaces do not matter. */
    private static List<Page> pages(Path file) throws IOException {
        Matcher rows = PAGE.matcher(Files.readString(file).replaceAll("\\s", ""));
        List<Page> pages = new ArrayList<>();
        while (rows.find()) {
            pages.add(new Page(number(rows, 2), number(rows, 3), number(rows, 4), number(rows, 6), number(rows, 7), number(rows, 8),
                    rows.group(9), number(rows, 10)));
        }
        return pages;
    }

    private static long number(Matcher row, int column) { return Long.parseLong(row.group(column)); }

    private List<Page> dump() throws IOException {
        Path file = folder.resolve("dump.json");
        Mimalloc.dump(file);
        return pages(file);
    }

    private static Page large(List<Page> pages) {
        return pages.stream().filter(page -> page.state.equals("single") && page.blockSize >= 9 << 20 && page.blockSize < 10 << 20).findFirst().orElseThrow();
    }

    @Test
    void blocksAreWhereTheyWereAllocated() throws IOException {
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 20_000; i++) heap.malloc(1000);
            long block = heap.malloc(9 << 20);
            List<Page> pages = dump();
            // The heap is the one that has the large block.
            Page large = large(pages);
            assertThat(large.live).isEqualTo(1);
            assertThat(large.slices << 16).isGreaterThanOrEqualTo(large.blockSize);
            List<Page> small = pages.stream().filter(page -> page.heap == large.heap && !page.state.equals("single")).toList();
            assertThat(small).allMatch(page -> page.blockSize == 1024 && page.live <= page.capacity);
            assertThat(small.stream().mapToLong(Page::live).sum()).isEqualTo(20_000);
            assertThat(small.stream().map(Page::owner).filter(owner -> owner != 0).distinct()).as("this thread; nobody has full pages").hasSize(1);
            // Linux tells what is in memory: of a touched block all.
            assertThat(pages).allMatch(page -> LINUX ? page.resident >= 0 && page.resident <= page.slices << 16 : page.resident < 0);
            MemorySegment.ofAddress(block).reinterpret(9 << 20).fill((byte) 1);
            if (LINUX) assertThat(large(dump()).resident).isBetween(9L << 20, large.slices << 16);
            Statistics statistics = heap.statistics();
            assertThat(statistics.pages().current()).isEqualTo(small.size() + 1L);
            assertThat(statistics.allocated().current()).isEqualTo(20_000 * 1024 + large.blockSize);
        }
    }

    @Test
    void theWholeIsWhatStatisticsSay() throws IOException {
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) blocks.add(Mimalloc.malloc(i % 5000));
        for (int i = 0; i < 10_000; i += 2) Mimalloc.free(blocks.get(i));
        long live = dump().stream().mapToLong(page -> page.blockSize * page.live).sum();
        assertThat(live).isCloseTo(Mimalloc.statistics().allocated().current(), withPercentage(1));
        for (int i = 1; i < 10_000; i += 2) Mimalloc.free(blocks.get(i));
        assertThat(dump().stream().mapToLong(page -> page.blockSize * page.live).sum()).isLessThan(live - 10_000_000);
    }

    /** More than the first buffer has room for. */
    @Test
    void aLargeHeapHasALongDump() throws IOException {
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 16_000; i++) blocks.add(Mimalloc.malloc(8 << 10)); // less than ten in a page
        long pages = Mimalloc.statistics().pages().current();
        assertThat(dump().size()).isCloseTo((int) pages, withPercentage(1));
        assertThat(Files.size(folder.resolve("dump.json"))).isGreaterThan(64 << 10);
        blocks.forEach(Mimalloc::free);
    }

    @Test
    void othersGoOn() throws Exception {
        AtomicBoolean ends = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(4);
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Runnable work = () -> {
                for (int round = 0; !ends.get(); round++) {
                    try (Heap heap = Heap.create()) {
                        for (int i = 0; i < 200; i++) heap.malloc(i * 200L);
                        heap.malloc(9 << 20);
                    }
                    Mimalloc.free(Mimalloc.malloc(1 << 20));
                    if (round == 1) begun.countDown();
                }
            };
            threads.add(t == 0 ? Thread.startVirtualThread(work) : Thread.ofPlatform().start(work));
        }
        long block = Mimalloc.malloc(777_777);
        try {
            begun.await();
            for (int i = 0; i < 50; i++) {
                boolean found = dump().stream().anyMatch(page -> page.live == 1 && page.blockSize >= 777_777 && page.blockSize < 800_000);
                assertThat(found).as("what nobody changes is there").isTrue();
                assertThat(Files.readString(folder.resolve("dump.json"))).startsWith("{\"mimalloc_dump\": 1").endsWith("}\n");
            }
        } finally {
            ends.set(true);
            for (Thread thread : threads) thread.join();
        }
        Mimalloc.free(block);
    }

    @Test
    void aFileIsReplaced() throws IOException {
        Path file = folder.resolve("old.json");
        Files.writeString(file, "x".repeat(5 << 20));
        Mimalloc.dump(file);
        assertThat(Files.readString(file)).doesNotContain("x\n").endsWith("\"complete\": 1}\n");
        assertThatThrownBy(() -> Mimalloc.dump(folder)).isInstanceOf(IOException.class).hasMessageContaining("cannot write a dump to " + folder);
        assertThatThrownBy(() -> Mimalloc.dump(folder.resolve("none/at.json"))).isInstanceOf(IOException.class).hasMessageContaining("NoSuchFile");
        assertThatNullPointerException().isThrownBy(() -> Mimalloc.dump(null)).withMessage("file");
    }
}
