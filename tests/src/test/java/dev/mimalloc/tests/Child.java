package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process of its own, for what a test must see from its very start or at its end. */
public record Child(int exit, String out, String err) {
    private static final long PATIENCE_MINUTES = 5;

    /** Runs a scenario with a machine. */
    static Child scenario(Allocator allocator, Scenario scenario, Map<String, String> environment) throws Exception {
        var options = new ArrayList<>(scenario.options());
        options.addAll(List.of("-XX:+UseSerialGC", "-Xss256k", "-Dmimalloc.library=" + System.getProperty("mimalloc.library"),
                "secure=" + System.getProperty("dev.mimalloc.secure", "0")));
        return run(command(Scenario.class, options, allocator instanceof JvmAllocator ? "jvm" : "native", scenario.name()), environment);
    }

    /** Runs a class' {@code main} on a JVM of its own; an option that is no {@code -option} is a setting of the allocator's. */
    public static Child java(Class<?> program, List<String> options, String... arguments) throws IOException, InterruptedException {
        return run(command(program, options, arguments), Map.of());
    }

    private static List<String> command(Class<?> program, List<String> options, String... arguments) {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        for (String option : options) command.add(option.startsWith("-") ? option : "-Ddev.mimalloc." + option);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static Child run(List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
        Path out = Files.createTempFile("child", ".out");
        Path err = Files.createTempFile("child", ".err");
        try {
            var builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("MIMALLOC_"));
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly().waitFor();
                String said = Files.readString(out) + Files.readString(err);
                throw new AssertionError("no end in sight: " + command + "\n" + said);
            }
            return new Child(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    public Child assertSuccess() {
        assertThat(exit).as("exit code; the child said:%n%s%s", out, err).isZero();
        return this;
    }
}
