package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Results;
import dev.mimalloc.tools.measure.Summary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * All raw results that there are in a folder.
 *
 * @param workloads our own programs
 * @param modes     our programs and the real ones, in the modes of our library
 * @param programs  the same and the real programs, as far as there are any of the two
 */
record Raw(Optional<Figures> workloads, Optional<Figures> programs, Optional<Figures> scaling,
        Optional<Figures> latency, Optional<Figures> startup, Optional<Figures> modes, List<JvmRow> jvm, List<JvmLatency> jvmLatency) {

    static Raw read(Path folder) {
        var workloads = figures(folder, "workloads");
        var real = figures(folder, "programs");
        var all = workloads.isPresent() && real.isPresent()
                ? Optional.of(Figures.together(workloads.get(), real.get())) : workloads.or(() -> real);
        return new Raw(workloads, all, figures(folder, "scaling"), figures(folder, "latency"),
                figures(folder, "startup"), figures(folder, Report.MODES), JvmRow.all(tree(folder, "jvm")),
                JvmLatency.all(tree(folder, "jvm-latency")));
    }

    private static Optional<Figures> figures(Path folder, String suite) {
        return Results.read(folder, suite).map(Figures::new);
    }

    private static Optional<JsonNode> tree(Path folder, String name) {
        var file = folder.resolve(name + ".json").toFile();
        return file.isFile() ? Optional.of(new JsonMapper().readTree(file)) : Optional.empty();
    }

    // What is not there, or null, is empty or not a number.
    private static String text(JsonNode node, String name) {
        return node.path(name).isString() ? node.path(name).stringValue() : "";
    }

    private static double number(JsonNode node, String name) {
        return node.path(name).isNumber() ? node.path(name).doubleValue() : Double.NaN;
    }

    /** The suites that ran, of those run on each allocator. */
    List<Figures> suites() {
        var suites = new ArrayList<Figures>();
        for (var suite : List.of(programs, scaling, latency, startup, modes)) suite.ifPresent(suites::add);
        return suites;
    }

    /** A comparison on the JVM: ours, and the best of some others, in nanoseconds. */
    record JvmRow(String name, double ours, String other, double others, double ratio, double least, double most,
            double goal, String problem) {

        static List<JvmRow> all(Optional<JsonNode> file) {
            var rows = new ArrayList<JvmRow>();
            file.ifPresent(tree -> tree.path("rows").forEach(row -> {
                JsonNode ratio = row.path("ratio"), other = row.path("other");
                rows.add(new JvmRow(text(row, "row"), number(row.path("ours"), "nanoseconds"), text(other, "label"),
                        number(other, "nanoseconds"), number(ratio, "median"), number(ratio, "least"),
                        number(ratio, "most"), number(row, "goal"), text(row, "problem")));
            }));
            return rows;
        }

        boolean complete() { return !Double.isNaN(ratio); }

        boolean hasGoal() { return !Double.isNaN(goal); }

        Goal asGoal() {
            return complete() ? Goal.atMost("JVM: %s, compared with %s".formatted(name, other), goal, ratio)
                    : new Goal("JVM: " + name, "≤ " + Goal.number(goal), problem, false);
        }
    }

    /** How long malloc or free took on the JVM, at some percentiles, in nanoseconds, over the rounds. */
    record JvmLatency(String allocator, String operation, List<String> percentiles, List<Summary> nanoseconds) {
        static List<JvmLatency> all(Optional<JsonNode> file) {
            var all = new ArrayList<JvmLatency>();
            file.ifPresent(tree -> tree.path("results").forEach(result -> {
                String delay = text(result, "purgeDelay");
                var names = new ArrayList<String>();
                var values = new ArrayList<Summary>();
                for (String percentile : result.path("percentiles").propertyNames()) {
                    names.add(percentile.equals("max") ? "maximum" : percentile.replaceFirst("\\.0$", "") + "%");
                    values.add(Summary.of(result.path("byRound").valueStream()
                            .map(round -> round.path(percentile).doubleValue()).toList()));
                }
                all.add(new JvmLatency(text(result, "allocator") + (delay.isEmpty() ? "" : ", purge " + delay),
                        text(result, "operation"), names, values));
            }));
            return all;
        }
    }
}
