package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.report.Figures;
import dev.mimalloc.bench.report.Lines;
import dev.mimalloc.bench.report.Page;
import dev.mimalloc.bench.report.Style;
import dev.mimalloc.bench.report.Theme;
import dev.mimalloc.services.Suite.Outcome;
import dev.mimalloc.tools.measure.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jfree.chart.JFreeChart;

/**
 * Writes the page of the raw results in a folder, {@code index.html}, with each of its charts as a light and a dark SVG in
 * {@code charts}. What was slower or larger than on the system's malloc comes first.
 */
final class Report {
    private static final int WIDTH = 860;
    /** What is less on an allocator is not worth a word below this ratio. */
    private static final double WORTH_A_WORD = 1.05;

    /** A figure, where less is better; divided, it is in the unit of its title. */
    private record Row(String title, String figure, double divisor, String format) {}

    private static final List<Row> ROWS = List.of(new Row("time for a request, µs", "nanosPerRequest", 1e3, "%,.1f"),
            new Row("median latency, µs", "latencyP50", 1e3, "%,.0f"),
            new Row("99% of latencies, µs", "latencyP99", 1e3, "%,.0f"),
            new Row("99.9% of latencies, µs", "latencyP99.9", 1e3, "%,.0f"),
            new Row("CPU time of the service, s", "cpuSeconds", 1, "%.2f"),
            new Row("peak memory, MiB", "peakKib", 1024, "%.1f"),
            new Row("mean memory under load, MiB", "meanKib", 1024, "%.1f"),
            new Row("memory when idle afterwards, MiB", "idleKib", 1024, "%.1f"));

    private final Path folder;
    private final Page page = new Page("mimalloc in Java: services");
    private final StringBuilder text = new StringBuilder();

    private Report(Path folder) {
        this.folder = folder;
    }

    /** Writes it, and returns its short form for a terminal, which ends with where the page is. */
    static String write(Path folder, List<String> missing) throws IOException {
        var report = new Report(folder);
        Files.createDirectories(folder.resolve("charts"));
        var all = Main.ALL.stream().flatMap(s -> Results.read(folder, s.name()).stream()).map(Figures::new).toList();
        if (!all.isEmpty()) report.page.machine(all.getFirst().results());
        report.losses(all);
        if (!missing.isEmpty()) report.list("Left out", "Services that could not be had here.", missing);
        report.page.failures(all);
        all.stream().flatMap(f -> f.failures().stream())
                .forEach(f -> report.text.append("%s on %s: %s%n".formatted(f.name(), f.allocator(), f.problem())));
        for (Figures figures : all) report.service(figures);
        report.suites();
        report.ordeals();
        Path page = folder.resolve("index.html");
        Files.writeString(page, report.page.end());
        return report.text + "The report: " + page + System.lineSeparator();
    }

    private void list(String heading, String reading, List<String> items) {
        page.list(heading, reading, items);
        text.append("%s:%n".formatted(heading));
        items.forEach(item -> text.append("  %s%n".formatted(item)));
    }

    /** What is worse on ours than on the system's malloc. */
    private void losses(List<Figures> all) {
        var losses = new ArrayList<String>();
        for (Figures figures : all) {
            for (Allocator ours : figures.allocators().stream().filter(a -> a.name().startsWith(Allocator.OURS)).toList()) {
                for (Row row : ROWS) {
                    ratio(figures, ours, row.figure()).filter(s -> s.median() >= WORTH_A_WORD)
                            .ifPresent(s -> losses.add("%s on %s: %s, %.2f times".formatted(name(figures), ours.title(),
                                    row.title().replaceFirst(",.*", ""), s.median())));
                }
            }
        }
        list("Slower or larger than on the system's malloc", "By 5 % and more, as medians of ratios within a round.",
                losses.isEmpty() ? List.of("nothing") : losses);
    }

    private static String name(Figures figures) { return figures.results().suite(); }

    private static Optional<Summary> ratio(Figures figures, Allocator allocator, String figure) {
        return figures.ratio(figures.cases().getFirst(), allocator.name(), Allocator.SYSTEM, figure);
    }

