package dev.mimalloc.programs;

import static dev.mimalloc.programs.Preloaded.file;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The JVM as a program: the JDK that runs this test, and an older one of the system's. */
class JavaTest {
    @TempDir
    private Path folder;

    static List<Path> jdks() throws IOException {
        var jdks = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"))));
        try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
            jdks.add(homes.filter(JavaTest::older).sorted().findFirst()
                    .orElseThrow(() -> new AssertionError("no JDK 17 or 21: scripts/install.sh test installs one")));
        }
        return jdks;
    }

    private static boolean older(Path home) {
        try {
            return Files.isExecutable(home.resolve("bin/javac")) && Files.readString(home.resolve("release")).lines()
                    .anyMatch(line -> line.matches("JAVA_VERSION=\"(17|21)\\b.*"));
        } catch (IOException e) {
            return false;
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void garbageThreadsAndDirectBuffers(Path jdk) throws Exception {
        javac(jdk, file("programs/Work.java"));
        for (String collector : List.of("-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseZGC")) {
            assertThat(new Preloaded(folder, jdk + "/bin/java", "-Xmx128m", collector, "-cp", folder.toString(), "Work")
                    .run().output()).as("%s", collector).isEqualTo("java 42579548 child\n");
        }
    }

    /** The JVM trims what it takes for glibc's heap, unasked and when told to, and passes on what that says of itself. */
    @Test
    void trimsTheHeapAndTellsOfIt() throws Exception {
        Path jdk = Path.of(System.getProperty("java.home"));
        Files.writeString(folder.resolve("Trims.java"), """
                import java.lang.ProcessHandle;
                class Trims {
                    public static void main(String[] arguments) throws Exception {
                        for (String command : arguments[1].split(",")) {
                            new ProcessBuilder(arguments[0], "" + ProcessHandle.current().pid(), command).inheritIO().start().waitFor();
                        }
                    }
                }
                """);
        javac(jdk, folder.resolve("Trims.java").toString());
        String said = new Preloaded(folder, jdk + "/bin/java", "-XX:TrimNativeHeapInterval=100", "-cp", folder.toString(), "Trims",
                jdk + "/bin/jcmd", "System.trim_native_heap,System.native_heap_info").quiet().run().output();
        assertThat(said).contains("Trim native heap: RSS+Swap: ").contains("<malloc version=\"1\">", "</malloc>");
        // Glibc's own heap would have several of these.
        assertThat(said.split("<system type=\"current\"", -1)).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void javacOnManyClasses(Path jdk) throws Exception {
        int classes = 300;
        var files = new ArrayList<String>();
        for (int i = 0; i < classes; i++) {
            String previous = i == 0 ? "x" : "C" + (i - 1) + ".of(x)";
            Files.writeString(folder.resolve("C" + i + ".java"), """
                    import java.util.*;
                    import java.util.function.*;
                    import java.util.stream.*;
                    class C%1$d {
                        record Pair<A, B>(A a, B b) {}
                        static int of(int x) {
                            var pairs = IntStream.range(0, 9).mapToObj(i -> new Pair<>(i, "c" + i)).collect(
                                Collectors.groupingBy(p -> p.a() %% 3, TreeMap::new, Collectors.toList()));
                            IntUnaryOperator sum = y -> y + pairs.values().stream().mapToInt(List::size).sum();
                            return sum.applyAsInt(%2$s);
                        }
                        public static void main(String[] arguments) { System.out.println(of(1)); }
                    }
                    """.formatted(i, previous));
            files.add(folder.resolve("C" + i + ".java").toString());
        }
        javac(jdk, files.toArray(String[]::new));
        String last = "C" + (classes - 1);
        var outcome = new Preloaded(folder, jdk + "/bin/java", "-cp", folder.toString(), last).run();
        assertThat(outcome.output()).isEqualTo(classes * 9 + 1 + "\n");
    }

    private void javac(Path jdk, String... files) throws Exception {
        var command = new ArrayList<>(List.of(jdk + "/bin/javac", "-J-Xmx256m", "-proc:none", "-d", folder.toString()));
        command.addAll(List.of(files));
        new Preloaded(folder, command.toArray(String[]::new)).run();
    }
}
