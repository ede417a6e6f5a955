package dev.mimalloc.tools;

import dev.mimalloc.tools.view.MapCommand;
import dev.mimalloc.tools.view.TopCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands that the launcher does not do itself. */
@Command(name = "mimalloc", mixinStandardHelpOptions = true, subcommands = {Demo.class, MapCommand.class, TopCommand.class})
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Runs one command and returns its exit code. */
    public static int run(String... arguments) {
        return new CommandLine(new Main()).execute(arguments);
    }
}
