package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A standalone cluster of Apache Spark: a master and two workers with an executor each. Its executors are on the allocator, and get more
 * rows to sort than they have memory for.
 */
final class Spark extends Engine {
    private static final int EXECUTORS = 2;
    private static final List<String> QUERIES = List.of("prices", "customers", "large", "sort");

    @Override
    public String name() { return "spark"; }

    @Override
    public String title() { return "Apache Spark: two executors, tables as TPC-H's, joins and sorts that spill"; }

    @Override
    String program() { return "SparkCluster"; }

    @Override
    List<String> flags() { return List.of("-Xmx512m"); }

    @Override
    public Map<String, String> environment(Allocator allocator) {
        String options = allocator.environment().entrySet().stream().map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(" "));
        return Map.of("SPARK_LOCAL_IP", "127.0.0.1", "EXECUTOR_PRELOAD",
                allocator.library().isEmpty() ? "libc.so.6" : allocator.library(), "EXECUTOR_OPTIONS", options);
    }

    @Override
    public boolean isOn(Place place, Daemon daemon, Allocator allocator) throws IOException {
        return allocator.library().isEmpty() || daemon.loaded(allocator.library()) == EXECUTORS;
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int lines = place.quick() ? 200_000 : 3_000_000;
        var digest = new StringBuilder(load.phase("make tables", () -> ask(place, "make " + lines)));
        for (String query : QUERIES) {
            digest.append(' ').append(load.phase(query, () -> {
                long start = System.nanoTime();
                String answer = ask(place, "query " + query);
                load.took(System.nanoTime() - start);
                return answer;
            }));
        }
        if (!place.quick() && ask(place, "spilled").equals("0")) throw new Failed("nothing was spilled");
        return digest.toString();
    }
}
