package dev.mimalloc.core.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fixed point comes to what floating point does. */
class ExponentialTest {
    private static final double ONE = Math.scalb(1.0, 62);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 100, 4096, 512 << 10, 1L << 30, 1L << 40})
    void aProbabilityIsThatOfTheDistribution(long mean) {
        for (long size = 1; size < 1L << 48; size = size * 3 + 1) {
            double expected = -Math.expm1(-(double) size / mean);
            assertThat(Exponential.probability(size, mean) / ONE).as("%d of %d", size, mean).isCloseTo(expected, within(expected * 1e-5));
        }
    }

    @Test
    void whatIsNoMeanIsCertain() {
        assertThat(Exponential.probability(8, 0)).isEqualTo(Exponential.ONE);
        assertThat(Exponential.draw(1, -1)).isEqualTo(1);
        assertThat(Exponential.draw(1, 0)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 100, 4096, 512 << 10, 1L << 40, Long.MAX_VALUE})
    void aDistanceIsTheLogarithmOfTheRandomNumber(long mean) {
        var random = new Random(1);
        long bounded = Math.min(mean, 1L << 47);
        for (int i = 0; i < 1000; i++) {
            long bits = i == 0 ? 0 : i == 1 ? -1 : random.nextLong();
            double uniform = ((bits | 1) >>> 11) * 0x1p-53 + ((bits | 1) & 0x7FF) * 0x1p-64;
            double expected = 1 + (bounded - 1) * -Math.log(uniform);
            assertThat((double) Exponential.draw(mean, bits)).as("%x", bits).isCloseTo(expected, within(1 + expected * 1e-6));
        }
    }

    /** The mean of a million distances has a standard error of a thousandth. */
    @Test
    void theMeanIsTheOneWanted() {
        var random = new Random(2);
        double sum = 0;
        for (int i = 0; i < 1_000_000; i++) sum += Exponential.draw(1000, random.nextLong());
        assertThat(sum / 1_000_000).isCloseTo(1000, within(5.0));
    }
}
