package dev.mimalloc.micrometer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** At a Prometheus endpoint that is really scraped. */
class MimallocMetricsTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private HttpServer server;
    private URI endpoint;

    @BeforeEach
    void serve() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/metrics", exchange -> {
            byte[] body = registry.scrape().getBytes(UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            exchange.sendResponseHeaders(200, body.length);
            try (var out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
        server.start();
        endpoint = URI.create("http://" + server.getAddress().getHostString() + ":" + server.getAddress().getPort()
                + "/metrics");
    }

    @AfterEach
    void stop() { server.stop(0); }

    private void bind(Map<String, Heap> heaps) {
        new MimallocMetrics(heaps, Tags.of("app", "test"), Duration.ZERO).bindTo(registry);
    }

    @Test
    void theWholeFollowsAllocations() throws Exception {
        new MimallocMetrics(Map.of(), Tags.empty(), Duration.ZERO).bindTo(registry);
        Scrape before = Scrape.of(endpoint);
        List<Long> blocks = new ArrayList<>();
        for (int i = 0; i < 1000; i++) blocks.add(Mimalloc.malloc(8192));
        blocks.add(Mimalloc.malloc(9 << 20));
        Scrape during = Scrape.of(endpoint);
        assertThat(grown(before, during, "mimalloc_blocks_used_bytes{kind=\"normal\"}")).isEqualTo(1000 * 8192);
        assertThat(grown(before, during, "mimalloc_blocks_used_bytes{kind=\"huge\"}")).isEqualTo(9 << 20);
        assertThat(grown(before, during, "mimalloc_allocations_total{kind=\"normal\"}")).isBetween(1000.0, 1500.0);
        assertThat(grown(before, during, "mimalloc_allocations_total{kind=\"huge\"}")).isEqualTo(1);
        assertThat(grown(before, during, "mimalloc_pages")).isPositive();
        assertThat(grown(before, during, "mimalloc_pages_memory_bytes"))
                .isGreaterThanOrEqualTo((9 << 20) + 1000 * 8192);
        assertThat(during.value("mimalloc_memory_reserved_bytes"))
                .isGreaterThanOrEqualTo(during.value("mimalloc_memory_committed_bytes"));
        assertThat(during.value("mimalloc_memory_committed_bytes")).isGreaterThanOrEqualTo((9 << 20) + 1000 * 8192);
        assertThat(during.value("mimalloc_arenas")).isGreaterThanOrEqualTo(1);
        assertThat(during.value("mimalloc_threads")).isGreaterThanOrEqualTo(1);
        assertThat(during.value("mimalloc_os_calls_total{call=\"mmap\"}")).isGreaterThanOrEqualTo(1);

        blocks.forEach(Mimalloc::free);
        Scrape after = Scrape.of(endpoint);
        assertThat(grown(before, after, "mimalloc_blocks_used_bytes{kind=\"normal\"}")).isZero();
        assertThat(grown(before, after, "mimalloc_blocks_used_bytes{kind=\"huge\"}")).isZero();
        assertThat(after.value("mimalloc_blocks_used_peak_bytes{kind=\"normal\"}")).isGreaterThanOrEqualTo(1000 * 8192);
        assertThat(grown(during, after, "mimalloc_blocks_allocated_bytes_total{kind=\"huge\"}")).isZero();
    }

    private static double grown(Scrape from, Scrape to, String sample) { return to.value(sample) - from.value(sample); }

    @Test
    void aHeapHasItsNameAndItsTags() throws Exception {
        try (Heap heap = Heap.create(); Heap other = Heap.create()) {
            bind(Map.of("sessions", heap, "pictures", other));
            for (int i = 0; i < 100; i++) heap.malloc(1024);
            other.malloc(20 << 20);
            Scrape scrape = Scrape.of(endpoint);
            assertThat(scrape.value(heapSample("blocks_used_bytes", "sessions", "normal"))).isEqualTo(100 * 1024);
            assertThat(scrape.value(heapSample("blocks_used_bytes", "sessions", "huge"))).isZero();
            assertThat(scrape.value(heapSample("blocks_used_bytes", "pictures", "normal"))).isZero();
            assertThat(scrape.value(heapSample("blocks_used_bytes", "pictures", "huge"))).isEqualTo(20 << 20);
            assertThat(scrape.value("mimalloc_heap_pages{app=\"test\",heap=\"pictures\"}")).isEqualTo(1);
        }
    }

    private static String heapSample(String name, String heap, String kind) {
        return "mimalloc_heap_" + name + "{app=\"test\",heap=\"" + heap + "\",kind=\"" + kind + "\"}";
    }

    @Test
    void aClosedHeapDoesNotBreakAScrape() throws Exception {
        Heap heap = Heap.create();
        bind(Map.of("short", heap));
        heap.malloc(1024);
        heap.malloc(9 << 20);
        Scrape open = Scrape.of(endpoint);
        assertThat(open.value(heapSample("blocks_used_bytes", "short", "normal"))).isEqualTo(1024);
        heap.close();
        Scrape closed = Scrape.of(endpoint);
        assertThat(closed.value(heapSample("blocks_used_bytes", "short", "normal"))).isNaN();
        assertThat(closed.value(heapSample("allocations_total", "short", "huge"))).isEqualTo(1);
        assertThat(closed.value("mimalloc_heaps{app=\"test\"}")).isGreaterThanOrEqualTo(1);
    }

    @Test
    void eachMetricIsExplainedAndHasItsType() throws Exception {
        try (Heap heap = Heap.create()) {
            bind(Map.of("any", heap));
            Scrape scrape = Scrape.of(endpoint);
            assertThat(scrape.help().keySet()).isEqualTo(scrape.type().keySet()).hasSizeGreaterThan(25)
                    .allMatch(name -> name.startsWith("mimalloc_"));
            scrape.type().forEach((name, type) -> assertThat(type).as(name)
                    .isEqualTo(name.endsWith("_total") ? "counter" : "gauge"));
            for (String sample : scrape.values().keySet()) {
                assertThat(scrape.help()).containsKey(sample.replaceAll("\\{.*", ""));
            }
            assertThat(scrape.help()).containsEntry("mimalloc_memory_committed_bytes", "Memory that may be touched")
                    .containsEntry("mimalloc_memory_purged_bytes_total", "Memory given back to the system");
            assertThat(scrape.type()).containsEntry("mimalloc_memory_committed_peak_bytes", "gauge")
                    .containsEntry("mimalloc_os_calls_total", "counter")
                    .containsEntry("mimalloc_heap_blocks_allocated_bytes_total", "counter");
        }
    }

    /** As it came of a unit that was in a meter's name already. */
    @Test
    void noNameSaysAWordTwice() throws Exception {
        try (Heap heap = Heap.create()) {
            bind(Map.of("any", heap));
            for (String name : Scrape.of(endpoint).type().keySet()) {
                assertThat(List.of(name.split("_", -1))).as(name).doesNotHaveDuplicates();
            }
        }
    }

    @Test
    void limitsAndRefusalsAreThere() throws Exception {
        Heap heap = Heap.create("sessions");
        bind(Map.of("sessions", heap));
        Scrape before = Scrape.of(endpoint);
        heap.limit(4 << 20);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> heap.malloc(9 << 20)).isInstanceOf(OutOfMemoryError.class);
        }
        heap.malloc(1 << 20);
        Scrape during = Scrape.of(endpoint);
        String tags = "{app=\"test\",heap=\"sessions\"}";
        assertThat(during.value("mimalloc_heap_memory_limit_bytes" + tags)).isEqualTo(4 << 20);
        assertThat(during.value("mimalloc_heap_memory_charged_bytes" + tags)).isEqualTo((double) heap.used()).isPositive();
        assertThat(during.value("mimalloc_heap_refusals_total" + tags)).isEqualTo(3);
        assertThat(grown(before, during, "mimalloc_refusals_total{app=\"test\"}")).isEqualTo(3);
        heap.close();
        Scrape closed = Scrape.of(endpoint);
        assertThat(closed.value("mimalloc_heap_memory_limit_bytes" + tags)).isNaN();
        assertThat(closed.value("mimalloc_heap_refusals_total" + tags)).isEqualTo(3);
    }

    /** A monitoring system would take a counter that falls for a restart. */
    @Test
    void countersNeverFall() throws Exception {
        bind(Map.of("main", Heap.main()));
        Scrape last = Scrape.of(endpoint);
        for (int round = 0; round < 30; round++) {
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < 200; i++) blocks.add(Mimalloc.malloc((long) i * round));
            blocks.forEach(Mimalloc::free);
            Mimalloc.collect(false);
            Scrape scrape = Scrape.of(endpoint);
            for (String sample : scrape.values().keySet()) {
                if (sample.contains("_total")) assertThat(grown(last, scrape, sample)).as(sample).isNotNegative();
            }
            last = scrape;
        }
    }

    /** The registry is all that holds the meters. */
    @Test
    void metersOutliveTheBinder() throws Exception {
        bind(Map.of());
        System.gc();
        System.gc();
        assertThat(Scrape.of(endpoint).values().values()).isNotEmpty().noneMatch(value -> value.isNaN());
    }

    @Test
    void metersOfAScrapeShareASnapshot() {
        var simple = new SimpleMeterRegistry();
        new MimallocMetrics(Map.of(), Tags.empty(), Duration.ofHours(1)).bindTo(simple);
        double before = simple.get("mimalloc.blocks.used").tag("kind", "huge").gauge().value();
        long block = Mimalloc.malloc(9 << 20);
        assertThat(simple.get("mimalloc.blocks.used").tag("kind", "huge").gauge().value()).isEqualTo(before);
        Mimalloc.free(block);
        for (Meter meter : simple.getMeters()) {
            boolean bytes = meter.getId().getName().matches(".*(used|allocated|memory|peak|reserved|committed).*");
            if (bytes && !meter.getId().getName().contains("pages.peak")) {
                assertThat(meter.getId().getBaseUnit()).as(meter.getId().getName()).isEqualTo("bytes");
            }
            assertThat(meter.getId().getDescription()).as(meter.getId().getName()).isNotBlank();
        }
    }

    @Test
    void aNegativeAgeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MimallocMetrics(Map.of(), Tags.empty(), Duration.ofMillis(-1)))
                .withMessage("maxAge is negative: PT-0.001S");
    }
}
