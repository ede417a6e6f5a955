package dev.mimalloc.tools;

import dev.mimalloc.tools.profile.Collapse;
import dev.mimalloc.tools.profile.Leaks;
import dev.mimalloc.tools.view.MapCommand;
import dev.mimalloc.tools.view.TopCommand;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands that the launcher does not do itself. */
@Command(name = "mimalloc", mixinStandardHelpOptions = true, subcommands = {Demo.class, Leaks.class, Collapse.class,
        MapCommand.class, TopCommand.class})
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Runs one command and returns its exit code. */
    public static int run(String... arguments) {
        var line = new CommandLine(new Main());
        line.getSubcommands().get("leaks").setStopAtPositional(true); // what follows is the program's
        line.setExecutionExceptionHandler((thrown, command, _) -> {
            if (!(thrown instanceof IOException)) throw thrown;
            String reason = switch (thrown) {
                case NoSuchFileException _ -> "there is no file ";
                case AccessDeniedException _ -> "may not open ";
                default -> "";
            };
            command.getErr().println("mimalloc: " + reason + thrown.getMessage());
            return 1;
        });
        return line.execute(arguments);
    }
}