    private void service(Figures figures) throws IOException {
        String name = name(figures), title = figures.cases().getFirst().title();
        text.append("%n%s%n%-34s".formatted(title, ""));
        figures.allocators().forEach(a -> text.append(column(a, a.name())));
        text.append(System.lineSeparator());
        for (Row row : ROWS) line(figures, row);
        page.heading(title, "Resident memory is the sum over the service's processes, of which each counts its part of what they"
                + " share. " + phases(name));
        var curves = Curve.read(folder, name);
        chart(name + "-memory", "Memory of " + name, theme -> MemoryChart.of(theme, figures, curves, "Memory of " + name));
        if (figures.value(figures.cases().getFirst(), Allocator.OURS, "latencyP50").isPresent()) {
            String latency = "How long a request to " + name + " takes";
            chart(name + "-latency", latency, theme -> Lines.percentiles(theme, figures, latency, "latency", 1000));
        }
        var head = new ArrayList<>(List.of("medians, and as ratios to the system's"));
        figures.allocators().forEach(a -> head.add(a.title()));
        page.table(head, ROWS.stream().map(row -> {
            var cells = new ArrayList<>(List.of(row.title()));
            figures.allocators().forEach(a -> cells.add(cell(figures, a, row)));
            return cells;
        }).toList());
    }

    /** What the programs' own tests came to, beside how they end on the system's malloc. */
    private void suites() {
        var rows = new ArrayList<List<String>>();
        var differences = new ArrayList<String>();
        for (Suite suite : Suite.ALL) {
            var outcomes = suite.read(folder);
            for (Outcome outcome : outcomes) {
                var system = outcomes.getFirst();
                var row = List.of(suite.title(), outcome.allocator(), "%d of %d".formatted(outcome.passed(), outcome.tests().size()),
                        "%.0f".formatted(outcome.seconds()), "%.2f".formatted(outcome.seconds() / system.seconds()));
                rows.add(row);
                outcome.differences(system).forEach(d -> differences.add("%s on %s: %s".formatted(suite.name(), outcome.allocator(), d)));
            }
        }
        if (rows.isEmpty()) return;
        page.heading("Their own tests", "One run of each; seconds, and as a ratio to the system's.");
        page.table(List.of("tests", "allocator", "passed", "s", "ratio"), rows);
        text.append("%nTheir own tests%n".formatted());
        rows.forEach(row -> text.append("%-50s%24s%16s passed%8s s%8s%n".formatted(row.toArray())));
        list("Tests that end otherwise than on the system's malloc", "By name.", differences.isEmpty() ? List.of("none") : differences);
    }

    /** What held when services were killed or limited. */
    private void ordeals() {
        var rows = new ArrayList<List<String>>();
        var differences = new ArrayList<String>();
        for (Ordeal ordeal : Main.ORDEALS) {
            var verdicts = Verdict.read(folder, ordeal.name());
            verdicts.forEach(v -> rows.add(List.of(ordeal.title(), v.allocator(), v.text())));
            if (!verdicts.isEmpty()) Verdict.differences(verdicts).forEach(d -> differences.add("%s %s".formatted(ordeal.name(), d)));
        }
        if (rows.isEmpty()) return;
        page.heading("Death and limits", "One run of each: what the service promises held, or is broken.");
        page.table(List.of("what happens", "allocator", "what held"), rows);
        text.append("%nDeath and limits%n".formatted());
        rows.forEach(row -> text.append("%s, on %s: %s%n".formatted(row.toArray())));
        list("Promises that are kept on the system's malloc only", "By name.", differences.isEmpty() ? List.of("none") : differences);
    }

    private static String cell(Figures figures, Allocator allocator, Row row) {
        String value = figures.value(figures.cases().getFirst(), allocator.name(), row.figure())
                .map(s -> row.format().formatted(s.median() / row.divisor())).orElse("-");
        return value + "  " + ratio(figures, allocator, row.figure()).map(s -> "%.2f".formatted(s.median())).orElse("-");
    }

    private void line(Figures figures, Row row) {
        text.append("%-34s".formatted(row.title()));
        figures.allocators().forEach(a -> text.append(column(a, cell(figures, a, row))));
        text.append(System.lineSeparator());
    }

    private static String column(Allocator allocator, String value) {
        return ("%" + Math.max(18, allocator.name().length() + 2) + "s").formatted(value);
    }

    private String phases(String name) {
        return Curve.read(folder, name).stream().filter(c -> !c.phases().isEmpty()).findFirst()
                .map(c -> "Phases: " + String.join(", ", c.phases().stream().map(Load.Phase::name).toList()) + ".").orElse("");
    }

    private void chart(String name, String title, Function<Theme, JFreeChart> make) throws IOException {
        page.chart(title, svg(name, Theme.LIGHT, make), svg(name, Theme.DARK, make), WIDTH, Lines.HEIGHT);
    }

    private String svg(String name, Theme theme, Function<Theme, JFreeChart> make) throws IOException {
        String svg = Style.svg(make.apply(theme), WIDTH, Lines.HEIGHT);
        Files.writeString(folder.resolve("charts/%s-%s.svg".formatted(name, theme.name)), svg);
        return svg;
    }
}
