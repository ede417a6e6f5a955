package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.Measurement.Clock;
import java.util.List;

/**
 * How to measure.
 *
 * @param rounds how often each contender has its turn, in a JVM of its own
 * @param warmUp milliseconds that do not count; the JIT needs about a second for ours
 * @param iterations how many results there are of a turn
 * @param milliseconds of each
 * @param clock by which the outcomes are reckoned; the samples have both
 * @param options of every JVM
 */
record Settings(int rounds, long warmUp, int iterations, long milliseconds, Clock clock, List<String> options) {}
