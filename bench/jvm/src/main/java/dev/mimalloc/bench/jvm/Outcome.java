package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.Measurement.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * What came of a row. Where something was missing, {@code problem} says what, and the rest is null.
 *
 * @param other the best of the others
 * @param goal the ratio to reach, if there is one
 */
record Outcome(String row, Cost ours, Cost other, Ratio ratio, OptionalDouble goal, String problem) {
    /** The medians over the rounds. */
    record Cost(String label, double nanoseconds, double objectBytes) {
        static Cost of(Measurement m, Clock clock) {
            return new Cost(m.getContender().label(), m.nanoseconds(clock), m.objectBytes());
        }
    }

    /** Of the medians; and the least and the most of any round. */
    record Ratio(double median, double least, double most) {
        /** Round by round, as the two were measured one soon after the other. */
        static Ratio of(Measurement ours, Measurement other, Clock clock) {
            double[] ratios = IntStream.range(0, ours.getSamples().size())
                    .mapToDouble(
                            i -> ours.getSamples().get(i).median(clock) / other.getSamples().get(i).median(clock))
                    .sorted().toArray();
            return new Ratio(ours.nanoseconds(clock) / other.nanoseconds(clock), ratios[0], ratios[ratios.length - 1]);
        }
    }

    static Outcome of(Row row, Map<Contender, Measurement> measurements, Clock clock) {
        OptionalDouble goal = row.hasGoal() ? OptionalDouble.of(row.goal()) : OptionalDouble.empty();
        Measurement ours = measurements.get(row.ours());
        List<Measurement> others = row.others().stream().map(measurements::get).toList();
        var best = others.stream().filter(Measurement::complete)
                .min(Comparator.comparingDouble(m -> m.nanoseconds(clock)));
        if (!ours.complete() || best.isEmpty()) {
            String problem = ours.complete() ? "skipped: " + others.getFirst().getProblem() : ours.getProblem();
            return new Outcome(row.name(), null, null, null, goal, problem);
        }
        return new Outcome(row.name(), Cost.of(ours, clock), Cost.of(best.get(), clock),
                Ratio.of(ours, best.get(), clock), goal, null);
    }

    boolean reached() { return ratio != null && goal.isPresent() && ratio.median() <= goal.getAsDouble(); }
}
