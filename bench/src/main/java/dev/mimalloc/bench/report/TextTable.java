package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Summary;
import java.util.List;
import picocli.CommandLine.Help.Ansi;

/** The short form of the report, for a terminal. */
final class TextTable {
    private TextTable() {}

    static String of(Raw raw, List<Goal> goals) {
        var text = new StringBuilder();
        raw.programs().ifPresent(figures -> programs(text, figures));
        raw.modes().ifPresent(figures -> programs(text, figures));
        if (!goals.isEmpty()) {
            text.append(String.format("%n%-62s %-22s %s%n", "numbers to reach", "at most", "measured"));
        }
        for (Goal goal : goals) {
            String mark = Ansi.AUTO.string(goal.reached() ? "@|green pass|@" : "@|red miss|@");
            text.append(String.format("%-62s %-22s %s  %s%n", goal.what(), goal.target(), mark, goal.measured()));
        }
        for (Figures suite : raw.suites()) {
            suite.failures().forEach(
                    f -> text.append(String.format("%n%s on %s: %s", f.name(), f.allocator(), f.problem())));
        }
        return text.append(System.lineSeparator()).toString();
    }

    private static void programs(StringBuilder text, Figures figures) {
        String base = figures.baseline();
        text.append(String.format("%nCPU time and peak memory as ratios to %s (medians of rounds)%n%-16s",
                figures.baselineTitle(), ""));
        var others = figures.allocators().stream().map(Allocator::name).filter(a -> !a.equals(base)).toList();
        others.forEach(a -> text.append(String.format("%16s", a)));
        text.append(System.lineSeparator());
        for (var about : figures.cases()) {
            text.append(String.format("%-16s", about.name()));
            for (String allocator : others) {
                text.append(String.format("%10s%6s",
                        figures.ratio(about, allocator, base, "cpuSeconds").map(TextTable::ratio).orElse("-"),
                        figures.ratio(about, allocator, base, "peakKib").map(TextTable::ratio).orElse("-")));
            }
            text.append(System.lineSeparator());
        }
        text.append(String.format("%-16s", "geometric mean"));
        for (String allocator : others) {
            text.append(String.format("%10.2f%6.2f",
                    figures.meanRatio(allocator, base, "cpuSeconds").orElse(Double.NaN),
                    figures.meanRatio(allocator, base, "peakKib").orElse(Double.NaN)));
        }
        text.append(System.lineSeparator());
    }

    private static String ratio(Summary summary) { return "%.2f".formatted(summary.median()); }
}
