package dev.mimalloc.tools.measure;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs commands in a work folder, and measures them with a small helper in C that it compiles there first. */
public final class Stopwatch {
    private static final long PATIENCE_SECONDS = 180;
    private static final long FIRST_WARM_KIB = 512 << 10, MOST_WARM_KIB = 1 << 20;
    private static final File NOTHING = new File("/dev/null");

    // Options of one allocator, left over in the user's environment, would measure something else.
    private static final List<String> OPTIONS = List.of("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "MIMALLOC_", "MALLOC_",
            "GLIBC_TUNABLES", "TCMALLOC_", "TBB_MALLOC_");

    private final Path folder;
    private final Map<List<String>, Long> peaks = new HashMap<>();

    /** What one run took; {@code digest} is of all that it printed. */
    public record Run(double seconds, double cpuSeconds, long peakKib, long minorFaults, long majorFaults,
            String digest) {}

    /** Where a program runs: on all processors, or always on the same one, as suits what has one thread. */
    public enum Processors {
        /** On all. */
        ALL,
        /** On one. */
        ONE
    }

    /** A program that ended badly, with the last words of its error output. */
    public static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** What went wrong, for the user. */
        public Failed(String message) {
            super(message);
        }
    }

    /** In this work folder, which is made unless it is there. */
    public Stopwatch(Path folder) {
        this.folder = folder;
        unpack("dev/mimalloc/tools/measure/measure.c");
        execute(List.of("gcc", "-O1", "-o", "measure", "measure.c"), Map.of());
    }

    /** Puts a resource, named from the root of the class path, into the work folder. */
    public void unpack(String resource) {
        try (var source = Stopwatch.class.getResourceAsStream("/" + resource)) {
            Files.createDirectories(folder);
            Files.write(folder.resolve(Path.of(resource).getFileName()), source.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a program, with {@code library} preloaded unless it is empty. It finds as much memory at hand as this command
     * has used so far: the machine may have taken back what an earlier program freed, and so be slow for the first.
     */
    public Run measure(String library, Processors processors, List<String> command, Map<String, String> environment) {
        long warm = Math.min(peaks.getOrDefault(command, FIRST_WARM_KIB), MOST_WARM_KIB);
        var words = new ArrayList<>(List.of("./measure", "took", library, Long.toString(warm), processors.name()));
        words.addAll(command);
        execute(words, environment);
        String[] took = read("took").strip().split(" ", -1);
        if (!took[6].equals("0")) throw new Failed(command.getFirst() + " ended with " + took[6] + ": " + lastErrors());
        long peakKib = Long.parseLong(took[3]);
        peaks.merge(command, peakKib, Math::max);
        return new Run(Long.parseLong(took[0]) / 1e9, (Long.parseLong(took[1]) + Long.parseLong(took[2])) / 1e6,
                peakKib, Long.parseLong(took[4]), Long.parseLong(took[5]), digest());
    }

    /** Runs a command and waits for its end; its output goes to files. */
    public void execute(List<String> command, Map<String, String> environment) {
        var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectInput(Redirect.from(NOTHING))
                .redirectOutput(folder.resolve("output").toFile()).redirectError(folder.resolve("errors").toFile());
        builder.environment().keySet().removeIf(Stopwatch::isOption);
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

    /** Is an environment variable of this name an option of some allocator? */
    public static boolean isOption(String name) { return OPTIONS.stream().anyMatch(name::startsWith); }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new Failed(e.getMessage());
        }
    }

    /** The error output of the last command. */
    public String errors() {
        return read("errors");
    }

    /** The output of the last command. */
    public String output() {
        return read("output");
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
