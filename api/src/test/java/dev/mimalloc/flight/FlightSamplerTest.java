package dev.mimalloc.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.mimalloc.base.SampleListeners;
import org.junit.jupiter.api.Test;

/** What a sample stands for. */
class FlightSamplerTest {
    /** So that sums of weights stay right, however few samples are left. */
    @Test
    void fewerSamplesStandForTheSame() {
        for (long bound : new long[] {1, 100, 500, 3000, 20_000}) {
            double sum = 0;
            for (int i = 0; i < 500_000; i++) sum += SampleListeners.thinned(100 + i % 1000, bound);
            assertThat(sum).as("%d", bound).isCloseTo(500_000 * 599.5, withinPercentage(6));
        }
    }
}
