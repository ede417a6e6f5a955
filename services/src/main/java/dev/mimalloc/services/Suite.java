package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * A program's own tests, which its makers wrote. A script of {@code services/src/main/suites} makes and runs them.
 *
 * @param name     what the command line calls it, and the script's name
 * @param title    what the report calls it
 * @param packages Debian's packages, in words of {@code scripts/unpack.sh}
 */
record Suite(String name, String title, List<String> packages) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** The one that needs nothing but packages, and takes seconds. */
    static final Suite QUICK = new Suite("cpython", "CPython's tests, with each object from malloc",
            List.of("python3\\.[0-9]+-minimal", "libpython3\\.[0-9]+-minimal", "libpython3\\.[0-9]+-stdlib",
                    "libpython3\\.[0-9]+-testsuite"));

    /** All, in the order of the report. */
    static final List<Suite> ALL = List.of(QUICK,
            new Suite("redis-tests", "Redis' tests", List.of("tcl")), new Suite("git-tests", "Git's tests", List.of()),
            new Suite("postgresql-tests", "PostgreSQL's regression tests",
                    List.of("postgresql-[0-9]+", "postgresql-server-dev-[0-9]+")),
            new Suite("mariadb-tests", "MariaDB's tests", List.of("mariadb-server", "mariadb-test")),
            new Suite("node-tests", "Node's tests", List.of("nodejs/debian")),
            new Suite("gcc", "gcc makes Git: each object", List.of()),
            new Suite("ffmpeg", "FFmpeg encodes, decodes and filters: each frame", List.of("ffmpeg")),
            // Pages, what their scripts use, and letters.
            new Suite("browser", "WebKit renders pages: each picture", List.of("wkhtmltopdf", "python3-doc", "postgresql-doc-[0-9]+",
                    "libjs-jquery", "libjs-underscore", "fonts-dejavu-core")));

    /** What a run on one allocator came to: each test's outcome, and how long all took. */
    record Outcome(String allocator, double seconds, Map<String, String> tests) {
        long passed() { return tests.values().stream().filter("passed"::equals).count(); }

        /** The tests that end otherwise than there, or only in one of the two. */
        List<String> differences(Outcome other) {
            var names = new TreeMap<>(tests);
            names.putAll(other.tests);
            return names.keySet().stream().filter(n -> !String.valueOf(tests.get(n)).equals(String.valueOf(other.tests.get(n))))
                    .map(n -> "%s: %s, and %s on %s".formatted(n, tests.getOrDefault(n, "not run"),
                            other.tests.getOrDefault(n, "not run"), other.allocator))
                    .toList();
        }
    }

    /** Makes in a folder what all runs begin with. */
    void prepare(Path tree, Path folder) throws IOException, InterruptedException {
        script("prepare", tree, folder, Map.of(), false);
    }

    /** Runs the tests in a folder of its own. What ends before it has run one has failed as a whole. */
    Outcome run(Path tree, Path folder, Allocator allocator, boolean quick) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Map<String, String> tests;
        try {
            var variables = new HashMap<>(allocator.environment());
            if (!allocator.library().isEmpty()) variables.put("LD_PRELOAD", allocator.library());
            tests = tests(script("run", tree, folder, variables, quick));
            if (tests.isEmpty()) throw new Failed("no test: " + Daemon.end(folder.resolve("errors")));
        } catch (Failed e) {
            tests = Map.of(e.getMessage(), "failed");
        }
        return new Outcome(allocator.name(), (System.nanoTime() - start) / 1e9, tests);
    }

    /** The tests and their outcomes in what a script said. A name may come twice: what is worse counts. */
    static Map<String, String> tests(String said) {
        var tests = new TreeMap<String, String>();
        for (String line : said.lines().toList()) {
            int end = line.lastIndexOf(": ");
            if (end > 0) tests.merge(line.substring(0, end), line.substring(end + 2), (a, b) -> a.equals("passed") ? b : a);
        }
        return tests;
    }

    private String script(String command, Path tree, Path folder, Map<String, String> variables, boolean quick)
            throws IOException, InterruptedException {
        Path script = Home.folder().resolve("services/src/main/suites").resolve(name + ".sh");
        var words = new ArrayList<>(List.of(script.toString(), command, tree.toString(), folder.toString()));
        if (quick) words.add("quick");
        Path errors = folder.resolve("errors");
        var builder = new ProcessBuilder(words).directory(folder.toFile()).redirectInput(Redirect.from(Daemon.NOTHING))
                .redirectError(errors.toFile());
        Daemon.environment(builder, variables);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) throw new Failed(Daemon.end(errors));
        return said;
    }

    private static Path file(Path folder, String suite) { return folder.resolve(suite + "-outcomes.json"); }

    void write(Path folder, List<Outcome> outcomes) { JSON.writeValue(file(folder, name).toFile(), outcomes); }

    /** The outcomes of the last run, the system's first; none if it has not run. */
    List<Outcome> read(Path folder) {
        Path file = file(folder, name);
        return Files.exists(file) ? JSON.readValue(file.toFile(), new TypeReference<List<Outcome>>() {}) : List.of();
    }
}
