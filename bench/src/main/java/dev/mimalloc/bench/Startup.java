package dev.mimalloc.bench;

import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** How long an empty program takes with each library preloaded. One small process starts them all, in turns. */
final class Startup {
    static final Case ABOUT = new Case("startup", "an empty program, from start to end", 0);

    private Startup() {}

    static List<Sample> run(Bin bin, List<Allocator> allocators, int rounds) {
        var samples = new ArrayList<Sample>();
        try {
            bin.compile("startup");
            String program = bin.folder().resolve("startup").toString();
            var command = new ArrayList<>(List.of(program, Integer.toString(rounds)));
            allocators.forEach(allocator -> command.add(allocator.library()));
            bin.stopwatch().execute(command, Map.of());
            bin.stopwatch().output().lines().forEach(line -> samples.add(sample(line.split(" ", 3), allocators)));
        } catch (Failed e) {
            allocators.forEach(a -> samples.add(new Sample(ABOUT.name(), 0, a.name(), 1, Map.of(), e.getMessage())));
        }
        return samples;
    }

    private static Sample sample(String[] words, List<Allocator> allocators) {
        int round = Integer.parseInt(words[0]) + 1;
        String allocator = allocators.get(Integer.parseInt(words[1])).name();
        double nanos = Double.parseDouble(words[2]);
        return nanos < 0 ? new Sample(ABOUT.name(), 0, allocator, round, Map.of(), "the program failed")
                : new Sample(ABOUT.name(), 0, allocator, round, Map.of("nanos", nanos), null);
    }
}
