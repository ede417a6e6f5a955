package dev.mimalloc.bench.jvm;

import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A comparison: ours against the best of some others.
 *
 * @param name what is measured
 * @param goal the ratio to reach; {@code NaN} where there is none
 */
record Row(String name, Contender ours, List<Contender> others, double goal) {
    static Row of(String name, Contender ours, Contender... others) {
        return new Row(name, ours, List.of(others), Double.NaN);
    }

    Row atMost(double goal) { return new Row(name, ours, others, goal); }

    boolean hasGoal() { return !Double.isNaN(goal); }

    /** The same row with all its contenders changed. */
    Row all(String suffix, UnaryOperator<Contender> change) {
        return new Row(name + suffix, change.apply(ours), others.stream().map(change).toList(), goal);
    }

    List<Contender> contenders() { return Stream.concat(Stream.of(ours), others.stream()).toList(); }
}
