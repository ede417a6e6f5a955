package dev.mimalloc.bench.jvm;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** What was seen of one contender, one sample in each round; or why it could not be seen. */
final class Measurement {
    private final Contender contender;
    private final List<Sample> samples = new ArrayList<>();
    private String problem;

    /** Which time counts. */
    enum Clock { cpu, wall }

    /**
     * What one JVM said.
     *
     * @param wall nanoseconds for one operation, in each iteration
     * @param cpu the same of a processor's time
     * @param objectBytes how many bytes of Java objects one operation allocates
     */
    record Sample(List<Double> wall, List<Double> cpu, double objectBytes) {
        double median(Clock clock) { return Measurement.median(clock == Clock.wall ? wall : cpu); }
    }

    Measurement(Contender contender) { this.contender = contender; }

    void add(Sample sample) { samples.add(sample); }

    void failed(String why) { problem = why; }

    /** Whether there is a sample of each round so far. */
    boolean complete() { return problem == null && !samples.isEmpty(); }

    double nanoseconds(Clock clock) { return median(samples.stream().map(s -> s.median(clock)).toList()); }

    double objectBytes() { return median(samples.stream().map(Sample::objectBytes).toList()); }

    // These are written as data.
    public Contender getContender() { return contender; }
    public List<Sample> getSamples() { return samples; }
    public String getProblem() { return problem; }

    static double median(Collection<Double> values) {
        double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
