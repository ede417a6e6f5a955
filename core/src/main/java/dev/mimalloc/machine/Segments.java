package dev.mimalloc.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Blocks as memory segments. JVM only; it is here so that no other module needs to be given native access.
 */
public final class Segments {
    /** The classes of scopes that cannot be closed; apart, as a program that asks for no segment need not load these. */
    private static final class Stays {
        static final Class<?> ALWAYS = Arena.global().scope().getClass();
        static final Class<?> AUTOMATIC = Arena.ofAuto().scope().getClass();
        /** Of an array or of a direct or mapped buffer, which lives as long as it can be reached. */
        static final Class<?> OF_OBJECT = MemorySegment.ofArray(new byte[0]).scope().getClass();

        private Stays() {}
    }

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

    /** The scope of what {@link #of(long, long)} makes: that of memory which stays, and of nothing else. */
    public static MemorySegment.Scope always() { return Arena.global().scope(); }

    /**
     * Whether a scope ends, if at all, when nobody can reach its memory any more. The JDK says that only by the scope's
     * class: what can be closed has others.
     */
    public static boolean cannotBeClosed(MemorySegment.Scope scope) {
        Class<?> kind = scope.getClass();
        return kind == Stays.ALWAYS || kind == Stays.AUTOMATIC || kind == Stays.OF_OBJECT;
    }

    /** Has an arena do something when its lifetime ends; the action must not keep the arena alive. */
    public static void whenClosed(Arena arena, Runnable action) {
        MemorySegment.NULL.reinterpret(0, arena, ended -> action.run());
    }
}
