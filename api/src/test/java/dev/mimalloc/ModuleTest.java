package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native access is given to modules, and what has it gives it to nobody else. */
class ModuleTest {
    private static final String FORGER = """
            package forger;
            import java.lang.foreign.*;
            public class Forger {
                public static void main(String[] args) {
                    System.out.println(dev.mimalloc.machine.Segments.of(args.length + 4096, 8));
                    System.out.println("core: " + dev.mimalloc.core.malloc.Allocate.malloc(8));
                }
            }
            """;
    private static final String USER = """
            package user;
            import dev.mimalloc.*;
            public class User {
                public static void main(String[] args) {
                    try (Heap heap = Heap.create()) {
                        System.out.println("used " + heap.allocate(100, 8).byteSize());
                    }
                }
            }
            """;

    private static final String INSIDER = """
            package insider;
            public class Insider {
                public static void main(String[] args) { System.out.println(dev.mimalloc.PACKAGE.NAME.class); }
            }
            """;
    private static final String RECORDER = """
            package recorder;
            import dev.mimalloc.*;
            import java.nio.file.*;
            import jdk.jfr.Recording;
            import jdk.jfr.consumer.RecordingFile;
            public class Recorder {
                public static void main(String[] args) throws Exception {
                    Path file = Files.createTempFile("recorder", ".jfr");
                    try (Recording recording = new Recording()) {
                        recording.enable("dev.mimalloc.Allocation").with("interval", "1 kB").with("rate", "1000/s");
                        recording.start();
                        for (int i = 0; i < 1000; i++) Mimalloc.free(Mimalloc.malloc(1000));
                        recording.stop();
                        recording.dump(file);
                        var events = RecordingFile.readAllEvents(file);
                        System.out.println(events.stream().anyMatch(e -> e.getEventType().getName().contains("Allocation")));
                    } finally {
                        Files.delete(file);
                    }
                }
            }
            """;

    /** A dump is its first call of the allocator. */
    private static final String DUMPER = """
            package dumper;
            import dev.mimalloc.*;
            import java.nio.file.*;
            public class Dumper {
                public static void main(String[] args) throws Exception {
                    Path file = Files.createTempFile("dumper", ".json");
                    try {
                        Mimalloc.dump(file);
                        System.out.println(Files.readString(file).contains("\\"complete\\": 1}\\n"));
                        long block = Mimalloc.malloc(30000);
                        Mimalloc.dump(file);
                        System.out.println(Files.readString(file).contains("," + Mimalloc.goodSize(30000) + ","));
                    } finally {
                        Files.delete(file);
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    private static Path classesOf(Class<?> cls) throws URISyntaxException {
        return Path.of(cls.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private String modulePath() throws URISyntaxException {
        return classesOf(Heap.class) + ":" + classesOf(dev.mimalloc.core.thread.Heaps.class) + ":" + folder.resolve("classes");
    }

    /** What the compiler says of a module; nothing if it is content. */
    private String compile(String name, String source, String requires, String... options)
            throws IOException, URISyntaxException {
        Path sources = Files.createDirectories(folder.resolve(name).resolve(name));
        Files.writeString(sources.resolveSibling("module-info.java"), "module " + name + " { " + requires + " }");
        String file = Character.toUpperCase(name.charAt(0)) + name.substring(1) + ".java";
        Files.writeString(sources.resolve(file), source);
        List<String> arguments = new ArrayList<>(List.of("-p", modulePath(), "-d",
                folder.resolve("classes").resolve(name).toString(), sources.resolve(file).toString(),
                sources.resolveSibling("module-info.java").toString()));
        arguments.addAll(List.of(options));
        StringWriter said = new StringWriter();
        PrintWriter out = new PrintWriter(said);
        ToolProvider.findFirst("javac").orElseThrow().run(out, out, arguments.toArray(String[]::new));
        return said.toString();
    }

    private String run(String main) throws IOException, InterruptedException, URISyntaxException {
        Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-p", modulePath(),
                "--enable-native-access=dev.mimalloc.core", "-m", main).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said;
    }

    @Test
    void anotherModuleCannotUseCore() throws Exception {
        for (String requires : List.of("requires dev.mimalloc.core;", "requires dev.mimalloc;",
                "requires dev.mimalloc.core; requires dev.mimalloc;")) {
            assertThat(compile("forger", FORGER, requires)).contains("dev.mimalloc.machine").contains("not visible");
        }
    }

    /** One that was compiled as if it could. */
    @Test
    void aForgedModuleIsRefused() throws Exception {
        assertThat(compile("forger", FORGER, "requires dev.mimalloc.core;", "--add-exports",
                "dev.mimalloc.core/dev.mimalloc.machine=forger", "--add-exports",
                "dev.mimalloc.core/dev.mimalloc.core.malloc=forger")).doesNotContain("error");
        assertThat(run("forger/forger.Forger")).contains("IllegalAccessError").doesNotContain("core:")
                .doesNotContain("MemorySegment{");
    }

    /** The rest of the API's own module. */
    @Test
    void onlyThePublicPackageIsVisible() throws Exception {
        for (String name : List.of("arena.Blocks", "base.Settings", "flight.FlightListener", "profile.StackSampler", "tracking.Tracker")) {
            assertThat(Class.forName("dev.mimalloc." + name)).isPublic();
            assertThat(compile("insider", INSIDER.replace("PACKAGE.NAME", name), "requires dev.mimalloc;"))
                    .contains("dev.mimalloc." + name.substring(0, name.indexOf('.'))).contains("not visible");
        }
    }

    /** The recorder finds the events, and makes their settings, in a package that is not exported to it. */
    @Test
    void aModuleCanRecord() throws Exception {
        assertThat(compile("recorder", RECORDER, "requires dev.mimalloc; requires jdk.jfr;")).isEmpty();
        assertThat(run("recorder/recorder.Recorder")).isEqualToIgnoringNewLines("true");
    }

    @Test
    void aModuleCanDump() throws Exception {
        assertThat(compile("dumper", DUMPER, "requires dev.mimalloc;")).isEmpty();
        assertThat(run("dumper/dumper.Dumper")).isEqualToIgnoringNewLines("truetrue");
    }

    @Test
    void theApiIsForAll() throws Exception {
        assertThat(compile("user", USER, "requires dev.mimalloc;")).isEmpty();
        assertThat(run("user/user.User")).isEqualToIgnoringNewLines("used 100");
    }
}
