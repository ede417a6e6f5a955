package dev.mimalloc.tools;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Runs commands in a work folder, and measures them with a small helper in C that it compiles there first. */
final class Stopwatch {
    private static final long PATIENCE_SECONDS = 180;
    private static final File NOTHING = new File("/dev/null");
    private static final Set<String> PRELOADS = Set.of("LD_PRELOAD", "DYLD_INSERT_LIBRARIES");

    private final Path folder;

    /** What one run took; {@code digest} is of all that it printed. */
    record Run(double seconds, double cpuSeconds, long peakKib, String digest) {}

    /** A program that ended badly, with the last words of its error output. */
    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Failed(String message) {
            super(message);
        }
    }

    Stopwatch(Path folder) {
        this.folder = folder;
        unpack("measure.c");
        execute(List.of("gcc", "-O1", "-o", "measure", "measure.c"), Map.of());
    }

    /** Puts a file of the demo into the work folder. */
    void unpack(String file) {
        try (var source = Stopwatch.class.getResourceAsStream("demo/" + file)) {
            Files.createDirectories(folder);
            Files.write(folder.resolve(file), source.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a program, with {@code library} preloaded unless it is empty. */
    Run measure(String library, List<String> command, Map<String, String> environment) {
        var words = new ArrayList<>(List.of("./measure", "took", library));
        words.addAll(command);
        execute(words, environment);
        String[] took = read("took").strip().split(" ", -1);
        if (!took[4].equals("0")) throw new Failed(command.getFirst() + " ended with " + took[4] + ": " + lastErrors());
        return new Run(Long.parseLong(took[0]) / 1e9, (Long.parseLong(took[1]) + Long.parseLong(took[2])) / 1e6,
                Long.parseLong(took[3]), digest());
    }

    /** Runs a command and waits for its end; its output goes to files. */
    void execute(List<String> command, Map<String, String> environment) {
        var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectInput(Redirect.from(NOTHING))
                .redirectOutput(folder.resolve("output").toFile()).redirectError(folder.resolve("errors").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MIMALLOC_") || PRELOADS.contains(name));
        builder.environment().putAll(environment);
        try {
            Process process = start(builder);
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new Failed(command + " did not end within " + PATIENCE_SECONDS + " seconds");
            }
            if (process.exitValue() != 0) {
                throw new Failed(command.getFirst() + " ended with " + process.exitValue() + ": " + lastErrors());
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new Failed(e.getMessage());
        }
    }

    /** The error output of the last command. */
    String errors() {
        return read("errors");
    }

    private String lastErrors() {
        var lines = errors().lines().toList();
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    }

    private String digest() {
        try {
            byte[] output = Files.readAllBytes(folder.resolve("output"));
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(output));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String read(String file) {
        try {
            return Files.readString(folder.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
