package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command of the system: a compiler, CMake, a program that is tested. */
final class Command {
    // The tests under ThreadSanitizer take 3 minutes alone on 2 cores.
    private static final int MINUTES = 15;

    private Command() {}

    /** How it ended, and all that it wrote. */
    record Result(int status, String output) {}

    static Result run(Path folder, List<String> command) throws IOException, InterruptedException {
        return run(folder, Map.of(), command);
    }

    static Result run(Path folder, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        File output = File.createTempFile("command", ".txt");
        try {
            var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(output);
            builder.environment().putAll(environment);
            Process process = builder.start();
            boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
            if (!ended) process.destroyForcibly().waitFor();
            String text = Files.readString(output.toPath());
            return ended ? new Result(process.exitValue(), text)
                    : new Result(-1, text + "\nstill running after " + MINUTES + " minutes");
        } finally {
            Files.delete(output.toPath());
        }
    }

    /** Runs a command that must end with 0, and returns what it wrote. */
    static String succeed(Path folder, List<String> command) throws IOException, InterruptedException {
        var result = run(folder, command);
        assertThat(result.status()).as("%s%n%s", command, result.output()).isZero();
        return result.output();
    }
}
