package dev.mimalloc.tests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has of the machine's memory. */
final class Memory {
    /** Resident bytes that are not those of a file. */
    static long resident() { return status("RssAnon:"); }

    private static long status(String field) {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            String line = lines.filter(l -> l.startsWith(field)).findAny().orElseThrow();
            return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Memory() {}
}
