package dev.mimalloc.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.measure.Program;
import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DemoTest {
    private final StringWriter out = new StringWriter(), progress = new StringWriter();

    @TempDir
    private Path folder;

    private int demo(String... arguments) {
        return new CommandLine(new Demo()).setOut(new PrintWriter(out)).setErr(new PrintWriter(progress))
                .execute(arguments);
    }

    @Test
    void comparesAProgram() throws Exception {
        assertThat(demo("--only", "perl", "--rounds", "1", "--output", folder.toString()))
                .as("%s%s", progress, out).isZero();
        assertThat(out.toString()).containsPattern("perl +Perl: .+( +[\\d.]+){6}").contains("geometric mean");
        assertThat(progress.toString()).contains("perl: round 1 of 1, mimalloc", "peak memory");
        assertThat(Files.readAllLines(folder.resolve("results.csv"))).hasSize(3);
        assertThat(Files.readString(folder.resolve("results.json"))).contains("\"peakKib\"");
    }

    @Test
    void refusesAProgramThatItDoesNotKnow() {
        assertThat(demo("--only", "nothing")).isEqualTo(2);
    }

    @Test
    void listsItsPrograms() {
        assertThat(demo("--list")).isZero();
        assertThat(out.toString()).contains("python", "c++", "java");
    }

    @Test
    void aFailureIsARowOfTheTable() {
        var program = new Program("x", "title", Processors.ALL, List.of(), List.of(), List.of(), List.of(), Map.of());
        assertThat(Table.of(List.of(Comparison.failed(program, "100% broken")), 3)).contains("100% broken");
    }
}
