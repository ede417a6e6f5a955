package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.measure.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
        var rounds = new Rounds(List.of(benchmark("x"), benchmark("y")), allocators, 30);
        assertThat(rounds.run(new Progress(new PrintWriter(shown), rounds.steps()))).hasSize(180);
        Set<List<String>> orders = new HashSet<>();
        for (int i = 0; i < order.size(); i += 6) {
            assertThat(order.subList(i, i + 3)).containsExactlyInAnyOrder("x a", "x b", "x c");
            assertThat(order.subList(i + 3, i + 6)).containsExactlyInAnyOrder("y a", "y b", "y c");
            orders.add(order.subList(i, i + 3));
        }
        assertThat(orders).as("of three there are six orders").hasSize(6);
        assertThat(shown.toString()).contains("[180/180]", "y, round 30 of 30, a");
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
        assertThat(installed.ofTheSystem().title()).isEqualTo("mimalloc 2.0.9 (the system's)");
        assertThat(installed.ofTheSystem().isMimallocInC()).isTrue();
        assertThat(system.title()).isEqualTo("glibc 2.36");
    }
}
