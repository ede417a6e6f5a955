package dev.mimalloc.machine;

import java.lang.reflect.Field;
import sun.misc.Unsafe;

/**
 * Memory through {@code sun.misc.Unsafe}: an access is one machine instruction, as with the JDK's own. That class
 * has no relaxed accesses: the volatile load and the ordered store, which are stronger, are the same instructions on
 * x86. Nor has it atomic operations on bits, which are made of a compare-and-set here: no fast path has one.
 */
@SuppressWarnings("removal") // the user has allowed it, and it is asked for before it is used
final class SunAccess extends Access {
    private static final Unsafe UNSAFE = unsafe();

    /** Apart, as memory is allocated by this class before there is any. */
    private static final class Zeros {
        static final long START = Os.map(0, ZEROS_SIZE, 4096, Os.COMMIT);

        private Zeros() {}
    }

    private static Unsafe unsafe() {
        try {
            Field instance = Unsafe.class.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            return (Unsafe) instance.get(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no sun.misc.Unsafe", e);
        }
    }

    static long allocate(int size, int alignment) {
        long start = UNSAFE.allocateMemory(size + alignment) + alignment - 1 & -alignment;
        UNSAFE.setMemory(start, size, (byte) 0);
        return start;
    }

    @Override
    long address(long a) { return a; }

    @Override
    long getLong(long a) { return UNSAFE.getLong(a); }
    @Override
    void putLong(long a, long v) { UNSAFE.putLong(a, v); }
    @Override
    int getInt(long a) { return UNSAFE.getInt(a); }
    @Override
    void putInt(long a, int v) { UNSAFE.putInt(a, v); }
    @Override
    short getShort(long a) { return UNSAFE.getShort(a); }
    @Override
    void putShort(long a, short v) { UNSAFE.putShort(a, v); }
    @Override
    byte getByte(long a) { return UNSAFE.getByte(a); }
    @Override
    void putByte(long a, byte v) { UNSAFE.putByte(a, v); }

    @Override
    void zero(long a, long words) { zeroByStores(a, words); }

    @Override
    long getRelaxed(long a) { return UNSAFE.getLongVolatile(null, a); }
    @Override
    void putRelaxed(long a, long v) { UNSAFE.putOrderedLong(null, a, v); }
    @Override
    long getAcquire(long a) { return UNSAFE.getLongVolatile(null, a); }
    @Override
    void putRelease(long a, long v) { UNSAFE.putOrderedLong(null, a, v); }
    @Override
    long getVolatile(long a) { return UNSAFE.getLongVolatile(null, a); }
    @Override
    boolean compareAndSet(long a, long expected, long v) {
        return UNSAFE.compareAndSwapLong(null, a, expected, v);
    }
    @Override
    boolean weakCompareAndSet(long a, long expected, long v) {
        return UNSAFE.compareAndSwapLong(null, a, expected, v);
    }
    @Override
    long exchange(long a, long v) { return UNSAFE.getAndSetLong(null, a, v); }
    @Override
    long fetchAdd(long a, long v) { return UNSAFE.getAndAddLong(null, a, v); }

    @Override
    long fetchAnd(long a, long v) {
        long old;
        do old = UNSAFE.getLongVolatile(null, a);
        while (!UNSAFE.compareAndSwapLong(null, a, old, old & v));
        return old;
    }
    @Override
    long fetchOr(long a, long v) {
        long old;
        do old = UNSAFE.getLongVolatile(null, a);
        while (!UNSAFE.compareAndSwapLong(null, a, old, old | v));
        return old;
    }

    @Override
    void copy(long from, long to, long size) { UNSAFE.copyMemory(from, to, size); }
    @Override
    void fill(long a, long size, byte value) {
        if (value == 0) copyZeros(Zeros.START, a, size);
        else UNSAFE.setMemory(a, size, value);
    }
}
