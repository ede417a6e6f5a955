package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** The work that a service is given, in phases that have names, and how long it took. */
final class Load {
    private static final List<Double> PERCENTILES = List.of(50.0, 90.0, 99.0, 99.9, 99.99, 99.999);
    private static final long PATIENCE_MINUTES = 10;
    // A request of a minute has hung; two digits of a latency say enough.
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Histogram latencies = new ConcurrentHistogram(LONGEST_NANOS, 2);
    private final List<Phase> phases = new ArrayList<>();
    private final long start = System.nanoTime();
    private double measuredSeconds;

    /** A part of the load, in seconds since it began. */
    record Phase(String name, double from, double to) {}

    /** Some work; what it returns does not depend on the allocator. */
    interface Work<T> {
        T run() throws IOException, InterruptedException;
    }

    /** One of several that work at the same time; its random numbers are the same in each run. */
    interface Client {
        long run(int index, SplittableRandom random) throws IOException;
    }

    double seconds() { return (System.nanoTime() - start) / 1e9; }

    List<Phase> phases() { return List.copyOf(phases); }

    /** A phase. What it has timed counts towards the requests in a second. */
    <T> T phase(String name, Work<T> work) throws IOException, InterruptedException {
        double from = seconds();
        long before = latencies.getTotalCount();
        T result = work.run();
        phases.add(new Phase(name, from, seconds()));
        if (latencies.getTotalCount() > before) measuredSeconds += seconds() - from;
        return result;
    }

    /** A phase of some clients, each a thread; returns what they returned, in their order. */
    List<Long> clients(String name, int count, Client client) throws IOException, InterruptedException {
        return phase(name, () -> {
            try (var threads = Executors.newFixedThreadPool(count)) {
                var results = new ArrayList<Future<Long>>();
                for (int i = 0; i < count; i++) {
                    int index = i;
                    results.add(threads.submit(() -> client.run(index, new SplittableRandom(name.hashCode() + index))));
                }
                threads.shutdown();
                if (!threads.awaitTermination(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                    threads.shutdownNow();
                    throw new Failed(name + ": no end after " + PATIENCE_MINUTES + " minutes");
                }
                var values = new ArrayList<Long>();
                for (var result : results) values.add(result.get());
                return values;
            } catch (ExecutionException e) {
                throw new Failed(name + ": " + e.getCause());
            }
        });
    }

    /** A request was answered after so long. */
    void took(long nanos) { latencies.recordValue(Math.min(nanos, LONGEST_NANOS)); }

    /** Requests in a second, and latencies in nanoseconds. */
    Map<String, Double> figures() {
        var figures = new LinkedHashMap<String, Double>();
        if (latencies.getTotalCount() == 0) return figures;
        figures.put("requestsPerSecond", latencies.getTotalCount() / measuredSeconds);
        figures.put("nanosPerRequest", 1e9 * measuredSeconds / latencies.getTotalCount());
        for (double p : PERCENTILES) {
            figures.put("latencyP" + Double.toString(p).replaceFirst("\\.0$", ""),
                    (double) latencies.getValueAtPercentile(p));
        }
        figures.put("latencyMax", (double) latencies.getMaxValue());
        return figures;
    }
}
