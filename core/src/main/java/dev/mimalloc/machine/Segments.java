package dev.mimalloc.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Blocks as memory segments. JVM only; it is here so that no other module needs to be given native access.
 */
public final class Segments {
    /**
     * The classes of scopes that cannot be closed; apart, as a program that asks for no segment need not load these.
     */
    private static final class Stays {
        static final Class<?> ALWAYS = Arena.global().scope().getClass();
        static final Class<?> AUTOMATIC = Arena.ofAuto().scope().getClass();
        /** Of an array or of a direct or mapped buffer, which lives as long as it can be reached. */
        static final Class<?> OF_OBJECT = MemorySegment.ofArray(new byte[0]).scope().getClass();

        private Stays() {}
    }

    /** Of empty segments that are a block; never closed. Made when it is first wanted. */
    private static Arena ofEmpty;

    private Segments() {}

    /** A block's first {@code size} bytes, which any thread may use for ever. */
    public static MemorySegment of(long block, long size) {
        return size == 0 ? of(block, 0, ofEmpty()) : MemorySegment.ofAddress(block).reinterpret(size);
    }

    /** No initialiser of a class: one that fails for want of stack or of Java heap fails for ever. */
    private static synchronized Arena ofEmpty() {
        if (ofEmpty == null) ofEmpty = Arena.ofAuto();
        return ofEmpty;
    }

    /**
     * Whether {@link #of(long, long)} made this segment, or another one that it is a slice of. An empty one has a scope
     * of its own: an empty slice at the end of one block has the address of the next, and would be taken for that.
     */
    public static boolean isOfBlock(MemorySegment segment) {
        MemorySegment.Scope scope = segment.scope();
        return segment.byteSize() == 0 ? scope.equals(ofEmpty().scope()) : scope.equals(Arena.global().scope());
    }

    /**
     * A block's first {@code size} bytes, with the lifetime and the confinement of an arena.
     *
     * @throws IllegalStateException if the arena has been closed
     * @throws WrongThreadException if the arena belongs to another thread
     */
    public static MemorySegment of(long block, long size, Arena arena) {
        return MemorySegment.ofAddress(block).reinterpret(size, arena, null);
    }

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
