package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.face.ManageArenas;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.memory.Density;
import dev.mimalloc.core.memory.HugePages;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What becomes of the memory of free slices, and which of it is advised to be huge pages. In a subprocess, which the
 * housekeeper leaves alone: here time is up when a test says so.
 */
class PurgeTest {
    private static final long MIB = 1 << 20;

    @AfterEach
    void allIsWhole() { Invariants.check(); }

    @Test
    void whatWaitedThroughAWholeDelayIsPurged() throws Exception {
        inASubprocess(subprocess -> {
            long block = Allocate.malloc(MIB);
            Place place = Place.of(subprocess, block);
            Free.free(block);
            assertThat(place.waiting()).as("slices that wait after the free").isEqualTo(16);
            timeIsUp(subprocess);
            assertThat(place.waiting()).as("when time was up once").isEqualTo(16);
            assertThat(Subprocess.purgeExpire(subprocess)).as("the next time").isPositive();
            timeIsUp(subprocess);
            assertThat(place.waiting()).as("when it was up again").isZero();
            assertThat(Bitmap.countSet(Arena.committed(place.arena), place.slice, 16)).as("with memory").isZero();
            assertThat(Subprocess.purgeExpire(subprocess)).as("a time for nothing").isZero();
        });
    }

    @Test
    void whatWasUsedMeanwhileWaitsAnew() throws Exception {
        inASubprocess(subprocess -> {
            long block = Allocate.malloc(MIB);
            Place place = Place.of(subprocess, block);
            for (int i = 0; i < 3; i++) {
                Free.free(block);
                timeIsUp(subprocess);
                assertThat(place.waiting()).as("slices that wait, round %d", i).isEqualTo(16);
                assertThat(Allocate.malloc(MIB)).as("the same memory").isEqualTo(block);
            }
            Free.free(block);
        });
    }

    /** A purged slice begins anew: nothing says that it has waited before. */
    @Test
    void aPurgedSliceWaitsAWholeDelayAgain() throws Exception {
        inASubprocess(subprocess -> {
            long block = Allocate.malloc(MIB);
            Place place = Place.of(subprocess, block);
            for (int i = 0; i < 2; i++) {
                Free.free(block);
                timeIsUp(subprocess);
                assertThat(place.waiting()).as("slices that wait when time was up once, round %d", i).isEqualTo(16);
                timeIsUp(subprocess);
                assertThat(place.waiting()).as("when it was up again, round %d", i).isZero();
                assertThat(Allocate.malloc(MIB)).as("the same memory").isEqualTo(block);
            }
            Free.free(block);
        });
    }

