package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import java.awt.Paint;
import java.util.List;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.labels.ItemLabelAnchor;
import org.jfree.chart.labels.ItemLabelPosition;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.CombinedDomainCategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.ui.Layer;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.category.DefaultCategoryDataset;

/** The picture for the README: over the whole suite, the time and the memory of each allocator, as two sets of bars. */
final class Headline {
    static final int WIDTH = 860;

    private Headline() {}

    static int height(int allocators) { return 118 + 30 * allocators; }

    static JFreeChart chart(Theme theme, Figures figures) {
        var categories = new CategoryAxis();
        categories.setTickLabelFont(theme.font(13));
        categories.setTickLabelPaint(theme.ink);
        categories.setTickLabelFont(figures.allocators().getFirst().title(), theme.bold(13));
        categories.setAxisLineVisible(false);
        categories.setTickMarksVisible(false);
        categories.setMaximumCategoryLabelWidthRatio(2);
        categories.setCategoryMargin(0.3);
        var both = new CombinedDomainCategoryPlot(categories);
        both.setOrientation(PlotOrientation.HORIZONTAL);
        both.setGap(24);
        both.add(panel(theme, figures, "CPU time", "cpuSeconds"));
        both.add(panel(theme, figures, "Peak memory", "peakKib"));
        return Style.chart(theme, "CPU time and peak memory of %d programs".formatted(figures.cases().size()),
                "Geometric means, %s = 1.00; shorter is better.".formatted(figures.baselineTitle()), both, false);
    }

    private static CategoryPlot panel(Theme theme, Figures figures, String label, String figure) {
        var data = new DefaultCategoryDataset();
        List<Allocator> allocators = figures.allocators();
        for (Allocator allocator : allocators) {
            figures.meanRatio(allocator.name(), figures.baseline(), figure)
                    .ifPresent(mean -> data.addValue(mean, label, allocator.title()));
        }
        var renderer = new BarRenderer() {
            private static final long serialVersionUID = 1;

            @Override
            public Paint getItemPaint(int row, int column) {
                Object category = getPlot().getDataset().getColumnKey(column);
                boolean ours = category.equals(allocators.getFirst().title());
                return ours ? theme.colour(Allocator.OURS) : theme.colour(Allocator.SYSTEM);
            }
        };
        renderer.setBarPainter(new StandardBarPainter());
        renderer.setShadowVisible(false);
        renderer.setMaximumBarWidth(0.12);
        renderer.setDefaultItemLabelGenerator(
                new StandardCategoryItemLabelGenerator("{2}", Style.format("0.00")));
        renderer.setDefaultItemLabelFont(theme.font(13));
        renderer.setDefaultItemLabelPaint(theme.ink);
        renderer.setDefaultItemLabelsVisible(true);
        renderer.setDefaultPositiveItemLabelPosition(
                new ItemLabelPosition(ItemLabelAnchor.OUTSIDE3, TextAnchor.CENTER_LEFT));
        NumberAxis axis = Style.numbers(theme, label);
        axis.setLabelFont(theme.bold(13));
        axis.setLabelPaint(theme.ink);
        axis.setTickLabelsVisible(false);
        axis.setUpperMargin(0.16); // for the numbers behind the bars
        var plot = new CategoryPlot(data, null, axis, renderer);
        plot.setOrientation(PlotOrientation.HORIZONTAL);
        plot.setRangeGridlinesVisible(false);
        plot.setOutlineVisible(false);
        plot.setBackgroundPaint(theme.paper);
        plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
        plot.addRangeMarker(new ValueMarker(1, theme.grid, Theme.THIN), Layer.BACKGROUND);
        return plot;
    }
}
