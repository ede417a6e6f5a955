package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Heap profiles of programs that know nothing of them, read by the tools that people read them with. */
class ProfileTest {
    private static final int RATE = 16 << 10;
    private static final int RUNS = 20;
    /** A line of pprof: a number, and behind five of them the function. */
    private static final Pattern FLAT = Pattern.compile("(?m)^ *(\\d+)\\w* +\\S+ +\\S+ +\\d+\\w* +\\S+ +(known_\\w+)$");
    /** What the program says: function, blocks, the size of each, blocks that are left. */
    private static final Pattern KNOWN = Pattern.compile("(known_\\w+) (\\d+) (\\d+) (\\d+)");

    @TempDir
    private Path folder;

    private Path program;

    @BeforeEach
    void compile() throws Exception {
        program = Watched.compile(folder, "cc", "known.c", "-fomit-frame-pointer"); // as most programs are
    }

    private String profiled(String name, Map<String, String> environment, List<String> command) throws Exception {
        var all = new HashMap<>(environment);
        all.put("LD_PRELOAD", Watched.LIBRARY);
        all.put("MIMALLOC_PROFILE", folder.resolve(name).toString());
        Command.Result result = Command.run(folder, all, command);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    private List<Path> files(String beginning) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(beginning)).sorted().toList();
        }
    }

    private Map<String, Double> pprof(Path profile, String index) throws Exception {
        String text = Command.succeed(folder, List.of("go", "tool", "pprof", "-top", "-nodefraction=0", "-unit=B",
                "-sample_index=" + index, program.toString(), profile.toString()));
        var values = new HashMap<String, Double>();
        FLAT.matcher(text).results().forEach(m -> values.merge(m.group(2), Double.valueOf(m.group(1)), Double::sum));
        return values;
    }

    /** Of each function the mean of many runs is within 5 standard errors of the truth: by chance it is not in one of 2 million cases. */
    @Test
    void whatIsEstimatedIsRightOnAverage() throws Exception {
        String said = "";
        var live = new HashMap<String, Double>();
        var all = new HashMap<String, Double>();
        for (int run = 0; run < RUNS; run++) {
            said = profiled("run" + run + "-", Map.of("MIMALLOC_PROFILE_SAMPLE_RATE", "" + RATE), List.of(program.toString()));
            Path profile = files("run" + run + "-").getFirst();
            pprof(profile, "inuse_space").forEach((name, bytes) -> live.merge(name, bytes / RUNS, Double::sum));
            pprof(profile, "alloc_objects").forEach((name, objects) -> all.merge(name, objects / RUNS, Double::sum));
        }
        var names = new ArrayList<String>();
        for (var known : KNOWN.matcher(said).results().toList()) {
            String name = known.group(1);
            names.add(name);
            double blocks = Double.parseDouble(known.group(2)), size = Double.parseDouble(known.group(3));
            double left = Double.parseDouble(known.group(4));
            double chance = -Math.expm1(-size / RATE), error = 5 * Math.sqrt((1 - chance) / chance / RUNS);
            // The growing ones have a smaller block before.
            if (!name.equals("known_grown")) assertThat(all.get(name)).as(name).isBetween(blocks - error * Math.sqrt(blocks) - 1, blocks + error * Math.sqrt(blocks) + 1);
            assertThat(live.getOrDefault(name, 0.0)).as(name).isBetween(left * size * 0.97 - error * size * Math.sqrt(left) - 1, left * size * 1.03 + error * size * Math.sqrt(left) + 1);
        }
        assertThat(names).hasSize(6);
    }

    @Test
    void olderToolsReadTheText() throws Exception {
        profiled("text.heap", Map.of("MIMALLOC_PROFILE_SAMPLE_RATE", "" + RATE), List.of(program.toString()));
        String file = files("text.").getFirst().toString();
        assertThat(file).endsWith(".1.heap");
        for (String tool : List.of("google-pprof", "jeprof")) {
            String text = Command.succeed(folder, List.of(tool, "--text", "--show_bytes", program.toString(), file));
            for (String name : List.of("known_small", "known_medium", "known_large", "known_grown", "known_aligned", "main")) {
                assertThat(text).as(tool).contains(" " + name + "\n");
            }
            assertThat(text).as("the allocator's own frames").doesNotContain("Allocate_").doesNotContain("malloc");
        }
    }

    @Test
    void filesAreWrittenAsTold() throws Exception {
        profiled("many", Map.of("MIMALLOC_PROFILE_ALLOC_INTERVAL", "5000000", "MIMALLOC_PROFILE_SAMPLE_RATE", "" + RATE), List.of(program.toString()));
        // 46 MB are allocated; one more at the end.
        assertThat(files("many.")).hasSizeBetween(8, 12);
        profiled("growth", Map.of("MIMALLOC_PROFILE_INUSE_INTERVAL", "10000000", "MIMALLOC_PROFILE_SAMPLE_RATE", "" + RATE), List.of(program.toString()));
        assertThat(files("growth.")).hasSizeBetween(3, 5);
        // A child has its own.
        profiled("fork", Map.of(), List.of("perl", "-e", "fork // die; wait"));
        assertThat(files("fork.")).hasSize(2);
    }

    @Test
    void aSignalHasAFileWritten() throws Exception {
        var builder = new ProcessBuilder(program.toString(), "wait").redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(Map.of("LD_PRELOAD", Watched.LIBRARY, "MIMALLOC_PROFILE", folder.resolve("signal").toString(), "MIMALLOC_PROFILE_SIGNAL", "12"));
        Process process = builder.start();
        try (var output = process.inputReader()) {
            while (!output.readLine().startsWith("known_freed")) {}
            for (int number = 1; number <= 2; number++) {
                Command.succeed(folder, List.of("kill", "-USR2", "" + process.pid()));
                Path file = folder.resolve("signal." + process.pid() + "." + number + ".pb");
                for (long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1); !Files.exists(file) && System.nanoTime() < end;) Thread.sleep(10);
                assertThat(file).exists();
            }
            process.getOutputStream().close();
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
        assertThat(files("signal.")).hasSize(3);
        assertThat(pprof(files("signal.").getFirst(), "alloc_space")).isNotEmpty();
    }

    /** Neither a full disk nor the process' end in the middle leaves a file of a profile's name that is not whole. */
    @Test
    void aFileIsWholeOrNotThere() throws Exception {
        String said = profiled("full", Map.of(), List.of("bash", "-c", "ulimit -f 1; exec \"$0\"", program.toString()));
        assertThat(said).contains("a profile could not be written");
        assertThat(files("full")).isEmpty();
        String killer = folder.resolve("dies.so").toString();
        Command.succeed(Watched.HERE, List.of("cc", "-shared", "-fPIC", "src/test/profile/dies.c", "-o", killer));
        Command.Result result = Command.run(folder, Map.of("LD_PRELOAD", killer + ":" + Watched.LIBRARY, "MIMALLOC_PROFILE", folder.resolve("killed").toString()), List.of(program.toString()));
        assertThat(result.status()).isEqualTo(137);
        assertThat(files("killed")).singleElement().asString().endsWith(".1.pb.part");
    }

    @Test
    void whatCannotBeDoneIsTold() throws Exception {
        assertThat(profiled("nowhere/at/all", Map.of(), List.of(program.toString()))).contains("a profile could not be written");
        // Its own action for the signal stays.
        String said = profiled("taken", Map.of("MIMALLOC_PROFILE_SIGNAL", "10", "MIMALLOC_SHOW_ERRORS", "1"),
                List.of("perl", "-e", "$SIG{USR1} = sub { print qq(mine\\n) }; kill 'USR1', $$;"));
        assertThat(said).contains("mine");
    }
}
