package dev.mimalloc.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GoalTest {
    @Test
    void equalTimesReachAGoalOfOne() {
        assertThat(Goal.atMost("", 1, 1)).isEqualTo(new Goal("", "≤ 1.00", "1.00", true));
        assertThat(Goal.atMost("", 1, 0.999).reached()).isTrue();
        assertThat(Goal.atMost("", 1, 1.001)).isEqualTo(new Goal("", "≤ 1.00", "1.00", false));
    }
}
