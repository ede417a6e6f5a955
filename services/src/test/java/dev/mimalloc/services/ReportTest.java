package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Machine;
import dev.mimalloc.bench.Results.Sample;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report of a run in which ours took more memory and less time, and another failed. */
class ReportTest {
    @TempDir
    private Path folder;

    private static Sample sample(String allocator, double peak, double cpu) {
        return new Sample("redis", 0, allocator, 1, Map.of("peakKib", peak, "cpuSeconds", cpu), null);
    }

    @Test
    void whatIsLargerComesFirst() throws Exception {
        var allocators = List.of(new Allocator(Allocator.OURS, "", ""), new Allocator("jemalloc", "", "5"),
                new Allocator(Allocator.SYSTEM, "", ""));
        new Results("redis", Instant.EPOCH, Machine.here(), 1, allocators, Allocator.SYSTEM,
                List.of(new Case("redis", "A store", 0)), List.of(sample(Allocator.OURS, 3000, 1),
                        new Sample("redis", 0, "jemalloc", 1, Map.of(), "it has <ended>"), sample(Allocator.SYSTEM, 2000, 2)))
                .write(folder);
        var points = List.of(new Curve.Point(0, 100, 50, 20.0), new Curve.Point(1, 3000, 2000, null));
        Curve.write(folder, "redis", List.of(new Curve(Allocator.OURS, 1, List.of(new Load.Phase("fill", 0, 1)), points)));

        String text = Report.write(folder, List.of("nginx (no package)"));
        assertThat(text).contains("redis on mimalloc in Java: peak memory, 1.50 times", "nginx (no package)",
                "redis on jemalloc: it has <ended>").doesNotContain("CPU time of the service, 0.5");
        assertThat(text).startsWith("Slower or larger");
        assertThat(Files.readString(folder.resolve("index.html")))
                .containsSubsequence("Slower or larger", "1.50 times", "Left out", "went wrong", "A store", "Phases: fill.");
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        for (String file : List.of("index.html", "charts/redis-memory-light.svg", "charts/redis-memory-dark.svg")) {
            assertThat(factory.newDocumentBuilder().parse(folder.resolve(file).toFile()).getDocumentElement()).isNotNull();
        }
        assertThat(Files.readString(folder.resolve("charts/redis-memory-light.svg"))).contains("live, on ours");
    }
}
