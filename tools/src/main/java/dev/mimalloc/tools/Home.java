package dev.mimalloc.tools;

import java.nio.file.Path;

/** Where this copy of the project lives; the launcher says so, otherwise it is the current folder. */
public final class Home {
    private Home() {}

    public static Path folder() {
        return Path.of(System.getProperty("mimalloc.home", "")).toAbsolutePath();
    }

    /** The native library: system property {@code mimalloc.library}, or what {@code ./mimalloc build} made. */
    public static Path library() {
        String given = System.getProperty("mimalloc.library");
        return given != null ? Path.of(given).toAbsolutePath() : folder().resolve("build/lib/libmimalloc.so");
    }
}
