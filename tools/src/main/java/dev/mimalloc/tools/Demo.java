package dev.mimalloc.tools;

import dev.mimalloc.tools.measure.Program;
import dev.mimalloc.tools.measure.Progress;
import dev.mimalloc.tools.measure.Stopwatch;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import dev.mimalloc.tools.measure.Stopwatch.Run;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Real programs with the system allocator and with ours. The two take turns, and the order changes from round to round,
 * so that a noisy minute hits both; the figures are medians.
 */
@Command(name = "demo", mixinStandardHelpOptions = true, description = "Compares real programs on both allocators.")
final class Demo implements Callable<Integer> {
    @Option(names = "--rounds", defaultValue = "3", paramLabel = "N", description = "runs of each (default: 3)")
    private int rounds;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "only these programs")
    private List<String> only;

    @Option(names = "--list", description = "lists the programs and ends")
    private boolean list;

    @Option(names = "--output", paramLabel = "FOLDER", description = "for results (default: build/demo)")
    private Path folder = Home.folder().resolve("build/demo");

    @Spec
    private CommandSpec spec;

    private final String library = Home.library().toString();

    /** What is kept in results.json. */
    record Results(Instant when, String system, int processors, int rounds, double timeRatio, double memoryRatio,
            List<Comparison> programs) {}

    @Override
    public Integer call() throws IOException {
        var programs = Program.all(false).stream().filter(p -> only == null || only.contains(p.name())).toList();
        if (rounds < 1) throw new ParameterException(spec.commandLine(), "--rounds: at least 1");
        if (only != null && programs.size() < only.size()) {
            throw new ParameterException(spec.commandLine(), "--only: an unknown program; --list shows them all");
        }
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            programs.forEach(p -> out.printf("%-14s %s%n", p.name(), p.title()));
            return 0;
        }
        if (!Files.isReadable(Path.of(library))) throw new Failed("no " + library + ": ./mimalloc build makes it");
        install(programs);

        var comparisons = compare(programs, spec.commandLine().getErr());
        out.print(Table.of(comparisons, rounds));
        out.flush();
        write(comparisons);
        return comparisons.stream().allMatch(Comparison::complete) ? 0 : 1;
    }

    /** Where programs are missing, the script that knows Debian's packages installs them; else they stay out. */
    private static void install(List<Program> programs) throws IOException {
        Path script = Home.folder().resolve("scripts/install.sh");
        if (programs.stream().allMatch(p -> p.missing().isEmpty()) || !Files.isExecutable(script)) return;
        try {
            new ProcessBuilder(script.toString(), "demo").inheritIO().start().waitFor();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Comparison> compare(List<Program> programs, PrintWriter out) {
        int steps = 2 + 2 * rounds;
        var progress = new Progress(out, programs.size() * steps);
        var comparisons = new ArrayList<Comparison>();
        for (int i = 0; i < programs.size(); i++) {
            Program program = programs.get(i);
            Comparison comparison;
            try {
                comparison = compare(program, progress);
            } catch (Failed e) {
                comparison = Comparison.failed(program, e.getMessage());
            }
            comparisons.add(comparison);
            progress.skip((i + 1) * steps - progress.done());
            progress.say(comparison.complete()
                    ? "%-14s time %.2f s -> %.2f s, peak memory %.0f MiB -> %.0f MiB".formatted(program.name(),
                            comparison.system().seconds(), comparison.mimalloc().seconds(),
                            comparison.system().peakKib() / 1024, comparison.mimalloc().peakKib() / 1024)
                    : "%-14s %s".formatted(program.name(), comparison.problem()));
        }
        return comparisons;
    }

    private Comparison compare(Program program, Progress progress) {
        if (!program.missing().isEmpty()) throw new Failed("not installed: " + String.join(", ", program.missing()));
        var stopwatch = new Stopwatch(folder.resolve(program.name()));
        progress.step(program.name() + ": prepares, and warms up with the system allocator");
        program.files().forEach(stopwatch::unpack);
        if (!program.prepare().isEmpty()) stopwatch.execute(program.prepare(), Map.of());
        String digest = stopwatch.measure("", program.processors(), program.command(), program.environment()).digest();

        progress.step(program.name() + ": warms up with mimalloc");
        var environment = new HashMap<>(program.environment());
        environment.put("MIMALLOC_SHOW_STATS", "1");
        var runs = Map.of("", new ArrayList<Run>(), library, new ArrayList<Run>());
        check(stopwatch.measure(library, program.processors(), program.command(), environment), digest);
        if (!Home.statistics(stopwatch.errors())) throw new Failed("mimalloc was not in use");

        for (int round = 1; round <= rounds; round++) {
            for (String allocator : round % 2 == 1 ? List.of("", library) : List.of(library, "")) {
                progress.step("%s: round %d of %d, %s".formatted(program.name(), round, rounds,
                        allocator.isEmpty() ? "system allocator" : "mimalloc"));
                Run run = stopwatch.measure(allocator, program.processors(), program.command(), program.environment());
                check(run, digest);
                runs.get(allocator).add(run);
            }
        }
        return Comparison.of(program, runs.get(""), runs.get(library));
    }

    private static void check(Run run, String digest) {
        if (!run.digest().equals(digest)) throw new Failed("the output is not what it was with the system allocator");
    }

    private void write(List<Comparison> comparisons) throws IOException {
        var results = new Results(Instant.now().truncatedTo(ChronoUnit.SECONDS),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                Runtime.getRuntime().availableProcessors(), rounds,
                Comparison.geometricMean(comparisons, Comparison::timeRatio),
                Comparison.geometricMean(comparisons, Comparison::memoryRatio), comparisons);
        Files.createDirectories(folder);
        JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build()
                .writeValue(folder.resolve("results.json").toFile(), results);
        var csv = new StringBuilder("program,allocator,seconds,cpu seconds,peak KiB\n");
        for (Comparison c : comparisons) {
            if (!c.complete()) continue;
            csv.append(line(c.name(), "system", c.system())).append(line(c.name(), "mimalloc", c.mimalloc()));
        }
        Files.writeString(folder.resolve("results.csv"), csv);
    }

    private static String line(String program, String allocator, Comparison.Side side) {
        return String.format(Locale.ROOT, "%s,%s,%.3f,%.3f,%.0f\n", program, allocator, side.seconds(),
                side.cpuSeconds(), side.peakKib());
    }
}
