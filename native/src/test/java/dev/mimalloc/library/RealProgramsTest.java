package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs of others, those that this machine has, end in each mode as they do with the C library's allocator, and say the same. */
class RealProgramsTest {
    private static final int MINUTES = 5;

    /** Each takes a second or less, and allocates a lot; Python has an allocator of its own unless told otherwise. */
    private static final Map<String, List<String>> PROGRAMS = new TreeMap<>(Map.of(
            "python3", List.of("env", "PYTHONMALLOC=malloc", "python3", "-c", """
                    import json, re, threading
                    words = {str(i): ['x' * (i % 97)] * (i % 13) for i in range(8000)}
                    text = json.dumps(words)
                    found = []
                    threads = [threading.Thread(target=lambda: found.append(len(re.findall('x+', text)))) for i in range(3)]
                    for thread in threads: thread.start()
                    for thread in threads: thread.join()
                    print(len(text), found, json.loads(text) == words)"""),
            "perl", List.of("perl", "-e", """
                    my %h; $h{$_ % 5000} .= "$_," for 1..100000;
                    my @k = sort { $h{$a} cmp $h{$b} } keys %h;
                    print length(join ' ', map { "$_=$h{$_}" } @k), " @k[0..9]\n";"""),
            "sqlite3", List.of("sqlite3", ":memory:", """
                    create table t(k integer primary key, v text);
                    with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
                      insert into t select i, hex(i * 7919 % 30011) || substr('abcdefghijklmnopqrstuvwxyz', 1, i % 26) from n;
                    create index by_v on t(v);
                    select count(*), sum(length(v)), min(v), max(v) from t where v > '3';"""),
            "awk", List.of("awk", "BEGIN { for (i = 0; i < 100000; i++) a[i % 7000] = a[i % 7000] i; for (k in a) n += length(a[k]); print n }"),
            "sort", List.of("sh", "-c", "seq 100000 | sort -k1.2 | uniq | cksum")));

    @TempDir
    private Path folder;

    /** Of guarded blocks fewer than in the table: a mapping for each one takes half a minute. */
    static List<Mode> modes() {
        return Mode.OURS.stream().map(mode -> mode.name().equals("guarded") ? mode.with("MIMALLOC_GUARDED_SAMPLE_RATE", "50") : mode).toList();
    }

    @ParameterizedTest
    @MethodSource("modes")
    void saysTheSame(Mode mode) throws Exception {
        Mode ready = mode.ready();
        Mode plain = Mode.PEERS.stream().filter(peer -> peer.library() == null).findAny().orElseThrow();
        int there = 0;
        for (var program : PROGRAMS.entrySet()) {
            if (!run(plain, List.of("sh", "-c", "command -v " + program.getKey())).startsWith("0: ")) continue;
            there++;
            String expected = run(plain, program.getValue());
            assertThat(expected).as("%s as it is", program.getKey()).startsWith("0: ");
            assertThat(run(ready, program.getValue())).as("%s in mode %s", program.getKey(), mode.name()).isEqualTo(expected);
        }
        assertThat(there).as("programs").isGreaterThanOrEqualTo(2);
    }

    /** How a command ended, and all that it wrote. */
    private String run(Mode mode, List<String> command) throws IOException, InterruptedException {
        File output = File.createTempFile("program", ".txt", folder.toFile());
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output);
        mode.applyTo(builder.environment());
        Process process = builder.start();
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) process.destroyForcibly().waitFor();
        return process.exitValue() + ": " + Files.readString(output.toPath());
    }
}
