package dev.mimalloc.bench;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A mode of our library, which is measured as an allocator of its own, and what it may cost: its CPU time and peak memory
 * as ratios to the release library, in geometric means over the native suite.
 *
 * @param build       what CMake is told; nothing for the release library
 * @param environment options at the start of a program
 * @param cpu         infinite where nothing is promised
 */
public record Mode(String name, List<String> build, Map<String, String> environment, double cpu, double memory) {
    /** The one that the others are compared with. */
    public static final String RELEASE = "release";

    private static final double ANY = Double.POSITIVE_INFINITY;

    /** All of them, in the order of the report. */
    public static final List<Mode> ALL = List.of(new Mode(RELEASE, List.of(), Map.of(), ANY, ANY),
            new Mode("secure-3", List.of("-DMI_SECURE=3"), Map.of(), 1.06, 1.08),
            new Mode("secure-4", List.of("-DMI_SECURE=4"), Map.of(), 1.12, 1.10),
            new Mode("secure-4-reuse", List.of("-DMI_SECURE=4"), Map.of("MIMALLOC_SECURE_REUSE", "1"), 1.20, 1.10),
            new Mode("harden-1", List.of(), Map.of("MIMALLOC_HARDEN", "1"), ANY, ANY),
            new Mode("harden-2", List.of(), Map.of("MIMALLOC_HARDEN", "2"), ANY, ANY),
            new Mode("harden-3", List.of(), Map.of("MIMALLOC_HARDEN", "3"), 1.60, 1.30),
            // At the production rate, which the build knows.
            new Mode("guarded", List.of("-DMI_GUARDED=ON"), Map.of(), 1.02, 1.05),
            new Mode("debug", List.of("-DMI_DEBUG=ON"), Map.of(), ANY, ANY),
            // A file for each process, in the folder where it runs.
            new Mode("profiled", List.of(), Map.of("MIMALLOC_PROFILE", "profile"), 1.01, 1.05));

    public static Optional<Mode> of(String name) { return ALL.stream().filter(mode -> mode.name().equals(name)).findFirst(); }

    /**
     * Each mode whose name has a match as an allocator, with the one that they are compared with; libraries that are not the
     * release one are built in {@code folder}.
     */
    static List<Allocator> allocators(Path folder, Pattern wanted) {
        return ALL.stream().filter(mode -> mode.name().equals(RELEASE) || wanted.matcher(mode.name()).find()).map(mode -> new Allocator(mode.name(), mode.library(folder).toString(), "", mode.environment()))
                .toList();
    }

    private Path library(Path folder) {
        if (build.isEmpty()) return Home.library();
        Path made = folder.resolve(name);
        var configure = new ArrayList<>(List.of("cmake", "-S", Home.folder().resolve("native/cmake").toString(), "-B",
                made.toString(), "-DMI_BUILD_TESTS=OFF", "-DMI_BUILD_STATIC=OFF", "-DMI_BUILD_OBJECT=OFF"));
        configure.addAll(build);
        try {
            Files.createDirectories(folder);
            Bin.run(folder, configure);
            Bin.run(folder, List.of("cmake", "--build", made.toString()));
            try (var files = Files.list(made)) {
                return files.filter(file -> file.toString().endsWith(".so")).findFirst()
                        .orElseThrow(() -> new Failed("no library in " + made));
            }
        } catch (IOException e) {
            throw new Failed(e.getMessage());
        }
    }
}
