package dev.mimalloc.tools.view;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the library keeps in the shared file of {@code MIMALLOC_LIVE}: a number of changes, and the statistics as JSON. */
record LiveStatistics(JsonNode json) {
    private static final long MAGIC = 0x316576696c2d696dL; // mi-live1
    private static final int HEAD = 3 * Long.BYTES;
    /** An update takes less than a millisecond. */
    private static final int ATTEMPTS = 100;

    /** A value to show: its name for Prometheus, whether it only grows, what it is. */
    record Metric(String name, boolean grows, String help) {}

    private static final List<Metric> METRICS = List.of(new Metric("resident_bytes", false, "Memory of the whole process."),
            new Metric("committed_bytes", false, "Memory that may be touched."), new Metric("reserved_bytes", false, "Addresses."),
            new Metric("pages_bytes", false, "Memory of pages, for blocks."), new Metric("live_bytes", false, "Blocks that the program has."),
            new Metric("pages", false, "Pages."), new Metric("abandoned_pages", false, "Pages of no thread."),
            new Metric("threads", false, "Threads that use the allocator."), new Metric("heaps", false, "Heaps."),
            new Metric("mallocs_total", true, "Allocations."), new Metric("frees_total", true, "Frees."),
            new Metric("allocated_bytes_total", true, "Bytes allocated."), new Metric("purges_total", true, "Calls that gave memory back."),
            new Metric("purged_bytes_total", true, "Bytes given back to the system."), new Metric("commits_total", true, "Calls that made memory usable."),
            new Metric("arenas", false, "Arenas."), new Metric("cpu_seconds_total", true, "Processor time of the process."));

    /** Null while there is nothing in the file yet. */
    static LiveStatistics read(Path file) throws IOException, InterruptedException {
        for (int i = 0; i < ATTEMPTS; i++) {
            byte[] bytes = Files.readAllBytes(file);
            ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            if (bytes.length < HEAD || head.getLong(0) != MAGIC) throw new IOException(file + " is not a file of MIMALLOC_LIVE");
            long changes = head.getLong(Long.BYTES);
            if (changes == 0) return null;
            if ((changes & 1) == 0 && changes(file) == changes) {
                int end = HEAD;
                while (end < bytes.length && bytes[end] != 0) end++;
                return new LiveStatistics(JsonMapper.shared().readTree(new String(bytes, HEAD, end - HEAD, StandardCharsets.UTF_8)));
            }
            Thread.sleep(Duration.ofMillis(1));
        }
        return null;
    }

    private static long changes(Path file) throws IOException {
        try (var stream = Files.newInputStream(file)) {
            return ByteBuffer.wrap(stream.readNBytes(HEAD)).order(ByteOrder.nativeOrder()).getLong(Long.BYTES);
        }
    }

    private double number(String name, String part) { return json.path(name).path(part).asDouble(); }

    private double value(String metric) {
        return switch (metric) {
            case "resident_bytes" -> number("process", "current_rss");
            case "committed_bytes" -> number("committed", "current");
            case "reserved_bytes" -> number("reserved", "current");
            case "pages_bytes" -> number("page_committed", "current");
            case "live_bytes" -> number("malloc_normal", "current") + number("malloc_huge", "current");
            case "pages" -> number("pages", "current");
            case "abandoned_pages" -> number("pages_abandoned", "current");
            case "threads" -> number("threads", "current");
            case "heaps" -> number("heaps", "current");
            case "mallocs_total" -> number("malloc_count", "total");
            case "frees_total" -> number("free_count", "total");
            case "allocated_bytes_total" -> number("allocated", "total");
            case "purges_total" -> number("purge_calls", "total");
            case "purged_bytes_total" -> number("purged", "total");
            case "commits_total" -> number("commit_calls", "total");
            case "arenas" -> number("arena_count", "total");
            case "cpu_seconds_total" -> (number("process", "user_msecs") + number("process", "system_msecs")) / 1000;
            default -> throw new IllegalArgumentException(metric);
        };
    }

    /** All values by their names. */
    Map<String, Double> values() {
        var values = new LinkedHashMap<String, Double>();
        for (Metric metric : METRICS) values.put(metric.name, value(metric.name));
        return values;
    }

    /** Live bytes by size of block, without the sizes that there are none of. */
    Map<Long, Double> bySize() {
        var sizes = new TreeMap<Long, Double>();
        for (JsonNode bin : json.path("malloc_bins")) {
            if (bin.path("current").asDouble() > 0) sizes.merge(bin.path("block_size").asLong(), bin.path("current").asDouble(), Double::sum);
        }
        return sizes;
    }

    /** Prometheus' text format, of several processes. */
    static String prometheus(Map<Long, LiveStatistics> processes, Map<Long, String> names) {
        var text = new StringBuilder();
        for (Metric metric : METRICS) {
            String name = "mimalloc_" + metric.name;
            text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(name, metric.help, name, metric.grows ? "counter" : "gauge"));
            processes.forEach((pid, statistics) -> text.append(name).append(labels(pid, names, "")).append(number(statistics.value(metric.name))).append('\n'));
        }
        text.append("# HELP mimalloc_live_size_bytes Blocks that the program has, by size of block.\n# TYPE mimalloc_live_size_bytes gauge\n");
        processes.forEach((pid, statistics) -> statistics.bySize().forEach((size, bytes) -> text.append("mimalloc_live_size_bytes")
                .append(labels(pid, names, ",size=\"" + size + "\"")).append(number(bytes)).append('\n')));
        return text.toString();
    }

    private static String labels(long pid, Map<Long, String> names, String more) {
        String name = names.getOrDefault(pid, "").replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        return "{pid=\"" + pid + "\",program=\"" + name + "\"" + more + "} ";
    }

    private static String number(double value) { return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value); }
}
