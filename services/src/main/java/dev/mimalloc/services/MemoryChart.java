package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.report.Figures;
import dev.mimalloc.bench.report.Style;
import dev.mimalloc.bench.report.Theme;
import dev.mimalloc.services.Curve.Point;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.plot.SeriesRenderingOrder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/** Resident memory over the time of a run, a line for each allocator, and what the service says is live. */
final class MemoryChart {
    private MemoryChart() {}

    static JFreeChart of(Theme theme, Figures figures, List<Curve> curves, String title) {
        var data = new XYSeriesCollection();
        var renderer = new XYLineAndShapeRenderer(true, false);
        renderer.setDrawSeriesLineAsPath(true); // else each segment is an element of its own
        for (Allocator allocator : figures.allocators()) {
            var curve = median(curves, allocator.name());
            if (curve.isEmpty()) continue;
            var series = new XYSeries(allocator.title());
            for (Point point : curve.get().points()) series.add(point.seconds(), point.residentKib() / 1024);
            int index = data.getSeriesCount();
            data.addSeries(series);
            renderer.setSeriesPaint(index, theme.colour(allocator.name()));
            renderer.setSeriesStroke(index, allocator.name().equals(Allocator.OURS) ? Theme.LINE : Theme.THIN);
        }
        median(curves, Allocator.OURS).ifPresent(curve -> live(theme, curve, data, renderer));
        var plot = new XYPlot(data, Style.numbers(theme, "seconds"), Style.numbers(theme, "MiB"), renderer);
        plot.setSeriesRenderingOrder(SeriesRenderingOrder.REVERSE);
        Style.grid(theme, plot);
        return Style.chart(theme, title, "Lower is better. Of each allocator the round whose peak is the median.", plot, true);
    }

    private static void live(Theme theme, Curve curve, XYSeriesCollection data, XYLineAndShapeRenderer renderer) {
        var series = new XYSeries("live, on ours");
        for (Point point : curve.points()) if (point.liveKib() != null) series.add(point.seconds(), point.liveKib() / 1024);
        if (series.isEmpty()) return;
        renderer.setSeriesPaint(data.getSeriesCount(), theme.faint);
        renderer.setSeriesStroke(data.getSeriesCount(), Theme.HAIR);
        data.addSeries(series);
    }

    private static Optional<Curve> median(List<Curve> curves, String allocator) {
        var sorted = curves.stream().filter(c -> c.allocator().equals(allocator) && !c.points().isEmpty())
                .sorted(Comparator.comparingDouble(Curve::peakKib)).toList();
        return sorted.isEmpty() ? Optional.empty() : Optional.of(sorted.get(sorted.size() / 2));
    }
}
