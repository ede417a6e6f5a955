package dev.mimalloc.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Blocks as memory segments. JVM only; it is here so that no other module needs to be given native access.
 */
public final class Segments {
    private Segments() {}

    /** A block's first {@code size} bytes, which any thread may use for ever. */
    public static MemorySegment of(long block, long size) { return MemorySegment.ofAddress(block).reinterpret(size); }

    /**
     * A block's first {@code size} bytes, with the lifetime and the confinement of an arena.
     *
     * @throws IllegalStateException if the arena has been closed
     * @throws WrongThreadException if the arena belongs to another thread
     */
    public static MemorySegment of(long block, long size, Arena arena) {
        return MemorySegment.ofAddress(block).reinterpret(size, arena, null);
    }

    /** Has an arena do something when its lifetime ends; the action must not keep the arena alive. */
    public static void whenClosed(Arena arena, Runnable action) {
        MemorySegment.NULL.reinterpret(0, arena, ended -> action.run());
    }
}
