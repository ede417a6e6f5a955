package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/**
 * Calls with ever less stack left, at hundreds of depths near the brink: each is done, or throws a
 * {@code StackOverflowError} and has done nothing.
 */
class FullStackTest {
    private static final int DEPTHS = 700;

    @Test
    void onAPlatformThread() throws Exception { run(Thread.ofPlatform().name("deep").stackSize(256 << 10), 2); }

    @Test
    void onAVirtualThread() throws Exception { run(Thread.ofVirtual(), 6); }

    private static void run(Thread.Builder builder, int rounds) throws Exception {
        warmUp();
        Mimalloc.collect(true);
        Invariants.check();
        long before = blocks();
        var failure = new AtomicReference<Throwable>();
        var brink = new Brink();
        Thread thread = builder.unstarted(() -> {
            try {
                for (int round = 0; round < rounds; round++) {
                    brink.seed += 7919;
                    brink.down(round % 8);
                    Invariants.check();
                    brink.calls.end();
                }
            } catch (Throwable t) {
                failure.set(t);
            }
        });
        thread.start();
        thread.join();
        if (failure.get() != null) throw new AssertionError(failure.get());
        assertThat(brink.made).as("calls made").isGreaterThan(1000);
        assertThat(brink.overflows).as("calls that found no room").isGreaterThan(100);
        Invariants.check();
        assertThat(blocks()).as("blocks that are left").isEqualTo(before);
    }

    /** So that all classes are there, the JDK's too: one that is first used on a full stack is lost for good. */
    private static void warmUp() throws Exception {
        Threads.run(() -> {
            var calls = new Calls();
            for (int i = 0; i < 1000; i++) Calls.ALL.get(i % Calls.ALL.size()).make(calls, i);
            calls.end();
        });
    }

    /** The blocks of the main heap. Those of others went with them. */
    private static long blocks() {
        long[] blocks = {0};
        Heap.main().visit(true, (area, block, size) -> {
            if (block != 0) blocks[0]++;
            return true;
        });
        return blocks[0];
    }

    private static final class Brink {
        final Calls calls = new Calls();
        int seed;
        int made;
        int overflows;

        /** Goes down until there is no more stack, and makes calls on the way up: returns how far from the brink. */
        int down(int padding) {
            int height;
            try {
                height = padding == 0 ? down(0) : padded(padding, 1, 2, 3);
            } catch (StackOverflowError e) {
                height = 0;
            }
            if (height < DEPTHS) attempt();
            return height + 1;
        }

        /** A frame of another size, once in a while, so that the brink is not always at the same place. */
        private int padded(int padding, long a, long b, long c) {
            int height = down(padding - 1);
            return (a + b) * c > 0 ? height : -height;
        }

        private void attempt() {
            for (int i = 0; i < 6; i++) {
                seed = seed * 1_103_515_245 + 12_345;
                int random = seed >>> 8;
                try {
                    Calls.ALL.get(random % Calls.ALL.size()).make(calls, random / 32);
                    made++;
                } catch (StackOverflowError e) {
                    overflows++;
                }
            }
        }
    }
}
