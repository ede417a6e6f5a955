package dev.mimalloc.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.malloc.Allocate;
import java.io.File;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What real programs print. */
class LeakReportTest {
    @TempDir
    private Path directory;
    private String out;
    private String err;

    @Test
    void theReportAtExitHasTheLargestFirst() throws Exception {
        assertThat(run("leaky", "-Ddev.mimalloc.leaks")).isZero();
        assertThat(out).isEmpty();
        assertThat(err.lines().filter(line -> !line.startsWith("\t"))).satisfiesExactly(
                line -> assertThat(line).isEqualTo("mimalloc: 1,734 bytes live in 12 blocks, from 3 places"),
                line -> assertThat(line).startsWith("1,234 bytes in 1 blocks, the oldest allocated "),
                line -> assertThat(line).startsWith("300 bytes in 1 blocks, "),
                line -> assertThat(line).startsWith("200 bytes in 10 blocks, "));
        assertThat(err.lines().filter(line -> line.startsWith("\t")).map(LeakReportTest::method)).containsExactly(
                "leakOnce", "leaky", "main", "leaky", "main", "leakMany", "leaky", "main");
    }

    @Test
    void stacksAreAsDeepAsOneLikes() throws Exception {
        assertThat(run("leaky", "-Ddev.mimalloc.leaks=exit", "-Ddev.mimalloc.leaks.depth=1")).isZero();
        assertThat(err.lines().filter(line -> line.startsWith("\t")).map(LeakReportTest::method))
                .containsExactly("leakOnce", "leaky", "leakMany");
        assertThat(run("leaky", "-Ddev.mimalloc.leaks=exit", "-Ddev.mimalloc.leaks.depth=0")).isZero();
        assertThat(err).contains("1,734 bytes in 12 blocks").doesNotContain("\tat");
    }

    @Test
    void aTidyProgramHasNoLeaks() throws Exception {
        assertThat(run("tidy", "-Ddev.mimalloc.leaks=true")).isZero();
        assertThat(err).isEqualTo("mimalloc: no leaks\n");
    }

    @Test
    void quietPrintsOnlyOnDemand() throws Exception {
        assertThat(run("onDemand", "-Ddev.mimalloc.leaks=quiet")).isZero();
        assertThat(out).startsWith("mimalloc: 1,234 bytes live in 1 blocks, from 1 places\n").contains("leakOnce");
        assertThat(err).isEmpty();
    }

    @Test
    void theReportTellsOfDamage() throws Exception {
        assertThat(run("damaged", "-Ddev.mimalloc.leaks")).isZero();
        assertThat(err).containsPattern(
                "written past the end of 20 bytes at 0x[0-9a-f]+, allocated .* s ago by thread main\n"
                        + "\tat .*LeakPrograms.damaged");
    }

    @Test
    void anUncaughtDoubleFreeShowsBothStacks() throws Exception {
        assertThat(run("doubleFree", "-Ddev.mimalloc.leaks=quiet")).isEqualTo(1);
        assertThat(err).containsPattern("(?s)IllegalArgumentException: freed already: 20 bytes at 0x.*"
                + "LeakPrograms.doubleFree.*Caused by: .*freed here: by thread main.*LeakPrograms.firstFree.*"
                + "Caused by: .*allocated here: 20 bytes, by thread main.*LeakPrograms.doubleFree");
    }

    @Test
    void withoutJavaMemoryNothingIsLost() throws Exception {
        assertThat(run("outOfMemory", "-Ddev.mimalloc.leaks=quiet", "-Ddev.mimalloc.leaks.depth=4", "-Xmx48m"))
                .as(() -> err).isZero();
        assertThat(out).isEqualTo("true 4194304 0\n0 0\n");
    }

    @Test
    void withoutThePropertyNothingIsTracked() throws Exception {
        for (String option : List.of("-Dx", "-Ddev.mimalloc.leaks=off", "-Ddev.mimalloc.leaks=false")) {
            assertThat(run("untracked", option, "-Xlog:class+load:file=" + directory.resolve("classes"))).isZero();
            assertThat(out)
                    .isEqualTo("false [] []\nmimalloc: leaks are not tracked; start with -Ddev.mimalloc.leaks\n");
            assertThat(err).isEmpty();
            assertThat(Files.readString(directory.resolve("classes"))).contains("dev.mimalloc.Mimalloc ", "dev.mimalloc.tracking.Tracker ")
                    .doesNotContain("dev.mimalloc.tracking.Ledger", "dev.mimalloc.tracking.CallStack",
                            "dev.mimalloc.tracking.TrackedBlock ");
        }
    }

    private static String method(String line) {
        String call = line.substring(0, line.indexOf('('));
        return call.substring(call.lastIndexOf('.') + 1);
    }

    /** Runs one of the programs and returns how it ended; what it has printed is in the fields. */
    private int run(String program, String... options) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = new ArrayList<>(List.of(java, "--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
        command.addAll(Arrays.asList(options));
        command.addAll(List.of(LeakPrograms.class.getName(), program));
        File outFile = directory.resolve("out").toFile(), errFile = directory.resolve("err").toFile();
        Process process = new ProcessBuilder(command).redirectOutput(outFile).redirectError(errFile).start();
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        out = Files.readString(outFile.toPath());
        err = Files.readString(errFile.toPath());
        return process.exitValue();
    }

    private static String classPath() {
        return String.join(File.pathSeparator,
                Stream.of(LeakPrograms.class, Mimalloc.class, Allocate.class).map(LeakReportTest::home).toList());
    }

    /** The directory or the jar that a class is in; a module's code source would not tell tests apart. */
    private static String home(Class<?> type) {
        String name = type.getName().replace('.', '/') + ".class";
        URL url = type.getResource("/" + name);
        String home = url.toString().replace("jar:", "").replace("!/" + name, "").replace("/" + name, "");
        return Path.of(URI.create(home)).toString();
    }
}
