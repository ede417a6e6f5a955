package dev.mimalloc.tools.profile;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Collapsed stacks: a line for each, its functions from the outermost on, and a value. Flame graphs are drawn of these. */
@Command(name = "collapse", mixinStandardHelpOptions = true, description = "Prints the stacks of a heap profile for flame graphs.")
public final class Collapse implements Callable<Integer> {
    @Option(names = "--value", defaultValue = "inuse_space", paramLabel = "TYPE", description = "inuse_space (default), inuse_objects, alloc_space or alloc_objects")
    private String type;

    @Parameters(paramLabel = "FILE", description = "a profile as MIMALLOC_PROFILE writes it")
    private Path file;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        HeapProfile profile = HeapProfile.read(file);
        PrintWriter out = spec.commandLine().getOut();
        collapsed(profile, profile.indexOf(type)).forEach((stack, value) -> out.println(stack + " " + value));
        out.flush();
        return 0;
    }

    /** The sum of a value by stack, of stacks that have any. */
    static Map<String, Long> collapsed(HeapProfile profile, int index) {
        var all = new TreeMap<String, Long>();
        for (var sample : profile.samples()) {
            long value = sample.values().get(index);
            String stack = sample.stack().reversed().stream().map(frame -> frame.function().replace(';', ':')).collect(Collectors.joining(";"));
            if (value > 0) all.merge(stack, value, Long::sum);
        }
        return all;
    }
}
