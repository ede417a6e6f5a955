package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.Measurement.Sample;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Measures contenders in rounds: each has its turn in a JVM of its own before any has the next, so that a noisy minute
 * hits all alike, and no round is lucky with what the JIT did for all of them.
 */
final class Session {
    private static final Pattern PROBLEM = Pattern.compile("^(?:Caused by: )?([\\w.]+(?:Exception|Error)\\b.*)");

    private final Settings settings;
    private final PrintWriter progress;
    private final long start = System.nanoTime();

    Session(Settings settings, PrintWriter progress) {
        this.settings = settings;
        this.progress = progress;
    }

    Map<Contender, Measurement> measure(List<Row> rows) {
        var measurements = new LinkedHashMap<Contender, Measurement>();
        for (Row row : rows) {
            for (Contender contender : row.contenders()) {
                measurements.computeIfAbsent(contender, Measurement::new);
            }
        }
        int count = settings.rounds() * measurements.size(), done = 0;
        for (int round = 1; round <= settings.rounds(); round++) {
            for (var measurement : measurements.values()) {
                done++;
                if (measurement.getProblem() != null) continue;
                Contender contender = measurement.getContender();
                long seconds = (System.nanoTime() - start) / 1_000_000_000;
                progress.printf("[%d/%d] %d:%02d  round %d: %s%n", done, count, seconds / 60, seconds % 60, round,
                        contender.title());
                progress.flush();
                sample(contender, measurement);
            }
        }
        return measurements;
    }

    private void sample(Contender contender, Measurement measurement) {
        try {
            Path log = Files.createTempFile("mimalloc-bench", ".log");
            try {
                measurement.add(sampleOf(new Runner(options(contender, log)).runSingle()));
            } catch (RunnerException e) {
                measurement.failed(problem(Files.readAllLines(log), e));
            } finally {
                Files.delete(log);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Options options(Contender contender, Path log) {
        var jvm = new ArrayList<>(settings.options());
        jvm.addAll(contender.options());
        var options = new OptionsBuilder().include("^" + Pattern.quote(contender.benchmark()) + "$").forks(1)
                .threads(contender.threads()).warmupIterations(1)
                .warmupTime(TimeValue.milliseconds(settings.warmUp())).measurementIterations(settings.iterations())
                .measurementTime(TimeValue.milliseconds(settings.milliseconds())).jvmArgs()
                .jvmArgsPrepend(jvm.toArray(String[]::new)).addProfiler(GCProfiler.class)
                .addProfiler(CpuProfiler.class).shouldFailOnError(true).output(log.toString());
        contender.parameters().forEach(options::param);
        return options.build();
    }

    private static Sample sampleOf(RunResult result) {
        var iterations = result.getAggregatedResult().getIterationResults();
        return new Sample(iterations.stream().map(i -> i.getPrimaryResult().getScore()).toList(),
                iterations.stream().map(i -> i.getSecondaryResults().get(CpuProfiler.NAME).getScore()).toList(),
                result.getSecondaryResults().get("gc.alloc.rate.norm").getScore());
    }

    /** JMH tells in its log alone what has happened: the deepest cause says most. */
    private static String problem(List<String> log, RunnerException thrown) {
        return log.stream().map(PROBLEM::matcher).filter(m -> m.find()).map(m -> m.group(1))
                .reduce((first, last) -> last).orElseGet(() -> String.valueOf(thrown.getMessage()));
    }
}
