package dev.mimalloc.bench;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The suite on the JVM is a program of its own, {@code bench/jvm}, which leaves its raw results beside the others:
 * {@code jvm.json} and {@code jvm-latency.json}.
 */
final class JvmSuite {
    private final Path folder;
    private final boolean quick;
    private final int rounds;
    private final boolean wanted;
    private final Allocator baseline;

    JvmSuite(Path folder, boolean quick, int rounds, Pattern only, Allocator baseline) {
        this.folder = folder;
        this.baseline = baseline;
        this.quick = quick;
        this.rounds = rounds;
        this.wanted = only.matcher("jvm/jvm").find();
    }

    boolean isWanted() { return wanted; }

    /** Runs it; false when something went wrong on our allocator. */
    boolean run(Progress progress) throws IOException {
        if (!wanted) return true;
        Path jar = Home.folder().resolve("bench/jvm/target/mimalloc-bench-jvm.jar");
        if (!Files.isReadable(jar)) {
            progress.say("left out: the suite on the JVM (not built)");
            return true;
        }
        progress.say("the suite on the JVM");
        String turns = Integer.toString(rounds);
        boolean well = run(progress, jar, quick ? List.of("--quick", "--rounds", turns)
                : List.of("--rows", "all", "--rounds", turns), "jvm.json");
        well &= run(progress, jar, quick ? List.of("latency", "--rounds", "1", "--time", "500")
                : List.of("latency", "--rounds", turns), "jvm-latency.json");
        return well;
    }

    private boolean run(Progress progress, Path jar, List<String> arguments, String file) throws IOException {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Dmimalloc.home=" + Home.folder(), "-jar", jar.toString()));
        command.addAll(arguments);
        if (baseline.isMimallocInC()) command.addAll(List.of("--library", baseline.library()));
        command.addAll(List.of("--json", folder.resolve(file).toAbsolutePath().toString()));
        try {
            int end = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (end != 0) progress.say("the suite on the JVM ended with " + end);
            return end == 0;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
