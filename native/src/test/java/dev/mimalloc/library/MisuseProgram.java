package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** The program that misuses memory, compiled from src/test/misuse, and what comes of it. */
final class MisuseProgram {
    /** The cases run two at a time, which is what a small machine has processors for. */
    private static final int AT_A_TIME = 2;
    /** A case takes milliseconds. A list with a circle is followed for ever. */
    private static final int SECONDS = 10;
    private static final String SAYS = "misuse: ";
    private static final int BROKEN = 9;
    private static final int KILLED_BY = 128;
    /** SIGILL, SIGTRAP, SIGABRT: nobody gets them by accident. */
    private static final List<Integer> DELIBERATE = List.of(4, 5, 6);

    private final Path binary;

    private MisuseProgram(Path binary) { this.binary = binary; }

    /** A case for blocks of a size; "-" where it has none. */
    record Case(String group, String name, String size) {}

    static MisuseProgram compile(Path folder) throws Exception {
        Path sources = Path.of("src/test/misuse").toAbsolutePath();
        var objects = new ArrayList<String>();
        try (var files = Files.list(sources)) {
            for (Path source : files.filter(f -> f.toString().matches(".*\\.(c|cpp)")).sorted().toList()) {
                boolean cpp = source.toString().endsWith(".cpp");
                Path object = folder.resolve(source.getFileName() + ".o");
                // The compiler knows what malloc is for, and that freed memory is not read: it would remove the misuse.
                var command = new ArrayList<>(List.of(compiler(cpp), "-O0", "-fno-builtin", "-g", "-Wall", "-Wextra", "-Werror",
                        "-Wno-unknown-warning-option", "-Wno-use-after-free", "-pthread"));
                // clang knows sized deletes only when told.
                command.addAll(cpp ? List.of("-std=c++17", "-fsized-deallocation") : List.of("-std=gnu17"));
                command.addAll(List.of("-c", "-o", object.toString(), source.toString()));
                Command.succeed(folder, command);
                objects.add(object.toString());
            }
        }
        Path binary = folder.resolve("misuse");
        var link = new ArrayList<>(List.of(compiler(true), "-o", binary.toString()));
        link.addAll(objects);
        link.addAll(List.of("-pthread", "-ldl"));
        Command.succeed(folder, link);
        return new MisuseProgram(binary);
    }

    private static String compiler(boolean cpp) {
        return Optional.ofNullable(System.getenv(cpp ? "CXX" : "CC")).orElse(cpp ? "c++" : "cc");
    }

    List<Case> cases() throws IOException, InterruptedException {
        return Command.succeed(binary.getParent(), List.of(binary.toString())).lines().map(line -> line.split("\t"))
                .map(fields -> new Case(fields[0], fields[1], fields[2])).toList();
    }

    /** Runs all cases in a mode that is ready. */
    Map<Case, Outcome> run(Mode mode) throws Exception {
        try (var pool = Executors.newFixedThreadPool(AT_A_TIME)) {
            var running = new LinkedHashMap<Case, Future<Outcome>>();
            for (Case one : cases()) running.put(one, pool.submit(() -> run(mode, one)));
            var outcomes = new LinkedHashMap<Case, Outcome>();
            for (var one : running.entrySet()) outcomes.put(one.getKey(), one.getValue().get());
            return outcomes;
        }
    }

    private Outcome run(Mode mode, Case one) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(binary.toString(), one.name));
        if (!one.size.equals("-")) command.add(one.size);
        File output = File.createTempFile("misuse", ".txt", binary.getParent().toFile());
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output);
        mode.applyTo(builder.environment());
        Process process = builder.start();
        boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
        if (!ended) process.destroyForcibly().waitFor();
        // What is printed may be the memory that was misused.
        String text = Files.readString(output.toPath(), StandardCharsets.ISO_8859_1);
        Files.delete(output.toPath());
        if (!ended) return Outcome.CRASHED;
        assertThat(process.exitValue()).as("%s of %s in %s: %s", one.name, one.size, mode, text).isNotEqualTo(BROKEN);
        return outcome(process.exitValue(), text);
    }

    /** What came of a case, from how its process ended and from what it and the allocator said. */
    static Outcome outcome(int status, String text) {
        boolean error = text.lines().anyMatch(line -> line.startsWith("mimalloc: error"));
        String last = text.lines().filter(line -> line.startsWith(SAYS)).reduce("", (former, line) -> line);
        if (status != 0) {
            boolean atTheMisuse = last.equals(SAYS + "now");
            // An exit is as deliberate as an abort.
            boolean deliberate = status < KILLED_BY || DELIBERATE.contains(status - KILLED_BY);
            return atTheMisuse || deliberate || error ? Outcome.STOPPED : Outcome.CRASHED;
        }
        // What must be refused is refused by an error: no more than that is due.
        if (last.equals(SAYS + "refused")) return Outcome.PREVENTED;
        return error ? Outcome.REPORTED : Outcome.of(last.substring(SAYS.length()));
    }
}
