package dev.mimalloc.programs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program that runs on the native library. {@link #run} waits for its end and checks what every test wants: exit code
 * 0, no word of complaint from the allocator, and the statistics that only the library in use prints.
 */
final class Preloaded {
    static final Path LIBRARY = Home.library();

    /** What a program printed; {@code errors} has the allocator's statistics as well. */
    record Outcome(String output, String errors) {}

    private final List<String> command;
    private final ProcessBuilder builder;
    private final Path output, errors;
    private boolean statistics = true, foreign;
    private Process process;

    Preloaded(Path folder, String... command) {
        assertThat(LIBRARY).as("the native library, which ./mimalloc build makes").isReadable();
        this.command = List.of(command);
        output = temporary(folder);
        errors = temporary(folder);
        builder = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MIMALLOC_"));
        environment("LD_PRELOAD", LIBRARY.toString());
        environment("LC_ALL", "C.UTF-8");
        environment("MIMALLOC_SHOW_ERRORS", "1");
        environment("MIMALLOC_SHOW_STATS", "1");
    }

    Preloaded environment(String name, String value) {
        builder.environment().put(name, value);
        return this;
    }

    Preloaded input(String text) throws IOException {
        Path input = temporary(output.getParent());
        Files.writeString(input, text);
        builder.redirectInput(input.toFile());
        return this;
    }

    /** Prints no statistics: for programs that look at what their children write to stderr. */
    Preloaded quiet() {
        statistics = false;
        builder.environment().remove("MIMALLOC_SHOW_STATS");
        return this;
    }

    /** Expects blocks that another allocator has made, in a program that calls it by other names than malloc. */
    Preloaded foreignBlocks() {
        foreign = true;
        return this;
    }

    /** Loads no library: the program does so itself. */
    Preloaded unloaded() {
        builder.environment().remove("LD_PRELOAD");
        return quiet();
    }

    Preloaded start() throws IOException {
        process = builder.start();
        return this;
    }

    Outcome run() throws IOException, InterruptedException {
        return start().end(Duration.ofMinutes(3));
    }

    /** Waits for the end of a started program. */
    Outcome end(Duration patience) throws IOException, InterruptedException {
        boolean ended = process.waitFor(patience.toSeconds(), TimeUnit.SECONDS);
        kill();
        var outcome = new Outcome(Files.readString(output), Files.readString(errors));
        assertThat(ended).as("%s ends within %s\n%s\n%s", command, patience, outcome.output, outcome.errors).isTrue();
        assertThat(process.exitValue()).as("%s\n%s\n%s", command, outcome.output, outcome.errors).isZero();
        assertThat(outcome.errors).doesNotContain("assertion", "corrupt");
        if (!foreign) assertThat(outcome.errors).doesNotContain("invalid pointer");
        if (statistics) assertThat(Home.statistics(outcome.errors)).as("%s\n%s", command, outcome.errors).isTrue();
        return outcome;
    }

    /** Kills what is left of the program and its children. */
    void kill() {
        if (process == null) return;
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    /** A file of the test resources or of the demo. */
    static String file(String name) {
        try {
            return Path.of(Preloaded.class.getResource("/" + name).toURI()).toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static Path temporary(Path folder) {
        try {
            return Files.createTempFile(folder, "stream", ".txt");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
