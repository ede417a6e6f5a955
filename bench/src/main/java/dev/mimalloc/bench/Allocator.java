package dev.mimalloc.bench;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An allocator to measure: what the report calls it, the library to preload (empty for the system's own), and its
 * version where one could be found out; and options in a program's environment.
 */
public record Allocator(String name, String library, String version, Map<String, String> environment) {
    /** Results of earlier versions have no environment. */
    public Allocator {
        if (environment == null) environment = Map.of();
    }

    /** Without options. */
    public Allocator(String name, String library, String version) {
        this(name, library, version, Map.of());
    }

    /** The name of the library that this project builds. */
    public static final String OURS = "mimalloc-java";
    /** The name of the C library's malloc. */
    public static final String SYSTEM = "system";

    private static final List<Path> FOLDERS = List.of(Path.of("/usr/lib/x86_64-linux-gnu"),
            Path.of("/usr/lib/aarch64-linux-gnu"), Path.of("/usr/lib64"), Path.of("/usr/lib"),
            Path.of("/usr/local/lib"));

    /** The name of mimalloc in C. */
    static final String MIMALLOC = "mimalloc";

    /** The names of those that are looked for, in the order of the report. */
    static final List<String> PEERS = List.of(MIMALLOC, "jemalloc", "tcmalloc", "tbbmalloc");

    private static final Map<String, List<String>> FILES = Map.of("jemalloc", List.of("libjemalloc.so.2"), "tcmalloc",
            List.of("libtcmalloc_minimal.so.4", "libtcmalloc.so.4"), "tbbmalloc", List.of("libtbbmalloc_proxy.so.2"),
            MIMALLOC, List.of("libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so"));

    /**
     * Ours, the user's own, and those that are installed or the system's and match, in the order of the report.
     *
     * @param wanted matches a name somewhere
     */
    public static List<Allocator> all(Map<String, Path> given, Pattern wanted) {
        var all = new ArrayList<Allocator>();
        all.add(of(OURS, Home.library()));
        given.forEach((name, path) -> all.add(of(name, path)));
        for (String name : PEERS) {
            if (given.containsKey(name) || !wanted.matcher(name).find()) continue;
            var newest = name.equals(MIMALLOC) ? newest(Home.folder().resolve("build/peers/mimalloc"))
                    : Optional.<Allocator>empty();
            newest.or(() -> installed(name)).ifPresent(all::add);
        }
        if (wanted.matcher(SYSTEM).find()) all.add(new Allocator(SYSTEM, "", glibc()));
        return all;
    }

    /** The newest mimalloc in C, if {@code scripts/newest-mimalloc.sh} could unpack it there. */
    static Optional<Allocator> newest(Path folder) {
        Path library = folder.resolve("libmimalloc.so"), version = folder.resolve("version");
        if (!Files.isReadable(library) || !Files.isReadable(version)) return Optional.empty();
        try {
            return Optional.of(new Allocator(MIMALLOC, library.toString(), Files.readString(version).strip()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // An installed mimalloc is not the newest, and says so beside its version: the others are compared with it.
    private static Optional<Allocator> installed(String name) {
        return FOLDERS.stream().flatMap(folder -> FILES.get(name).stream().map(folder::resolve))
                .filter(Files::isReadable).findFirst().map(path -> of(name, path))
                .map(a -> name.equals(MIMALLOC) ? a.ofTheSystem() : a);
    }

    /** This one with a word beside its version that it is the system's own package. */
    Allocator ofTheSystem() { return new Allocator(name, library, (version + " (the system's)").strip()); }

    private static Allocator of(String name, Path library) {
        if (!Files.isReadable(library)) throw new Failed(name + ": there is no " + library);
        return new Allocator(name, library.toAbsolutePath().toString(), name.equals(OURS) ? "" : packaged(library));
    }

    // Debian's name of a version is of no use to a reader beyond its first part.
    private static String packaged(Path library) {
        String owner = output("dpkg-query", "-S", library.toString());
        if (owner.isEmpty()) return "";
        String version = output("dpkg-query", "-W", "-f", "${Version}", owner.split(": ", 2)[0]);
        return version.replaceFirst("^\\d+:", "").replaceFirst("[-+].*", "");
    }

    private static String glibc() {
        return output("getconf", "GNU_LIBC_VERSION");
    }

    private static String output(String... command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(false)
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? text : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Is this some build of mimalloc in C? */
    public boolean isMimallocInC() { return name.startsWith("mimalloc") && !name.startsWith(OURS); }

    /** The name with the version, for a legend. */
    public String title() {
        if (name.equals(OURS)) return "mimalloc in Java";
        if (name.equals(SYSTEM)) return version.isEmpty() ? "system malloc" : version;
        return version.isEmpty() || name.contains(version) ? name : name + " " + version;
    }

    /**
     * What the others are compared with: a mimalloc in C that the user gave, or else the newest, or the installed one, or else the
     * system's malloc.
     */
    public static Allocator baseline(List<Allocator> allocators) {
        return allocators.stream().filter(Allocator::isMimallocInC).findFirst().orElse(allocators.getLast());
    }
}
