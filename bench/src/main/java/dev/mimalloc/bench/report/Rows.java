package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.tools.measure.Summary;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.SymbolAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.DatasetRenderingOrder;
import org.jfree.chart.plot.SeriesRenderingOrder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYErrorRenderer;
import org.jfree.data.xy.XIntervalSeries;
import org.jfree.data.xy.XIntervalSeriesCollection;

/**
 * A chart with a row for each case, and in it a sign for each allocator at its median, with a bar over its spread. The
 * signs of a row are a little above each other, so that none hides another.
 */
final class Rows {
    private static final int ROW = 27, FRAME = 150;

    private Rows() {}

    static int height(int rows) { return FRAME + ROW * rows; }

    /** Ratios to another allocator, on a logarithmic axis: twice and half are as far from 1. */
    static JFreeChart ratios(Theme theme, Figures figures, String title, String figure) {
        String base = figures.baseline();
        var others = figures.allocators().stream().filter(a -> !a.name().equals(base)).toList();
        var axis = Style.powers(theme, "", 2, Style.format("0.###"));
        return chart(theme, title + ", compared with " + figures.baselineTitle(),
                "Left of the line is better. Medians of ratios within a round, with the middle half of the rounds.",
                axis, figures.cases(), others,
                (about, allocator) -> figures.ratio(about, allocator, base, figure), true);
    }

    /** Values as they are, on a logarithmic axis. */
    static JFreeChart values(Theme theme, Figures figures, String title, String unit, String figure, double divisor) {
        var axis = Style.powers(theme, unit, 10, Style.format("#,##0.###"));
        return chart(theme, title, "Further left is better. Medians; the bars are the middle half of the rounds.", axis,
                figures.cases(), figures.allocators(), (about, allocator) -> figures.value(about, allocator, figure)
                        .map(s -> new Summary(s.median() / divisor, s.low() / divisor, s.high() / divisor, s.count())),
                false);
    }

    private static JFreeChart chart(Theme theme, String title, String reading, ValueAxis values, List<Case> cases,
            List<Allocator> allocators, BiFunction<Case, String, Optional<Summary>> figure, boolean one) {
        var data = new XIntervalSeriesCollection();
        var renderer = new XYErrorRenderer();
        renderer.setDrawYError(false);
        renderer.setCapLength(0);
        renderer.setErrorStroke(Theme.THIN);
        for (int a = 0; a < allocators.size(); a++) {
            Allocator allocator = allocators.get(a);
            var series = new XIntervalSeries(allocator.title());
            double above = 0.1 * (a - (allocators.size() - 1) / 2.0);
            for (int row = 0; row < cases.size(); row++) {
                double y = row + above;
                figure.apply(cases.get(row), allocator.name()).filter(s -> s.low() > 0)
                        .ifPresent(s -> series.add(s.median(), s.low(), s.high(), y));
            }
            data.addSeries(series);
            renderer.setSeriesPaint(a, theme.colour(allocator.name()));
            renderer.setSeriesShape(a, theme.sign(allocator.name()));
        }
        var plot = new XYPlot(data, values, rows(theme, cases), renderer);
        plot.setSeriesRenderingOrder(SeriesRenderingOrder.REVERSE); // ours, the first, on top
        plot.setDatasetRenderingOrder(DatasetRenderingOrder.FORWARD);
        Style.grid(theme, plot);
        if (one) plot.addDomainMarker(Style.line(theme, 1));
        values.setLowerMargin(0.03);
        values.setUpperMargin(0.03);
        return Style.chart(theme, title, reading, plot, true);
    }

    private static SymbolAxis rows(Theme theme, List<Case> cases) {
        var axis = new SymbolAxis(null, cases.stream().map(Case::name).toArray(String[]::new));
        axis.setInverted(true);
        axis.setGridBandsVisible(false);
        Style.letters(theme, axis);
        axis.setRange(-0.6, cases.size() - 0.4);
        return axis;
    }
}
