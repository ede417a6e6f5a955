package dev.mimalloc.tools.profile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What is made of the profile of a program whose functions leave a known number of bytes. */
class ProfileToolsTest {
    private static final String SOURCE = """
            #include <cstdlib>
            void* kept[100];
            int count;
            namespace shop {
            static inline __attribute__((always_inline)) void* make(int size) { return std::malloc(size); }
            __attribute__((noinline)) void orders(int size) { kept[count++] = make(size); __asm__ volatile("" : : : "memory"); }
            }
            __attribute__((noinline)) void much() { for (int i = 0; i < 4; i++) shop::orders(100000); __asm__ volatile(""); }
            int main() { much(); shop::orders(1024); kept[99] = std::malloc(5000); __asm__ volatile("" : : : "memory"); std::free(kept[99]); return 3; }
            """;

    @TempDir
    private Path folder;

    private Path program;

    @BeforeEach
    void compile() throws Exception {
        program = folder.resolve("shop");
        Files.writeString(folder.resolve("shop.cpp"), SOURCE);
        run(0, Map.of(), "g++", "-g", "-O2", "shop.cpp", "-o", program.toString());
    }

    private String run(int status, Map<String, String> environment, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("output", ".txt");
        var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        int ended = builder.start().waitFor();
        String said = Files.readString(output);
        Files.delete(output);
        assertThat(ended).as(said).isEqualTo(status);
        return said;
    }

    private Path profile(String name) throws Exception {
        run(3, Map.of("LD_PRELOAD", Home.library().toString(), "MIMALLOC_PROFILE", folder.resolve(name).toString(), "MIMALLOC_PROFILE_SAMPLE_RATE", "1"), program.toString());
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(name + "\\.\\d+\\.1\\.pb")).findFirst().orElseThrow();
        }
    }

    @Test
    void stacksAreCollapsed() throws Exception {
        HeapProfile profile = HeapProfile.read(profile("app"));
        Map<String, Long> live = Collapse.collapsed(profile, profile.indexOf("inuse_space"));
        var ends = live.entrySet().stream().filter(entry -> entry.getKey().contains(";main;"))
                .map(entry -> entry.getKey().replaceFirst(".*;main;", "main;").replaceFirst("[^;]+$", "inlined") + " " + entry.getValue()).toList();
        assertThat(ends).containsExactly("main;much();shop::orders(int);inlined 400000", "main;shop::orders(int);inlined 1024");
        // What is freed is in no stack of what is live.
        assertThat(live.keySet()).allMatch(stack -> !stack.contains("main") || stack.contains("orders"));
        assertThat(Collapse.collapsed(profile, profile.indexOf("alloc_space")).keySet()).anyMatch(stack -> stack.endsWith("main"));
        assertThat(new CommandLine(new Collapse()).execute("--value=space", profile("other").toString())).isNotZero();
    }

    @Test
    void leaksAreTold() throws Exception {
        List<String> command = List.of(ProcessHandle.current().info().command().orElseThrow(), "-cp", System.getProperty("java.class.path"),
                "-Dmimalloc.home=" + Home.folder(), Main.class.getName(), "leaks", program.toString(), "--help");
        List<String> said = run(3, Map.of(), command.toArray(String[]::new)).lines().toList();
        assertThat(said.getFirst()).matches("mimalloc: at the end of process \\d+ there are live \\d+ bytes in blocks: \\d+, of so many calls: \\d+");
        int first = said.indexOf("  400000 bytes in blocks: 4, from");
        assertThat(first).isPositive();
        assertThat(said.get(first + 1)).matches(" {4}\\S.* \\(.*/shop\\.cpp:5\\)");
        assertThat(said.get(first + 3)).matches(" {4}much\\(\\) \\(.*/shop\\.cpp:8\\)");
        assertThat(said.get(said.indexOf("  1024 bytes in blocks: 1, from") + 3)).matches(" {4}main \\(.*/shop\\.cpp:9\\)");
    }

    @Test
    void whatIsNoProfileIsRefused() throws Exception {
        Path file = folder.resolve("no.pb");
        Files.writeString(file, "no profile at all");
        assertThat(new CommandLine(new Collapse()).execute(file.toString())).isNotZero();
    }
}
