package dev.mimalloc.bench.jvm.cases;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The same pairs as a C program makes them: a loop in C over the mimalloc library of {@link CMimalloc}. The loop is
 * compiled here, by the C compiler in the environment variable {@code CC} or by {@code cc}.
 */
public final class CLoop {
    private final MethodHandle pairs;
    private final MemorySegment malloc;
    private final MemorySegment free;

    /**
     * Compiles the loop and loads both.
     *
     * @throws IllegalArgumentException if there is no such library
     * @throws IllegalStateException if there is no C compiler
     */
    public CLoop() {
        SymbolLookup mimalloc = CMimalloc.library();
        malloc = Downcalls.symbol(mimalloc, "mi_malloc");
        free = Downcalls.symbol(mimalloc, "mi_free");
        pairs = Linker.nativeLinker().downcallHandle(Downcalls.symbol(compile(), "pairs"),
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    /** So many pairs of that size. */
    void run(long size, long count) {
        try {
            pairs.invokeExact(malloc, free, size, count);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }

    private static SymbolLookup compile() {
        try {
            Path folder = Files.createTempDirectory("mimalloc-bench");
            Path source = folder.resolve("loop.c"), library = folder.resolve("loop.so");
            try (var text = CLoop.class.getResourceAsStream("loop.c")) {
                Files.copy(text, source);
                execute(System.getenv().getOrDefault("CC", "cc"), "-O2", "-shared", "-fPIC", "-o", library.toString(),
                        source.toString());
                return SymbolLookup.libraryLookup(library, Arena.global());
            } finally {
                Files.deleteIfExists(source);
                Files.deleteIfExists(library); // once loaded it needs no name
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void execute(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (process.waitFor() != 0) throw new IllegalStateException(command[0] + ": " + output);
        } catch (IOException e) {
            throw new IllegalStateException("no C compiler: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
