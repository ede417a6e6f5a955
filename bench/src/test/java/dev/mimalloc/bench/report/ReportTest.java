package dev.mimalloc.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The report of a small run that was recorded, in which one allocator crashed once. */
class ReportTest {
    @TempDir
    private Path folder;

    private String text;

    @BeforeEach
    void write() throws Exception {
        for (String suite : Report.SUITES) {
            Path recorded = Path.of(ReportTest.class.getResource("recorded").toURI()).resolve(suite + ".json");
            Files.copy(recorded, folder.resolve(suite + ".json"));
        }
        text = Report.write(folder);
    }

    private static Document parse(Path file) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        return factory.newDocumentBuilder().parse(file.toFile());
    }

    @Test
    void chartsAreWellFormedAndComeInLightAndDark() throws Exception {
        var names = List.of("headline", "cpu", "time", "peak", "live", "concurrency", "heaps", "latency-malloc",
                "latency-free", "jvm-latency-malloc").stream().flatMap(name -> Stream.of(name + "-light.svg", name + "-dark.svg")).toList();
        try (var charts = Files.list(folder.resolve("charts"))) {
            assertThat(charts.map(chart -> chart.getFileName().toString())).containsExactlyInAnyOrderElementsOf(names);
        }
        for (String name : names) {
            Document chart = parse(folder.resolve("charts").resolve(name));
            assertThat(chart.getDocumentElement().getTagName()).isEqualTo("svg");
            assertThat(chart.getElementsByTagName("text").getLength()).as(name).isGreaterThan(8);
        }
        assertThat(folder.resolve("bench-dark.svg"))
                .hasSameTextualContentAs(folder.resolve("charts/headline-dark.svg"));
        assertThat(Files.readString(folder.resolve("charts/cpu-light.svg"))).contains("larson", "tcmalloc");
    }

    @Test
    void thePageIsWellFormedAndHasAllInIt() throws Exception {
        Document page = parse(folder.resolve("index.html"));
        var images = page.getElementsByTagName("img");
        assertThat(images.getLength()).isEqualTo(10);
        for (int i = 0; i < images.getLength(); i++) {
            assertThat(images.item(i).getAttributes().getNamedItem("src").getNodeValue())
                    .startsWith("data:image/svg+xml;base64,");
        }
        String html = Files.readString(folder.resolve("index.html"));
        assertThat(html).contains("What went wrong", "cfrac on tbbmalloc: cfrac ended with 139", "Meta-data",
                "pairs of 64 bytes", "purge default", "46,000 <small>43,500–48,500</small>");
        assertThat(html).doesNotContain("NaN").doesNotContain("http://").doesNotContain("https://");
    }

    @Test
    void theTextNamesMissesFailuresAndThePage() {
        assertThat(text).contains("cfrac on tbbmalloc: cfrac ended with 139", "geometric mean", "pass", "miss",
                "as ratios to mimalloc 2.0.9",
                folder.resolve("index.html").toString());
    }

    @Test
    void aReportOfNothingIsNoFailure() throws Exception {
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".json")).toList()) Files.delete(file);
        }
        assertThat(Report.write(folder)).contains("index.html");
    }
}
