package dev.mimalloc.translate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/** One C file out of several: what a file includes by quotes is put in its place, but for the public headers. */
final class Amalgamation {
    private static final Pattern INCLUDE = Pattern.compile("\\s*#\\s*include \"(.+)\"");

    private final Path root;
    private final Set<Path> done = new HashSet<>();
    private final StringBuilder text = new StringBuilder();

    Amalgamation(Path root) { this.root = root; }

    String text() { return text.toString(); }

    /** Appends a file; {@code core.c} and {@code wrappers.c} in it stand for what is generated. */
    void include(Path file, String core, String wrappers) throws IOException {
        if (!done.add(file)) return;
        for (String line : Files.readAllLines(file)) {
            var include = INCLUDE.matcher(line);
            if (line.equals("#pragma once")) continue;
            if (!include.matches()) text.append(line).append('\n');
            else if (include.group(1).equals("core.c")) text.append(core);
            else if (include.group(1).equals("wrappers.c")) text.append(wrappers);
            else if (Files.exists(root.resolve("include").resolve(include.group(1)))) text.append(line).append('\n');
            else include(root.resolve(include.group(1)), core, wrappers);
        }
    }
}
