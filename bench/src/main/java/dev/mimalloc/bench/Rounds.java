package dev.mimalloc.bench;

import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.tools.measure.Progress;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Runs benchmarks in rounds. Within a round each benchmark runs once on every allocator, one right after the other, so
 * that a noisy minute hits all of them; the order is another one in each round, as what ran before makes a difference: a
 * hypervisor may have taken the memory that it gave back. A failure is a result: it is kept, and
 * this benchmark is not tried again on this allocator.
 */
final class Rounds {
    private final List<? extends Benchmark> benchmarks;
    private final List<Allocator> allocators;
    private final int rounds;

    Rounds(List<? extends Benchmark> benchmarks, List<Allocator> allocators, int rounds) {
        this.benchmarks = benchmarks;
        this.allocators = allocators;
        this.rounds = rounds;
    }

    int steps() {
        return rounds * benchmarks.stream().mapToInt(b -> (int) allocators.stream().filter(b::appliesTo).count()).sum();
    }

    List<Sample> run(Progress progress) {
        var samples = new ArrayList<Sample>();
        Set<List<Object>> failed = new HashSet<>();
        var random = new Random(rounds);
        for (int round = 1; round <= rounds; round++) {
            for (Benchmark benchmark : benchmarks) {
                var order = new ArrayList<>(allocators);
                Collections.shuffle(order, random);
                for (Allocator allocator : order) {
                    if (!benchmark.appliesTo(allocator)) continue;
                    Results.Case about = benchmark.about();
                    progress.step("%s, round %d of %d, %s".formatted(label(about), round, rounds, allocator.name()));
                    var key = List.<Object>of(about, allocator);
                    if (failed.contains(key)) continue;
                    Sample sample = run(benchmark, allocator, round);
                    samples.add(sample);
                    if (sample.problem() != null) {
                        failed.add(key);
                        progress.say("%s on %s: %s".formatted(label(about), allocator.name(), sample.problem()));
                    }
                }
            }
        }
        return samples;
    }

    private static String label(Results.Case about) {
        return about.x() == 0 ? about.name() : "%s %,.0f".formatted(about.name(), about.x());
    }

    private static Sample run(Benchmark benchmark, Allocator allocator, int round) {
        Results.Case about = benchmark.about();
        try {
            if (round == 1) benchmark.prepare();
            return new Sample(about.name(), about.x(), allocator.name(), round, benchmark.run(allocator), null);
        } catch (Failed e) {
            return new Sample(about.name(), about.x(), allocator.name(), round, Map.of(), e.getMessage());
        }
    }
}
