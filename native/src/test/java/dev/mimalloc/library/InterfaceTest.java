package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The C and C++ interface by its contract, and the package: what CMake builds of the generated C, and what its tests say.
 * They are src/test/interface, also for running by hand. {@code ./mimalloc test} builds first what is tested.
 */
class InterfaceTest {
    private static final Path PROJECT = Path.of("cmake").toAbsolutePath();
    private static final Path SOURCE = Path.of("../build/src/mimalloc.c");
    private static final Pattern COUNT = Pattern.compile("(?m)^\\d+: (C|C\\+\\+ \\d+): (\\d+) checks, 0 failed$");

    /** C mimalloc itself, if {@code scripts/newest-mimalloc.sh} has been here for the benchmarks. */
    private static final Path PEER = Path.of("../build/peers/mimalloc").toAbsolutePath().normalize();

    @BeforeAll
    static void isBuilt() { assertThat(SOURCE).as("./mimalloc build makes it").exists(); }

    @Test
    void contractAndPackage() throws Exception {
        var checks = new TreeMap<String, Integer>();
        // Some tests run a single topic once more.
        COUNT.matcher(test("release", "-DMI_PEER=" + PEER)).results()
                .forEach(c -> checks.merge(c.group(1), Integer.parseInt(c.group(2)), Math::max));
        System.out.println("checks of the interface: " + checks);
        assertThat(checks).containsKeys("C", "C++ 201103", "C++ 201703");
        assertThat(checks.get("C")).isGreaterThan(300);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ASAN", "UBSAN", "TSAN"})
    void underASanitizer(String sanitizer) throws Exception {
        test(sanitizer, "-DMI_DEBUG_" + sanitizer + "=ON", "-DMI_OVERRIDE=OFF", "-DMI_BUILD_SHARED=OFF",
                "-DMI_BUILD_OBJECT=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo");
    }

    /** Libraries that tell valgrind and ASan of their blocks: each misuse is found, and correct programs are clean. */
    @ParameterizedTest
    @ValueSource(strings = {"VALGRIND", "ASAN"})
    void underATool(String tool) throws Exception {
        String override = tool.equals("ASAN") ? "OFF" : "ON";
        test(tool + "_TRACKED", "-DMI_TRACK_" + tool + "=ON", "-DMI_OVERRIDE=" + override, "-DMI_BUILD_OBJECT=OFF");
        assertThat(Path.of("target/interface", tool + "_TRACKED", "libmimalloc-" + tool.toLowerCase(Locale.ROOT) + ".so")).exists();
    }

    /** The allocator checks its own invariants, and programs that break one find that it does. */
    @Test
    void withChecks() throws Exception {
        // What is loaded, unloaded or waited for takes its time, and is the same.
        String said = testWithout("^(unload|silent|packaging)", "DEBUG", "-DMI_DEBUG_FULL=ON", "-DMI_OVERRIDE=OFF",
                "-DMI_BUILD_OBJECT=OFF");
        assertThat(said).contains("checked: aborted in Page_").contains("verified: 26").contains("debug: 0 failed");
        assertThat(Path.of("target/interface/DEBUG/libmimalloc-debug.a")).exists();
    }

    /** All of the interface is there in the secure library, too, and in a release library that its options harden. */
    @Test
    void hardened() throws Exception {
        // The highest level has what the lower ones have; of these, what a level adds is looked at alone.
        assertThat(testWithout("^(unload|silent|packaging)", "SECURE", "-DMI_SECURE=5")).contains("secure 5: ok");
        for (int level = 1; level <= 2; level++) {
            assertThat(testWithout("^([^s]|s[^e])", "SECURE" + level, "-DMI_SECURE=" + level, "-DMI_BUILD_SHARED=OFF",
                    "-DMI_BUILD_OBJECT=OFF")).contains("secure " + level + ": ok");
        }
        Path folder = Path.of("target/interface/SECURE");
        assertThat(folder.resolve("libmimalloc-secure.so")).exists();
        testWithout("[^c]", "HARDENED", "-DMI_BUILD_SHARED=OFF", "-DMI_BUILD_OBJECT=OFF");
        String program = Path.of("target/interface/HARDENED/interface-c").toAbsolutePath().toString();
        for (String preset : List.of("1", "2")) {
            assertThat(Command.succeed(folder, List.of("env", "MIMALLOC_HARDEN=" + preset, program))).contains(" 0 failed");
        }
        // What waits counts as in use, and a large block that waits may not be had back where RLIMIT_DATA was lowered.
        for (String topic : "layout allocate aligned names heaps theaps visit messages options arenas subprocesses threads forks".split(" ", -1)) {
            assertThat(Command.succeed(folder, List.of("env", "MIMALLOC_HARDEN=3", program, topic))).as(topic).contains(" 0 failed");
        }
    }

    /** A library that has no heap profiles and no dumps is as good otherwise. */
    @Test
    void withoutProfilesAndDumps() throws Exception {
        assertThat(testWithout("^([^c]|c-|cpp)", "PLAIN", "-DMI_PROFILE=OFF", "-DMI_DUMP=OFF", "-DMI_BUILD_OBJECT=OFF")).contains("profile           1 checks");
        Path with = Path.of("../build/lib/libmimalloc.so"), without = Path.of("target/interface/PLAIN/libmimalloc.so");
        assertThat(Files.size(without)).isLessThan(Files.size(with) - (16 << 10));
    }

    /** Configures, builds and tests; returns what the tests said. */
    private static String test(String variant, String... options) throws Exception {
        return testWithout("^$", variant, options);
    }

    /** The same, without the tests of such names. */
    private static String testWithout(String names, String variant, String... options) throws Exception {
        String folder = Path.of("target/interface", variant).toAbsolutePath().toString();
        var configure = new ArrayList<>(List.of("cmake", "-S", PROJECT.toString(), "-B", folder));
        configure.addAll(List.of(options));
        Path here = Path.of("").toAbsolutePath();
        Command.succeed(here, configure);
        Command.succeed(here, List.of("cmake", "--build", folder, "--parallel", "2"));
        return Command.succeed(here, List.of("ctest", "--test-dir", folder, "--verbose", "--exclude-regex", names));
    }
}
