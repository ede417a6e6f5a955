package dev.mimalloc.machine;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;

/**
 * Plain memory through {@code sun.misc.Unsafe}; it has too few atomics, so those stay with the foreign memory API.
 * The calls go through handles, which the JIT sees through, as a compiler cannot be kept from warning of the class's
 * name.
 */
final class SunAccess extends ForeignAccess {
    private static final MethodHandle GET_LONG = handle("getLong", long.class, long.class);
    private static final MethodHandle PUT_LONG = handle("putLong", void.class, long.class, long.class);
    private static final MethodHandle GET_INT = handle("getInt", int.class, long.class);
    private static final MethodHandle PUT_INT = handle("putInt", void.class, long.class, int.class);
    private static final MethodHandle GET_SHORT = handle("getShort", short.class, long.class);
    private static final MethodHandle PUT_SHORT = handle("putShort", void.class, long.class, short.class);
    private static final MethodHandle GET_BYTE = handle("getByte", byte.class, long.class);
    private static final MethodHandle PUT_BYTE = handle("putByte", void.class, long.class, byte.class);

    private static MethodHandle handle(String name, Class<?> result, Class<?>... arguments) {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field instance = unsafe.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            MethodType type = MethodType.methodType(result, arguments);
            return MethodHandles.publicLookup().findVirtual(unsafe, name, type).bindTo(instance.get(null));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no sun.misc.Unsafe", e);
        }
    }

    @Override
    long getLong(long a) {
        try {
            return (long) GET_LONG.invokeExact(a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    void putLong(long a, long v) {
        try {
            PUT_LONG.invokeExact(a, v);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    int getInt(long a) {
        try {
            return (int) GET_INT.invokeExact(a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    void putInt(long a, int v) {
        try {
            PUT_INT.invokeExact(a, v);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    short getShort(long a) {
        try {
            return (short) GET_SHORT.invokeExact(a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    void putShort(long a, short v) {
        try {
            PUT_SHORT.invokeExact(a, v);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    byte getByte(long a) {
        try {
            return (byte) GET_BYTE.invokeExact(a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    void putByte(long a, byte v) {
        try {
            PUT_BYTE.invokeExact(a, v);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static Error failed(Throwable t) { return t instanceof Error e ? e : new AssertionError(t); }
}
