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
record Child(int exit, String out, String err) {
    private static final long PATIENCE_MINUTES = 5;

    /** Runs a scenario with a machine. */
    static Child scenario(Allocator allocator, Scenario scenario, Map<String, String> environment) throws Exception {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(scenario.options());
        command.addAll(List.of("-XX:+UseSerialGC", "-Xss256k", "--enable-native-access=ALL-UNNAMED",
                "-Dmimalloc.library=" + System.getProperty("mimalloc.library"),
                "-cp", System.getProperty("java.class.path"), Scenario.class.getName(),
                allocator instanceof JvmAllocator ? "jvm" : "native", scenario.name()));
        return run(command, environment);
    }

    static Child run(List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
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

    Child assertSuccess() {
        assertThat(exit).as("exit code; the child said:%n%s%s", out, err).isZero();
        return this;
    }
}
