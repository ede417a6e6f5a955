package dev.mimalloc.bench.jvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The program, run as users do, with times so short that the figures mean nothing. */
class MainTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        var command = new CommandLine(new Main()).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = command.execute(arguments);
        command.getOut().flush();
        command.getErr().flush();
        return code;
    }

    @Test
    void listsItsRows() {
        assertThat(run("--list", "--rows", "all", "--include", "^pair of 16, handle$")).isZero();
        assertThat(out.toString().lines()).hasSize(2).allMatch(line -> line.startsWith("pair of 16, handle"));
    }

    @Test
    void refusesWhatItCannotDo() {
        assertThat(run("--rounds", "0")).isEqualTo(2);
        assertThat(run("--rows", "some")).isEqualTo(2);
        assertThat(run("latency", "--threads", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--rounds: at least 1", "goals, all", "--threads");
    }

    @Test
    void measuresInTurnsAndKeepsEachValue() throws Exception {
        Path json = folder.resolve("results.json");
        int code = run("--quick", "--rounds", "2", "--iterations", "2", "--time", "5", "--warm-up", "5", "--include",
                "^pair of 16$", "--json", json.toString());

        assertThat(code).isZero();
        assertThat(err.toString().lines()).extracting(line -> line.replaceAll(".*: ", ""))
                .containsExactly("Pairs.mimalloc {size=16}", "Pairs.unsafe {size=16}", "Pairs.mimalloc {size=16}",
                        "Pairs.unsafe {size=16}");
        assertThat(out.toString()).contains("pair of 16 ", "Unsafe", "0.30");
        JsonNode results = new JsonMapper().readTree(Files.readString(json));
        JsonNode row = results.get("rows").get(0);
        assertThat(row.get("ratio").get("median").asDouble()).isPositive();
        assertThat(row.get("goal").asDouble()).isEqualTo(0.30);
        JsonNode samples = results.get("measurements").get(1).get("samples");
        assertThat(samples).hasSize(2);
        assertThat(samples.get(0).get("wall")).hasSize(2).allMatch(value -> value.asDouble() > 0);
        assertThat(samples.get(1).get("cpu")).hasSize(2).allMatch(value -> value.asDouble() > 0);
    }

    /** A library that is not there costs its own rows alone. */
    @Test
    void saysWhatIsMissing() {
        int code = run("--quick", "--rounds", "1", "--iterations", "1", "--time", "5", "--warm-up", "5", "--include",
                "^pair of 16, handle$", "--library", "libnone.so");

        assertThat(code).isZero();
        assertThat(out.toString().lines().filter(line -> line.startsWith("pair of 16, handle"))).hasSize(2)
                .satisfiesExactly(unsafe -> assertThat(unsafe).contains("Unsafe"),
                        loop -> assertThat(loop).contains("skipped").contains("libnone.so"));
    }

    @Test
    void showsLatencies() throws Exception {
        Path json = folder.resolve("latency.json");
        int code = run("latency", "--rounds", "2", "--time", "50", "--threads", "2", "--purge-delays", "default,0",
                "--allocators", "mimalloc,nothing", "--json", json.toString());

        assertThat(code).isZero();
        JsonNode results = new JsonMapper().readTree(Files.readString(json)).get("results");
        assertThat(results).hasSize(6);
        for (JsonNode result : results) {
            var histogram = Load.decode(result.get("histogram").asString());
            assertThat(histogram.getTotalCount()).isPositive().isEqualTo(result.get("count").asLong());
            long most = result.get("percentiles").get("max").asLong();
            assertThat(histogram.getMaxValue()).isEqualTo(most);
            assertThat(result.get("byRound")).hasSize(2)
                    .anySatisfy(round -> assertThat(round.get("max").asLong()).isEqualTo(most))
                    .allSatisfy(round -> assertThat(round.get("50.0").asLong()).isBetween(0L, most));
        }
    }
}
