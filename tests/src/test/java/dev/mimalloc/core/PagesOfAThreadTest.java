package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.core.thread.Theaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.ThreadSlot;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The pages that one thread has, looked at from inside. */
class PagesOfAThreadTest {
    /** Core by itself would not be told of the ends of threads. */
    @BeforeAll
    static void begin() { Mimalloc.collect(false); }

    @AfterEach
    void allIsWhole() { Invariants.check(); }

    /** It ran empty, waits to be freed, is used again, is full, and runs empty once more among the full ones. */
    @Test
    void aPageThatIsUsedAgainStopsWaiting() throws Exception {
        inAHeap(heap -> {
            long size = 416;
            long block = inAPageThatWaits(heap, size);
            long page = PageMap.pageOf(block);
            assertThat(Page.retire(page)).as("it waits").isPositive();
            List<Long> blocks = new ArrayList<>(List.of(block));
            while (!Page.has(page, Page.IN_FULL)) blocks.add(Allocate.heapMalloc(heap, size));
            long last = blocks.removeLast(); // the next page's
            blocks.forEach(Mimalloc::free);
            assertThat(PageMap.pageOf(block)).as("the page of a freed block").isNotEqualTo(page);
            Mimalloc.free(last);
        });
    }

    /** It waits, is used again when the others are collected, and runs empty: it waits once more. */
    @Test
    void aPageWaitsAgainAfterACollection() throws Exception {
        inAHeap(heap -> {
            long block = inAPageThatWaits(heap, 1900);
            Mimalloc.collect(false);
            assertThat(Retire.hasRetired(Theaps.current(heap))).as("somebody looks for it").isFalse();
            Mimalloc.free(block);
            assertThat(Page.retire(PageMap.pageOf(block))).as("it waits").isPositive();
            assertThat(Retire.hasRetired(Theaps.current(heap))).as("somebody looks for it").isTrue();
        });
    }

    /** Its heaps end while a thread has a part of each, which never gets to notice. */
    @Test
    void nothingIsLeftOfASubprocess() throws Exception {
        Set<Long> heaps = new HashSet<>();
        for (int round = 0; round < 40; round++) {
            long subprocess = Subprocesses.create();
            var ready = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            Thread thread = Thread.ofPlatform().start(() -> {
                Subprocesses.addCurrentThread(subprocess);
                for (int i = 0; i < 4; i++) {
                    long heap = Heaps.create(0);
                    heaps.add(heap);
                    Allocate.heapMalloc(heap, 100);
                }
                ready.countDown();
                while (go.getCount() != 0) LockSupport.parkNanos(1000);
                Threads.done();
            });
            ready.await();
            Subprocesses.destroy(subprocess);
            go.countDown();
            thread.join();
        }
        assertThat(heaps).as("the addresses of 160 heaps").hasSizeLessThan(16);
    }

    /** In some pages all blocks but one stay, in the others only one: these are found again, behind the others. */
    @Test
    void fullPagesWithLittleRoomDoNotHideOthers() throws Exception {
        onAThread(() -> {
            int inPage = 1024, pages = 300, nearlyFull = 40;
            long[] blocks = new long[inPage * pages];
            List<Long> kept = new ArrayList<>();
            long most = 0;
            for (int round = 0; round < 6; round++) {
                for (int i = 0; i < blocks.length; i++) blocks[i] = Mimalloc.malloc(64);
                most = Math.max(most, Theap.pageCount(ThreadSlot.theap()));
                for (int i = 0; i < blocks.length; i++) {
                    boolean one = i % inPage == 0;
                    boolean filled = round == 1 && i < nearlyFull * inPage;
                    if (one == filled) Mimalloc.free(blocks[i]);
                    else kept.add(blocks[i]);
                }
            }
            kept.forEach(Mimalloc::free);
            assertThat(most).as("pages").isLessThan(pages + 2 * nearlyFull);
        });
    }

    /** The thread's own part of the ended heap has not been given up yet when the other one is made. */
    @Test
    void aHeapAtTheAddressOfAnEndedOneIsAnother() throws Exception {
        Thread worker;
        try (var other = Executors.newSingleThreadExecutor()) {
            worker = other.submit(Thread::currentThread).get();
            long heap = Heaps.create(0);
            other.submit(() -> Heaps.setDefault(Heaps.theap(heap))).get();
            Heaps.delete(heap);
            List<Long> heaps = new ArrayList<>();
            for (int i = 0; i < 4; i++) heaps.add(Heaps.create(0));
            for (long next : heaps) {
                long block = other.submit(() -> Allocate.heapMalloc(next, 100)).get();
                assertThat(Heaps.contains(next, block)).as("the block is the heap's").isTrue();
            }
            heaps.forEach(Heaps::destroy);
        }
        worker.join(); // close() only waits for its last task
    }

    /** A block of a page that ran empty, waits to be retired, and so is used again. */
    private static long inAPageThatWaits(long heap, long size) {
        Mimalloc.free(Allocate.heapMalloc(heap, size));
        return Allocate.heapMalloc(heap, size);
    }

    /** A new one, whose pages nobody else has had. */
    private static void inAHeap(LongConsumer work) throws Exception {
        onAThread(() -> {
            long heap = Heaps.create(0);
            work.accept(heap);
            Heaps.destroy(heap);
        });
    }

    private static void onAThread(Runnable work) throws Exception {
        var task = new FutureTask<>(work, null);
        Thread.ofPlatform().start(task).join();
        task.get();
    }
}
