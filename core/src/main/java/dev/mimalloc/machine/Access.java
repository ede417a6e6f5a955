package dev.mimalloc.machine;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A way to reach memory. {@link Memory} says what each method means.
 *
 * <p>The foreign memory API needs no flag and is the default. It checks every access; most of the checks leave nothing
 * in the machine code, but they fill the budget that the JIT has for a method. Where the user has opened another door
 * there are no checks: {@code --add-exports java.base/jdk.internal.misc=dev.mimalloc.core}, or {@code
 * --sun-misc-unsafe-memory-access=allow}, without which the JDK warns of {@code sun.misc.Unsafe}. {@code
 * -Ddev.mimalloc.memory=ffm|internal|sun} chooses one, if it is open. Only the chosen class is ever initialised.
 */
abstract class Access {
    static final String PROPERTY = "dev.mimalloc.memory";
    private static final String SUN_FLAG = "sun.misc.unsafe.memory.access"; // the JDK makes it of its option

    /** Owns what {@link #allocate} has given out. */
    private static final List<ByteBuffer> BUFFERS = new ArrayList<>(); // guarded by itself

    static Access choose() {
        return switch (wanted()) {
            case "internal" -> new InternalAccess();
            case "sun" -> new SunAccess();
            default -> new ForeignAccess();
        };
    }

    private static String wanted() {
        String way = System.getProperty(PROPERTY);
        return way != null && isOpen(way) ? way : best();
    }

    /** Whether there is such a way to memory, and it can be gone in this JVM. */
    static boolean isOpen(String way) {
        return switch (way) {
            case "ffm" -> true;
            case "internal" -> doorIsOpen();
            case "sun" -> hasSun() && !"deny".equals(System.getProperty(SUN_FLAG));
            default -> false;
        };
    }

    /** Zeroed memory of the JDK's that stays as long as this class; before there is an object of it. */
    static long allocate(int size, int alignment) {
        // To load the foreign memory API takes the JVM as long as to start.
        if (Unpinned.stays() && wanted().equals("sun")) return SunAccess.allocate(size, alignment);
        // The JDK clears a buffer by one call, but a segment word by word in Java, at which the JIT sets to work.
        ByteBuffer buffer = ByteBuffer.allocateDirect(size + alignment);
        synchronized (BUFFERS) {
            BUFFERS.add(buffer);
        }
        return MemorySegment.ofBuffer(buffer).address() + alignment - 1 & -alignment;
    }

    private static String best() {
        if (doorIsOpen()) return "internal";
        return sunIsAllowed() ? "sun" : "ffm";
    }

    static boolean sunIsAllowed() { return "allow".equals(System.getProperty(SUN_FLAG)) && hasSun(); }

    /** A run-time image may have been made without the class. */
    private static boolean hasSun() { return ModuleLayer.boot().findModule("jdk.unsupported").isPresent(); }

    static boolean doorIsOpen() {
        return Object.class.getModule().isExported("jdk.internal.misc", Access.class.getModule());
    }

    /** Uses each method once: a first use links code, which should not happen in the middle of an update. */
    final void warmUp(long scratch) {
        putLong(scratch, getLong(scratch));
        putInt(scratch, getInt(scratch));
        putShort(scratch, getShort(scratch));
        putByte(scratch, getByte(scratch));
        putRelaxed(scratch, getRelaxed(scratch));
        putRelease(scratch, getAcquire(scratch));
        exchange(scratch, getVolatile(address(scratch)));
        fetchAdd(scratch, fetchAnd(scratch, fetchOr(scratch, 0)));
        if (compareAndSet(scratch, 0, 0) && weakCompareAndSet(scratch, 0, 0)) fill(scratch, 8, (byte) 0);
        zero(scratch, 1);
        zero(scratch, 9);
        copy(scratch, scratch + 8, 8);
    }

    abstract long address(long a);

    abstract long getLong(long a);
    abstract void putLong(long a, long v);
    abstract int getInt(long a);
    abstract void putInt(long a, int v);
    abstract short getShort(long a);
    abstract void putShort(long a, short v);
    abstract byte getByte(long a);
    abstract void putByte(long a, byte v);

    abstract long getRelaxed(long a);
    abstract void putRelaxed(long a, long v);
    abstract long getAcquire(long a);
    abstract void putRelease(long a, long v);
    abstract long getVolatile(long a);
    abstract boolean compareAndSet(long a, long expected, long v);
    abstract boolean weakCompareAndSet(long a, long expected, long v);
    abstract long exchange(long a, long v);
    abstract long fetchAdd(long a, long v);
    abstract long fetchAnd(long a, long v);
    abstract long fetchOr(long a, long v);

    abstract void zero(long a, long words);

    /** {@link #zero} where a store is one instruction: a short run of these is faster than any call. */
    final void zeroByStores(long a, long words) {
        if (words > 8) {
            fill(a, words << 3, (byte) 0);
            return;
        }
        long at = address(a);
        putLong(at, 0);
        if (words > 1) putLong(at + 8, 0);
        if (words > 2) putLong(at + 16, 0);
        if (words > 3) putLong(at + 24, 0);
        if (words > 4) putLong(at + 32, 0);
        if (words > 5) putLong(at + 40, 0);
        if (words > 6) putLong(at + 48, 0);
        if (words > 7) putLong(at + 56, 0);
    }

    static final long ZEROS_SIZE = 64 << 10;

    /** Zeroes by copying from memory of zeros: that uses the processor's widest registers, to fill does not. */
    final void copyZeros(long zeros, long a, long size) {
        for (; size > ZEROS_SIZE; size -= ZEROS_SIZE, a += ZEROS_SIZE) copy(zeros, a, ZEROS_SIZE);
        copy(zeros, a, size);
    }

    abstract void copy(long from, long to, long size);
    abstract void fill(long a, long size, byte value);
}
