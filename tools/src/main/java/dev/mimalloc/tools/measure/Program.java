package dev.mimalloc.tools.measure;

import static dev.mimalloc.tools.measure.Stopwatch.Processors.ALL;
import static dev.mimalloc.tools.measure.Stopwatch.Processors.ONE;

import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One real program. Its files, which are resources named from the root of the class path, are unpacked into a work
 * folder, in which {@code prepare} runs once (unless empty) and {@code command} for each measurement, on the
 * {@code processors} that suit it. What it prints must not depend on the allocator.
 */
public record Program(String name, String title, Processors processors, List<String> needs, List<String> files,
        List<String> prepare, List<String> command, Map<String, String> environment) {

    private static final String DEMO = "dev/mimalloc/tools/demo/";

    /** The programs of the demo; with less to do when {@code quick}. */
    public static List<Program> all(boolean quick) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String python = "/usr/bin/python3"; // not a shim of pyenv, whose shell would be measured too
        var objects = List.of(python, "objects.py", quick ? "1" : "2");
        var accounts = "CREATE TABLE size AS SELECT %d AS n".formatted(quick ? 20_000 : 60_000);
        return List.of(
                new Program("python", "Python: JSON, dictionaries, objects", ONE, List.of(python),
                        List.of(DEMO + "objects.py"), List.of(), objects,
                        Map.of("PYTHONHASHSEED", "0")),
                new Program("python-malloc", "the same, every object by malloc", ONE, List.of(python),
                        List.of(DEMO + "objects.py"), List.of(), objects,
                        Map.of("PYTHONHASHSEED", "0", "PYTHONMALLOC", "malloc")),
                new Program("c++", "g++ compiles templates, -O1", ONE, List.of("g++"),
                        List.of(DEMO + "templates.cpp"), List.of(),
                        List.of("g++", "-std=c++17", "-O1", "-S", "-o", "-", "templates.cpp"),
                        Map.of()),
                new Program("java", "Java: off-heap arenas, direct buffers, zlib", ALL, List.of(java + "c"),
                        List.of(DEMO + "OffHeap.java"), List.of(java + "c", "-d", ".", "OffHeap.java"),
                        List.of(java, "-Xmx64m", "-XX:+UseSerialGC", "-cp", ".", "OffHeap"), Map.of()),
                new Program("sqlite", "SQLite: tables, joins, full-text search", ONE, List.of("sqlite3"),
                        List.of(DEMO + "accounts.sql"), List.of(),
                        List.of("sqlite3", ":memory:", accounts, ".read accounts.sql"), Map.of()),
                new Program("redis", "Redis (system: its own jemalloc)", ALL,
                        List.of("bash", "redis-check-rdb", "redis-cli", "redis-benchmark"), List.of(DEMO + "redis.sh"),
                        List.of(), List.of("bash", "redis.sh", quick ? "50" : "200"), Map.of()),
                new Program("perl", "Perl: hashes, strings, regular expressions", ONE, List.of("perl"),
                        List.of(DEMO + "words.pl"), List.of(), List.of("perl", "words.pl"),
                        Map.of("PERL_HASH_SEED", "0")),
                threaded("server", "C++: sessions handed from thread to thread"),
                threaded("pipeline", "C++: 3 producers, 3 consumers"));
    }

    private static Program threaded(String name, String title) {
        return new Program(name, title, ALL, List.of("g++"), List.of(DEMO + name + ".cpp"),
                List.of("g++", "-std=c++20", "-O2", "-pthread", "-o", name, name + ".cpp"), List.of("./" + name),
                Map.of());
    }

    /** The commands that this program needs and the system does not have. */
    public List<String> missing() {
        return needs.stream().filter(command -> !installed(command)).toList();
    }

    private static boolean installed(String command) {
        if (command.contains("/")) return Files.isExecutable(Path.of(command));
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }
}
