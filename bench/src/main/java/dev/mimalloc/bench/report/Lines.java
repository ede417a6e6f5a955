package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.tools.measure.Summary;
import java.text.NumberFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.SymbolAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.SeriesRenderingOrder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.DeviationRenderer;
import org.jfree.data.xy.YIntervalSeries;
import org.jfree.data.xy.YIntervalSeriesCollection;

/** Charts with a line for each allocator: how a cost grows with a size, or from one percentile to the next. */
public final class Lines {
    /** The height of each. */
    public static final int HEIGHT = 420;

    private Lines() {}

    /** A figure of all cases of one name, over their sizes. */
    static JFreeChart growth(Theme theme, Figures figures, String title, String name, String figure, String sizes,
            NumberFormat format) {
        List<Case> cases = figures.cases(name);
        var axis = Style.powers(theme, sizes, name.equals("heaps") ? 10 : name.equals("live") ? 4 : 2,
                Style.format("0"));
        axis.setNumberFormatOverride(format);
        double[] xs = cases.stream().mapToDouble(Case::x).toArray();
        return chart(theme, lines(figures), title, "Lower is better; a level line does not grow. Medians with the"
                + " middle half of the rounds.", axis, Style.numbers(theme, "ns for malloc and free"), xs,
                (line, i) -> figures.value(cases.get(i), line.look(), figure));
    }

    /** The latency of single calls, from the median to the maximum, none below {@code least}. */
    public static JFreeChart percentiles(Theme theme, Figures figures, String title, String call, double least) {
        List<String> steps = List.of("P50", "P90", "P99", "P99.9", "P99.99", "P99.999", "Max");
        Case about = figures.cases().getFirst();
        return percentiles(theme, lines(figures), title,
                List.of("50%", "90%", "99%", "99.9%", "99.99%", "99.999%", "maximum"),
                (line, i) -> figures.value(about, line.look(), call + steps.get(i)).map(s -> atLeast(least, s)));
    }

    /** The same on the JVM, where the lines are not allocators alone, so that the looks are given in turn. */
    static JFreeChart percentiles(Theme theme, List<Raw.JvmLatency> latencies, String title) {
        var lines = new ArrayList<Line>();
        for (int i = 0; i < latencies.size(); i++) lines.add(new Line(latencies.get(i).allocator(), Theme.look(i)));
        return percentiles(theme, lines, title, latencies.getFirst().percentiles(),
                (line, i) -> Optional.of(atLeast(1, latencies.get(lines.indexOf(line)).nanoseconds().get(i))));
    }

    private static JFreeChart percentiles(Theme theme, List<Line> lines, String title, List<String> steps,
            Point point) {
        var axis = new SymbolAxis(null, steps.toArray(String[]::new));
        axis.setGridBandsVisible(false);
        Style.letters(theme, axis);
        axis.setRange(-0.3, steps.size() - 0.7);
        double[] xs = new double[steps.size()];
        for (int i = 0; i < xs.length; i++) xs[i] = i;
        return chart(theme, lines, title, "Lower is better: so long did that share of the calls take at most. Medians"
                + " with the middle half of the rounds.", axis,
                Style.powers(theme, "nanoseconds", 10, Style.format("#,##0")), xs, point);
    }

    // A logarithm has no place for zero.
    private static Summary atLeast(double least, Summary s) {
        return new Summary(Math.max(s.median(), least), Math.max(s.low(), least), Math.max(s.high(), least), s.count());
    }

    /** A line, with the name of the allocator whose colour and sign it has. */
    private record Line(String title, String look) {}

    private static List<Line> lines(Figures figures) {
        return figures.allocators().stream().map(a -> new Line(a.title(), a.name())).toList();
    }

    private interface Point {
        Optional<Summary> at(Line line, int index);
    }

    private static JFreeChart chart(Theme theme, List<Line> lines, String title, String reading, ValueAxis sizes,
            ValueAxis costs, double[] xs, Point point) {
        var data = new YIntervalSeriesCollection();
        var renderer = new DeviationRenderer(true, true);
        renderer.setAlpha(0.16f);
        for (Line line : lines) {
            var series = new YIntervalSeries(line.title());
            for (int i = 0; i < xs.length; i++) {
                double x = xs[i];
                point.at(line, i).ifPresent(s -> series.add(x, s.median(), s.low(), s.high()));
            }
            if (series.isEmpty()) continue;
            int index = data.getSeriesCount();
            data.addSeries(series);
            renderer.setSeriesPaint(index, theme.colour(line.look()));
            renderer.setSeriesFillPaint(index, theme.colour(line.look()));
            renderer.setSeriesShape(index, theme.sign(line.look()));
            renderer.setSeriesStroke(index, line.look().equals(Allocator.OURS) ? Theme.LINE : Theme.THIN);
        }
        if (costs instanceof NumberAxis axis) axis.setAutoRangeIncludesZero(true);
        var plot = new XYPlot(data, sizes, costs, renderer);
        plot.setSeriesRenderingOrder(SeriesRenderingOrder.REVERSE);
        Style.grid(theme, plot);
        return Style.chart(theme, title, reading, plot, true);
    }
}
