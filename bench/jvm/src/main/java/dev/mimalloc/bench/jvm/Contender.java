package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.cases.Case;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * One thing to measure.
 *
 * @param label how the table calls it
 * @param benchmark JMH's name of it
 * @param parameters of the benchmark
 * @param threads how many run it at once
 * @param options of the JVM, besides those of the benchmark itself
 */
record Contender(String label, String benchmark, Map<String, String> parameters, int threads, List<String> options) {
    /** A method of a class in the package of the benchmarks, with parameters as {@code name=value}. */
    static Contender of(String label, String benchmark, String... parameters) {
        var map = new TreeMap<String, String>();
        for (String parameter : parameters) {
            int middle = parameter.indexOf('=');
            map.put(parameter.substring(0, middle), parameter.substring(middle + 1));
        }
        return new Contender(label, Case.class.getPackageName() + "." + benchmark, map, 1, List.of());
    }

    Contender on(int threads) { return new Contender(label, benchmark, parameters, threads, options); }

    /** In virtual threads; each gets a carrier, as JMH has them wait for each other. */
    Contender virtual() {
        return with("-Djmh.executor=VIRTUAL", "-Djdk.virtualThreadScheduler.parallelism=" + threads);
    }

    Contender with(String... more) {
        var all = new ArrayList<>(options);
        all.addAll(List.of(more));
        return new Contender(label, benchmark, parameters, threads, all);
    }

    /** All that tells it from the others. */
    String title() {
        String name = benchmark.substring(Case.class.getPackageName().length() + 1);
        String values = parameters.isEmpty() ? "" : " " + parameters;
        String how = options.stream().anyMatch(o -> o.endsWith("VIRTUAL")) ? " virtual" : "";
        String properties = options.stream().filter(o -> o.startsWith("-Dio.")).map(o -> " " + o.substring(2))
                .collect(Collectors.joining());
        return name + values + properties + (threads == 1 && how.isEmpty() ? "" : " x " + threads + how);
    }
}
