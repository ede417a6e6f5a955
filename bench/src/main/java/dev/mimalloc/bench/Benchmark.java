package dev.mimalloc.bench;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.util.Map;

/** Something that can be run on an allocator, and that takes something. */
interface Benchmark {
    /** What it is in the results. */
    Results.Case about();

    /** Is there a need to run it on this allocator? */
    default boolean appliesTo(Allocator allocator) { return true; }

    /** Why this machine cannot run it, such as a program that is not installed; empty where it can. */
    default String obstacle() { return ""; }

    /** What must be there before it runs the first time; throws {@link Failed} where that went wrong. */
    default void prepare() {}

    /** Runs it once and returns its figures; throws {@link Failed} with the reason when it went wrong. */
    Map<String, Double> run(Allocator allocator);
}
