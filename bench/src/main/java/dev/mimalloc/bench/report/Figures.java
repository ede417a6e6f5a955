package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.tools.measure.Summary;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What follows from the raw results: medians, and ratios between allocators round by round. */
public final class Figures {
    private final Results results;

    /** Of one suite. */
    public Figures(Results results) {
        this.results = results;
    }

    /** What they are made of. */
    public Results results() { return results; }

    /** Who took part. */
    public List<Allocator> allocators() { return results.allocators(); }

    /** What was measured. */
    public List<Case> cases() { return results.cases(); }

    /** The sizes at which a case of this name was measured. */
    List<Case> cases(String name) {
        return cases().stream().filter(c -> c.name().equals(name)).toList();
    }

    /** The name of the allocator that the others are compared with. */
    String baseline() { return results.baseline(); }

    /** Its name and version. */
    String baselineTitle() {
        return allocators().stream().filter(a -> a.name().equals(baseline())).findFirst().orElseThrow().title();
    }

    /** A figure of a case on an allocator, over all rounds. */
    public Optional<Summary> value(Case about, String allocator, String figure) {
        var values = samples(about, allocator).map(s -> s.figures().get(figure)).filter(Objects::nonNull).toList();
        return values.isEmpty() ? Optional.empty() : Optional.of(Summary.of(values));
    }

    /** A figure of one allocator as a ratio to that of another, each round by itself. */
    public Optional<Summary> ratio(Case about, String allocator, String other, String figure) {
        var ratios = new ArrayList<Double>();
        for (Sample sample : samples(about, allocator).toList()) {
            Double value = sample.figures().get(figure);
            samples(about, other).filter(s -> s.round() == sample.round()).findFirst()
                    .map(s -> s.figures().get(figure))
                    .filter(divisor -> value != null && value > 0 && divisor > 0)
                    .ifPresent(divisor -> ratios.add(value / divisor));
        }
        return ratios.isEmpty() ? Optional.empty() : Optional.of(Summary.of(ratios));
    }

    /** The geometric mean of such ratios over the cases that both could run. */
    OptionalDouble meanRatio(String allocator, String other, String figure) {
        double[] ratios = cases().stream().flatMap(c -> ratio(c, allocator, other, figure).stream())
                .mapToDouble(Summary::median).toArray();
        return ratios.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(Summary.geometricMean(ratios));
    }

    /** The runs that went wrong. */
    public List<Sample> failures() {
        return results.samples().stream().filter(s -> s.problem() != null).toList();
    }

    private Stream<Sample> samples(Case about, String allocator) {
        Predicate<Sample> same = s -> s.name().equals(about.name()) && s.x() == about.x();
        return results.samples().stream().filter(same.and(s -> s.allocator().equals(allocator)));
    }

    /** Two suites as one, as workloads and programs are for a mean over both; they must be of the same run. */
    static Figures together(Figures one, Figures other) {
        Results a = one.results, b = other.results;
        var cases = new ArrayList<>(a.cases());
        cases.addAll(b.cases());
        var samples = new ArrayList<>(a.samples());
        samples.addAll(b.samples());
        return new Figures(new Results(a.suite(), a.when(), a.machine(), a.scale(), a.allocators(), a.baseline(), cases,
                samples));
    }
}
