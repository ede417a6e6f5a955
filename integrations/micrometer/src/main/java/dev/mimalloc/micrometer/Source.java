package dev.mimalloc.micrometer;

import dev.mimalloc.Statistics;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * Where meters get their values from. All meters of one scrape share a snapshot, so that they fit together and a scrape
 * costs one look at the allocator, not fifty. Any number of threads may scrape at a time: what they share is
 * immutable, and two that find it too old make it anew both. A registry holds only the functions that it gets here, and
 * these hold the source.
 */
final class Source {
    private final Supplier<Statistics> statistics;
    private final long maxAgeNanos;
    private volatile Snapshot latest;

    private record Snapshot(Statistics statistics, long nanos) {}

    Source(Supplier<Statistics> statistics, long maxAgeNanos) {
        this.statistics = statistics;
        this.maxAgeNanos = maxAgeNanos;
    }

    /** Of the moment, or of a moment ago; null when the heap has been closed. */
    private Statistics snapshot() {
        Snapshot snapshot = latest;
        long now = System.nanoTime();
        if (snapshot == null || now - snapshot.nanos >= maxAgeNanos) {
            snapshot = new Snapshot(taken(), now);
            latest = snapshot;
        }
        return snapshot.statistics;
    }

    private Statistics taken() {
        try {
            return statistics.get();
        } catch (IllegalStateException e) {
            return null;
        }
    }

    /** A number of a heap, or NaN when it has been closed. */
    static double unlessClosed(LongSupplier number) {
        try {
            return number.getAsLong();
        } catch (IllegalStateException e) {
            return Double.NaN;
        }
    }

    /** A gauge: of a heap that has been closed there is nothing to say. */
    ToDoubleFunction<Source> gauge(ToLongFunction<Statistics> field) {
        return self -> {
            Statistics statistics = snapshot();
            return statistics == null ? Double.NaN : field.applyAsLong(statistics);
        };
    }

    /**
     * A counter. It never falls: not when a heap is closed, and not when a total that was ahead is set right, which a
     * monitoring system would take for a restart.
     */
    ToDoubleFunction<Source> counter(ToLongFunction<Statistics> field) {
        var most = new AtomicLong();
        return self -> {
            Statistics statistics = snapshot();
            return statistics == null ? most.get() : most.accumulateAndGet(field.applyAsLong(statistics), Math::max);
        };
    }
}
