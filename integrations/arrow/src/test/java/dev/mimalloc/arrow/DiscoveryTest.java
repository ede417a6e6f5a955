package dev.mimalloc.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What Arrow finds on different class paths, each in a JVM of its own. */
class DiscoveryTest {
    private static final String OURS = "manager: " + MimallocAllocationManager.class.getName();
    private static final String NETTYS = "manager: org.apache.arrow.memory.netty.NettyAllocationManager";
    private static final String UNSAFES = "manager: org.apache.arrow.memory.unsafe.UnsafeAllocationManager";

    private static final List<String> CLASS_PATH = List
            .of(System.getProperty("java.class.path").split(Pattern.quote(File.pathSeparator), -1));
    private static final List<String> NETTY = jars("arrow-memory-netty|netty-");
    private static final List<String> UNSAFE = jars("arrow-memory-unsafe");
    /** The rest: this module's classes, and its tests'. */
    private static final List<String> PLAIN = CLASS_PATH.stream()
            .filter(entry -> !NETTY.contains(entry) && !UNSAFE.contains(entry)).toList();

    @Test
    void aloneItIsFound() throws Exception {
        assertThat(run(path(PLAIN))).contains(OURS);
    }

    @Test
    void besideNettysItIsFound() throws Exception {
        assertThat(run(path(NETTY, PLAIN))).contains(OURS);
        assertThat(run(path(PLAIN, NETTY))).contains(OURS);
    }

    @Test
    void besideUnsafesTheFirstIsFound() throws Exception {
        assertThat(run(path(PLAIN, UNSAFE))).contains(OURS);
        assertThat(run(path(UNSAFE, PLAIN))).contains(UNSAFES);
    }

    @Test
    void whatIsChosenIsTaken() throws Exception {
        assertThat(run(path(UNSAFE, PLAIN), "chosen")).contains(OURS);
        assertThat(run(path(PLAIN), "chosen")).contains(OURS);
        List<String> netty = new ArrayList<>(path(NETTY, PLAIN));
        netty.addFirst("-Darrow.allocation.manager.type=Netty");
        assertThat(run(netty)).contains(NETTYS);
        assertThat(run(netty, "chosen")).contains(OURS);
    }

    @Test
    void arrowsNameForUnsafeMeansArrowsOwn() throws Exception {
        List<String> unsafe = new ArrayList<>(path(PLAIN));
        unsafe.addFirst("-Darrow.allocation.manager.type=Unsafe");
        assertThat(run(unsafe)).contains("Please add arrow-memory-unsafe").doesNotContain("manager: ");
    }

    @Test
    void onTheModulePathItIsFound() throws Exception {
        List<String> tests = PLAIN.stream().filter(entry -> entry.endsWith("test-classes")).toList();
        List<String> modules = PLAIN.stream().filter(entry -> !tests.contains(entry)
                && entry.matches(".*(mimalloc|classes|arrow-memory-core|slf4j-api)[^/\\\\]*")).toList();
        List<String> flags = new ArrayList<>(List.of("--module-path", String.join(File.pathSeparator, modules),
                "--add-modules", "dev.mimalloc.arrow", "--enable-native-access=dev.mimalloc.core",
                "--add-opens=java.base/java.nio=org.apache.arrow.memory.core"));
        flags.addAll(path(tests));
        assertThat(run(flags)).contains(OURS + " in a module");
    }

    private static List<String> jars(String names) {
        Pattern jar = Pattern.compile("(" + names + ").*\\.jar");
        return CLASS_PATH.stream().filter(entry -> jar.matcher(new File(entry).getName()).matches()).toList();
    }

    private static List<String> path(List<String> first, List<String> second) {
        return path(Stream.concat(first.stream(), second.stream()).toList());
    }

    private static List<String> path(List<String> entries) {
        return List.of("--class-path", String.join(File.pathSeparator, entries),
                "--add-opens=java.base/java.nio=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED");
    }

    private static String run(List<String> flags, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(flags);
        command.add("dev.mimalloc.arrow.programs.Which");
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("ARROW_ALLOCATION_MANAGER_TYPE");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
