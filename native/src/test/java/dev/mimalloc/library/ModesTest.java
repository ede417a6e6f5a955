package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Correct programs in each mode of the library: the interface by another program, C++, forks, and threads under stress. */
class ModesTest {
    private static final Path PROGRAMS = Path.of("src/test/programs").toAbsolutePath();
    private static final Path INCLUDE = Path.of("../build/include").toAbsolutePath();

    @TempDir
    private Path folder;

    /** All but the release mode, in which {@link ProgramsTest} runs the same programs. Here one block in 50 is guarded. */
    static Stream<Mode> modes() {
        return Mode.OURS.stream().filter(mode -> !mode.name().equals("release"))
                .map(mode -> mode.name().equals("guarded") ? mode.with("MIMALLOC_GUARDED_SAMPLE_RATE", "50") : mode);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void programsAreAsEver(Mode mode) throws Exception {
        Mode ready = mode.ready();
        for (String program : List.of("names.c", "cpp.cpp", "threads.c", "forks.c")) {
            Path binary = folder.resolve(program.replaceAll("\\..*", ""));
            Command.succeed(folder, List.of(program.endsWith(".cpp") ? "c++" : "cc", "-O1", "-fno-builtin", "-g", "-pthread", "-I",
                    INCLUDE.toString(), "-I", PROGRAMS.toString(), "-o", binary.toString(), PROGRAMS.resolve(program).toString(),
                    ready.library().toString(), "-Wl,-rpath," + ready.library().getParent(), "-ldl"));
            Map<String, String> environment = new HashMap<>(ready.environment());
            environment.put("MIMALLOC_ABORT_ON_MISUSE", "1");
            var result = Command.run(folder, environment, List.of(binary.toString()));
            assertThat(result.output()).as("%s in mode %s", program, mode).endsWith("ok\n");
            assertThat(result.status()).as("%s in mode %s", program, mode).isZero();
        }
    }

    /** CMake's options make what they say, under the names that users know; those that mean nothing here say so. */
    @Test
    void optionsAreMimallocs() throws Exception {
        Path cmake = Path.of("cmake").toAbsolutePath();
        String said = Command.succeed(folder, List.of("cmake", "-S", cmake.toString(), "-B", folder.resolve("made").toString(),
                "-DMI_SECURE_FULL=ON", "-DMI_GUARDED=ON", "-DMI_XMALLOC=ON", "-DMI_PADDING=ON", "-DMI_SKIP_COLLECT_ON_EXIT=ON",
                "-DMI_BUILD_TESTS=OFF", "-DMI_BUILD_STATIC=OFF", "-DMI_BUILD_OBJECT=OFF"));
        assertThat(said.replaceAll("\\s+", " ")).contains("MI_SKIP_COLLECT_ON_EXIT has no effect");
        Command.succeed(folder, List.of("cmake", "--build", folder.resolve("made").toString()));
        Path library = folder.resolve("made/libmimalloc-secure.so");
        assertThat(library).exists();
        Path source = folder.resolve("large.c");
        Files.writeString(source, """
                #include <stdio.h>
                #include "mimalloc.h"
                int main(void) {
                  printf("%d\\n", mi_option_get(mi_option_guarded_sample_rate) > 1000);
                  fflush(stdout);
                  printf("%d\\n", mi_malloc((size_t)1 << 62) == 0);
                  return 0;
                }
                """);
        Path binary = folder.resolve("large");
        Command.succeed(folder, List.of("cc", "-I", INCLUDE.toString(), "-o", binary.toString(), source.toString(), library.toString(),
                "-Wl,-rpath," + library.getParent()));
        var result = Command.run(folder, List.of(binary.toString()));
        assertThat(result.status()).as("it aborts without memory: %s", result.output()).isNotZero();
        assertThat(result.output()).startsWith("1\n").contains("unable to allocate memory");
    }
}
