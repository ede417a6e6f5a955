package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter(), errors = new StringWriter();

    @TempDir
    private Path folder;

    private int bench(String... arguments) {
        return new CommandLine(new Main()).setOut(new PrintWriter(out)).setErr(new PrintWriter(errors))
                .execute(arguments);
    }

    @Test
    void measuresAndReports() {
        assertThat(bench("--quick", "--runs", "1", "--only", "workloads/cache|startup", "--output", folder.toString()))
                .as("%s%s", errors, out).isZero();
        assertThat(out.toString()).contains("cache-scratch", "cache-thrash", "geometric mean", "Start of an empty");
        Results results = Results.read(folder, "workloads").orElseThrow();
        assertThat(results.cases()).hasSize(2);
        assertThat(results.samples()).hasSize(2 * results.allocators().size());
        assertThat(folder.resolve("index.html")).isNotEmptyFile();

        String first = out.toString();
        out.getBuffer().setLength(0);
        assertThat(bench("--report", "--output", folder.toString())).isZero();
        assertThat(out.toString()).isEqualTo(first);
    }

    @Test
    void listsWhatThereIs() {
        assertThat(bench("--list", "--output", folder.toString())).isZero();
        assertThat(out.toString()).contains("workloads/larson", "programs/redis", "scaling/live", "latency/latency",
                "allocator mimalloc in Java");
    }

    @Test
    void choosesAmongTheInstalledAllocators() {
        assertThat(bench("--list", "--only", "workloads", "--peers", "system", "--with", "mine=" + Home.library(),
                "--output", folder.toString())).as("%s", errors).isZero();
        assertThat(out.toString().lines().filter(line -> line.startsWith("allocator "))).hasSize(3)
                .anyMatch(line -> line.startsWith("allocator mine"));
        // Programs may be missing, see the bench's own list; no allocator is.
        assertThat(errors.toString().lines().filter(line -> !line.contains("not installed"))).isEmpty();
    }

    @Test
    void refusesToMeasureNothing() {
        assertThat(bench("--only", "^z3", "--output", folder.toString())).isEqualTo(2);
        assertThat(errors.toString()).contains("--only", "^z3", "--list");
    }

    @Test
    void refusesALibraryThatIsNotThere() {
        assertThat(bench("--with", "mine=/nowhere/lib.so", "--output", folder.toString())).isEqualTo(2);
        assertThat(errors.toString()).contains("/nowhere/lib.so");
    }
}