    /** Blocks of two and a half regions, every third one stays: pieces of regions are left to a purge by time. */
    @Test
    void aPurgeByAmountLeavesPiecesOfHugePages() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> blocks = allocate(enough(5 * MIB), 5 * MIB);
            var places = blocks.stream().map(block -> Place.of(subprocess, block)).toList();
            List<Place> freed = new ArrayList<>();
            long waiting = -1;
            for (int i = 0; Subprocess.waiting(subprocess) > waiting; i++) {
                if (i % 3 == 0) continue;
                waiting = Subprocess.waiting(subprocess);
                Free.free(blocks.set(i, 0L));
                freed.add(places.get(i));
            }
            long pieces = 0, whole = 0;
            for (Place place : freed) {
                for (long slice = place.slice; slice < place.slice + 80; slice++) {
                    if (!HugePages.isHuge(place.arena, slice)) continue; // the first ones
                    boolean purged = !Bitmap.isSet(Arena.committed(place.arena), slice);
                    if (place.hasFreeRegionOf(slice)) whole += purged ? 1 : 0;
                    else pieces += purged ? 1 : 0;
                }
            }
            assertThat(whole).as("purged slices of whole huge pages").isPositive();
            assertThat(pieces).as("purged slices of huge pages in use").isZero();
            timeIsUp(subprocess);
            timeIsUp(subprocess);
            assertThat(Subprocess.waiting(subprocess)).as("slices that wait when time was up twice").isZero();
            blocks.forEach(Free::free);
        });
    }

    /** If the pieces alone are too much they go, too: here each region has a block that stays. */
    @Test
    void whatWaitsIsBoundedAlsoInPieces() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> large = new ArrayList<>(), kept = new ArrayList<>();
            for (int i = 3 * enough(2 * MIB); i > 0; i--) {
                large.addAll(allocate(1, 2 * MIB - MIB / 8));
                kept.addAll(allocate(1, MIB / 8));
            }
            large.forEach(Free::free);
            assertThat(Subprocess.waiting(subprocess)).as("slices that wait").isLessThan(large.size() * 30L / 2);
            kept.forEach(Free::free);
        });
    }

    /** A huge page is there as a whole, also where nobody has ever had a slice of it. */
    @Test
    void aHugePageGoesWithWhatNobodyHasUsedOfIt() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> much = allocate(8, 4 * MIB);
            long block = allocate(1, MIB / 2).getFirst();
            Place place = Place.of(subprocess, block);
            long first = Config.alignDown(place.slice, Arena.HUGE_PAGE);
            assertThat(HugePages.isHuge(place.arena, first)).as("a huge page").isTrue();
            Memory.putLong(block, 1);
            assertThat(resident(Arena.address(place.arena, first), 2 * MIB)).as("resident bytes of it").isPositive();
            much.forEach(Free::free);
            Free.free(block);
            timeIsUp(subprocess);
            timeIsUp(subprocess);
            assertThat(resident(Arena.address(place.arena, first), 2 * MIB)).as("resident bytes of it").isZero();
        });
    }

    /** What nobody has had of a huge page in use is there, too, and goes at the second look, or when told so. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatNobodyHasUsedOfAHugePageGoesAlone(boolean now) throws Exception {
        inASubprocess(subprocess -> {
            List<Long> much = allocate(8, 4 * MIB);
            long block = allocate(1, MIB / 2).getFirst();
            Place place = Place.of(subprocess, block);
            long first = Config.alignDown(place.slice, Arena.HUGE_PAGE);
            for (long i = 0; i < MIB / 2; i += 4096) Memory.putLong(block + i, i);
            Purge.trim(subprocess, now);
            if (!now) {
                assertThat(Bitmap.countSet(Arena.aged(place.arena), first, Arena.HUGE_PAGE)).as("free at the first look").isEqualTo(24);
                assertThat(HugePages.isHuge(place.arena, first)).as("a huge page").isTrue();
                Purge.trim(subprocess, false);
            }
            assertThat(resident(Arena.address(place.arena, first), 2 * MIB)).as("resident bytes of it").isEqualTo(MIB / 2);
            assertThat(HugePages.isHuge(place.arena, first)).as("small pages").isFalse();
            for (long i = 0; i < MIB / 2; i += 4096) assertThat(Memory.getLong(block + i)).isEqualTo(i);
            long next = allocate(1, MIB).getFirst();
            assertThat(Place.of(subprocess, next).slice - first).as("the rest serves again").isBetween(0L, Arena.HUGE_PAGE);
            Free.free(next);
            Free.free(block);
            timeIsUp(subprocess);
            timeIsUp(subprocess);
            Memory.putLong(allocate(1, MIB / 2).getFirst(), 1);
            assertThat(HugePages.isHuge(place.arena, first)).as("a huge page again, once all of it was free").isTrue();
            much.forEach(Free::free);
        });
    }

    /** Two blocks in one region: it stays as long as one of them has not waited, the upper or the lower. */
    @Test
    void aHugePageAgesAsOne() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> much = allocate(8, 4 * MIB);
            for (int older = 0; older < 2; older++) {
                List<Long> halves = allocate(2, MIB);
                Place place = Place.of(subprocess, Math.min(halves.get(0), halves.get(1)));
                assertThat(place.slice % Arena.HUGE_PAGE).as("begins a region").isZero();
                Free.free(halves.get(older));
                timeIsUp(subprocess);
                Free.free(halves.get(1 - older));
                timeIsUp(subprocess);
                assertThat(Bitmap.countSet(Arena.waiting(place.arena), place.slice, 32)).as("waiting").isEqualTo(32);
                timeIsUp(subprocess);
                assertThat(Bitmap.countSet(Arena.waiting(place.arena), place.slice, 32)).as("at last").isZero();
            }
            much.forEach(Free::free);
        });
    }

    @Test
    void theSmallestPurgeMayBeMoreThanAHugePage() throws Exception {
        long usual = Options.get(Options.ARENA_PURGE_MIN_SIZE);
        try {
            inASubprocess(subprocess -> {
                Options.set(Options.ARENA_PURGE_MIN_SIZE, 3 << 10);
                List<Long> blocks = allocate(3, 3 * MIB);
                Place large = Place.of(subprocess, blocks.get(0)), small = Place.of(subprocess, blocks.get(2));
                long shorter = allocate(1, MIB).getFirst();
                Place piece = Place.of(subprocess, shorter);
                long last = allocate(1, MIB).getFirst(); // so that nothing joins the two
                Free.free(blocks.get(0));
                Free.free(shorter);
                for (int i = 0; i < 2; i++) timeIsUp(subprocess);
                assertThat(large.waiting()).as("of 3 MiB").isZero();
                assertThat(piece.waiting()).as("of 1 MiB").isEqualTo(16);
                assertThat(small.waiting()).as("of what is in use").isZero();
                List.of(blocks.get(1), blocks.get(2), last).forEach(Free::free);
            });
        } finally {
            Options.set(Options.ARENA_PURGE_MIN_SIZE, usual);
        }
    }

    @Test
    void largePiecesArePurgedAtOnceIfAskedFor() throws Exception {
        long usual = Options.get(Options.ARENA_PURGE_IMMEDIATE_SIZE);
        try {
            inASubprocess(subprocess -> {
                Options.set(Options.ARENA_PURGE_IMMEDIATE_SIZE, 2 << 10);
                long small = allocate(1, MIB).getFirst(), large = allocate(1, 3 * MIB).getFirst();
                Place less = Place.of(subprocess, small), more = Place.of(subprocess, large);
                long before = Statistics.total(Subprocess.statistics(subprocess), Statistics.PURGED);
                Free.free(small);
                assertThat(less.waiting()).as("of 1 MiB").isEqualTo(16);
                assertThat(Statistics.total(Subprocess.statistics(subprocess), Statistics.PURGED)).isEqualTo(before);
                Free.free(large);
                assertThat(more.waiting()).as("of 3 MiB").isZero();
                assertThat(Statistics.total(Subprocess.statistics(subprocess), Statistics.PURGED)).isEqualTo(before + 3 * MIB);
            });
        } finally {
            Options.set(Options.ARENA_PURGE_IMMEDIATE_SIZE, usual);
        }
    }

    /** After a peak that is gone, as little waits as before it. */
    @Test
    void aPeakDoesNotRaiseWhatMayWait() throws Exception {
        inASubprocess(subprocess -> {
            allocate(enough(5 * MIB), 5 * MIB).forEach(Free::free);
            assertThat(Subprocess.earlyFrom(subprocess)).as("the next purge by amount").isPositive();
            Purge.run(subprocess);
            assertThat(Subprocess.earlyFrom(subprocess)).as("the next purge by amount").isZero();
        });
    }

    /** What is freed for the first time goes at once, but for a little: if nobody calls again, nothing else would. */
    @Test
    void aBurstGoesAtOnce() throws Exception {
        inASubprocess(subprocess -> {
            long kept = Root.charged();
            List<Long> much = allocate(150, 4 * MIB);
            allocate(150, 4 * MIB).forEach(Free::free);
            long most = 80 * MIB + (kept + 600 * MIB) / 16;
            assertThat(Subprocess.waiting(subprocess) << Config.SLICE_SHIFT).as("bytes that wait").isLessThan(most);
            much.forEach(Free::free);
            assertThat(Subprocess.waiting(subprocess) << Config.SLICE_SHIFT).as("bytes that wait").isLessThan(most);
        });
    }

    /** What was purged because too much waited, and is wanted again soon, may wait from then on. */
    @Test
    void aCycleKeepsItsMemory() throws Exception {
        inASubprocess(subprocess -> {
            long statistics = Subprocess.statistics(subprocess);
            for (int i = 0; i < 2; i++) allocate(100, 4 * MIB).forEach(Free::free);
            long purged = Statistics.total(statistics, Statistics.PURGED);
            assertThat(purged).as("bytes purged by the first cycle").isGreaterThan(200 * MIB);
            for (int i = 0; i < 10; i++) allocate(100, 4 * MIB).forEach(Free::free);
            assertThat(Statistics.total(statistics, Statistics.PURGED) - purged).as("bytes purged by ten more")
                    .isLessThan(100 * MIB);
        });
    }

    /** When no cycle came before time was up, as little may wait as at first. */
    @Test
    void aCycleThatEndsIsForgotten() throws Exception {
        inASubprocess(subprocess -> {
            for (int i = 0; i < 4; i++) allocate(100, 4 * MIB).forEach(Free::free);
            assertThat(Subprocess.wanted(subprocess)).as("slices that may wait in addition").isGreaterThan(2000);
            for (int i = 0; i < 4 && Subprocess.purgeExpire(subprocess) != 0; i++) timeIsUp(subprocess);
            assertThat(Subprocess.waiting(subprocess)).as("slices that wait").isZero();
            Purge.run(subprocess);
            assertThat(Subprocess.wanted(subprocess)).as("slices that may wait in addition").isZero();
        });
    }

    /** A cycle that is longer than the delay gets no more memory than a burst. */
    @Test
    void whatIsWantedAfterADelayIsNotWantedSoon() throws Exception {
        inASubprocess(subprocess -> {
            for (int i = 0; i < 4; i++) {
                allocate(100, 4 * MIB).forEach(Free::free);
                // As if it had been long ago.
                Subprocess.setPurgedAt(subprocess, Os.clock() - Arena.purgeDelay());
                for (int j = 0; j < 4 && Subprocess.purgeExpire(subprocess) != 0; j++) timeIsUp(subprocess);
                assertThat(Subprocess.waiting(subprocess)).as("slices that wait").isZero();
                assertThat(Subprocess.wanted(subprocess)).as("slices that may wait in addition").isZero();
            }
        });
    }

    /** A refused slice is listed and counted as before, and goes with a later purge. */
    @Test
    void whatIsRefusedWaits() throws Exception {
        inASubprocess(subprocess -> {
            var refuses = new AtomicBoolean(true);
            var given = new AtomicLong();
            long heap = Heaps.create(arenaOf(64 * MIB, (start, size) -> {
                if (!refuses.get()) given.addAndGet(size);
                return !refuses.get();
            }));
            long statistics = Subprocess.statistics(subprocess);
            Place place = Place.of(subprocess, allocateAndFree(heap, 20 * MIB));
            for (int i = 0; i < 3; i++) {
                Purge.run(subprocess);
                assertThat(place.waiting()).as("slices that wait after they were refused").isEqualTo(16);
                assertThat(Subprocess.waiting(subprocess)).as("all that wait").isEqualTo(320);
                assertThat(Subprocess.purgeExpire(subprocess)).as("the next time").isPositive();
                timeIsUp(subprocess);
            }
            assertThat(Statistics.total(statistics, Statistics.PURGED)).as("bytes purged").isZero();
            refuses.set(false);
            Purge.run(subprocess);
            assertThat(place.waiting()).as("slices that wait at last").isZero();
            assertThat(Subprocess.waiting(subprocess)).as("all that wait").isZero();
            assertThat(given).as("bytes given back").hasValue(20 * MIB);
            assertThat(Statistics.total(statistics, Statistics.PURGED)).as("bytes purged").isEqualTo(20 * MIB);
        });
    }

    /** Without a delay, too: what a free could not give back is listed. */
    @Test
    void whatIsRefusedAtOnceWaits() throws Exception {
        long usual = Options.get(Options.PURGE_DELAY);
        Options.set(Options.PURGE_DELAY, 0);
        try {
            inASubprocess(subprocess -> {
                var refuses = new AtomicBoolean(true);
                long heap = Heaps.create(arenaOf(64 * MIB, (start, size) -> !refuses.get()));
                Place place = Place.of(subprocess, allocateAndFree(heap, 20 * MIB));
                assertThat(place.waiting()).as("slices that wait").isEqualTo(16);
                refuses.set(false);
                timeIsUp(subprocess);
                assertThat(place.waiting()).as("slices that wait when time is up").isZero();
            });
        } finally {
            Options.set(Options.PURGE_DELAY, usual);
        }
    }

    /** The function may collect, allocate and free; what it throws is a refusal. */
    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aCommitFunctionMayUseTheAllocator() throws Exception {
        inASubprocess(subprocess -> {
            var heaps = new AtomicLong();
            var calls = new AtomicLong();
            long heap = Heaps.create(arenaOf(64 * MIB, (start, size) -> {
                if (calls.incrementAndGet() > 2) return true;
                Threads.collect(true);
                Free.free(Allocate.malloc(10 * MIB));
                assertThat(Allocate.heapMalloc(heaps.get(), 50 * MIB)).as("what is being purged").isZero();
                throw new IllegalStateException("thrown on purpose by a commit function");
            }));
            heaps.set(heap);
            Place place = Place.of(subprocess, allocateAndFree(heap, 50 * MIB));
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {});
            for (int i = 0; i < 4; i++) Purge.run(subprocess);
            assertThat(calls.get()).as("calls").isGreaterThan(2);
            assertThat(place.waiting()).as("slices that wait at last").isZero();
        });
    }

    /** A collection by force gives back what was freed after the purge of another thread had passed by. */
    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aCollectionWaitsForAnotherPurge() throws Exception {
        inASubprocess(subprocess -> {
            long block = Allocate.malloc(20 * MIB);
            Place place = Place.of(subprocess, block);
            besideAPurge(subprocess, heap -> {
                Free.free(block);
                Threads.collect(true);
            });
            assertThat(place.waiting()).as("slices that wait after a collection by force").isZero();
            assertThat(Bitmap.countSet(Arena.committed(place.arena), place.slice, 16)).as("with memory").isZero();
        });
    }

    /** What a purge has claimed is room. */
    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void anArenaWithRoomHasRoomWhileItIsPurged() throws Exception {
        inASubprocess(subprocess -> besideAPurge(subprocess, heap -> {
            long block = Allocate.heapMalloc(heap, 50 * MIB);
            assertThat(block).as("a block where a purge was").isNotZero();
            Free.free(block);
        }));
    }

    /** Runs the work while another thread is in the middle of a purge, which ends while the work runs. */
    private static void besideAPurge(long subprocess, LongConsumer work) {
        var reached = new CountDownLatch(1);
        var on = new CountDownLatch(1);
        long heap = Heaps.create(arenaOf(64 * MIB, (start, size) -> {
            reached.countDown();
            await(on);
            return true;
        }));
        allocateAndFree(heap, 50 * MIB);
        Thread purger = Thread.ofPlatform().start(() -> Purge.run(subprocess));
        await(reached);
        Thread.ofPlatform().start(() -> {
            LockSupport.parkNanos(50_000_000); // so that the work meets the purge, most likely
            on.countDown();
        });
        work.accept(heap);
        try {
            purger.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private interface Decommit { boolean decommit(long start, long size); }

    /** An exclusive arena of memory that a function gives back. */
    private static long arenaOf(long size, Decommit decommit) {
        long memory = OsMemory.map(size, 2 * MIB, Os.COMMIT);
        long function = Callback.register((Callback.Committer) (commit, start, bytes, zero, arg) -> commit
                || decommit.decommit(start, bytes));
        long arena = ManageArenas.manageArena(memory, size, Arena.ACCESSIBLE | Arena.ZERO | Arena.EXCLUSIVE, -1, function, 0);
        assertThat(arena).isNotZero();
        return arena;
    }

    private static long allocateAndFree(long heap, long size) {
        long block = Allocate.heapMalloc(heap, size);
        assertThat(block).isNotZero();
        Free.free(block);
        return block;
    }

    /** The OS says so itself. */
    @Test
    void whatIsTakenNewIsAdvisedToBeHugePages() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> blocks = allocate(8, 4 * MIB);
            assertThat(Root.charged()).as("bytes in use").isGreaterThan(8 * MIB);
            Place last = Place.of(subprocess, blocks.getLast());
            assertThat(HugePages.isHuge(last.arena, last.slice)).as("a huge page").isTrue();
            if (areKnown()) {
                assertThat(flagsOf(blocks.getLast())).as("a block's memory").contains("hg").doesNotContain("nh");
                long slices = Arena.slices(last.arena);
                assertThat(flagsOf(Arena.address(last.arena, slices - 1))).as("memory that nobody has").contains("nh");
                assertThat(HugePages.isHuge(last.arena, slices - 1)).as("a huge page").isFalse();
            }
            blocks.forEach(Free::free);
        });
    }

    /** The first page for a size may stay nearly empty, however many threads and heaps there are. */
    @Test
    void pagesAreHugeOnlyBehindFullOnes() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> much = allocate(8, 4 * MIB);
            List<Long> blocks = allocate(8000, 1000);
            Place first = Place.of(subprocess, blocks.getFirst()), last = Place.of(subprocess, blocks.getLast());
            assertThat(HugePages.isHuge(first.arena, first.slice)).as("the first page is in a huge one").isFalse();
            assertThat(HugePages.isHuge(last.arena, last.slice)).as("the last page is in a huge one").isTrue();
            blocks.forEach(Free::free);
            much.forEach(Free::free);
        });
    }

    @Test
    void aRegionThatWasTouchedBeforeIsNotAdvised() throws Exception {
        inASubprocess(subprocess -> {
            List<Long> blocks = allocate(4, 4 * MIB);
            Place place = Place.of(subprocess, blocks.getFirst());
            long region = place.slice / Arena.HUGE_PAGE + 64; // nobody is there
            long slice = region * Arena.HUGE_PAGE;
            Bitmap.set(Arena.dirty(place.arena), slice + 5);
            HugePages.afterClaim(place.arena, slice, 4);
            assertThat(Bitmap.isSet(Arena.huge(place.arena), region)).as("the touched one").isFalse();
            HugePages.afterClaim(place.arena, slice + Arena.HUGE_PAGE, 4);
            assertThat(Bitmap.isSet(Arena.huge(place.arena), region + 1)).as("the next one").isTrue();
            Bitmap.clear(Arena.dirty(place.arena), slice + 5);
            blocks.forEach(Free::free);
        });
    }

    /** Where a block lies. */
    private record Place(long arena, long slice) {
        static Place of(long subprocess, long block) {
            long arena = Arenas.find(subprocess, block);
            return new Place(arena, (block - Arena.start(arena)) >>> Config.SLICE_SHIFT);
        }

        long waiting() { return Bitmap.countSet(Arena.waiting(arena), slice, 16); }

        /** Is all of the region free that {@code one} is in? */
        boolean hasFreeRegionOf(long one) {
            long first = Config.alignDown(one, Arena.HUGE_PAGE);
            return Bitmap.countSet(Arena.free(arena), first, Arena.HUGE_PAGE) == Arena.HUGE_PAGE;
        }
    }

    private static List<Long> allocate(int count, long size) {
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (size > Config.LARGE_OBJECT_MAX) expectTouched(size);
            blocks.add(Allocate.malloc(size));
        }
        assertThat(blocks).doesNotContain(0L);
        return blocks;
    }

    /** As if the last block of this size had been touched everywhere. */
    private static void expectTouched(long size) {
        Memory.putLong(Root.density(63 - Long.numberOfLeadingZeros(size)), Density.DENSE);
    }

    /** So many blocks that most of them are too much to wait, whatever other tests have. */
    private static int enough(long size) { return (int) ((4 * Root.charged() + 300 * MIB) / size); }

    private static void timeIsUp(long subprocess) {
        long expire = Subprocess.purgeExpire(subprocess);
        assertThat(expire).as("a time is set").isPositive();
        assertThat(Subprocess.casPurgeExpire(subprocess, expire, Os.clock())).isTrue();
        Purge.tick(subprocess);
    }

    /** How many bytes of a range have memory, as the OS has it. */
    private static long resident(long address, long size) {
        long page = Os.pageSize();
        ByteBuffer entries = ByteBuffer.allocate((int) (size / page * 8)).order(ByteOrder.nativeOrder());
        try (var map = FileChannel.open(Path.of("/proc/self/pagemap"))) {
            assertThat(map.read(entries, address / page * 8)).isEqualTo(entries.capacity());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        entries.flip();
        long resident = 0;
        while (entries.hasRemaining()) {
            if (entries.getLong() < 0) resident += page; // its highest bit
        }
        return resident;
    }

    /** Are there transparent huge pages, and does the system tell of them? qemu makes flags of mappings up. */
    private static boolean areKnown() {
        return Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage")) && System.getenv("QEMU_PAGESIZE") == null;
    }

    static List<String> flagsOf(long address) {
        boolean found = false;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    String[] ends = line.split("[- ]", 3);
                    found = Long.parseUnsignedLong(ends[0], 16) <= address
                            && address < Long.parseUnsignedLong(ends[1], 16);
                } else if (found && line.startsWith("VmFlags:")) {
                    return List.of(line.substring("VmFlags:".length()).strip().split(" "));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new AssertionError("0x%x is not mapped".formatted(address));
    }

    static void inASubprocess(LongConsumer work) throws Exception {
        var task = new FutureTask<>(() -> {
            long subprocess = Subprocesses.create();
            Subprocesses.addCurrentThread(subprocess);
            try {
                work.accept(subprocess);
            } finally {
                Threads.done();
                Subprocesses.destroy(subprocess);
            }
        }, null);
        Thread.ofPlatform().start(task).join();
        task.get();
    }
}
