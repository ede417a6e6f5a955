package dev.mimalloc.tools.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The program heap.c on the library, from "freed" on. */
final class ViewedProgram implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    ViewedProgram(Path folder, Map<String, String> environment) throws IOException, InterruptedException {
        assertThat(Home.library()).as("the native library, which ./mimalloc build makes").isReadable();
        Path source = folder.resolve("heap.c"), program = folder.resolve("heap");
        try (var text = ViewedProgram.class.getResourceAsStream("heap.c")) {
            Files.write(source, text.readAllBytes());
        }
        assertThat(new ProcessBuilder(List.of("cc", "-O1", "-fno-builtin", "-pthread", source.toString(), "-o", program.toString())).inheritIO()
                .start().waitFor()).isZero();
        var builder = new ProcessBuilder(program.toString()).directory(folder.toFile()).redirectError(folder.resolve("errors").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MIMALLOC_"));
        builder.environment().putAll(environment);
        builder.environment().put("LD_PRELOAD", Home.library().toString());
        process = builder.start();
        output = process.inputReader(StandardCharsets.UTF_8);
        assertThat(output.readLine()).isEqualTo("ready");
        assertThat(output.readLine()).isEqualTo("freed");
    }

    long pid() { return process.pid(); }

    /** Allocates, and frees again. */
    void work() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
        assertThat(output.readLine()).isEqualTo("worked");
    }

    /** Bytes of mappings without a file, which are the allocator's but for stacks and libraries' data. */
    long anonymous() throws IOException {
        long bytes = 0;
        boolean counts = false;
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid()), "smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) counts = line.strip().split(" +", -1).length == 5;
            else if (counts && line.startsWith("Rss:")) bytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        assertThat(process.onExit().join().exitValue()).isZero();
    }
}
