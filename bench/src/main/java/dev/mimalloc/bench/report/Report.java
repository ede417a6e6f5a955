package dev.mimalloc.bench.report;

import dev.mimalloc.tools.measure.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.text.FieldPosition;
import java.text.NumberFormat;
import java.text.ParsePosition;
import java.util.List;
import java.util.function.Function;
import org.jfree.chart.JFreeChart;

/**
 * Writes the report of the raw results in a folder: {@code index.html}, each of its charts as a light and a dark SVG in
 * {@code charts}, and of these the picture for the README as {@code bench-light.svg} and {@code bench-dark.svg}.
 */
public final class Report {
    /** The names of all files of raw results, without their {@code .json}. */
    public static final List<String> SUITES = List.of("workloads", "programs", "scaling", "latency", "startup", "jvm",
            "jvm-latency");

    /** The name of the file of raw results for the modes of our library, which has a run of its own. */
    public static final String MODES = "modes";

    private static final int WIDTH = 860;
    private static final NumberFormat BYTES = new Bytes();

    private final Path folder;
    private final Page page = new Page("mimalloc in Java: benchmarks");

    private Report(Path folder) {
        this.folder = folder;
    }

    /** Writes it, and returns its short form for a terminal, which ends with where the page is. */
    public static String write(Path folder) throws IOException {
        var report = new Report(folder);
        Files.createDirectories(folder.resolve("charts"));
        Raw raw = Raw.read(folder);
        List<Goal> goals = Goals.of(raw);
        report.page(raw, goals);
        Path page = folder.resolve("index.html");
        Files.writeString(page, report.page.end());
        return TextTable.of(raw, goals) + "The report: " + page + System.lineSeparator();
    }

    private void page(Raw raw, List<Goal> goals) throws IOException {
        if (!raw.suites().isEmpty()) page.machine(raw.suites().getFirst().results());
        if (raw.programs().isPresent()) {
            Figures all = raw.programs().get();
            String picture = "CPU time and peak memory";
            chart("headline", picture, theme -> Headline.chart(theme, all), Headline.height(all.allocators().size()));
            for (Theme theme : List.of(Theme.LIGHT, Theme.DARK)) {
                String file = "-" + theme.name + ".svg";
                Files.copy(folder.resolve("charts/headline" + file), folder.resolve("bench" + file),
                        StandardCopyOption.REPLACE_EXISTING);
            }
            page.means(all);
        }
        if (!goals.isEmpty()) page.goals(goals);
        page.failures(raw.suites());
        if (raw.programs().isPresent()) programs(raw.programs().get());
        if (raw.latency().isPresent()) latency(raw.latency().get());
        if (raw.scaling().isPresent()) scaling(raw.scaling().get());
        if (raw.startup().isPresent()) startup(raw.startup().get());
        if (raw.modes().isPresent()) modes(raw.modes().get());
        if (!raw.jvm().isEmpty()) {
            page.heading("On the JVM", "Nanoseconds for one operation; ratios with the range of the rounds.");
            page.jvm(raw.jvm());
        }
        if (!raw.jvmLatency().isEmpty()) {
            page.heading("Single calls on the JVM, under load", "Nanoseconds at percentiles, up to the maximum; ours"
                    + " with the purge as it comes, at once (0), and never (-1).");
            for (String call : List.of("malloc", "free")) {
                var lines = raw.jvmLatency().stream().filter(line -> line.operation().equals(call)).toList();
                String title = "How long a " + call + " takes on the JVM";
                if (!lines.isEmpty()) {
                    chart("jvm-latency-" + call, title, theme -> Lines.percentiles(theme, lines, title), Lines.HEIGHT);
                }
            }
            page.jvmLatency(raw.jvmLatency());
        }
    }

    private void programs(Figures figures) throws IOException {
        int height = Rows.height(figures.cases().size());
        page.heading("Time", "The CPU time of all threads, and the time that passed.");
        chart("cpu", "CPU time", theme -> Rows.ratios(theme, figures, "CPU time", "cpuSeconds"), height);
        chart("time", "Time", theme -> Rows.ratios(theme, figures, "Time", "seconds"), height);
        page.values(figures, figures.cases(), "CPU time, s", "cpuSeconds", 1, "%.2f");
        page.heading("Memory", "The most that was resident at one time, and what still is when all has been freed.");
        chart("peak", "Peak memory", theme -> Rows.ratios(theme, figures, "Peak memory", "peakKib"), height);
        page.values(figures, figures.cases(), "peak memory, MiB", "peakKib", 1024, "%.1f");
        var afterwards = figures.cases().stream().filter(c -> figures.allocators().stream()
                .anyMatch(a -> figures.value(c, a.name(), "rssAfterKib").isPresent())).toList();
        if (!afterwards.isEmpty()) {
            page.heading("Memory after the work", "A tenth of a second after the last block was freed, in MiB.");
            page.values(figures, afterwards, "after the work, MiB", "rssAfterKib", 1024, "%.1f");
        }
        page.heading("Page faults", "Those that the system could serve without a disk.");
        page.values(figures, figures.cases(), "page faults", "minorFaults", 1, "%,.0f");
    }

