package dev.mimalloc.bench;

import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Machine;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.bench.report.Report;
import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Progress;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs the suites, each of which leaves a file of raw results; then the report is made of these. */
@Command(name = "mimalloc bench", mixinStandardHelpOptions = true, description = Main.DESCRIPTION)
public final class Main implements Callable<Integer> {
    static final String DESCRIPTION = "Measures the allocator and its peers, and writes a report,"
            + " build/bench/index.html. Ends with 1 when a program went wrong on our allocator.";

    private static final double QUICK_SCALE = 0.1;

    @Option(names = "--quick", description = "less work, in one round: under five minutes with six allocators")
    private boolean quick;

    @Option(names = "--runs", paramLabel = "N", description = "rounds (default: 3 to 5; quick: 1)")
    private Integer runs;

    @Option(names = "--only", paramLabel = "REGEX", description = "such as workloads/larson or scaling")
    private Pattern only = Pattern.compile("");

    // The first whose name begins with "mimalloc" is what the others are compared with.
    @Option(names = "--with", paramLabel = "NAME=PATH", description = "one more library, such as mimalloc-3=PATH")
    private Map<String, Path> with = new LinkedHashMap<>();

    @Option(names = "--peers", paramLabel = "REGEX", description = "only these of the installed allocators, such as "
            + "mimalloc|system (default: all)")
    private Pattern peers = Pattern.compile("");

    @Option(names = "--modes", description = "measures the modes of our library instead of its peers: secure, hardened, "
            + "guarded, debug, profiled; --peers chooses among them")
    private boolean modes;

    @Option(names = "--list", description = "lists what there is to run, and the allocators, and ends")
    private boolean list;

    @Option(names = "--report", description = "runs nothing: makes the report of the last run anew")
    private boolean reportOnly;

    @Option(names = "--output", paramLabel = "FOLDER", description = "for results and report (default: build/bench)")
    private Path folder = Home.folder().resolve("build/bench");

    @Spec
    private CommandSpec spec;

    private Progress progress;
    private List<Allocator> allocators;
    private boolean oursFailed;

