package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ThreadSlotTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60); // for a busy machine; what is right takes a moment

    private final ConcurrentLinkedQueue<Long> ended = new ConcurrentLinkedQueue<>();
    private final AtomicInteger ticks = new AtomicInteger();

    @BeforeEach
    void listen() {
        ThreadSlot.lifecycle(new Lifecycle() {
            @Override
            public void threadEnded(long theap) { ended.add(theap); }
            @Override
            public void tick() { ticks.incrementAndGet(); }
        });
    }

    /** With the ends of all threads noticed: the next test's listener must not be told of this one's. */
    @AfterEach
    void stopListening() {
        ThreadSlot.stopWatching();
        ThreadSlot.lifecycle(null);
    }

    @Test
    void idsAreMultiplesOfSixteenAndUnique() throws Exception {
        Set<Long> ids = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            AtomicLong id = new AtomicLong();
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            builder.start(() -> id.set(ThreadSlot.id())).join();
            assertThat(id.get()).isPositive();
            assertThat(id.get() % 16).isZero();
            ids.add(id.get());
        }
        assertThat(ids).hasSize(100).doesNotContain(ThreadSlot.id());
    }

    @Test
    void aTheapComesAndGoes() throws Exception {
        inThread(() -> {
            assertThat(ThreadSlot.theap()).isZero();
            ThreadSlot.setTheap(16);
            assertThat(ThreadSlot.theap()).isEqualTo(16);
            ThreadSlot.setTheap(32);
            assertThat(ThreadSlot.theap()).isEqualTo(32);
            ThreadSlot.setTheap(0);
            assertThat(ThreadSlot.theap()).isZero();
            ThreadSlot.setTheap(0);
        });
        Thread.sleep(Duration.ofMillis(600));
        assertThat(ended).as("a theap that was taken away has no end").isEmpty();
    }

    @Test
    void virtualThreadsOwnNothing() throws Exception {
        AtomicInteger checked = new AtomicInteger();
        for (int i = 0; i < 10_000; i++) {
            Thread.startVirtualThread(() -> {
                if (ThreadSlot.theap() == 0 && !ThreadSlot.mayOwn()) checked.incrementAndGet();
            }).join();
        }
        assertThat(checked).hasValue(10_000);
        assertThat(ThreadSlot.mayOwn()).isTrue();
    }

    @Test
    void theEndOfAThreadIsNoticed() throws Exception {
        inThread(() -> ThreadSlot.setTheap(48));
        await(() -> ended.contains(48L));
    }

    @Test
    void aLivingThreadHasNotEnded() throws Exception {
        CountDownLatch set = new CountDownLatch(1), done = new CountDownLatch(1);
        Thread thread = Thread.ofPlatform().start(() -> {
            ThreadSlot.setTheap(64);
            set.countDown();
            try {
                done.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        set.await();
        Thread.sleep(Duration.ofMillis(600));
        assertThat(ended).isEmpty();
        done.countDown();
        thread.join();
        await(() -> ended.contains(64L));
    }

    @Test
    void whatAThreadWroteIsSeenAtItsEnd() throws Exception {
        int threads = 200;
        long memory = Os.map(0, 1 << 16, 1 << 16, Os.COMMIT);
        AtomicInteger wrong = new AtomicInteger(), seen = new AtomicInteger();
        ThreadSlot.lifecycle(new Lifecycle() {
            @Override
            public void threadEnded(long theap) {
                if (Memory.getLong(theap) != theap) wrong.incrementAndGet();
                seen.incrementAndGet();
            }

            @Override
            public void tick() {}
        });
        for (int i = 0; i < threads; i++) {
            long word = memory + 16L * i;
            Thread.ofPlatform().start(() -> {
                ThreadSlot.setTheap(word);
                Memory.putLong(word, word);
            });
        }
        await(() -> seen.get() == threads);
        assertThat(wrong).hasValue(0);
        Os.unmap(memory, 1 << 16);
    }

    @Test
    void tenThousandShortThreadsLeaveNothing() throws Exception {
        int before = ThreadSlot.entries(), threads = 10_000;
        AtomicInteger wrong = new AtomicInteger();
        for (int i = 1; i <= threads; i++) {
            long theap = 16L * i;
            Thread thread = Thread.ofPlatform().start(() -> {
                if (ThreadSlot.theap() != 0) wrong.incrementAndGet();
                ThreadSlot.setTheap(theap);
                if (ThreadSlot.theap() != theap) wrong.incrementAndGet();
            });
            if (i % 8 == 0) thread.join();
        }
        await(() -> ended.size() == threads && ThreadSlot.entries() == before);
        assertThat(wrong).hasValue(0);
        assertThat(new HashSet<>(ended)).hasSize(threads);
    }

    @Test
    void threadsOfOneChainDoNotDisturbEachOther() throws Exception {
        // More threads at once than the table has chains could take long; ids a whole table apart share a chain.
        int sharing = 6;
        CountDownLatch ready = new CountDownLatch(sharing), done = new CountDownLatch(1);
        AtomicInteger wrong = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < sharing; i++) {
            long theap = 16L * (i + 1);
            Thread thread = Thread.ofPlatform().unstarted(() -> {
                for (int round = 0; round < 20_000; round++) {
                    ThreadSlot.setTheap(theap);
                    if (ThreadSlot.theap() != theap) wrong.incrementAndGet();
                    ThreadSlot.setTheap(0);
                    if (ThreadSlot.theap() != 0) wrong.incrementAndGet();
                }
                ThreadSlot.setTheap(theap);
                ready.countDown();
                try {
                    done.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                if (ThreadSlot.theap() != theap) wrong.incrementAndGet();
            });
            threads.add(thread);
            while (Thread.ofVirtual().unstarted(() -> {}).threadId() % 4096 != (thread.threadId() - 1) % 4096) {}
        }
        assertThat(threads.stream().map(thread -> thread.threadId() % 4096).distinct()).hasSize(1);
        threads.forEach(Thread::start);
        ready.await();
        done.countDown();
        for (Thread thread : threads) thread.join();
        assertThat(wrong).hasValue(0);
        await(() -> ended.size() == sharing);
    }

    @Test
    void theHousekeeperTicksAndIsADaemon() throws Exception {
        inThread(() -> ThreadSlot.setTheap(80));
        await(() -> ticks.get() > 3);
        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> thread.getName().equals("mimalloc-housekeeper"))
                .singleElement().satisfies(thread -> assertThat(thread.isDaemon()).isTrue());
    }

    /** A thread that is interrupted never rests until somebody clears that. */
    @Test
    void theHousekeeperRestsAgainAfterAnInterrupt() throws Exception {
        inThread(() -> ThreadSlot.setTheap(144));
        Thread keeper = Housekeeper.thread();
        for (int i = 0; i < 3; i++) {
            keeper.interrupt();
            await(() -> !keeper.isInterrupted());
        }
        int before = ticks.get();
        await(() -> ticks.get() > before);
        assertThat(keeper.isAlive()).isTrue();
    }

    @Test
    void theHousekeeperIsInNoGroupOfTheApplications() throws Exception {
        var group = new ThreadGroup("application");
        Housekeeper.stop();
        Thread thread = new Thread(group, () -> ThreadSlot.setTheap(160));
        thread.start();
        thread.join();
        assertThat(Housekeeper.thread().getThreadGroup().getParent()).isNull();
        group.interrupt();
        assertThat(Housekeeper.thread().isInterrupted()).isFalse();
    }

    @Test
    void aStoppedHousekeeperComesBackWithTheNextTheap() throws Exception {
        inThread(() -> ThreadSlot.setTheap(176));
        Thread keeper = Housekeeper.thread();
        Thread.currentThread().interrupt(); // which does not keep it from waiting
        Housekeeper.stop();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(keeper.isAlive()).isFalse();
        assertThat(Housekeeper.thread()).isNull();
        inThread(() -> ThreadSlot.setTheap(192));
        await(() -> ended.contains(192L));
        assertThat(Housekeeper.thread()).isNotSameAs(keeper);
    }

    /** As otherwise nobody could any more when the classes have been unloaded. */
    @Test
    void theHousekeeperKeepsTheAllocatorWhileThereIsSomethingToDo() throws Exception {
        var toDo = new AtomicBoolean(true);
        ThreadSlot.lifecycle(new Lifecycle() {
            @Override
            public void threadEnded(long theap) {}
            @Override
            public void tick() {}
            @Override
            public boolean hasToTick() { return toDo.get(); }
        });
        inThread(() -> ThreadSlot.setTheap(208));
        await(Housekeeper::keeps);
        toDo.set(false);
        await(() -> !Housekeeper.keeps());
        listen();
    }

    @Test
    void theHousekeeperOutlivesAFailure() throws Exception {
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        AtomicInteger failures = new AtomicInteger();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> failures.incrementAndGet());
        ThreadSlot.lifecycle(new Lifecycle() {
            @Override
            public void threadEnded(long theap) { throw new IllegalStateException("on purpose"); }
            @Override
            public void tick() {}
        });
        try {
            inThread(() -> ThreadSlot.setTheap(96));
            await(() -> failures.get() == 1);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        listen();
        inThread(() -> ThreadSlot.setTheap(112));
        await(() -> ended.contains(112L));
    }

    @Test
    void aFullStackIsNoticedBeforeTheUpdate() throws Exception {
        AtomicInteger torn = new AtomicInteger(), refused = new AtomicInteger();
        Thread.ofPlatform().stackSize(512 << 10).start(() -> descend(torn, refused)).join();
        assertThat(refused.get()).isPositive();
        assertThat(torn).hasValue(0);
        ThreadSlot.probeStack();
    }

    /** On the way back up from the end of the stack, tries at every depth an update that needs some frames. */
    @SuppressWarnings("InfiniteRecursion") // it wants the end of the stack
    private static void descend(AtomicInteger torn, AtomicInteger refused) {
        try {
            descend(torn, refused);
        } catch (StackOverflowError e) {
            // here the stack is full: go on in the caller
        }
        boolean started = false;
        try {
            ThreadSlot.probeStack();
            started = true;
            nested(20);
        } catch (StackOverflowError e) {
            if (started) torn.incrementAndGet();
            else refused.incrementAndGet();
            throw e;
        }
    }

    private static long nested(int depth) { return depth == 0 ? 1 : nested(depth - 1) + Math.floorMod(depth, 3); }

    private static void inThread(Runnable work) throws InterruptedException {
        List<Throwable> failures = new ArrayList<>();
        Thread thread = Thread.ofPlatform().unstarted(() -> {
            try {
                work.run();
            } catch (Throwable t) {
                failures.add(t);
            }
        });
        thread.start();
        thread.join();
        assertThat(failures).isEmpty();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) Thread.sleep(Duration.ofMillis(2));
        assertThat(condition.getAsBoolean()).isTrue();
    }
}
