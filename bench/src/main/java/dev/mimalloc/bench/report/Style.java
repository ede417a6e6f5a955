package dev.mimalloc.bench.report;

import java.awt.BasicStroke;
import java.awt.geom.Rectangle2D;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.title.TextTitle;
import org.jfree.chart.ui.HorizontalAlignment;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.svg.SVGGraphics2D;

/** What all charts have in common: frame, axes, letters; and how one becomes SVG. */
public final class Style {
    private Style() {}

    /** A chart with its title, which says what to look at, and under it how to read it. */
    public static JFreeChart chart(Theme theme, String title, String reading, Plot plot, boolean legend) {
        var chart = new JFreeChart(title, theme.bold(16), plot, legend);
        chart.setBackgroundPaint(theme.paper);
        chart.setPadding(new RectangleInsets(12, 12, 12, 16));
        chart.getTitle().setPaint(theme.ink);
        chart.getTitle().setHorizontalAlignment(HorizontalAlignment.LEFT);
        chart.getTitle().setPadding(0, 4, 2, 0);
        var subtitle = new TextTitle(reading, theme.font(12));
        subtitle.setPaint(theme.faint);
        subtitle.setHorizontalAlignment(HorizontalAlignment.LEFT);
        subtitle.setPadding(0, 4, 6, 0);
        // Titles are laid out in turns from the outside; the legend goes last.
        chart.addSubtitle(0, subtitle);
        if (legend) {
            LegendTitle items = chart.getLegend();
            items.setPosition(RectangleEdge.TOP);
            items.setHorizontalAlignment(HorizontalAlignment.LEFT);
            items.setFrame(BlockBorder.NONE);
            items.setBackgroundPaint(theme.paper);
            items.setItemFont(theme.font(12));
            items.setItemPaint(theme.ink);
            items.setItemLabelPadding(new RectangleInsets(0, 2, 4, 14));
        }
        plot.setBackgroundPaint(theme.paper);
        plot.setOutlineVisible(false);
        return chart;
    }

    /** Lines behind the plot. */
    public static void grid(Theme theme, XYPlot plot) {
        plot.setDomainGridlinePaint(theme.grid);
        plot.setRangeGridlinePaint(theme.grid);
        plot.setDomainGridlineStroke(Theme.HAIR);
        plot.setRangeGridlineStroke(Theme.HAIR);
        plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
    }

    /** An axis of powers of {@code base}, whose labels are plain numbers. */
    static LogAxis powers(Theme theme, String label, double base, DecimalFormat format) {
        var axis = new LogAxis(label);
        axis.setBase(base);
        axis.setTickUnit(new NumberTickUnit(1));
        axis.setNumberFormatOverride(format);
        axis.setMinorTickMarksVisible(false);
        letters(theme, axis);
        return axis;
    }

    /** An axis from zero, or from what is near. */
    public static NumberAxis numbers(Theme theme, String label) {
        var axis = new NumberAxis(label);
        axis.setNumberFormatOverride(format("#,##0.##"));
        letters(theme, axis);
        return axis;
    }

    static void letters(Theme theme, ValueAxis axis) {
        axis.setLabelFont(theme.font(12));
        axis.setLabelPaint(theme.faint);
        axis.setTickLabelFont(theme.font(12));
        axis.setTickLabelPaint(theme.ink);
        axis.setAxisLineVisible(false);
        axis.setTickMarksVisible(false);
    }

    /** A line across the plot at a value that matters. */
    static ValueMarker line(Theme theme, double value) {
        return new ValueMarker(value, theme.faint, new BasicStroke(1.2f));
    }

    static DecimalFormat format(String pattern) {
        return new DecimalFormat(pattern, DecimalFormatSymbols.getInstance(Locale.ROOT));
    }

    /** The chart as a document. */
    public static String svg(JFreeChart chart, int width, int height) {
        var graphics = new SVGGraphics2D(width, height);
        chart.draw(graphics, new Rectangle2D.Double(0, 0, width, height));
        return graphics.getSVGElement(null, true, null, null, null);
    }
}
