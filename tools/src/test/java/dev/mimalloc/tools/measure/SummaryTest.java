package dev.mimalloc.tools.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SummaryTest {
    @Test
    void theMedianIsTheMiddleOne() {
        assertThat(Summary.of(List.of(9.0, 1.0, 5.0))).isEqualTo(new Summary(5, 3, 7, 3));
    }

    @Test
    void ofAnEvenNumberItIsBetweenTwo() {
        assertThat(Summary.of(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(new Summary(2.5, 1.75, 3.25, 4));
    }

    @Test
    void oneValueHasNoSpread() {
        assertThat(Summary.of(List.of(3.0))).isEqualTo(new Summary(3, 3, 3, 1));
    }

    @Test
    void oneOutlierMovesNeitherTheMedianNorTheQuartiles() {
        assertThat(Summary.of(List.of(1.0, 2.0, 3.0, 4.0, 1000.0))).isEqualTo(new Summary(3, 2, 4, 5));
    }

    @Test
    void twiceAndHalfCancelOut() {
        assertThat(Summary.geometricMean(new double[] {2, 0.5})).isCloseTo(1, within(1e-12));
        assertThat(Summary.geometricMean(new double[] {1, 10, 100})).isCloseTo(10, within(1e-9));
    }

    @Test
    void nothingHasNoMedian() {
        assertThatThrownBy(() -> Summary.of(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Summary.geometricMean(new double[0])).isInstanceOf(IllegalArgumentException.class);
    }
}
