package dev.mimalloc.programs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Small C and C++ programs that meet the library at the edges of a process's life. They are the native module's. */
class ProcessLifeTest {
    private static final Path PROGRAMS = Home.folder().resolve("native/src/test/programs");

    @TempDir
    private Path folder;

    @Test
    void beforeAnythingElseHasRun() throws Exception {
        assertThat(run(compile("early.c"))).isEqualTo("early\n");
    }

    @Test
    void everyNameOfTheSurface() throws Exception {
        assertThat(run(compile("surface.cpp"))).isEqualTo("surface\n");
    }

    @Test
    void hundredsOfThreadsThenThousandsOfShortOnes() throws Exception {
        assertThat(run(compile("threads.c"))).isEqualTo("ring of 400\nshort threads 10000\nok\n");
    }

    @Test
    void noMoreMappingsToBeHad() throws Exception {
        assertThat(run(compile("mappings.c"))).isEqualTo("mappings\n");
    }

    @Test
    void forksAmidThreads() throws Exception {
        assertThat(run(compile("forks.c"))).isEqualTo("forks 150\nok\n");
    }

    @Test
    void exitHandlersAndDestructors() throws Exception {
        String plugin = compile("plugin.c", "-shared", "-fPIC");
        assertThat(run(compile("ends.cpp"), plugin)).isEqualTo("""
                thread-local destructor
                thread key destructor
                thread key destructor
                thread key destructor
                main
                thread-local destructor
                exit handler
                static destructor
                destructor function
                library destructor
                """);
    }

    @Test
    void loadedLate() throws Exception {
        assertThat(new Preloaded(folder, compile("late.c"), Preloaded.LIBRARY.toString()).unloaded().run().output())
                .isEqualTo("late\n");
    }

    private String run(String... command) throws IOException, InterruptedException {
        return new Preloaded(folder, command).run().output();
    }

    private String compile(String source, String... flags) throws IOException, InterruptedException {
        Path program = folder.resolve(source.substring(0, source.indexOf('.')));
        String compilerName = source.endsWith(".c") ? "gcc" : "g++";
        var command = new ArrayList<>(List.of(compilerName, "-O2", "-g", "-fno-builtin", "-Wall", "-D_GNU_SOURCE",
                "-pthread", "-o", program.toString(), PROGRAMS.resolve(source).toString(), "-ldl"));
        command.addAll(List.of(flags));
        var compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String messages = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(messages).isZero();
        return program.toString();
    }
}
