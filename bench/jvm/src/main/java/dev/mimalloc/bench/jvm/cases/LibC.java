package dev.mimalloc.bench.jvm.cases;

import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** malloc and free of the C library, by downcalls. */
final class LibC {
    private static final MethodHandle MALLOC = Downcalls.malloc(Linker.nativeLinker().defaultLookup(), "malloc");
    private static final MethodHandle FREE = Downcalls.free(Linker.nativeLinker().defaultLookup(), "free");

    private LibC() {}

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
