package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.Measurement.Clock;
import dev.mimalloc.bench.jvm.cases.CMimalloc;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Compares the cost of operations on the JVM, and prints a table. */
@Command(name = "mimalloc-bench-jvm", mixinStandardHelpOptions = true, subcommands = Latency.class)
public final class Main implements Callable<Integer> {
    /** Which comparisons. */
    enum Selection { goals, all }

    @Option(names = "--rows", defaultValue = "goals", description = "goals (the default) or all")
    private Selection selection;

    @Option(names = "--include", paramLabel = "REGEX", description = "only rows whose name matches it somewhere")
    private Pattern include;

    @Option(names = "--quick", description = "about two minutes: fewer sizes, shorter and fewer rounds")
    private boolean quick;

    @Option(names = "--rounds", paramLabel = "N", description = "turns of each (default: 5; quick: 3)")
    private Integer rounds;

    @Option(names = "--warm-up", paramLabel = "MS", description = "before each turn (default: 1500; quick: 1000)")
    private Integer warmUp;

    @Option(names = "--iterations", paramLabel = "N", description = "measured in each turn (default: 5; quick: 3)")
    private Integer iterations;

    @Option(names = "--time", paramLabel = "MS", description = "of each iteration (default: 250; quick: 150)")
    private Integer milliseconds;

    @Option(names = "--clock", defaultValue = "cpu", description = "cpu (the default; steadier) or wall time")
    private Clock clock;

    @Option(names = "--json", paramLabel = "FILE", description = "writes all results there, as data")
    private Path json;

    @Option(names = "--list", description = "lists the rows and ends")
    private boolean list;

    @Mixin
    private Ways ways;

    @Spec
    private CommandSpec spec;

    /** How the contenders reach memory, and C's mimalloc. */
    static final class Ways {
        /** What Unsafe's own rows need, the JDK's flag, leads to sun. */
        @Option(names = "--memory", defaultValue = "sun", description = "our way to memory: sun (the default: with "
                + "--sun-misc-unsafe-memory-access=allow), ffm (with no flag) or internal")
        private String memory;

        @Option(names = "--library", defaultValue = CMimalloc.USUAL, description = "C mimalloc, by name or path")
        private String library;

        /** Options for a JVM. Its heap is as after an hour: while it grows, every few objects are a page fault. */
        List<String> options() {
            var options = new ArrayList<>(List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch",
                    "-Ddev.mimalloc.memory=" + memory, "-D" + CMimalloc.LIBRARY + "=" + library));
            if (memory.equals("internal")) options.add("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
            return options;
        }
    }

    /** What is written as data. */
    record Results(Surroundings surroundings, Settings settings, List<Outcome> rows, List<Measurement> measurements) {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Does what the arguments say and returns the exit code. */
    public static int run(String... arguments) {
        return new CommandLine(new Main()).execute(arguments);
    }

    @Override
    public Integer call() {
        var settings = new Settings(atLeastOne("--rounds", rounds, quick ? 3 : 5),
                atLeastOne("--warm-up", warmUp, quick ? 1000 : 1500),
                atLeastOne("--iterations", iterations, quick ? 3 : 5),
                atLeastOne("--time", milliseconds, quick ? 150 : 250), clock, ways.options());
        List<Row> all = selection == Selection.all ? Rows.all() : Rows.goals(quick);
        List<Row> rows = all.stream().filter(r -> include == null || include.matcher(r.name()).find()).toList();
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            for (Row row : rows) {
                out.printf("%-36s %s : %s%n", row.name(), row.ours().label(),
                        row.others().stream().map(Contender::label).collect(Collectors.joining(", ")));
            }
            return 0;
        }
        Surroundings surroundings = Surroundings.now();
        Map<Contender, Measurement> measurements = new Session(settings, spec.commandLine().getErr()).measure(rows);
        List<Outcome> outcomes = rows.stream().map(row -> Outcome.of(row, measurements, clock)).toList();
        out.print(Table.of(outcomes, settings));
        out.println(surroundings);
        out.flush();
        if (json != null) {
            Data.write(json, new Results(surroundings, settings, outcomes, List.copyOf(measurements.values())));
        }
        return rows.stream().allMatch(row -> measurements.get(row.ours()).complete()) ? 0 : 1;
    }

    private int atLeastOne(String option, Integer given, int usual) {
        if (given != null && given < 1) throw new ParameterException(spec.commandLine(), option + ": at least 1");
        return given == null ? usual : given;
    }
}
