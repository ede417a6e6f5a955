package dev.mimalloc.machine;

import jdk.internal.misc.Unsafe;

/** Memory through the JDK's own Unsafe: an access is one machine instruction. */
final class InternalAccess extends Access {
    private static final Unsafe UNSAFE = Unsafe.getUnsafe();

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
    long getRelaxed(long a) { return UNSAFE.getLongOpaque(null, a); }
    @Override
    void putRelaxed(long a, long v) { UNSAFE.putLongOpaque(null, a, v); }
    @Override
    long getAcquire(long a) { return UNSAFE.getLongAcquire(null, a); }
    @Override
    void putRelease(long a, long v) { UNSAFE.putLongRelease(null, a, v); }
    @Override
    long getVolatile(long a) { return UNSAFE.getLongVolatile(null, a); }
    @Override
    boolean compareAndSet(long a, long expected, long v) {
        return UNSAFE.compareAndSetLong(null, a, expected, v);
    }
    @Override
    boolean weakCompareAndSet(long a, long expected, long v) {
        return UNSAFE.weakCompareAndSetLong(null, a, expected, v);
    }
    @Override
    long exchange(long a, long v) { return UNSAFE.getAndSetLong(null, a, v); }
    @Override
    long fetchAdd(long a, long v) { return UNSAFE.getAndAddLong(null, a, v); }
    @Override
    long fetchAnd(long a, long v) { return UNSAFE.getAndBitwiseAndLong(null, a, v); }
    @Override
    long fetchOr(long a, long v) { return UNSAFE.getAndBitwiseOrLong(null, a, v); }

    @Override
    void copy(long from, long to, long size) { UNSAFE.copyMemory(from, to, size); }
    @Override
    void fill(long a, long size, byte value) { UNSAFE.setMemory(a, size, value); }
}