    private void modes(Figures figures) {
        page.means(figures);
        page.values(figures, figures.cases(), "CPU time in each mode, s", "cpuSeconds", 1, "%.2f");
        page.values(figures, figures.cases(), "peak memory in each mode, MiB", "peakKib", 1024, "%.1f");
    }

    private void latency(Figures figures) throws IOException {
        page.heading("Single calls", "Each call timed by itself, in a steady state with 50,000 blocks alive. "
                + "Of five replays of the same calls the least counts: interruptions are the machine's.");
        double least = figures.value(figures.cases().getFirst(), figures.baseline(), "clockNanos").map(Summary::median)
                .orElse(1.0);
        for (String call : List.of("malloc", "free")) {
            String title = "How long a " + call + " takes";
            chart("latency-" + call, title, theme -> Lines.percentiles(theme, figures, title, call, least),
                    Lines.HEIGHT);
        }
    }

    private void scaling(Figures figures) throws IOException {
        page.heading("As things grow", "The CPU time of one malloc and one free, at random among what is alive.");
        growth(figures, "live", "With more memory alive", "alive", BYTES);
        growth(figures, "concurrency", "With more threads", "threads", Style.format("0"));
        growth(figures, "heaps", "With more heaps", "heaps", Style.format("#,##0"));
        page.values(figures, figures.cases("heaps"), "KiB for each heap", "kibPerHeap", 1, "%.1f");
        page.values(figures, figures.cases("metadata"), "meta-data, % of the blocks", "metadataShare", 0.01, "%.2f");
        page.values(figures, figures.cases("overhead"), "beyond the blocks, %", "beyondShare", 0.01, "%.2f");
        page.values(figures, figures.cases("overhead"), "more than asked for, %", "overheadShare", 0.01, "%.2f");
        page.values(figures, figures.cases("idle"), "KiB for each idle thread", "kibPerThread", 1, "%.1f");
        page.values(figures, figures.cases("idle"), "µs to start and end a thread", "nanosPerThread", 1000, "%.1f");
        for (String name : List.of("idle-burst", "idle-thread-burst", "idle-holes", "idle-thread-holes")) {
            page.values(figures, figures.cases(name), "resident after 0.1 s of silence, of what lives", "restAt100ms", 1, "%.2f");
            page.values(figures, figures.cases(name), "after 10 s", "restAt10s", 1, "%.2f");
        }
    }

    private void growth(Figures figures, String name, String title, String sizes, NumberFormat format)
            throws IOException {
        if (figures.cases(name).size() < 2) return;
        chart(name, title, theme -> Lines.growth(theme, figures, title, name, "nanosPerOperation", sizes, format),
                Lines.HEIGHT);
    }

    private void startup(Figures figures) throws IOException {
        page.heading("Start", "An empty program, from its start to its end.");
        page.values(figures, figures.cases(), "milliseconds", "nanos", 1e6, "%.2f");
    }

    private void chart(String name, String title, Function<Theme, JFreeChart> make, int height) throws IOException {
        page.chart(title, svg(name, Theme.LIGHT, make, height), svg(name, Theme.DARK, make, height), WIDTH, height);
    }

    private String svg(String name, Theme theme, Function<Theme, JFreeChart> make, int height) throws IOException {
        String svg = Style.svg(make.apply(theme), WIDTH, height);
        Files.writeString(folder.resolve("charts/%s-%s.svg".formatted(name, theme.name)), svg);
        return svg;
    }

    /** Powers of two with their units. */
    private static final class Bytes extends NumberFormat {
        private static final long serialVersionUID = 1;

        @Override
        public StringBuffer format(double bytes, StringBuffer to, FieldPosition position) {
            return to.append(bytes >= 1 << 30 ? "%.0f GiB".formatted(bytes / (1 << 30))
                    : "%.0f MiB".formatted(bytes / (1 << 20)));
        }

        @Override
        public StringBuffer format(long bytes, StringBuffer to, FieldPosition position) {
            return format((double) bytes, to, position);
        }

        @Override
        public Number parse(String source, ParsePosition position) { throw new UnsupportedOperationException(); }
    }
}
