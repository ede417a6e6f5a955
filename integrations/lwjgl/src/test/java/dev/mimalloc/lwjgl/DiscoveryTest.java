package dev.mimalloc.lwjgl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.lwjgl.programs.Leak;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** How LWJGL is told, each in a JVM of its own. */
class DiscoveryTest {
    private static final String OURS = "allocator: " + MimallocAllocator.class.getName();
    private static final String PROPERTY = "-Dorg.lwjgl.system.allocator=" + MimallocAllocator.class.getName();
    private static final List<String> CLASS_PATH = List.of(
            "--class-path", System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED");

    @Test
    void byThePropertyOrByTheProgram() throws Exception {
        assertThat(run(CLASS_PATH, Leak.class.getName())).contains("allocator: org.lwjgl.system");
        assertThat(run(CLASS_PATH, PROPERTY, Leak.class.getName())).contains(OURS + ", pointer 1");
        assertThat(run(CLASS_PATH, Leak.class.getName(), "instance")).contains(OURS + ", pointer 1");
    }

    @Test
    void theDebugAllocatorReportsLeaksAtTheEnd() throws Exception {
        String output = run(CLASS_PATH, PROPERTY, "-Dorg.lwjgl.util.DebugAllocator=true", Leak.class.getName());
        assertThat(output).contains(OURS, "[LWJGL] 1002 bytes leaked, thread", "at " + Leak.class.getName() + ".main")
                .doesNotContain("1001 bytes");
    }

    @Test
    void onTheModulePath() throws Exception {
        String[] entries = System.getProperty("java.class.path").split(Pattern.quote(File.pathSeparator), -1);
        Pattern module = Pattern.compile("mimalloc.*|classes|lwjgl.*");
        Predicate<String> isModule = entry -> module.matcher(new File(entry).getName()).matches();
        String tests = Arrays.stream(entries).filter(entry -> entry.endsWith("test-classes")).findFirst().orElseThrow();
        String output = run(List.of("--class-path", tests, "--module-path",
                Arrays.stream(entries).filter(isModule).collect(Collectors.joining(File.pathSeparator)),
                "--add-modules", "dev.mimalloc.lwjgl,org.lwjgl.natives,jdk.unsupported",
                "--enable-native-access=org.lwjgl,dev.mimalloc.core,dev.mimalloc.lwjgl",
                "--illegal-native-access=deny", PROPERTY, Leak.class.getName()));
        assertThat(output).contains(OURS + " in a module, pointer 1");
    }

    private static String run(List<String> flags, String... rest) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(flags);
        command.addAll(List.of(rest));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
