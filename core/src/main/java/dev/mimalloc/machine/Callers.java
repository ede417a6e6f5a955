package dev.mimalloc.machine;

import java.nio.charset.StandardCharsets;
import java.util.function.LongFunction;

/**
 * Who has allocated and freed a block, for the report of a misuse in the debug build. In C that are the return addresses
 * of the blocks that were allocated or freed last. On the JVM core's caller knows the Java stacks, which become the cause
 * of the exception.
 */
public final class Callers {
    private static volatile LongFunction<Throwable> stacks = _ -> null;

    private Callers() {}

    /** What tells the story of the block at an address, or null. JVM only. */
    public static void tellBy(LongFunction<Throwable> stacks) { Callers.stacks = stacks; }

    /** The story of the block at an address, or null. JVM only. */
    static Throwable stacksOf(long address) { return stacks.apply(address); }

    /**
     * Writes the return addresses on the calling thread's stack to a buffer, a long for each and the innermost first, and
     * returns how many. It takes no lock and allocates nothing. C only: the JVM's listener has Java's stacks.
     */
    public static int capture(long buffer, int most) { return 0; }

    /**
     * Writes what the loader knows of the call that returns to an address: the function, the file, and the places in these;
     * as zero-terminated text. It may take the loader's lock. C only.
     */
    public static void name(long address, long buffer, long size) { Memory.putByte(buffer, 0); }

    /** An address in the allocator's own code. C only. */
    public static long own() { return 0; }

    /** The calling thread has allocated a block, or frees it. */
    public static void record(long block, long size, boolean freed) {}

    /**
     * Writes a thread's name and number to a buffer, zero-terminated, as Java's stack dumps have them. False in C, where
     * the thread's id is what debuggers call it by.
     */
    public static boolean nameThread(long id, long buffer, long size) {
        byte[] name = ThreadSlot.name(id).getBytes(StandardCharsets.UTF_8);
        int length = (int) Math.min(name.length, size - 1);
        for (int i = 0; i < length; i++) Memory.putByte(buffer + i, name[i]);
        Memory.putByte(buffer + length, 0);
        return true;
    }

    /** Writes what is known of a block to a buffer, as zero-terminated lines, and where the caller is. */
    public static void describe(long block, long buffer, long size) { Memory.putByte(buffer, 0); }
}
