package dev.mimalloc.bench.jvm.cases;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * {@code mi_malloc} and {@code mi_free} of a mimalloc library, by downcalls. The system property {@link #LIBRARY} names
 * the library as {@code dlopen} wants it: a file name that the system finds, or a path.
 */
public final class CMimalloc {
    /** The system property. */
    public static final String LIBRARY = "mimalloc.bench.library";
    /** The library where none is named: Debian's. */
    public static final String USUAL = "libmimalloc.so.2";

    private static final MethodHandle MALLOC = Downcalls.malloc(library(), "mi_malloc");
    private static final MethodHandle FREE = Downcalls.free(library(), "mi_free");

    private CMimalloc() {}

    /**
     * Loads the library, or finds it loaded.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static SymbolLookup library() {
        return SymbolLookup.libraryLookup(System.getProperty(LIBRARY, USUAL), Arena.global());
    }

    static long malloc(long size) {
        try {
            return (long) MALLOC.invokeExact(size);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }

    static void free(long block) {
        try {
            FREE.invokeExact(block);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }
}
