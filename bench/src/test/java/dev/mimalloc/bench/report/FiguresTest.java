package dev.mimalloc.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.tools.measure.Summary;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FiguresTest {
    private static final Case SMALL = new Case("small", "", 0), LARGE = new Case("large", "", 0);

    private static Figures of(Sample... samples) {
        var allocators = List.of(new Allocator(Allocator.OURS, "", ""), new Allocator("mimalloc", "", "2.0.9"));
        return new Figures(new Results("workloads", Instant.EPOCH, new Results.Machine("", "", 2, 1), 1, allocators,
                "mimalloc", List.of(SMALL, LARGE), List.of(samples)));
    }

    private static Sample sample(Case about, String allocator, int round, double seconds) {
        return new Sample(about.name(), 0, allocator, round, Map.of("seconds", seconds), null);
    }

    private static Sample failure(Case about, String allocator, int round) {
        return new Sample(about.name(), 0, allocator, round, Map.of(), "ended with 139");
    }

    /** The machine was ten times slower in the second round; each round says that ours takes half. */
    @Test
    void ratiosAreWithinARound() {
        var figures = of(sample(SMALL, Allocator.OURS, 1, 1), sample(SMALL, "mimalloc", 1, 2),
                sample(SMALL, Allocator.OURS, 2, 10), sample(SMALL, "mimalloc", 2, 20));
        assertThat(figures.ratio(SMALL, Allocator.OURS, "mimalloc", "seconds")).contains(new Summary(0.5, 0.5, 0.5, 2));
        assertThat(figures.value(SMALL, Allocator.OURS, "seconds")).contains(new Summary(5.5, 3.25, 7.75, 2));
    }

    @Test
    void whatFailedIsNotPartOfAMean() {
        var figures = of(sample(SMALL, Allocator.OURS, 1, 1), sample(SMALL, "mimalloc", 1, 4),
                sample(LARGE, Allocator.OURS, 1, 3), failure(LARGE, "mimalloc", 1));
        assertThat(figures.ratio(LARGE, Allocator.OURS, "mimalloc", "seconds")).isEmpty();
        assertThat(figures.meanRatio(Allocator.OURS, "mimalloc", "seconds")).hasValueCloseTo(0.25, within(1e-12));
        assertThat(figures.failures()).hasSize(1);
    }

    @Test
    void theMeanIsGeometric() {
        var figures = of(sample(SMALL, Allocator.OURS, 1, 4), sample(SMALL, "mimalloc", 1, 1),
                sample(LARGE, Allocator.OURS, 1, 1), sample(LARGE, "mimalloc", 1, 1));
        assertThat(figures.meanRatio(Allocator.OURS, "mimalloc", "seconds")).hasValueCloseTo(2.0, within(1e-12));
        assertThat(figures.meanRatio(Allocator.OURS, "mimalloc", "peakKib")).isEmpty();
    }
}
