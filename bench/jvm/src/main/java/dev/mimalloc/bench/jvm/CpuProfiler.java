package dev.mimalloc.bench.jvm;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import java.util.stream.LongStream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * How much time of a processor an operation takes: that of all Java threads of the process. Other processes that want
 * the processors too do not show in it, and neither do the JIT's threads and the garbage collector's.
 */
public final class CpuProfiler implements InternalProfiler {
    /** What the result is called. */
    static final String NAME = "cpu";

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long before;

    @Override
    public String getDescription() { return "Processor time of the Java threads"; }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) { before = nanoseconds(); }

    @Override
    public Collection<? extends Result<?>> afterIteration(BenchmarkParams benchmark, IterationParams iteration,
            IterationResult result) {
        double each = (nanoseconds() - before) / (double) result.getMetadata().getAllOps();
        return List.of(new ScalarResult(NAME, each, "ns/op", AggregationPolicy.AVG));
    }

    /** A thread that has ended meanwhile says -1; those that measure do not end. */
    private long nanoseconds() {
        return LongStream.of(threads.getThreadCpuTime(threads.getAllThreadIds())).filter(time -> time > 0).sum();
    }
}
