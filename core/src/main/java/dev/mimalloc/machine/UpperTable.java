package dev.mimalloc.machine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The page map's upper table: a word for each range of 2^{@link #shift} addresses, 0 at first. Static memory in C; on
 * the JVM an array, since every free reads it, and a load from an array takes a tenth of what a load from memory takes
 * of the JIT's budget for a method.
 */
public final class UpperTable {
    private static final long[] TABLE = new long[1 << addressBits() - shift()];
    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);

    static {
        // A first use links code, which should not happen in the middle of an update.
        compareAndSet(0, getAcquire(0), 0);
    }

    private UpperTable() {}

    /** The bits that a user's address has at most: a constant, 48, or 32 where pointers have 32. */
    public static int addressBits() { return 48; }

    /** The bits of an address that are below the index: a constant, 33, or 29 where pointers have 32 bits. */
    public static int shift() { return 33; }

    /** A plain read: a thread that has a block's address has also got what the thread saw that allocated it. */
    public static long get(long index) { return TABLE[(int) index]; }

    public static long getAcquire(long index) { return (long) ENTRY.getAcquire(TABLE, (int) index); }

    /** Sequentially consistent. */
    public static boolean compareAndSet(long index, long expected, long v) {
        return ENTRY.compareAndSet(TABLE, (int) index, expected, v);
    }
}
