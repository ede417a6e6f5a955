package dev.mimalloc.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A way to run a program: under an allocator, which is preloaded, with options in the environment.
 *
 * @param name the column's in the table
 * @param what how a reader of the page gets it
 * @param library where it is; null for the C library's own allocator
 * @param build what CMake must be told to build it; null for a library that is there
 */
record Mode(String name, String what, Path library, List<String> build, Map<String, String> environment) {
    private static final Path PROJECT = Path.of("cmake").toAbsolutePath();
    private static final Path BUILD = Path.of("../build").toAbsolutePath().normalize();

    /** The modes that the table is about. Each has a column; a new one gets it by {@code -Dmimalloc.write=true}. */
    static final List<Mode> OURS = List.of(
            release("release", "`libmimalloc.so` as `./mimalloc build` makes it"),
            built("secure", "`libmimalloc-secure.so`, by CMake's `-DMI_SECURE=ON`", "-DMI_SECURE=ON"),
            release("hardened", "the release library with `MIMALLOC_HARDEN=3`").with("MIMALLOC_HARDEN", "3"),
            release("guarded", "the release library with `MIMALLOC_GUARDED_SAMPLE_RATE=1`: each block is guarded")
                    .with("MIMALLOC_GUARDED_SAMPLE_RATE", "1"),
            built("debug", "`libmimalloc-debug.so`, by CMake's `-DMI_DEBUG=ON`", "-DMI_DEBUG=ON"));

    /** What ours are compared with: not tested, and measured when the table is written and lacks a case of this version's. */
    static final List<Mode> PEERS = List.of(
            peer("C mimalloc", "mimalloc in C, the release library of Debian", BUILD.resolve("peers/mimalloc/libmimalloc.so")),
            peer("glibc", "the C library's own", null));

    private static Mode release(String name, String what) {
        return new Mode(name, what, BUILD.resolve("lib/libmimalloc.so"), null, Map.of());
    }

    private static Mode built(String name, String what, String... options) {
        return new Mode(name, what, Path.of("target/misuse", name).toAbsolutePath(), List.of(options), Map.of());
    }

    private static Mode peer(String name, String what, Path library) { return new Mode(name, what, library, null, Map.of()); }

    /** This mode with one more option in the environment. */
    Mode with(String variable, String value) {
        var more = new TreeMap<>(environment);
        more.put(variable, value);
        return new Mode(name, what, library, build, more);
    }

    boolean isThere() { return library == null || build != null || Files.exists(library); }

    /** Builds it, if that is to be done; the result's library is a file. */
    Mode ready() throws IOException, InterruptedException {
        if (build == null) return this;
        var configure = new ArrayList<>(List.of("cmake", "-S", PROJECT.toString(), "-B", library.toString(),
                "-DMI_BUILD_TESTS=OFF", "-DMI_BUILD_STATIC=OFF", "-DMI_BUILD_OBJECT=OFF"));
        configure.addAll(build);
        Command.succeed(PROJECT, configure);
        Command.succeed(PROJECT, List.of("cmake", "--build", library.toString()));
        try (var files = Files.list(library)) {
            Path file = files.filter(f -> f.getFileName().toString().matches("libmimalloc.*\\.so")).findFirst().orElseThrow();
            return new Mode(name, what, file, null, environment);
        }
    }

    /** The name, and for a peer its version. */
    String column() throws IOException, InterruptedException {
        if (OURS.contains(this)) return name;
        if (library == null) return Command.succeed(PROJECT, List.of("getconf", "GNU_LIBC_VERSION")).strip();
        return name + " " + Files.readString(library.resolveSibling("version")).strip();
    }

    /** Gives a process this allocator, and none of the options that it would inherit. */
    void applyTo(Map<String, String> variables) {
        variables.keySet().removeIf(variable -> variable.matches("(?i)MIMALLOC_.*|MALLOC_.*|GLIBC_TUNABLES|LD_PRELOAD"));
        if (library == null) return;
        variables.put("LD_PRELOAD", library.toString());
        // What is found is also said.
        variables.put("MIMALLOC_SHOW_ERRORS", "1");
        variables.putAll(environment);
    }

    @Override
    public String toString() { return name; }
}
