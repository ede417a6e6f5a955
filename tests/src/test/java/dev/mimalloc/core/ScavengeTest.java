package dev.mimalloc.core;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.tests.Threads;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Others take emptied pages out of a theap's queues, while its owner changes these. */
class ScavengeTest {
    private static final int OWNERS = 2;
    private static final int SLOTS = 600;
    private static final int[] SIZES = {10_000, 20_000, 40_000, 80_000}; // a few blocks fill a page, a few frees empty it

    @AfterEach
    void allIsWhole() { Invariants.check(); }

    @Test
    void queuesStayWholeWhileOthersTakePagesOut() throws Exception {
        Mimalloc.free(Mimalloc.malloc(1)); // so that there is something to look at
        var shared = new AtomicLongArray(SLOTS);
        var working = new AtomicInteger(OWNERS);
        Threads.run(OWNERS + 1, number -> {
            try {
                if (number == OWNERS) scavenge(working);
                else exchange(shared, new Random(number));
            } finally {
                if (number < OWNERS) working.decrementAndGet();
            }
        });
        for (int i = 0; i < SLOTS; i++) Mimalloc.free(shared.get(i));
    }

    private static void scavenge(AtomicInteger working) {
        while (working.get() > 0) Scavenge.all(Main.subprocess());
    }

    /** Waves: the slots fill, and run empty, and what one thread has put there the other one frees. */
    private static void exchange(AtomicLongArray shared, Random random) {
        for (int i = 0; i < 1_000_000; i++) {
            boolean fills = (i / (2 * SLOTS) & 1) == 0;
            long block = fills ? Mimalloc.malloc(SIZES[random.nextInt(SIZES.length)]) : 0;
            long old = shared.getAndSet(random.nextInt(SLOTS), block);
            Mimalloc.free(old);
        }
    }
}
