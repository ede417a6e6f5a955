package dev.mimalloc.tools.profile;

import dev.mimalloc.tools.Home;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a program, and tells which calls have allocated what it has not freed at its end; and so of its children. */
@Command(name = "leaks", mixinStandardHelpOptions = true, description = "Runs a program and tells what it has not freed.")
public final class Leaks implements Callable<Integer> {
    @Option(names = "--rate", defaultValue = "1", paramLabel = "BYTES", description = "a sample of so many bytes (default: 1, all blocks)")
    private long rate;

    @Option(names = "--most", defaultValue = "50", paramLabel = "N", description = "the most stacks that are shown (default: 50)")
    private int most;

    @Parameters(paramLabel = "PROGRAM", arity = "1..*", description = "the program and its arguments")
    private List<String> program;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Path folder = Files.createTempDirectory("mimalloc-leaks");
        try {
            var command = new ArrayList<>(List.of(Home.folder().resolve("scripts/run.sh").toString(), Home.library().toString(), "--profile=" + folder.resolve("process")));
            command.addAll(program);
            var builder = new ProcessBuilder(command).inheritIO();
            builder.environment().put("MIMALLOC_PROFILE_SAMPLE_RATE", "" + rate);
            builder.environment().put("MIMALLOC_PROFILE_ALLOC_INTERVAL", "0");
            int status = builder.start().onExit().join().exitValue();
            for (Path file : files(folder)) report(file);
            return status;
        } finally {
            for (Path file : files(folder)) Files.delete(file);
            Files.delete(folder);
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (var all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    private void report(Path file) throws IOException {
        if (!file.toString().endsWith(".pb")) return; // of a process that was killed while it wrote
        PrintWriter out = spec.commandLine().getErr();
        HeapProfile profile = HeapProfile.read(file);
        int bytes = profile.indexOf("inuse_space"), blocks = profile.indexOf("inuse_objects");
        var live = profile.samples().stream().filter(sample -> sample.values().get(bytes) > 0)
                .sorted(Comparator.comparing((HeapProfile.Sample sample) -> sample.values().get(bytes)).reversed()).toList();
        out.printf("mimalloc: at the end of process %s there are live %d bytes in blocks: %d, of so many calls: %d%n",
                file.getFileName().toString().replaceAll("process\\.(\\d+)\\..*", "$1"), sum(live, bytes), sum(live, blocks), live.size());
        for (var sample : live.subList(0, Math.min(most, live.size()))) {
            out.printf("  %d bytes in blocks: %d, from%n", sample.values().get(bytes), sample.values().get(blocks));
            for (Frame frame : sample.stack()) out.printf("    %s%n", frame);
        }
        var rest = live.subList(Math.min(most, live.size()), live.size());
        if (!rest.isEmpty()) out.printf("  further calls: %d bytes in blocks: %d%n", sum(rest, bytes), sum(rest, blocks));
        out.flush();
    }

    private static long sum(List<HeapProfile.Sample> samples, int index) {
        return samples.stream().mapToLong(sample -> sample.values().get(index)).sum();
    }
}
