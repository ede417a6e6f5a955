package dev.mimalloc.bench.jvm.cases;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;

/**
 * {@code sun.misc.Unsafe}, which most Java programs with memory of their own have used until now. The handles are
 * constants, so the JIT leaves nothing of them; a compiler cannot be kept from warning of the class's name.
 */
final class Unsafes {
    private static final MethodHandle ALLOCATE = handle("allocateMemory", long.class, long.class);
    private static final MethodHandle FREE = handle("freeMemory", void.class, long.class);
    private static final MethodHandle CLEAN = handle("invokeCleaner", void.class, ByteBuffer.class);

    private Unsafes() {}

    private static MethodHandle handle(String name, Class<?> result, Class<?> argument) {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field instance = unsafe.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            return MethodHandles.publicLookup().findVirtual(unsafe, name, MethodType.methodType(result, argument))
                    .bindTo(instance.get(null));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no sun.misc.Unsafe", e);
        }
    }

    static long allocateMemory(long size) {
        try {
            return (long) ALLOCATE.invokeExact(size);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }

    static void freeMemory(long block) {
        try {
            FREE.invokeExact(block);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }

    /** Frees a direct buffer now, as only this class can. */
    static void invokeCleaner(ByteBuffer buffer) {
        try {
            CLEAN.invokeExact(buffer);
        } catch (Throwable t) {
            throw Downcalls.failed(t);
        }
    }
}
