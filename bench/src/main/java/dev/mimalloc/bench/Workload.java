package dev.mimalloc.bench;

import static dev.mimalloc.tools.measure.Stopwatch.Processors.ALL;
import static dev.mimalloc.tools.measure.Stopwatch.Processors.ONE;

import dev.mimalloc.tools.measure.Stopwatch;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A program of our own. It checks its data; here its checksum is compared with that on the first allocator. */
final class Workload implements Benchmark {
    private static final JsonMapper JSON = new JsonMapper();

    private final Results.Case about;
    private final Bin bin;
    private final String program;
    private final String variant;
    private final double scale;
    private final Processors processors;
    private String checksum;

    Workload(Results.Case about, Bin bin, String program, String variant, double scale, Processors processors) {
        this.about = about;
        this.bin = bin;
        this.program = program;
        this.variant = variant;
        this.scale = scale;
        this.processors = processors;
    }

    /** The native suite: what each of the programs in {@code src/main/native} does. */
    static List<Workload> suite(Bin bin, double scale) {
        record Entry(String name, Processors processors, String title) {}
        return List.of(new Entry("small", ONE, "small objects, short-lived"),
                new Entry("small threads", ALL, "the same in all threads"),
                new Entry("cfrac", ONE, "bignums of a continued fraction"),
                new Entry("larson", ALL, "server that bleeds blocks between threads"),
                new Entry("xmalloc", ALL, "producers and consumers, asymmetric"),
                new Entry("phases", ALL, "thread pool in phases, with survivors"),
                new Entry("batch lifo", ONE, "batches, the youngest freed first"),
                new Entry("batch fifo", ONE, "batches, the oldest freed first"),
                new Entry("tree", ONE, "tree of random inserts and deletes"),
                new Entry("cache scratch", ALL, "false sharing of handed-out objects"),
                new Entry("cache thrash", ALL, "false sharing of own objects"),
                new Entry("realloc", ONE, "buffers that grow"),
                new Entry("large", ONE, "blocks of 5 to 25 MiB"),
                new Entry("threads", ALL, "threads that come and go"),
                new Entry("pareto", ONE, "Pareto distribution of sizes"),
                new Entry("mixed", ONE, "aligned, sized, zeroed, all mixed"),
                new Entry("remote", ALL, "frees by another thread"))
                .stream().map(entry -> {
                    String[] words = entry.name().split(" ", 2);
                    var about = new Results.Case(entry.name().replace(' ', '-'), entry.title(), 0);
                    return new Workload(about, bin, words[0], words.length > 1 ? words[1] : "", scale,
                            entry.processors());
                }).toList();
    }

    @Override
    public Results.Case about() { return about; }

    @Override
    public void prepare() { bin.compile(program); }

    @Override
    public Map<String, Double> run(Allocator allocator) {
        Stopwatch stopwatch = bin.stopwatch();
        var run = stopwatch.measure(allocator.library(), processors,
                List.of(bin.folder().resolve(program).toString(), Double.toString(scale), variant), allocator.environment());
        JsonNode line = JSON.readTree(stopwatch.output());
        requireInUse(allocator, line.get("allocator").asString());
        String sum = line.get("checksum").asString();
        if (checksum == null) checksum = sum;
        if (!sum.equals(checksum)) throw new Failed("its checksum is not what it was on the first allocator");

        var figures = new TreeMap<String, Double>();
        for (var figure : line.properties()) {
            if (figure.getValue().isNumber()) figures.put(figure.getKey(), figure.getValue().asDouble());
        }
        double settled = figures.remove("settleNanos") / 1e9;
        figures.put("seconds", run.seconds() - settled);
        figures.put("cpuSeconds", run.cpuSeconds());
        figures.put("peakKib", (double) run.peakKib());
        figures.put("minorFaults", (double) run.minorFaults());
        figures.put("majorFaults", (double) run.majorFaults());
        return figures;
    }

    // A library that cannot be preloaded is only complained of, and the program runs on the system's malloc.
    private static void requireInUse(Allocator allocator, String library) {
        if (allocator.library().isEmpty()) return;
        try {
            Path used = Path.of(library).toRealPath();
            if (Files.isSameFile(used, Path.of(allocator.library()))) return;
            throw new Failed("not in use: malloc came from " + used);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
