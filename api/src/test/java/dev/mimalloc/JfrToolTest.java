package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.leaks.Keeper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the JDK's own tool {@code jfr} shows of a recording, by the commands that the documentation has. */
class JfrToolTest {
    @TempDir
    private static Path directory;

    private static Path recorded;

    /** Two places with 550 and 450 samples or so: that one has none is out of the question. */
    @BeforeAll
    static void record() throws IOException {
        recorded = directory.resolve("run.jfr");
        List<Long> blocks = new ArrayList<>();
        try (Recording recording = new Recording()) {
            recording.enable("dev.mimalloc.Allocation").with("interval", "4 kB").with("rate", "1000000000/s");
            recording.start();
            Keeper.keep(blocks, 20_000, 112);
            Keeper.churn(2000, 1000);
            recording.stop();
            recording.dump(recorded);
        }
        blocks.forEach(Mimalloc::free);
    }

    private static List<String> jfr(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "jfr").toString()));
        command.addAll(List.of(arguments));
        command.add(recorded.toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said.lines().toList();
    }

    @Test
    void theSummaryCountsTheEvents() throws Exception {
        for (String event : List.of("Allocation", "Free", "Live", "Heap")) {
            assertThat(jfr("summary")).as(event).anyMatch(line -> line.matches(" dev\\.mimalloc\\." + event + " +[1-9].*"));
        }
    }

    @Test
    void aViewOfSamplesShowsWhoAllocates() throws Exception {
        assertThat(shown("Allocation")).anyMatch(row -> row.contains("Keeper.keep("))
                .anyMatch(row -> row.contains("Keeper.churn(")).allMatch(row -> row.contains("Keeper."));
        assertThat(shown("Free")).anyMatch(row -> row.contains("Keeper.churn(")).allMatch(row -> row.contains("Keeper."));
    }

    @Test
    void aViewOfWhatIsLiveShowsWhoHasAllocatedIt() throws Exception {
        assertThat(shown("Live")).anyMatch(row -> row.contains("dev.mimalloc.leaks.Keeper.keep:"));
    }

    /** The rows of a table, which has its head above a line. */
    private static List<String> shown(String event) throws Exception {
        List<String> lines = jfr("view", "--width", "250", "dev.mimalloc." + event);
        List<String> rows = lines.stream().dropWhile(line -> !line.startsWith("---")).skip(1).filter(line -> !line.isBlank())
                .toList();
        assertThat(rows).as("%s", lines).isNotEmpty();
        return rows;
    }

    @Test
    void whatIsPrintedBeginsWithTheUser() throws Exception {
        List<String> lines = jfr("print", "--events", "dev.mimalloc.Allocation");
        int traces = 0;
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).equals("  stackTrace = [")) continue;
            assertThat(lines.get(i + 1)).startsWith("    dev.mimalloc.leaks.Keeper.");
            traces++;
        }
        assertThat(traces).isGreaterThan(100);
        assertThat(jfr("print", "--events", "dev.mimalloc.Live"))
                .anyMatch(line -> line.startsWith("  origin = \"dev.mimalloc.leaks.Keeper.keep:"));
    }
}
