package dev.mimalloc.tools.view;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The heap of a process as a picture, and as a page that explains it. */
@Command(name = "map", mixinStandardHelpOptions = true, description = "Draws the heap of a process, or of a dump that one has written.")
public final class MapCommand implements Callable<Integer> {
    @Parameters(paramLabel = "PID|FILE", description = "a process that runs with MIMALLOC_DUMP, or a dump")
    private String source;

    @Option(names = "--output", paramLabel = "NAME", description = "writes NAME.svg and NAME.html (default: heap-PID)")
    private String output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        try {
            boolean runs = source.matches("\\d+");
            var process = runs ? new RunningProcess(Long.parseLong(source)) : null;
            HeapDump dump = runs ? process.dump() : HeapDump.read(Path.of(source));
            var map = new HeapMap(dump, runs ? process.resident() : 0);
            String name = output == null ? "heap-" + dump.process() : output;
            Files.writeString(Path.of(name + ".svg"), map.svg());
            Files.writeString(Path.of(name + ".html"), map.html());
            HeapDump.Parts parts = dump.parts();
            line(out, "live blocks", parts.live(), parts);
            line(out, "free blocks", parts.free(), parts);
            line(out, "page ends", parts.ends(), parts);
            line(out, "waiting", parts.waiting(), parts);
            line(out, "kept", parts.idle(), parts);
            line(out, "meta-data", parts.metadata(), parts);
            line(out, map.resident(), parts.total(), parts);
            if (dump.estimated()) out.println(HeapMap.ESTIMATED);
            out.println(name + ".svg, " + name + ".html");
            return 0;
        } catch (RunningProcess.Silent e) {
            spec.commandLine().getErr().println("mimalloc map: " + e.getMessage());
            return 1;
        }
    }

    private static void line(PrintWriter out, String name, long bytes, HeapDump.Parts parts) {
        out.println(String.format(Locale.ROOT, "%-12s %10s %5.1f %%", name, HeapMap.bytes(bytes), 100.0 * bytes / Math.max(1, parts.total())));
    }
}
