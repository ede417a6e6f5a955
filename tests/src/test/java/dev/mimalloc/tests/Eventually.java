package dev.mimalloc.tests;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** For what happens in a while and not at once: it is asked for again and again, with patience for a busy machine. */
final class Eventually {
    private static final long PATIENCE = 30_000_000_000L;

    static void that(BooleanSupplier condition, Supplier<String> complaint) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE) throw new AssertionError(complaint.get());
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private Eventually() {}
}
