package dev.mimalloc.tools.measure;

import java.util.Arrays;
import java.util.Collection;

/** The median of some values, with its spread: the quartiles, between which the middle half of the values lies. */
public record Summary(double median, double low, double high, int count) {
    /** Of at least one value. */
    public static Summary of(Collection<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (sorted.length == 0) throw new IllegalArgumentException("no values");
        return new Summary(quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), sorted.length);
    }

    // Between two values it is as far from the one as the rank is.
    private static double quantile(double[] sorted, double share) {
        double rank = share * (sorted.length - 1);
        int below = (int) rank;
        double above = sorted[Math.min(below + 1, sorted.length - 1)];
        return sorted[below] + (rank - below) * (above - sorted[below]);
    }

    /** Of at least one positive value. */
    public static double geometricMean(double[] values) {
        if (values.length == 0) throw new IllegalArgumentException("no values");
        return Math.exp(Arrays.stream(values).map(Math::log).sum() / values.length);
    }
}
