package dev.mimalloc.bench.jvm;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.mimalloc.bench.jvm.Load.Latencies;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How long malloc and free take at worst, with and without the purge: see {@link Load}. */
@Command(name = "latency", mixinStandardHelpOptions = true, description = "How long malloc and free take under load")
final class Latency implements Callable<Integer> {
    private static final double[] PERCENTILES = {50, 99, 99.9, 99.99, 100};

    /** By the names of {@link dev.mimalloc.bench.jvm.cases.Allocator}. */
    @Option(names = "--allocators", split = ",", defaultValue = "mimalloc,unsafe,nothing", paramLabel = "NAME")
    private List<String> allocators;

    /** For ours: {@code default}, 0 for at once, -1 for never, or milliseconds. */
    @Option(names = "--purge-delays", split = ",", defaultValue = "default,0,-1", paramLabel = "MS")
    private List<String> purgeDelays;

    @Option(names = "--threads", defaultValue = "2", paramLabel = "N")
    private int threads;

    @Option(names = "--time", defaultValue = "2000", paramLabel = "MS", description = "of each run")
    private long milliseconds;

    @Option(names = "--rounds", defaultValue = "3", paramLabel = "N", description = "runs of each")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", description = "writes all results there, as data")
    private Path json;

    @Mixin
    private Main.Ways ways;

    @Spec
    private CommandSpec spec;

    /** An allocator, and how soon it purges; only ours does. */
    record Subject(String allocator, String purgeDelay) {
        boolean ours() { return !purgeDelay.isEmpty(); }
    }

    /**
     * What came of an operation of a subject, in nanoseconds.
     *
     * @param percentiles of all rounds together
     * @param byRound the percentiles of each
     * @param histogram compressed, in base 64, as HdrHistogram has it
     */
    record Result(String allocator, String purgeDelay, String operation, long count, Map<String, Long> percentiles,
            List<Map<String, Long>> byRound, String histogram) {}

    /** What is written as data. */
    record Results(Surroundings surroundings, int threads, long milliseconds, int rounds, List<Result> results) {}

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || threads < 1 || milliseconds < 1) {
            throw new ParameterException(spec.commandLine(), "--rounds, --threads, --time: at least 1");
        }
        Surroundings surroundings = Surroundings.now();
        var seen = new LinkedHashMap<Subject, List<Latencies>>();
        for (Subject subject : subjects()) seen.put(subject, new ArrayList<>());
        PrintWriter progress = spec.commandLine().getErr();
        for (int round = 1; round <= rounds; round++) {
            for (var each : seen.entrySet()) {
                Subject subject = each.getKey();
                progress.printf("round %d of %d: %s %s%n", round, rounds, subject.allocator(), subject.purgeDelay());
                progress.flush();
                each.getValue().add(run(subject));
            }
        }
        var results = new ArrayList<Result>();
        seen.forEach((subject, latencies) -> {
            results.add(result(subject, "malloc", latencies.stream().map(Latencies::mallocs).toList()));
            results.add(result(subject, "free", latencies.stream().map(Latencies::frees).toList()));
        });
        PrintWriter out = spec.commandLine().getOut();
        print(results, out);
        out.println(surroundings);
        out.flush();
        if (json != null) Data.write(json, new Results(surroundings, threads, milliseconds, rounds, results));
        return 0;
    }

    private List<Subject> subjects() {
        var subjects = new ArrayList<Subject>();
        for (String allocator : allocators) {
            boolean ours = allocator.equals("mimalloc") || allocator.equals("handle");
            for (String delay : ours ? purgeDelays : List.of("")) subjects.add(new Subject(allocator, delay));
        }
        return subjects;
    }

    private Latencies run(Subject subject) throws IOException {
        var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java"),
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(ways.options());
        if (subject.ours() && !subject.purgeDelay().equals("default")) {
            command.add("-Ddev.mimalloc.purge.delay=" + subject.purgeDelay());
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Load.class.getName(), subject.allocator(),
                String.valueOf(threads), String.valueOf(milliseconds)));
        Process process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8).lines().toList();
        if (lines.size() != 2) throw new IOException(subject.allocator() + " did not end well");
        return new Latencies(Load.decode(lines.get(0)), Load.decode(lines.get(1)));
    }

    private static Result result(Subject subject, String operation, List<Histogram> rounds) {
        Histogram all = Load.histogram();
        rounds.forEach(all::add);
        return new Result(subject.allocator(), subject.purgeDelay(), operation, all.getTotalCount(), percentiles(all),
                rounds.stream().map(Latency::percentiles).toList(), Load.encode(all));
    }

    private static Map<String, Long> percentiles(Histogram histogram) {
        var percentiles = new LinkedHashMap<String, Long>();
        for (double p : PERCENTILES) {
            percentiles.put(p == 100 ? "max" : String.valueOf(p), histogram.getValueAtPercentile(p));
        }
        return percentiles;
    }

    private static void print(List<Result> results, PrintWriter out) {
        out.printf("%n%-10s %-12s %-8s%12s%10s%10s%10s%10s%12s%n", "", "purge delay", "ns", "count", "50%", "99%",
                "99.9%", "99.99%", "max");
        for (Result r : results) {
            out.printf("%-10s %-12s %-8s%12d", r.allocator(), r.purgeDelay(), r.operation(), r.count());
            r.percentiles().forEach((p, value) -> out.printf(p.equals("max") ? "%12d" : "%10d", value));
            out.println();
        }
    }
}
