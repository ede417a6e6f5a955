package dev.mimalloc.bench.jvm;

import dev.mimalloc.tools.measure.Summary;
import java.util.ArrayList;
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
        double median(Clock clock) { return Summary.of(clock == Clock.wall ? wall : cpu).median(); }
    }

    Measurement(Contender contender) { this.contender = contender; }

    void add(Sample sample) { samples.add(sample); }

    void failed(String why) { problem = why; }

    /** Whether there is a sample of each round so far. */
    boolean complete() { return problem == null && !samples.isEmpty(); }

    double nanoseconds(Clock clock) { return Summary.of(samples.stream().map(s -> s.median(clock)).toList()).median(); }

    double objectBytes() { return Summary.of(samples.stream().map(Sample::objectBytes).toList()).median(); }

    // These are written as data.
    public Contender getContender() { return contender; }
    public List<Sample> getSamples() { return samples; }
    public String getProblem() { return problem; }
}
