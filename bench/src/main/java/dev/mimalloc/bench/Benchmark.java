package dev.mimalloc.bench;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.util.Map;

/** Something that can be run on an allocator, and that takes something. */
interface Benchmark {
    /** What it is in the results. */
    Results.Case about();

    /** Is there a need to run it on this allocator? */
    default boolean appliesTo(Allocator allocator) { return true; }

    /** What must be there before it runs the first time; throws {@link Failed} where it cannot run here. */
    default void prepare() {}

    /** Runs it once and returns its figures; throws {@link Failed} with the reason when it went wrong. */
    Map<String, Double> run(Allocator allocator);
}
