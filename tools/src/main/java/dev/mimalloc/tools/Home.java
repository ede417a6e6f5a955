package dev.mimalloc.tools;

import java.nio.file.Path;
import java.util.regex.Pattern;

/** Where this copy of the project lives; the launcher says so, otherwise it is the current folder. */
public final class Home {
    private static final Pattern STATISTICS = Pattern.compile("^ *committed:? +\\d", Pattern.MULTILINE);

    private Home() {}

    public static Path folder() {
        return Path.of(System.getProperty("mimalloc.home", "")).toAbsolutePath();
    }

    /** The native library: system property {@code mimalloc.library}, or what {@code ./mimalloc build} made. */
    public static Path library() {
        String given = System.getProperty("mimalloc.library");
        return given != null ? Path.of(given).toAbsolutePath() : folder().resolve("build/lib/libmimalloc.so");
    }

    /** Has a run with {@code MIMALLOC_SHOW_STATS=1} printed them? Only a process that the library serves does. */
    public static boolean statistics(String errors) {
        return STATISTICS.matcher(errors).find() && !errors.contains("cannot be preloaded");
    }
}
