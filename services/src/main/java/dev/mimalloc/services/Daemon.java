package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A service's process with those that it starts. They end with this one, also when that is interrupted. */
final class Daemon implements AutoCloseable {
    static final File NOTHING = new File("/dev/null");

    private static final long PATIENCE_SECONDS = 60;
    // Families change a few times in a second, and a look takes a hundredth of one.
    private static final int USAGE_TRIES = 5;
    private static final Set<Daemon> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Daemon::close)));
    }

    private final Process process;
    private final Path log;

    /** Starts it; what it says goes to {@code log} in its folder. */
    Daemon(List<String> command, Path folder, Map<String, String> variables) throws IOException {
        log = folder.resolve("log");
        var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectInput(Redirect.from(NOTHING))
                .redirectErrorStream(true).redirectOutput(log.toFile());
        environment(builder, variables);
        process = builder.start();
        RUNNING.add(this);
    }

    /** Options of an allocator that are left over in the user's environment would measure something else. */
    static void environment(ProcessBuilder builder, Map<String, String> variables) {
        builder.environment().keySet().removeIf(Stopwatch::isOption);
        builder.environment().putAll(variables);
    }

    long pid() { return process.pid(); }

    /** The process and all that it has started. */
    List<ProcessHandle> family() {
        var all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        return all;
    }

    /** What the family uses. One that was born or died meanwhile would count twice, or not at all, in what is shared. */
    Usage usage() {
        var before = family();
        for (int i = 0;; i++) {
            Usage usage = Usage.of(before);
            var after = family();
            if (i == USAGE_TRIES || Set.copyOf(after).equals(Set.copyOf(before))) return usage;
            before = after;
        }
    }

    /** Fails when it has ended. */
    void mustRun() {
        if (!process.isAlive()) throw new Failed("it has ended with " + process.exitValue() + ": " + end(log));
    }

    /** In how many of its processes' memory is this file? */
    long loaded(String library) throws IOException {
        String file = Path.of(library).toRealPath().toString();
        return family().stream().filter(process -> maps(process).contains(file)).count();
    }

    private static String maps(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/maps"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // it has ended
        }
    }

    /** Asks it to end, as its unit file would, and fails unless it ends well. */
    void stop() throws InterruptedException {
        mustRun();
        process.destroy();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new Failed("it did not end within " + PATIENCE_SECONDS + " seconds: " + end(log));
        }
        if (process.exitValue() != 0) throw new Failed("it ended with " + process.exitValue() + ": " + end(log));
    }

    /** The last words of a file. */
    static String end(Path file) {
        try {
            var lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
            return String.join(" / ", lines.subList(Math.max(0, lines.size() - 4), lines.size()));
        } catch (IOException e) {
            return "";
        }
    }

    /** Kills it with all that it has started, the one that would start others first, and waits until all are gone. */
    void kill() throws InterruptedException {
        var family = family();
        for (int i = family.size() - 1; i >= 0; i--) family.get(i).destroyForcibly();
        process.waitFor();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (family.stream().anyMatch(ProcessHandle::isAlive)) {
            if (System.nanoTime() > end) throw new Failed("it cannot be killed");
            Thread.sleep(10);
        }
    }

    @Override
    public void close() {
        RUNNING.remove(this);
        if (!process.isAlive()) return;
        var family = family();
        family.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }
}
