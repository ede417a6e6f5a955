package dev.mimalloc.lwjgl;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.invoke.MethodType.methodType;
import static org.lwjgl.system.MemoryUtil.NULL;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import org.lwjgl.system.APIUtil;

/**
 * The allocator as native code calls it: the addresses of functions, which stay as long as the process. They are made
 * when the first of them is asked for, that is, by the first library in C that allocates through LWJGL. A thread that
 * native code has made becomes a thread of the JVM with its first call, and ends as one when it ends.
 *
 * <p>An exception that left one of these functions would end the process. So none does, whatever it is.
 */
final class NativeFunctions {
    private static final MimallocAllocator ALLOCATOR = new MimallocAllocator();

    // size_t and pointers are JAVA_LONG: the allocator knows 64-bit systems only, and no MemorySegment is wanted.
    static final long MALLOC = function("malloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    static final long CALLOC = function("calloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final long REALLOC = function("realloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final long ALIGNED_ALLOC = function("aligned_alloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    static final long FREE = function("free", FunctionDescriptor.ofVoid(JAVA_LONG));

    private NativeFunctions() {}

    private static long function(String name, FunctionDescriptor descriptor) {
        try {
            Lookup lookup = MethodHandles.lookup();
            MethodType type = descriptor.toMethodType();
            MethodHandle failed = lookup.findStatic(NativeFunctions.class, "failed",
                    methodType(long.class, String.class, Throwable.class));
            MethodHandle safe = MethodHandles.catchException(lookup.bind(ALLOCATOR, name, type), Throwable.class,
                    failed.bindTo(name).asType(methodType(type.returnType(), Throwable.class)));
            return Linker.nativeLinker().upcallStub(safe, descriptor, Arena.global()).address();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    /** Says what has been thrown, and is what the function returns. */
    static long failed(String function, Throwable thrown) {
        try {
            APIUtil.DEBUG_STREAM.print("[mimalloc] " + function + " called by native code: " + thrown + "\n");
        } catch (Throwable t) {
            // There is no one left to tell, and no memory or stack to do it with.
        }
        return NULL;
    }
}
