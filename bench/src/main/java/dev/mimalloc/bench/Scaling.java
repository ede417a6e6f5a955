package dev.mimalloc.bench;

import static dev.mimalloc.tools.measure.Stopwatch.Processors.ALL;
import static dev.mimalloc.tools.measure.Stopwatch.Processors.ONE;

import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One of our programs at one of several sizes; what it reports is the result, rather than what the process took. */
final class Scaling implements Benchmark {
    private static final long MIB = 1 << 20, GIB = 1 << 30;

    private final Workload workload;
    private final boolean onlyMimalloc;

    private Scaling(Workload workload, boolean onlyMimalloc) {
        this.workload = workload;
        this.onlyMimalloc = onlyMimalloc;
    }

    /**
     * All of them. The largest live heap is 8 GiB, or as much as half of the free memory holds; 256 MiB when quick,
     * with fewer sizes. Overhead and meta-data are measured with 1 GiB alive, or those 256 MiB, and meta-data then of
     * mimalloc alone.
     */
    static List<Benchmark> suite(Bin bin, double scale, boolean quick) {
        long most = quick ? 256 * MIB : Math.min(8 * GIB, availableMemory() / 2);
        var all = new ArrayList<Benchmark>();
        for (long bytes = MIB; bytes < most; bytes *= quick ? 16 : 4) all.add(live(bin, bytes, scale));
        all.add(live(bin, most, scale));
        for (int threads = 1; threads <= 64; threads *= quick ? 8 : 2) {
            all.add(at(bin, "concurrency", "cost of an operation with so many threads", threads, scale, ALL, false));
        }
        for (int heaps = 1; heaps <= 10_000; heaps *= quick ? 100 : 10) {
            all.add(at(bin, "heaps", "cost of an operation with so many heaps", heaps, scale, ONE, true));
        }
        long alive = Math.min(GIB, most);
        all.add(at(bin, "overhead", "memory beyond the blocks, with so many bytes alive", alive, scale, ONE, false));
        var metadata = new Results.Case("metadata", "the allocator's own data, with so many bytes alive", alive);
        all.add(new Scaling(new Workload(metadata, bin, "overhead", alive + " metadata", scale, ONE), quick));
        all.add(at(bin, "idle", "cost of so many idle threads", 64, scale, ALL, false));
        all.addAll(Resting.suite(bin, scale));
        return all;
    }

    private static Benchmark live(Bin bin, long bytes, double scale) {
        return at(bin, "live", "cost of an operation with so many bytes alive", bytes, scale, ONE, false);
    }

    /** Single calls, timed one by one. */
    static Benchmark latency(Bin bin, double scale) {
        var about = new Results.Case("latency", "single calls, 50,000 blocks alive", 0);
        return new Scaling(new Workload(about, bin, "latency", "", scale, ONE), false);
    }

    private static Benchmark at(Bin bin, String program, String title, long x, double scale, Processors processors,
            boolean onlyMimalloc) {
        var about = new Results.Case(program, title, x);
        return new Scaling(new Workload(about, bin, program, Long.toString(x), scale, processors), onlyMimalloc);
    }

    private static long availableMemory() {
        try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:")).findFirst()
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).orElse(GIB);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Results.Case about() { return workload.about(); }

    @Override
    public boolean appliesTo(Allocator allocator) {
        return !onlyMimalloc || allocator.isMimallocInC() || allocator.name().equals(Allocator.OURS);
    }

    @Override
    public void prepare() { workload.prepare(); }

    @Override
    public Map<String, Double> run(Allocator allocator) { return workload.run(allocator); }
}
