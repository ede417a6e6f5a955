package dev.mimalloc.tests;

import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicReference;

/** Platform threads whose failures are the test's. */
public final class Threads {
    public interface Work { void run() throws Exception; }
    public interface NumberedWork { void run(int number) throws Exception; }

    /** Runs the work on a thread of its own, to its end. */
    public static void run(Work work) throws Exception {
        run(1, number -> work.run());
    }

    /** Runs so many threads to their end; throws what the first that failed threw. The others are then interrupted. */
    public static void run(int count, NumberedWork work) throws Exception {
        var failure = new AtomicReference<Throwable>();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < count; i++) {
            int number = i;
            threads.add(Thread.ofPlatform().name("test-" + i).unstarted(() -> {
                try {
                    work.run(number);
                } catch (Throwable t) {
                    if (failure.compareAndSet(null, t)) threads.forEach(Thread::interrupt);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) thread.join();
        if (failure.get() != null) throw new AssertionError("on another thread: " + failure.get(), failure.get());
    }

    private Threads() {}
}
