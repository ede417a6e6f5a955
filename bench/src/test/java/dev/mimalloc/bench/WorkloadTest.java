package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Progress;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every workload, tiny, on the system's malloc and on the library that this project built. */
class WorkloadTest {
    private static final double TINY = 0.002;

    @TempDir
    private static Path folder;

    private static Bin bin;
    private static Allocator system;
    private static Allocator ours;

    @BeforeAll
    static void prepare() {
        bin = new Bin(folder);
        system = new Allocator(Allocator.SYSTEM, "", "");
        ours = new Allocator(Allocator.OURS, Home.library().toString(), "");
        assertThat(Home.library()).as("./mimalloc build makes it").isReadable();
    }

    static List<Benchmark> all() {
        var tiny = new ArrayList<Benchmark>(Workload.suite(new Bin(folder), TINY));
        for (String command : List.of("live 1000000", "concurrency 3", "heaps 20", "overhead 1000000",
                "overhead 1000000 metadata", "idle 5", "latency ")) {
            String[] words = command.split(" ", 2);
            tiny.add(new Workload(new Results.Case(words[0], "", 0), new Bin(folder), words[0], words[1], TINY,
                    Processors.ALL));
        }
        return tiny;
    }

    @ParameterizedTest
    @MethodSource("all")
    void compilesAndRuns(Benchmark benchmark) {
        benchmark.prepare();
        for (Allocator allocator : List.of(system, ours)) {
            var figures = benchmark.run(allocator);
            assertThat(figures).containsKeys("seconds", "cpuSeconds", "peakKib", "minorFaults", "rssAfterKib");
            assertThat(figures.get("peakKib")).isBetween(500.0, 1e6);
            assertThat(figures.get("seconds")).isPositive();
        }
    }

    @Test
    void leastOfTheReplaysIsNoMoreThanTheFirst() {
        var latency = all().getLast();
        latency.prepare();
        var figures = latency.run(ours);
        for (String call : List.of("malloc", "free")) {
            for (String step : List.of("P50", "P99.99", "Max")) {
                assertThat(figures.get(call + step)).as(call + step).isBetween(0.0, figures.get(call + "Once" + step));
            }
        }
    }

    @Test
    void eachSourceIsRun() throws IOException {
        var programs = new TreeSet<String>(List.of("bench", "startup", "rest")); // rest is run as idle-burst and its like
        for (Benchmark benchmark : all()) programs.add(benchmark.about().name().split("-", 2)[0]);
        try (Stream<Path> files = Files.list(Bin.SOURCES)) {
            assertThat(files.map(file -> file.getFileName().toString().replaceFirst("\\..*", "")).distinct())
                    .containsExactlyInAnyOrderElementsOf(programs);
        }
    }

    @Test
    void startsPrograms() {
        var samples = Startup.run(bin, List.of(system, ours), 3);
        assertThat(samples).hasSize(6).allSatisfy(s -> assertThat(s.figures().get("nanos")).isPositive());
    }

    @Test
    void findsOverlappingBlocks() throws Exception {
        assertThatThrownBy(() -> run("small", library("overlapping"))).isInstanceOf(Failed.class)
                .hasMessageContaining("overwritten");
    }

    @Test
    void aCrashIsAResult() throws Exception {
        Allocator crashing = library("crashing");
        var workload = new Workload(new Results.Case("tree", "", 0), bin, "tree", "", TINY, Processors.ALL);
        var progress = new Progress(new PrintWriter(Writer.nullWriter()), 4);
        var samples = new Rounds(List.of(workload), List.of(system, crashing), 2).run(progress);
        assertThat(samples.stream().filter(s -> s.problem() == null)).hasSize(2)
                .allMatch(s -> s.allocator().equals(Allocator.SYSTEM));
        assertThat(samples.stream().filter(s -> s.problem() != null)).singleElement()
                .satisfies(s -> assertThat(s.problem()).contains("134"));
    }

    @Test
    void aLibraryThatIsNotInUseIsAFailure() throws Exception {
        Path text = Files.writeString(folder.resolve("text.so"), "not a library");
        assertThatThrownBy(() -> run("small", new Allocator("text", text.toString(), "")))
                .isInstanceOf(Failed.class).hasMessageContaining("not in use");
    }

    private static void run(String program, Allocator allocator) {
        var workload = new Workload(new Results.Case(program, "", 0), bin, program, "", TINY, Processors.ALL);
        workload.prepare();
        workload.run(allocator);
    }

    private static Allocator library(String name) throws Exception {
        Path source = Path.of(WorkloadTest.class.getResource(name + ".c").toURI());
        Path library = folder.resolve(name + ".so");
        int end = new ProcessBuilder("cc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", library.toString(),
                source.toString()).inheritIO().start().waitFor();
        assertThat(end).isZero();
        return new Allocator(name, library.toString(), "");
    }
}
