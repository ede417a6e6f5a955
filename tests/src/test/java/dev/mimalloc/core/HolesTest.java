package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Holes;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import dev.mimalloc.tests.Threads;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** OS pages without a live block go back from inside pages in use, also beside the thread that has them. */
class HolesTest {
    private static final int ALIVE = 64; // one block in as many lives on
    private static final long BYTES = 16 << 20;
    private static final int OWNERS = 2;
    private static final int SLOTS = 3000;

    @BeforeEach
    void osPagesAreSmall() { Assumptions.assumeTrue(Os.pageSize() <= 4096); }

    @AfterEach
    void allIsWhole() { Invariants.check(); }

    private static long make(long size) {
        long block = Mimalloc.malloc(size);
        Memory.putLong(block, block ^ size);
        Memory.putLong(block + size - 8, block ^ size);
        return block;
    }

    private static void check(long block, long size) {
        if (Memory.getLong(block + size - 8) != (block ^ size)) throw new AssertionError("a live block was lost");
    }

    private static long size(long block) { return Memory.getLong(block) ^ block; }

    private static List<Long> thinned(long size) {
        List<Long> all = new ArrayList<>(), live = new ArrayList<>();
        for (long left = BYTES; left > 0; left -= size) all.add(make(size));
        for (int i = 0; i < all.size(); i++) {
            if (i % ALIVE == ALIVE / 2) live.add(all.get(i));
            else Mimalloc.free(all.get(i));
        }
        return live;
    }

    /** How many of the pages in which blocks live have holes. */
    private static long withHoles(List<Long> live) {
        return pages(live).stream().filter(Holes::has).count();
    }

    /** Without those in memory that the JVM had before, and which stays. */
    private static Set<Long> pages(List<Long> blocks) {
        var pages = new HashSet<Long>();
        for (long block : blocks) {
            long page = PageMap.pageOf(block);
            if (Arena.staysReadable(Arenas.arenaOf(page)) && Arena.isOwned(Arenas.arenaOf(page))) pages.add(page);
        }
        return pages;
    }

    @ParameterizedTest
    @ValueSource(longs = {1024, 1280, 4096, 5120, 40_960})
    void pagesOfASilentThreadGetHolesAndServeAgain(long size) throws Exception {
        var thinned = new CountDownLatch(1);
        var punched = new CountDownLatch(1);
        var live = new ArrayList<Long>();
        var failure = new Throwable[1];
        Thread silent = Thread.ofPlatform().start(() -> {
            live.addAll(thinned(size));
            thinned.countDown();
            try {
                punched.await();
                var again = new HashSet<>(live);
                var blocks = new ArrayList<Long>();
                for (long left = BYTES; left > 0; left -= size) {
                    long block = make(size);
                    blocks.add(block);
                    assertThat(again.add(block)).as("a block that nobody has").isTrue();
                }
                for (long block : live) check(block, size);
                for (long block : blocks) check(block, size);
                for (long block : blocks) Mimalloc.free(block);
                for (long block : live) Mimalloc.free(block);
            } catch (Throwable t) {
                failure[0] = t;
            }
        });
        thinned.await();
        Scavenge.punch(Main.subprocess(), true);
        // All but the first of the queue, and what the thread's first and last pages are.
        assertThat(withHoles(live)).isGreaterThanOrEqualTo(pages(live).size() - 3);
        Invariants.check();
        punched.countDown();
        silent.join();
        assertThat(failure[0]).isNull();
    }

    @Test
    void pagesThatRestGetHolesAtTheSecondLook() {
        List<Long> live = thinned(2048);
        Scavenge.punch(Main.subprocess(), false);
        long early = withHoles(live);
        Scavenge.punch(Main.subprocess(), false);
        assertThat(withHoles(live)).isGreaterThan(early).isGreaterThanOrEqualTo(pages(live).size() - 3);
        for (long block : live) check(block, 2048);
        for (long block : live) Mimalloc.free(block);
    }

    /** Of the page from which malloc takes, which may be a part of a huge page. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatHasNoBlockYetGoesFromTheFirstPage(boolean now) throws Exception {
        PurgeTest.inASubprocess(subprocess -> {
            long block = make(1024);
            long page = PageMap.pageOf(block);
            long end = Page.start(page) + Config.SLICE;
            long fresh = Config.alignUp(Page.start(page) + Page.capacity(page) * 1024L, 4096);
            Memory.putLong(fresh, 1);
            Memory.putLong(end - 4096, 1);
            Scavenge.punch(subprocess, now);
            if (!now) Scavenge.punch(subprocess, false);
            assertThat(Memory.getLong(fresh) | Memory.getLong(end - 4096)).as("what lay where no block is yet").isZero();
            check(block, 1024);
            Set<Long> blocks = new HashSet<>(Set.of(block));
            for (int i = 0; i < 200; i++) assertThat(blocks.add(make(1024))).as("a block that nobody has").isTrue();
            for (long one : blocks) check(one, 1024);
            for (long one : blocks) Mimalloc.free(one);
        });
    }

    @Test
    void listsStayWholeWhileOthersMakeHoles() throws Exception {
        Mimalloc.free(Mimalloc.malloc(1)); // so that there is something to look at
        var shared = new AtomicLongArray(SLOTS);
        var working = new AtomicInteger(OWNERS);
        Threads.run(OWNERS + 1, number -> {
            try {
                if (number == OWNERS) punch(working);
                else exchange(shared, new Random(number));
            } finally {
                if (number < OWNERS) working.decrementAndGet();
            }
        });
        for (int i = 0; i < SLOTS; i++) Mimalloc.free(shared.get(i));
    }

    private static void punch(AtomicInteger working) {
        while (working.get() > 0) Scavenge.punch(Main.subprocess(), true);
    }

    /** Waves: the slots fill, and run nearly empty, and what one thread has put there the other one frees. */
    private static void exchange(AtomicLongArray shared, Random random) {
        for (int i = 0; i < 500_000; i++) {
            boolean fills = (i / (4 * SLOTS) & 1) == 0;
            long block = fills ? make(32 + 8 * random.nextInt(200)) : 0;
            long old = shared.getAndSet(random.nextInt(SLOTS), block);
            if (old != 0) check(old, size(old));
            Mimalloc.free(old);
        }
    }
}
