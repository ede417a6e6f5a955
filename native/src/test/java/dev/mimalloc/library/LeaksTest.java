package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process says at its end of the blocks that are live, of a program whose functions leave a known number behind. */
class LeaksTest {
    private static final Pattern HEAD = Pattern.compile("mimalloc: at the end of process (\\d+) there are live (\\d+) bytes in blocks: (\\d+), of so many calls: (\\d+)(.*)");
    private static final Pattern STACK = Pattern.compile(" {2}(\\d+) bytes in blocks: (\\d+), from");
    private static final Pattern FRAME = Pattern.compile(" {4}0x[0-9a-f]+ (\\w+)\\+0x[0-9a-f]+ \\(.*\\+0x[0-9a-f]+\\)");
    private static final Pattern BUILD_ID = Pattern.compile(" {2}/.*/leaks has the build id [0-9a-f]{40}");

    /** What the calls of one function have left. */
    private record Left(long blocks, long bytes) {
        private Left plus(Left other) { return new Left(blocks + other.blocks, bytes + other.bytes); }
    }

    @TempDir
    private Path folder;

    private Path program;

    @BeforeEach
    void compile() throws Exception {
        program = Watched.compile(folder, "g++", "leaks.cpp", "-std=c++17", "-rdynamic", "-Wl,--build-id=sha1");
    }

    private String run(String leaks, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Command.Result result = Command.run(folder, Map.of("LD_PRELOAD", Watched.LIBRARY, "MIMALLOC_LEAKS", leaks), command);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    /**
     * By the first function of the program's that has an exported name: the standard library may be between it and malloc.
     * What a new thread has of the C library's is not the program's.
     */
    private static Map<String, Left> byFunction(List<String> report) {
        var all = new HashMap<String, Left>();
        Left left = null;
        for (String line : report) {
            var stack = STACK.matcher(line);
            var frame = FRAME.matcher(line);
            if (stack.matches()) left = new Left(Long.parseLong(stack.group(2)), Long.parseLong(stack.group(1)));
            if (left != null && line.contains(" pthread_create+")) left = null;
            if (left == null || !frame.matches() || !frame.group(1).matches("leaks_\\w+|frees_\\w+|_ZN4shop.*")) continue;
            all.merge(frame.group(1), left, Left::plus);
            left = null;
        }
        return all;
    }

    @Test
    void allBlocksAreTold() throws Exception {
        List<String> report = run("1").lines().toList();
        var head = HEAD.matcher(report.getFirst());
        assertThat(head.matches()).as(report.getFirst()).isTrue();
        assertThat(head.group(5)).isEmpty();
        Map<String, Left> all = byFunction(report);
        assertThat(all).containsOnlyKeys("leaks_small", "leaks_many_sizes", "leaks_large", "leaks_aligned", "leaks_after_realloc",
                "leaks_cleared", "leaks_from_thread", "_ZN4shop11leak_ordersEv");
        assertThat(all.get("leaks_small")).isEqualTo(new Left(1000, 48_000));
        assertThat(all.get("leaks_many_sizes").blocks).isEqualTo(500);
        assertThat(all.get("leaks_many_sizes").bytes).isBetween(1_002_000L, 1_200_000L); // blocks of sizes that there are
        assertThat(all.get("leaks_large")).isEqualTo(new Left(1, 3 << 20));
        assertThat(all.get("leaks_aligned")).isEqualTo(new Left(10, 81_920));
        assertThat(all.get("leaks_after_realloc")).isEqualTo(new Left(20, 81_920));
        assertThat(all.get("leaks_cleared")).isEqualTo(new Left(1, 1024));
        assertThat(all.get("leaks_from_thread")).isEqualTo(new Left(1, 256));
        assertThat(all.get("_ZN4shop11leak_ordersEv")).isEqualTo(new Left(5, 1120));
        assertThat(report).anyMatch(line -> BUILD_ID.matcher(line).matches());
        // The largest comes first, and all together are what the first line says.
        List<Long> bytes = report.stream().map(STACK::matcher).filter(m -> m.matches()).map(m -> Long.valueOf(m.group(1))).toList();
        assertThat(bytes).isSortedAccordingTo((a, b) -> Long.compare(b, a)).hasSize(Integer.parseInt(head.group(4)));
        assertThat(bytes.stream().mapToLong(b -> b).sum()).isEqualTo(Long.parseLong(head.group(2)));
    }

    @Test
    void aChildTellsOfItsOwn() throws Exception {
        List<String> report = run("1", "fork").lines().toList();
        List<Integer> heads = new ArrayList<>();
        for (int i = 0; i < report.size(); i++) {
            if (HEAD.matcher(report.get(i)).matches()) heads.add(i);
        }
        assertThat(heads).hasSize(2);
        Map<String, Left> child = byFunction(report.subList(0, heads.get(1))), parent = byFunction(report.subList(heads.get(1), report.size()));
        assertThat(child.remove("leaks_of_child")).isEqualTo(new Left(1, 1024));
        assertThat(child).isEqualTo(parent);
    }

    /** 5 standard errors: by chance it is beyond in one of 2 million cases. */
    @Test
    void samplesAreEnough() throws Exception {
        List<String> report = run("4096").lines().toList();
        assertThat(report.getFirst()).endsWith("calls: " + HEAD.matcher(report.getFirst()).results().findFirst().orElseThrow().group(4)
                + ", estimated by samples of one byte in 4096");
        double bytes = byFunction(report).get("leaks_many_sizes").bytes;
        assertThat(bytes).isBetween(1_050_000 - 5 * Math.sqrt(1_050_000.0 * 4096), 1_050_000 + 5 * Math.sqrt(1_050_000.0 * 4096));
        assertThat(run("0")).isEmpty();
    }
}
