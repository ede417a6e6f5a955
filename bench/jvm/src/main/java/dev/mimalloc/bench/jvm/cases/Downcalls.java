package dev.mimalloc.bench.jvm.cases;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Functions of C libraries as method handles. Addresses are longs, so that a call makes no object. */
final class Downcalls {
    private Downcalls() {}

    /** {@code void *malloc(size_t)}; critical: without the change of the thread's state that other calls pay for. */
    static MethodHandle malloc(SymbolLookup library, String name) {
        return Linker.nativeLinker().downcallHandle(symbol(library, name), FunctionDescriptor.of(JAVA_LONG, JAVA_LONG),
                Linker.Option.critical(false));
    }

    /** {@code void free(void *)}, likewise. */
    static MethodHandle free(SymbolLookup library, String name) {
        return Linker.nativeLinker().downcallHandle(symbol(library, name), FunctionDescriptor.ofVoid(JAVA_LONG),
                Linker.Option.critical(false));
    }

    static MemorySegment symbol(SymbolLookup library, String name) {
        return library.find(name).orElseThrow(() -> new IllegalStateException("the library has no " + name));
    }

    static Error failed(Throwable t) { return t instanceof Error e ? e : new AssertionError(t); }
}
