package dev.mimalloc.bench;

import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What stays resident when a program falls silent, as a ratio to what lives; and once more with the thread that an
 * allocator has for that, where it has one.
 */
final class Resting implements Benchmark {
    private static final Map<String, Map<String, String>> THREADS = Map.of(Allocator.OURS,
            Map.of("MIMALLOC_PURGE_THREAD", "1"), "jemalloc", Map.of("MALLOC_CONF", "background_thread:true"));

    private final Workload workload;
    private final boolean withThread;

    private Resting(Workload workload, boolean withThread) {
        this.workload = workload;
        this.withThread = withThread;
    }

    static List<Resting> suite(Bin bin, double scale) {
        var all = new ArrayList<Resting>();
        for (boolean withThread : new boolean[] {false, true}) {
            String name = withThread ? "idle-thread-" : "idle-", suffix = withThread ? ", with a thread that purges" : "";
            for (int threads : new int[] {4, 16}) {
                var burst = new Results.Case(name + "burst", "silence of so many threads after a burst" + suffix, threads);
                all.add(new Resting(rest(burst, bin, Integer.toString(threads), scale), withThread));
            }
            var holes = new Results.Case(name + "holes", "silence with one block in 64 alive" + suffix, 0);
            all.add(new Resting(rest(holes, bin, "holes", scale), withThread));
        }
        return all;
    }

    private static Workload rest(Results.Case about, Bin bin, String variant, double scale) {
        return new Workload(about, bin, "rest", variant, scale, Processors.ALL);
    }

    @Override
    public Results.Case about() { return workload.about(); }

    @Override
    public boolean appliesTo(Allocator allocator) { return !withThread || THREADS.containsKey(allocator.name()); }

    @Override
    public void prepare() { workload.prepare(); }

    @Override
    public Map<String, Double> run(Allocator allocator) {
        var environment = withThread ? THREADS.get(allocator.name()) : allocator.environment();
        return workload.run(new Allocator(allocator.name(), allocator.library(), allocator.version(), environment));
    }
}
