package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who packages the library gets the one that {@code ./mimalloc build} makes, which is measured and tested. The packager
 * has what is published: the CMake project with {@code src} and {@code include} beside it.
 */
class OneBuildTest {
    private static final Path PROJECT = Path.of("cmake").toAbsolutePath();
    private static final Path BUILD = Path.of("../build").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void thePackagersLibraryIsTheLaunchers() throws Exception {
        unpack();
        Command.succeed(folder, List.of("cmake", "-B", "out"));
        Command.succeed(folder, List.of("cmake", "--build", "out"));
        Command.succeed(folder, List.of("cmake", "--install", "out", "--prefix", "installed"));

        assertThat(installed("libmimalloc.so.3")).hasSameBinaryContentAs(BUILD.resolve("lib/libmimalloc.so.3"));
        for (String name : List.of("mimalloc.h", "mimalloc-stats.h", "mimalloc-override.h", "mimalloc-new-delete.h")) {
            assertThat(installed(name)).hasSameBinaryContentAs(BUILD.resolve("include").resolve(name));
        }
        assertThat(object(installed("libmimalloc.a"))).hasSameBinaryContentAs(object(BUILD.resolve("lib/libmimalloc.a")));
        assertThat(stripped(installed("mimalloc.o"))).hasSameBinaryContentAs(stripped(BUILD.resolve("lib/mimalloc.o")));
    }

    @Test
    void theUsersFlagsWin() throws Exception {
        unpack();
        var result = Command.run(folder, Map.of("CFLAGS", "-O0 -g3"),
                List.of("cmake", "-B", "out", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"));
        assertThat(result.status()).as(result.output()).isZero();
        String commands = Files.readString(folder.resolve("out/compile_commands.json"));
        assertThat(commands.lastIndexOf("-O0")).isGreaterThan(commands.lastIndexOf("-O2"));
        assertThat(commands.lastIndexOf("-g3")).isGreaterThan(commands.lastIndexOf("-g1")).isPositive();
    }

    private void unpack() throws IOException, InterruptedException {
        assertThat(BUILD.resolve("lib/libmimalloc.so")).as("./mimalloc build makes it").exists();
        Command.succeed(folder, List.of("cp", "-r", PROJECT + "/.", BUILD.resolve("src").toString(),
                BUILD.resolve("include").toString(), "."));
    }

    private Path installed(String name) throws IOException {
        try (var files = Files.walk(folder.resolve("installed"))) {
            return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
        }
    }

    /** What is in a static library, without line numbers, which name folders. */
    private Path object(Path library) throws IOException, InterruptedException {
        Path object = Files.createTempFile(folder, "object", ".o");
        Command.succeed(folder, List.of("sh", "-c", "ar p \"$0\" >\"$1\"", library.toString(), object.toString()));
        return stripped(object);
    }

    private Path stripped(Path object) throws IOException, InterruptedException {
        Path stripped = Files.createTempFile(folder, "stripped", ".o");
        Command.succeed(folder, List.of("strip", "-g", "-o", stripped.toString(), object.toString()));
        return stripped;
    }
}
