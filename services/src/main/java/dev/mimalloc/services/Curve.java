package dev.mimalloc.services;

import dev.mimalloc.services.Load.Phase;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** The memory of a run over its time. */
record Curve(String allocator, int round, List<Phase> phases, List<Point> points) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** What was resident, what of it anonymous, and what the service said is live, if it can tell. */
    record Point(double seconds, double residentKib, double privateKib, Double liveKib) {}

    double peakKib() { return points.stream().mapToDouble(Point::residentKib).max().orElse(0); }

    private static Path file(Path folder, String service) { return folder.resolve(service + "-curves.json"); }

    static void write(Path folder, String service, List<Curve> curves) {
        JSON.writeValue(file(folder, service).toFile(), curves);
    }

    static List<Curve> read(Path folder, String service) {
        return JSON.readValue(file(folder, service).toFile(), new TypeReference<List<Curve>>() {});
    }
}
