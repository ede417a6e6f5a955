package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The native library in each of its forms, which {@code ./mimalloc build} makes, linked with C and C++ programs. */
class ProgramsTest {
    private static final Path PROGRAMS = Path.of("src/test/programs").toAbsolutePath();
    private static final Path BUILD = Path.of("../build").toAbsolutePath().normalize();
    private static final Path SHARED = BUILD.resolve("lib/libmimalloc.so");
    private static final String CC = Optional.ofNullable(System.getenv("CC")).orElse("cc");
    private static final String CXX = Optional.ofNullable(System.getenv("CXX")).orElse("c++");

    @TempDir
    private Path folder;

    @BeforeAll
    static void isBuilt() { assertThat(SHARED).as("./mimalloc build makes it").exists(); }

    @ParameterizedTest
    @ValueSource(strings = {"names.c", "cpp.cpp", "threads.c", "forks.c", "interface.c"})
    void linkedShared(String program) throws Exception {
        Path binary = compile(program, "-L" + BUILD.resolve("lib"), "-lmimalloc", "-Wl,-rpath," + BUILD.resolve("lib"));
        expectOk(run(List.of(binary.toString())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"names.c", "cpp.cpp", "threads.c", "forks.c", "interface.c"})
    void linkedStatically(String program) throws Exception {
        Path binary = compile(program, BUILD.resolve("lib/libmimalloc.a").toString());
        expectOk(run(List.of(binary.toString())));
    }

    /** {@code ./mimalloc build --pgo}: compiled once more, by what was counted. */
    @Test
    void guidedByAProfile() throws Exception {
        Path made = folder.resolve("pgo");
        var result = run(List.of(Path.of("../scripts/compile.sh").toAbsolutePath().toString(), BUILD.toString(),
                made.toString(), "--pgo"));
        if (isClang()) {
            assertThat(result.output()).contains("MI_PGO is for gcc");
            return;
        }
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).doesNotContain("warning");
        assertThat(symbols("--defined-only", made.resolve("lib/libmimalloc.so")))
                .isEqualTo(symbols("--defined-only", SHARED));
        assertThat(Files.mismatch(made.resolve("lib/libmimalloc.so"), SHARED)).as("where it differs").isNotNegative();
        for (String program : List.of("names.c", "cpp.cpp", "threads.c", "forks.c", "interface.c")) {
            Path binary = compile(program, made.resolve("lib/libmimalloc.a").toString());
            expectOk(run(List.of(binary.toString())));
        }
    }

    private boolean isClang() throws Exception {
        return run(List.of("sh", "-c", CC + " -dM -E -x c /dev/null")).output().contains("__clang__");
    }

    @Test
    void asOneFileWithoutAnyFlags() throws Exception {
        Path object = folder.resolve("mimalloc.o");
        var result = run(
                List.of(CC, "-O2", "-Wall", "-Wextra", "-Werror", "-c", "-I", BUILD.resolve("include").toString(), "-o",
                        object.toString(), BUILD.resolve("src/mimalloc.c").toString()));
        assertThat(result.status()).as(result.output()).isZero();
        Path binary = compile("interface.c", object.toString());
        expectOk(run(List.of(binary.toString())));
    }

    @Test
    void theHeaderIsAlsoCpp() throws Exception {
        Path binary = compile("interface.c", "-x", "c++", "-std=c++17", PROGRAMS.resolve("interface.c").toString(),
                "-x", "none",
                BUILD.resolve("lib/libmimalloc.a").toString());
        expectOk(run(List.of(binary.toString())));
    }

    /** The library's face: what the headers declare and what it replaces, nothing else; and libc is all it needs. */
    @Test
    void exportsWhatTheHeadersDeclare() throws Exception {
        String headers = "";
        for (String header : List.of("mimalloc.h", "mimalloc-stats.h", "mimalloc-profile.h")) headers += Files.readString(BUILD.resolve("include/" + header));
        String override = Files.readString(Path.of("src/main/c/override.c"));
        var extra = new TreeSet<String>();
        for (String symbol : symbols("--defined-only", SHARED)) {
            boolean declared = headers.matches("(?s).*\\b" + symbol + "\\(.*")
                    || override.matches("(?s).*\\b" + symbol + "\\(.*");
            boolean cpp = symbol.startsWith("_Zn") || symbol.startsWith("_Zd");
            if (!declared && !cpp) extra.add(symbol);
        }
        assertThat(extra).as("exported, but not declared").isEmpty();
        var missing = new TreeSet<String>();
        var exported = symbols("--defined-only", SHARED);
        headers.lines().filter(line -> line.matches("(mi_decl_nodiscard )?mi_decl_export .*"))
                .map(line -> line.replaceAll("\\(.*", "").replaceAll(".*[ *]", ""))
                .filter(name -> !exported.contains(name)).forEach(missing::add);
        assertThat(missing).as("declared, but not exported").isEmpty();
        assertThat(run(List.of("sh", "-c", "readelf -d " + SHARED + " | grep NEEDED")).output().lines().toList())
                .allMatch(line -> line.contains("libc.so") || line.contains("libpthread") || line.contains("ld-linux"));
        assertThat(Files.size(SHARED)).isLessThan(276 << 10);
    }

    private List<String> symbols(String which, Path library) throws Exception {
        return run(List.of("nm", "-D", which, library.toString())).output().lines().map(line -> line.replaceAll(".* ", ""))
                .map(name -> name.replaceAll("@.*", "")).toList();
    }

    private Path compile(String program, String... more) throws Exception {
        Path binary = folder.resolve(program.replaceAll("\\..*", ""));
        boolean cpp = program.endsWith(".cpp") || List.of(more).contains("c++");
        // The compiler knows what malloc is for, and would remove calls that are to be tested.
        var command = new ArrayList<>(List.of(cpp ? CXX : CC, "-O1", "-fno-builtin", "-g", "-Wall", "-pthread", "-I",
                BUILD.resolve("include").toString(),
                "-I", PROGRAMS.toString(), "-o", binary.toString()));
        if (!List.of(more).contains("-x")) command.add(PROGRAMS.resolve(program).toString());
        command.addAll(List.of(more));
        command.addAll(List.of("-ldl"));
        var result = run(command);
        assertThat(result.status()).as(result.output()).isZero();
        return binary;
    }

    private static void expectOk(Command.Result result) {
        assertThat(result.output()).endsWith("ok\n");
        assertThat(result.status()).isZero();
    }

    private Command.Result run(List<String> command) throws IOException, InterruptedException {
        return Command.run(folder, command);
    }
}
