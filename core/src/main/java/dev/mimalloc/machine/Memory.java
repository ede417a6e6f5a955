package dev.mimalloc.machine;

/**
 * Loads, stores and atomics on raw addresses; the name tells the memory order.
 *
 * <p>Plain accesses are for memory that one thread owns, or that a lock, an atomic access or the end of a thread has
 * handed over. The atomic ones need an address that is a multiple of 8. They follow the memory order modes of {@link
 * java.lang.invoke.VarHandle}, which are those of C11; that a plain load after an acquire sees the plain stores
 * before the matching release holds off-heap as it does for fields, since all ways of access are VarHandles or the
 * intrinsics under them.
 *
 * <p>How memory is reached is chosen once, when this class is initialised ({@link Access#choose}); after that the
 * receiver of every call below is a constant, and the JIT leaves nothing of the choice in the machine code.
 */
public final class Memory {
    /** The bytes of a word, as addresses, links and counters are. */
    public static final long WORD = 8;
    /** The bytes of a cache line. */
    public static final long LINE = 64;

    private static final Access ACCESS = Access.choose();
    private static final long ROOT = Os.map(0, 64 << 10, 64 << 10, Os.COMMIT);

    static {
        ACCESS.warmUp(ROOT);
    }

    private Memory() {}

    /**
     * Whether the system property {@code dev.mimalloc.memory} wants a way to memory that there is not, or that this JVM
     * has closed: then the default has been taken. JVM only.
     */
    public static boolean isWayRefused() {
        String way = System.getProperty(Access.PROPERTY);
        return way != null && !Access.isOpen(way);
    }

    // Plain.
    public static long getLong(long a) { return ACCESS.getLong(a); }
    public static void putLong(long a, long v) { ACCESS.putLong(a, v); }
    /** A word whose lowest byte is the first: only so do shifts tell bytes before an address from those behind it. */
    public static long getLittleEndian(long a) { return ACCESS.getLong(a); } // as all processors with a machine here are
    public static void putLittleEndian(long a, long v) { ACCESS.putLong(a, v); }
    public static int getInt(long a) { return ACCESS.getInt(a); }
    public static void putInt(long a, int v) { ACCESS.putInt(a, v); }
    /** 16 bits, unsigned. */
    public static int getShort(long a) { return ACCESS.getShort(a) & 0xffff; }
    public static void putShort(long a, int v) { ACCESS.putShort(a, (short) v); }
    /** 8 bits, unsigned. */
    public static int getByte(long a) { return ACCESS.getByte(a) & 0xff; }
    public static void putByte(long a, int v) { ACCESS.putByte(a, (byte) v); }

    // What a C program sees as a pointer or a size_t.
    /** How many bytes it has. */
    public static long pointerSize() { return WORD; }
    /** The largest difference of two pointers, and so the largest size. */
    public static long maxSize() { return Long.MAX_VALUE; }
    public static long getPointer(long a) { return ACCESS.getLong(a); }
    public static void putPointer(long a, long v) { ACCESS.putLong(a, v); }

    // Atomic, 64 bits.
    /** Neither torn nor invented, but in no order with other addresses. */
    public static long getRelaxed(long a) { return ACCESS.getRelaxed(a); }
    /**
     * Whether the word has this value, as {@link #getRelaxed}; apart, since compilers make two instructions of a
     * relaxed load and a comparison, and one of a plain load and a comparison.
     */
    public static boolean equalsRelaxed(long a, long v) { return ACCESS.getLong(a) == v; }
    public static void putRelaxed(long a, long v) { ACCESS.putRelaxed(a, v); }
    public static long getAcquire(long a) { return ACCESS.getAcquire(a); }
    public static void putRelease(long a, long v) { ACCESS.putRelease(a, v); }
    /** Sequentially consistent. */
    public static long getVolatile(long a) { return ACCESS.getVolatile(a); }
    /** Sequentially consistent; fails only when the value was another. */
    public static boolean compareAndSet(long a, long expected, long v) { return ACCESS.compareAndSet(a, expected, v); }
    /** Acquire and release; may fail for no reason, so it belongs in a loop. */
    public static boolean weakCompareAndSet(long a, long expected, long v) {
        return ACCESS.weakCompareAndSet(a, expected, v);
    }
    /** Sequentially consistent, as the three below; all return the old value. */
    public static long exchange(long a, long v) { return ACCESS.exchange(a, v); }
    public static long fetchAdd(long a, long v) { return ACCESS.fetchAdd(a, v); }
    public static long fetchAnd(long a, long v) { return ACCESS.fetchAnd(a, v); }
    public static long fetchOr(long a, long v) { return ACCESS.fetchOr(a, v); }

    // Ranges; plain.
    /** Copies {@code size} bytes between ranges that do not overlap. */
    public static void copy(long from, long to, long size) { ACCESS.copy(from, to, size); }
    /** Sets {@code size} bytes to the lowest byte of {@code value}. */
    public static void fill(long a, long size, int value) { ACCESS.fill(a, size, (byte) value); }

    /** Zeroes {@code words} times 8 bytes, at least 8, at an address that is a multiple of 8. */
    public static void zero(long a, long words) { ACCESS.zero(a, words); }

    /** 64 KiB of zeroed memory, aligned to 64 bytes, always the same: where all global state hangs. */
    public static long root() { return ROOT; }

    // Advice to the compiler; the JIT has its profile.
    /**
     * Says that {@code a} is the address of a struct, a multiple of 8, and returns it. On the JVM the accesses to its
     * fields become cheaper; worth it for a struct that a fast path touches more than once.
     */
    public static long address(long a) { return ACCESS.address(a); }
    public static boolean likely(boolean condition) { return condition; }
    public static boolean unlikely(boolean condition) { return condition; }

    /** Tells the processor that the caller spins. */
    public static void pause() { Thread.onSpinWait(); }
}
