package dev.mimalloc.tools;

import java.util.List;
import picocli.CommandLine.Help.Ansi;

/** Comparisons as a table for the terminal, in colour where it has any. */
final class Table {
    private static final String ROW = "%-15s%-45s%9s%9s%s%10s%9s%s%n";
    private static final String RATIO = "   ratio";

    private Table() {}

    static String of(List<Comparison> comparisons, int rounds) {
        var text = new StringBuilder();
        text.append(String.format("%n%-60s%26s%27s%n", "", "time, s", "peak memory, MiB"));
        text.append(String.format(ROW, "program", "", "system", "mimalloc", RATIO, "system", "mimalloc", RATIO));
        for (Comparison c : comparisons) {
            text.append(c.complete()
                    ? String.format(ROW, c.name(), c.title(), decimals(2, c.system().seconds()),
                            decimals(2, c.mimalloc().seconds()), ratio(c.timeRatio()),
                            decimals(1, c.system().peakKib() / 1024), decimals(1, c.mimalloc().peakKib() / 1024),
                            ratio(c.memoryRatio()))
                    : String.format("%-15s%s%n", c.name(), Ansi.AUTO.text("@|red " + c.problem() + "|@")));
        }
        text.append(String.format(ROW, "geometric mean", "", "", "",
                ratio(Comparison.geometricMean(comparisons, Comparison::timeRatio)), "", "",
                ratio(Comparison.geometricMean(comparisons, Comparison::memoryRatio))));
        text.append(String.format("%nMedians of %d. A ratio below 1: mimalloc needs less.%n", rounds));
        return text.toString();
    }

    private static String decimals(int count, double value) { return ("%." + count + "f").formatted(value); }

    private static String ratio(double value) {
        String text = "%8.2f".formatted(value);
        if (value <= 0.97) return Ansi.AUTO.string("@|green " + text + "|@");
        return value >= 1.05 ? Ansi.AUTO.string("@|red " + text + "|@") : text;
    }
}
