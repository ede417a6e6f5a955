package dev.mimalloc.bench;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Stopwatch;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The folder of the compiled workloads; each is compiled when it is first needed. */
final class Bin {
    /** The sources of the workloads. */
    static final Path SOURCES = Home.folder().resolve("bench/src/main/native");

    // The one program that is not a workload in the frame.
    private static final String ALONE = "startup";
    private static final List<String> WARNINGS = List.of("-Wall", "-Wextra", "-Werror");

    private final Path folder;
    private final Stopwatch stopwatch;
    private final Map<String, Failed> tried = new HashMap<>();

    Bin(Path folder) {
        this.folder = folder;
        this.stopwatch = new Stopwatch(folder);
    }

    Path folder() { return folder; }

    Stopwatch stopwatch() { return stopwatch; }

    /** Compiles {@code program.c} or {@code program.cpp} with the frame around it, once; throws what went wrong. */
    void compile(String program) {
        if (!tried.containsKey(program)) tried.put(program, attempt(program));
        if (tried.get(program) != null) throw new Failed(tried.get(program).getMessage());
    }

    private Failed attempt(String program) {
        try {
            object();
            boolean cpp = Files.exists(SOURCES.resolve(program + ".cpp"));
            var command = new ArrayList<>(compiler(cpp));
            command.add(SOURCES.resolve(program + (cpp ? ".cpp" : ".c")).toString());
            if (!program.equals(ALONE)) command.add("bench.o");
            command.addAll(List.of("-pthread", "-lm", "-ldl", "-o", program));
            run(command);
            return null;
        } catch (Failed e) {
            return e;
        }
    }

    private void object() {
        if (tried.containsKey("bench.o")) return;
        var command = new ArrayList<>(compiler(false));
        command.addAll(List.of("-c", SOURCES.resolve("bench.c").toString(), "-o", "bench.o"));
        run(command);
        tried.put("bench.o", null);
    }

    private static List<String> compiler(boolean cpp) {
        var command = new ArrayList<>(List.of(cpp ? "c++" : "cc", cpp ? "-std=c++20" : "-std=gnu17", "-O2",
                // Else a compiler may leave out a malloc with its free.
                "-fno-builtin-malloc", "-fno-builtin-free"));
        command.addAll(WARNINGS);
        return command;
    }

    private void run(List<String> command) { run(folder, command); }

    /** Runs a command that compiles in a folder; throws what it said when it went wrong. */
    static void run(Path folder, List<String> command) {
        File log = folder.resolve("compiler.log").toFile();
        try {
            int end = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(log).start().waitFor();
            if (end != 0) throw new Failed("the compiler says: " + Files.readString(log.toPath()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
