package dev.mimalloc.services;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What an ordeal came to on one allocator: the promise that held with its figures, or a problem. */
record Verdict(String allocator, String promise, String figures, String problem) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** In words, for a table. */
    String text() { return problem == null ? promise + " (" + figures + ")" : "broken: " + problem; }

    /** What is otherwise than in the first, the system's. A service that breaks its promise there too is no failure of ours. */
    static List<String> differences(List<Verdict> verdicts) {
        Verdict system = verdicts.getFirst();
        if (system.problem != null) return List.of();
        return verdicts.stream().filter(v -> v.problem != null || !v.promise.equals(system.promise))
                .map(v -> "on %s %s".formatted(v.allocator, v.text())).toList();
    }

    private static Path file(Path folder, String ordeal) { return folder.resolve(ordeal + "-verdicts.json"); }

    static void write(Path folder, String ordeal, List<Verdict> verdicts) { JSON.writeValue(file(folder, ordeal).toFile(), verdicts); }

    /** The verdicts of the last run, the system's first; none if it has not run. */
    static List<Verdict> read(Path folder, String ordeal) {
        Path file = file(folder, ordeal);
        return Files.exists(file) ? JSON.readValue(file.toFile(), new TypeReference<List<Verdict>>() {}) : List.of();
    }
}