    /** Runs the command, and ends the JVM with its exit code. */
    public static void main(String[] arguments) {
        System.setProperty("java.awt.headless", "true");
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    /** A part of the whole, with its own file of results. */
    private record Suite(String name, List<? extends Benchmark> benchmarks, int rounds) {}

    @Override
    public Integer call() throws IOException {
        if (runs != null && runs < 1) throw new ParameterException(spec.commandLine(), "--runs: at least 1");
        Files.createDirectories(folder);
        if (!reportOnly) {
            try {
                allocators = modes && !list ? Mode.allocators(folder.resolve("modes"), peers) : Allocator.all(with, peers);
                for (String peer : Allocator.PEERS) {
                    boolean wanted = !modes && peers.matcher(peer).find();
                    if (wanted && allocators.stream().noneMatch(a -> a.name().equals(peer))) {
                        leftOut(peer, "not installed");
                    }
                }
                if (!measure()) return 0;
            } catch (Failed e) {
                throw new ParameterException(spec.commandLine(), e.getMessage(), e);
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(Report.write(folder));
        out.flush();
        return oursFailed ? 1 : 0;
    }

    // A program that fails on the system's malloc too is no failure of ours.
    private void note(List<Sample> samples) {
        var excused = samples.stream().filter(s -> s.allocator().equals(Allocator.SYSTEM) && s.problem() != null)
                .map(Sample::name).collect(Collectors.toSet());
        oursFailed |= samples.stream().anyMatch(s -> (modes || s.allocator().equals(Allocator.OURS)) && s.problem() != null
                && !excused.contains(s.name()));
    }

    private boolean measure() throws IOException {
        Path work = folder.resolve("work");
        var bin = new Bin(folder.resolve("bin"));
        double scale = quick ? QUICK_SCALE : 1;
        var suites = List.of(select(new Suite("workloads", Workload.suite(bin, scale), rounds(5))),
                select(new Suite("programs", RealProgram.suite(work, quick), rounds(5))),
                select(new Suite("scaling", Scaling.suite(bin, scale, quick), rounds(3))),
                select(new Suite("latency", List.of(Scaling.latency(bin, scale)), rounds(5))));
        if (modes && !list) return measureModes(bin, scale, work);
        boolean startup = only.matcher("startup/startup").find();
        var jvm = new JvmSuite(folder, quick, rounds(3), only, Allocator.baseline(allocators));
        if (list) {
            PrintWriter out = spec.commandLine().getOut();
            suites.forEach(suite -> suite.benchmarks().stream().map(Benchmark::about).map(about -> suite.name() + "/"
                    + about.name() + "  " + about.title()).distinct().forEach(out::println));
            allocators.forEach(a -> out.printf("allocator %s  %s%n", a.title(), a.library()));
            out.flush();
            return false;
        }
        if (!startup && !jvm.isWanted() && suites.stream().allMatch(suite -> suite.benchmarks().isEmpty())) {
            throw new ParameterException(spec.commandLine(), "--only: nothing of what --list shows has " + only);
        }
        for (String old : Report.SUITES) Files.deleteIfExists(folder.resolve(old + ".json"));
        progress = new Progress(spec.commandLine().getErr(), (startup ? 1 : 0)
                + suites.stream().mapToInt(s -> new Rounds(s.benchmarks(), allocators, s.rounds()).steps()).sum());
        for (Suite suite : suites) {
            if (suite.benchmarks().isEmpty()) continue;
            var samples = new Rounds(suite.benchmarks(), allocators, suite.rounds()).run(progress);
            write(suite.name(), suite.benchmarks().stream().map(Benchmark::about).toList(), samples, scale);
        }
        if (startup) {
            progress.step("start-up of an empty program");
            write("startup", List.of(Startup.ABOUT), Startup.run(bin, allocators, quick ? 200 : 1000), scale);
        }
        oursFailed |= !jvm.run(progress);
        return true;
    }

    /** The native suite in all modes, in one file: workloads, and programs of others. */
    private boolean measureModes(Bin bin, double scale, Path work) throws IOException {
        var workloads = select(new Suite("workloads", Workload.suite(bin, scale), rounds(3)));
        var programs = select(new Suite("programs", RealProgram.suite(work, quick), rounds(3)));
        var all = new ArrayList<Benchmark>(workloads.benchmarks());
        all.addAll(programs.benchmarks());
        var rounds = new Rounds(all, allocators, rounds(3));
        progress = new Progress(spec.commandLine().getErr(), rounds.steps());
        write(Report.MODES, all.stream().map(Benchmark::about).toList(), rounds.run(progress), scale);
        return true;
    }

    private int rounds(int usually) { return runs != null ? runs : quick ? 1 : usually; }

    private Suite select(Suite suite) {
        return new Suite(suite.name(), suite.benchmarks().stream()
                .filter(b -> only.matcher(suite.name() + "/" + b.about().name()).find()).filter(this::isPossible)
                .toList(), suite.rounds());
    }

    private boolean isPossible(Benchmark benchmark) {
        if (benchmark.obstacle().isEmpty()) return true;
        leftOut(benchmark.about().name(), benchmark.obstacle());
        return false;
    }

    private void leftOut(String what, String why) {
        PrintWriter errors = spec.commandLine().getErr();
        errors.printf("left out: %s (%s)%n", what, why);
        errors.flush();
    }

    private void write(String suite, List<Case> cases, List<Sample> samples, double scale) {
        note(samples);
        new Results(suite, Instant.now().truncatedTo(ChronoUnit.SECONDS), Machine.here(), scale, allocators,
                modes ? Mode.RELEASE : Allocator.baseline(allocators).name(), cases, samples).write(folder);
    }
}
