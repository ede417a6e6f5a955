package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.measure.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RoundsTest {
    private final List<String> order = new ArrayList<>();
    private final StringWriter shown = new StringWriter();

    private Benchmark benchmark(String name) {
        return new Benchmark() {
            @Override
            public Results.Case about() { return new Results.Case(name, name, 0); }

            @Override
            public Map<String, Double> run(Allocator allocator) {
                order.add(name + " " + allocator.name());
                return Map.of("seconds", 1.0);
            }
        };
    }

    @Test
    void allocatorsTakeTurnsAndTheOrderChanges() {
        var allocators = List.of(new Allocator("a", "", ""), new Allocator("b", "", ""), new Allocator("c", "", ""));
        var rounds = new Rounds(List.of(benchmark("x"), benchmark("y")), allocators, 2);
        assertThat(rounds.run(new Progress(new PrintWriter(shown), rounds.steps()))).hasSize(12);
        assertThat(order).containsExactly("x c", "x a", "x b", "y c", "y a", "y b", "x b", "x c", "x a", "y b", "y c",
                "y a");
        assertThat(shown.toString()).contains("[12/12]", "y, round 2 of 2, a");
    }

    @Test
    void theBaselineIsAMimallocInC() {
        var ours = new Allocator(Allocator.OURS, "", "");
        var installed = new Allocator("mimalloc", "", "2.0.9");
        var given = new Allocator("mimalloc-3", "", "");
        var system = new Allocator(Allocator.SYSTEM, "", "glibc 2.36");
        assertThat(Allocator.baseline(List.of(ours, given, installed, system))).isEqualTo(given);
        assertThat(Allocator.baseline(List.of(ours, installed, system))).isEqualTo(installed);
        assertThat(Allocator.baseline(List.of(ours, system))).isEqualTo(system);
        assertThat(installed.title()).isEqualTo("mimalloc 2.0.9");
        assertThat(system.title()).isEqualTo("glibc 2.36");
    }
}
