package dev.mimalloc.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The raw results of one suite, as they are kept in a file of JSON: nothing is left out, and nothing is averaged. The
 * report has no other source.
 *
 * @param suite      the suite's name, which is also the file's
 * @param when       when the run ended
 * @param machine    where it ran
 * @param scale      how much of the full work was done; 1 is all
 * @param allocators who took part, ours first
 * @param baseline   the name of the allocator to compare with
 * @param cases      what was measured
 * @param samples    each single run
 */
public record Results(String suite, Instant when, Machine machine, double scale, List<Allocator> allocators,
        String baseline, List<Case> cases, List<Sample> samples) {

    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** What the numbers depend on most. */
    public record Machine(String system, String processor, int processors, long memoryMib) {
        /** This one. */
        public static Machine here() {
            return new Machine(System.getProperty("os.name") + " " + System.getProperty("os.version"),
                    proc("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch")),
                    Runtime.getRuntime().availableProcessors(),
                    proc("/proc/meminfo", "MemTotal").map(t -> Long.parseLong(t.replaceAll("\\D", "")) / 1024).orElse(0L));
        }

        private static Optional<String> proc(String file, String key) {
            try (var lines = Files.lines(Path.of(file))) {
                return lines.filter(line -> line.startsWith(key)).findFirst().map(line -> line.split(":", 2)[1].strip());
            } catch (IOException e) {
                return Optional.empty();
            }
        }
    }

    /** Something that is measured; {@code x} is the size at which, where there are several. */
    public record Case(String name, String title, double x) {}

    /** One run of a case, {@code round} by {@code round}: its figures, or the problem that there was. */
    public record Sample(String name, double x, String allocator, int round, Map<String, Double> figures,
            String problem) {}

    /** Writes the file. */
    public void write(Path folder) { JSON.writeValue(folder.resolve(suite + ".json").toFile(), this); }

    /** Reads the file of a suite, if it has run. */
    public static Optional<Results> read(Path folder, String suite) {
        Path file = folder.resolve(suite + ".json");
        return file.toFile().isFile() ? Optional.of(JSON.readValue(file.toFile(), Results.class)) : Optional.empty();
    }
}
