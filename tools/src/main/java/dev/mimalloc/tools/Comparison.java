package dev.mimalloc.tools;

import dev.mimalloc.tools.measure.Program;
import dev.mimalloc.tools.measure.Stopwatch.Run;
import dev.mimalloc.tools.measure.Summary;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A program's runs with the system allocator and with ours, side by side. Where it could not run, {@code problem} says
 * why and there are no runs.
 */
record Comparison(String name, String title, Side system, Side mimalloc, double timeRatio, double memoryRatio,
        String problem) {

    /** The medians over the runs of one allocator. */
    record Side(double seconds, double cpuSeconds, double peakKib, List<Run> runs) {
        static Side of(List<Run> runs) {
            return new Side(median(runs, Run::seconds), median(runs, Run::cpuSeconds), median(runs, Run::peakKib),
                    runs);
        }

        private static double median(List<Run> runs, ToDoubleFunction<Run> value) {
            return Summary.of(runs.stream().map(value::applyAsDouble).toList()).median();
        }
    }

    static Comparison of(Program program, List<Run> system, List<Run> mimalloc) {
        Side one = Side.of(system), other = Side.of(mimalloc);
        return new Comparison(program.name(), program.title(), one, other, other.seconds() / one.seconds(),
                other.peakKib() / one.peakKib(), null);
    }

    static Comparison failed(Program program, String problem) {
        return new Comparison(program.name(), program.title(), null, null, Double.NaN, Double.NaN, problem);
    }

    boolean complete() { return problem == null; }

    static double geometricMean(List<Comparison> comparisons, ToDoubleFunction<Comparison> ratio) {
        double[] ratios = comparisons.stream().filter(Comparison::complete).mapToDouble(ratio).toArray();
        return ratios.length == 0 ? Double.NaN : Summary.geometricMean(ratios);
    }
}
