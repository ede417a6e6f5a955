package dev.mimalloc.services;

import dev.mimalloc.services.Load.Phase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** The memory of a run over its time. */
record Curve(String allocator, int round, List<Phase> phases, List<Point> points) {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** The picture has 860 pixels. */
    private static final int POINTS = 1_000;

    /** What was resident, what of it anonymous, and what the service said is live, if it can tell. */
    record Point(double seconds, double residentKib, double privateKib, Double liveKib) {}

    double peakKib() { return points.stream().mapToDouble(Point::residentKib).max().orElse(0); }

    /** The same with so many points at most, the highest of those that lie together: more than a picture can show are of no use. */
    Curve thinned(int most) {
        int together = (points.size() + most - 1) / most;
        if (together <= 1) return this;
        var kept = new ArrayList<Point>();
        for (int i = 0; i < points.size(); i += together) {
            var some = points.subList(i, Math.min(points.size(), i + together));
            kept.add(Collections.max(some, Comparator.comparingDouble(Point::residentKib)));
        }
        return new Curve(allocator, round, phases, kept);
    }

    private static Path file(Path folder, String service) { return folder.resolve(service + "-curves.json"); }

    static void write(Path folder, String service, List<Curve> curves) {
        JSON.writeValue(file(folder, service).toFile(), curves.stream().map(c -> c.thinned(POINTS)).toList());
    }

    static List<Curve> read(Path folder, String service) {
        return JSON.readValue(file(folder, service).toFile(), new TypeReference<List<Curve>>() {});
    }
}
