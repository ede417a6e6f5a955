package dev.mimalloc.bench.jvm;

import com.sun.management.OperatingSystemMXBean;
import dev.mimalloc.Mimalloc;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a flight recording, with and without the event for what is live, and a heap profile cost a program that does
 * nothing but allocate and free: a JVM for each turn, in interleaved rounds, and the medians of the process' CPU time for a pair.
 */
public final class RecordingPrice {
    private static final String RECORD = "-XX:StartFlightRecording";
    private static final int LIVE = 1024, WARM_UP = 20_000_000, PAIRS = 60_000_000;

    private RecordingPrice() {}

    /** With a number of rounds; without one it is a turn. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) turn();
        else rounds(Integer.parseInt(arguments[0]));
    }

    private static void rounds(int rounds) throws Exception {
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("no recording", "-Xlog:jfr=off");
        kinds.put("recording, without Live", RECORD + ":+dev.mimalloc.Live#enabled=false");
        kinds.put("recording", RECORD);
        Path file = Files.createTempDirectory("price").resolve("profile");
        kinds.put("profile", "-Ddev.mimalloc.profile=" + file);
        Map<String, List<Double>> times = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (var kind : kinds.entrySet()) {
                times.computeIfAbsent(kind.getKey(), k -> new ArrayList<>()).add(child(kind.getValue()));
            }
        }
        deleteAll(file.getParent());
        double base = median(times.get("no recording"));
        times.forEach((kind, some) -> System.out.printf("%-24s %5.1f ns  %.3f%n", kind, median(some), median(some) / base));
    }

    private static void deleteAll(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) Files.delete(file);
        }
        Files.delete(folder);
    }

    private static double child(String option) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), option,
                "-Xlog:jfr+startup=off", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), RecordingPrice.class.getName()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) throw new IllegalStateException(said);
        return Double.parseDouble(said.lines().toList().getLast());
    }

    private static double median(List<Double> times) {
        List<Double> sorted = times.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    private static void turn() {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long[] blocks = new long[LIVE];
        work(blocks, WARM_UP);
        long start = system.getProcessCpuTime();
        work(blocks, PAIRS);
        System.out.println((double) (system.getProcessCpuTime() - start) / PAIRS);
    }

    /** Frees the oldest block for each new one, whose sizes are from 16 bytes to 4 KiB, most of them small. */
    private static void work(long[] blocks, int pairs) {
        int random = 1;
        for (int i = 0; i < pairs; i++) {
            random = random * 1_664_525 + 1_013_904_223;
            int slot = i % LIVE;
            Mimalloc.free(blocks[slot]);
            blocks[slot] = Mimalloc.malloc(16L + (random >>> 20 >>> (random >>> 16 & 7)));
        }
    }
}
