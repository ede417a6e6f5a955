package dev.mimalloc.tools.view;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Statistics of running processes as they change: in the terminal, or as a page for this machine alone. */
@Command(name = "top", mixinStandardHelpOptions = true, description = "Shows statistics of processes that run with MIMALLOC_LIVE.")
public final class TopCommand implements Callable<Integer> {
    private static final String ROW = "%8s %-16s %10s %10s %10s %10s %7s %7s %11s %11s%n";

    @Parameters(paramLabel = "PID", arity = "1..*", description = "processes")
    private List<Long> processes;

    @Option(names = "--serve", paramLabel = "PORT", arity = "0..1", fallbackValue = "9464", description = "a page at 127.0.0.1:PORT, by default 9464, with /metrics for Prometheus")
    private Integer port;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "0", description = "ends after so many times; 0 for never")
    private int rounds;

    @Spec
    private CommandSpec spec;

    private final Map<Long, Path> files = new HashMap<>();

    /** What is shown of a process: numbers at a time, in nanoseconds. */
    private record Moment(long time, Map<String, Double> values) {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        try {
            for (long pid : processes) files.put(pid, new RunningProcess(pid).liveFile());
            if (port == null) return inTerminal(out);
            try (var server = new LiveServer(port, this::read, this::names)) {
                out.println("http://127.0.0.1:" + server.port() + "/");
                out.flush();
                for (int round = 0; (rounds == 0 || round < rounds) && processes.stream().anyMatch(pid -> new RunningProcess(pid).runs()); round++) {
                    server.keep();
                    Thread.sleep(Duration.ofSeconds(1));
                }
            }
            return 0;
        } catch (RunningProcess.Silent e) {
            spec.commandLine().getErr().println("mimalloc top: " + e.getMessage());
            return 1;
        }
    }

    /** Those that run, and have said something. */
    private Map<Long, LiveStatistics> read() {
        var all = new TreeMap<Long, LiveStatistics>();
        for (long pid : processes) {
            if (!new RunningProcess(pid).runs() || !Files.exists(files.get(pid))) continue;
            try {
                LiveStatistics statistics = LiveStatistics.read(files.get(pid));
                if (statistics != null) all.put(pid, statistics);
            } catch (IOException e) {
                spec.commandLine().getErr().println("mimalloc top: " + e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return all;
    }

    private Map<Long, String> names() {
        var names = new HashMap<Long, String>();
        for (long pid : processes) names.put(pid, new RunningProcess(pid).name());
        return names;
    }

    private int inTerminal(PrintWriter out) throws InterruptedException {
        var before = new HashMap<Long, Moment>();
        boolean moves = Ansi.AUTO.enabled() && rounds != 1;
        for (int round = 0; rounds == 0 || round < rounds; round++) {
            if (round > 0) Thread.sleep(Duration.ofSeconds(1));
            Map<Long, LiveStatistics> now = read();
            if (processes.stream().noneMatch(pid -> new RunningProcess(pid).runs())) break;
            if (moves) out.print("\033[H\033[J");
            out.print(table(now, before));
            out.flush();
        }
        return 0;
    }

    private String table(Map<Long, LiveStatistics> now, Map<Long, Moment> before) {
        var text = new StringBuilder(String.format(Locale.ROOT, ROW, "process", "program", "resident", "committed", "in pages", "live", "pages", "threads", "mallocs/s", "purged/s"));
        var names = names();
        for (long pid : new ArrayList<>(processes)) {
            LiveStatistics statistics = now.get(pid);
            if (statistics == null) {
                text.append(String.format(Locale.ROOT, "%8d %-16s %s%n", pid, names.get(pid), new RunningProcess(pid).runs() ? "has said nothing yet" : "has ended"));
                continue;
            }
            var moment = new Moment(System.nanoTime(), statistics.values());
            Moment last = before.put(pid, moment);
            text.append(String.format(Locale.ROOT, ROW, pid, names.get(pid), bytes(moment, "resident_bytes"), bytes(moment, "committed_bytes"),
                    bytes(moment, "pages_bytes"), bytes(moment, "live_bytes"), count(moment, "pages"), count(moment, "threads"),
                    last == null ? "" : "%,.0f".formatted(rate(moment, last, "mallocs_total")),
                    last == null ? "" : HeapMap.bytes((long) rate(moment, last, "purged_bytes_total"))));
        }
        return text.toString();
    }

    private static String bytes(Moment moment, String name) { return HeapMap.bytes(moment.values.get(name).longValue()); }

    private static String count(Moment moment, String name) { return "%,.0f".formatted(moment.values.get(name)); }

    private static double rate(Moment now, Moment before, String name) {
        return Math.max(0, now.values.get(name) - before.values.get(name)) * 1e9 / Math.max(1, now.time - before.time);
    }
}
