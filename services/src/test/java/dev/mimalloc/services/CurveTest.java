package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.services.Curve.Point;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurveTest {
    private static Curve curve(int points) {
        return new Curve("ours", 1, List.of(), IntStream.range(0, points).mapToObj(i -> new Point(i, i == 4_321 ? 900 : i % 7, 0, null)).toList());
    }

    /** Half an hour of a service has a point for each 200 ms. */
    @Test
    void aLongRunIsThinned(@TempDir Path folder) {
        Curve.write(folder, "long", List.of(curve(9_000)));
        var read = Curve.read(folder, "long").getFirst();
        assertThat(read.points()).hasSizeBetween(500, 1_000);
        assertThat(read.peakKib()).isEqualTo(900);
        assertThat(read.points()).isSortedAccordingTo((a, b) -> Double.compare(a.seconds(), b.seconds()));
    }

    @Test
    void aShortOneIsLeftAlone() { assertThat(curve(1_000).thinned(1_000)).isEqualTo(curve(1_000)); }
}
