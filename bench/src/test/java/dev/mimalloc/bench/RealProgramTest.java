package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.measure.Program;
import dev.mimalloc.tools.measure.Stopwatch.Processors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealProgramTest {
    private static final Allocator SYSTEM = new Allocator(Allocator.SYSTEM, "", "");

    @TempDir
    private Path folder;

    private RealProgram program(String... needs) {
        return new RealProgram(new Program("echo", "prints", Processors.ALL, List.of(needs), List.of(), List.of(),
                List.of("sh", "-c", "echo hello"), Map.of()), folder);
    }

    @Test
    void runsWhatIsInstalled() {
        RealProgram installed = program("sh");
        assertThat(installed.obstacle()).isEmpty();
        installed.prepare();
        assertThat(installed.run(SYSTEM)).containsKeys("seconds", "cpuSeconds", "peakKib");
    }

    @Test
    void saysWhatIsNot() {
        assertThat(program("sh", "no-such-command").obstacle()).isEqualTo("not installed: no-such-command");
    }
}
