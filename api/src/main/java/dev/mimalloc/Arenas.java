package dev.mimalloc;

import dev.mimalloc.arena.Blocks;
import dev.mimalloc.arena.ConfinedArena;
import dev.mimalloc.arena.SharedArena;
import java.lang.foreign.Arena;

/**
 * Makes arenas over blocks of this allocator: where a program says {@code Arena.ofConfined()} it can say
 * {@code Arenas.ofConfined()}. They are {@link Arena}s to the letter, with the JDK's lifetimes: use after close and by
 * the wrong thread throws, a close is refused while a native call uses a segment, and the segments go wherever a
 * segment may go.
 *
 * <pre>{@code
 * try (Arena arena = Arenas.ofConfined()) {
 *     MemorySegment point = arena.allocate(POINT);
 *     ...
 * }
 * }</pre>
 *
 * <p>Segments are zeroed, as the JDK's are. A program that writes to all of a segment anyway saves that with
 * {@link #uninitialized}. {@link #in} takes the memory from a heap, and so gives a part of a program a memory limit or
 * statistics of its own.
 *
 * <pre>{@code
 * private static final Arenas BUFFERS = Arenas.in(heap).uninitialized();
 * ...
 * try (Arena arena = BUFFERS.confined()) { ... }
 * }</pre>
 *
 * <p>All methods may be called by any thread. All arenas throw an {@code OutOfMemoryError} when there is no memory, and
 * keep what they have.
 */
public final class Arenas {
    private static final Arenas ZEROED = new Arenas(Blocks.MAIN, true);

    private final Blocks blocks;
    private final boolean zeroed;

    private Arenas(Blocks blocks, boolean zeroed) {
        this.blocks = blocks;
        this.zeroed = zeroed;
    }

    /**
     * As {@link Arena#ofConfined()}: for the current thread, until it closes the arena.
     *
     * @return an arena, which is open until it is closed
     */
    public static Arena ofConfined() { return new ConfinedArena(Blocks.MAIN, true); }

    /**
     * As {@link Arena#ofShared()}: for all threads, until one of them closes the arena.
     *
     * @return an arena, which is open until it is closed
     */
    public static Arena ofShared() { return SharedArena.shared(Blocks.MAIN, true); }

    /**
     * As {@link Arena#ofAuto()}: for all threads, until the garbage collector finds that neither the arena nor one of
     * its segments can be reached. Nobody knows when that is; to be used where there is no better way. All automatic
     * arenas together may have as much memory as the Java heap, or the system property
     * {@code dev.mimalloc.automatic.max}, in bytes: before they take more, the collector is asked to run.
     *
     * @return an arena, which is open
     */
    public static Arena ofAuto() { return SharedArena.automatic(Blocks.MAIN, true); }

    /**
     * Arenas with zeroed memory of the main heap, which is what the static methods make.
     *
     * @return the arenas of the main heap
     */
    public static Arenas main() { return ZEROED; }

    /**
     * Arenas with zeroed memory of a heap. As long as one of them is open the heap cannot be closed; an automatic one
     * is open until it is collected.
     *
     * @param heap an open heap
     * @return the arenas of the heap
     * @throws IllegalStateException if the heap has been closed
     */
    public static Arenas in(Heap heap) { return heap == Heap.main() ? ZEROED : new Arenas(heap.blocks(), true); }

    /**
     * Such arenas whose segments have arbitrary contents when they are allocated.
     *
     * @return arenas of the same heap
     */
    public Arenas uninitialized() { return new Arenas(blocks, false); }

    /**
     * A confined arena; see {@link #ofConfined}.
     *
     * @return an arena, which is open until it is closed
     * @throws IllegalStateException if the heap has been closed
     */
    public Arena confined() { return new ConfinedArena(blocks, zeroed); }

    /**
     * A shared arena; see {@link #ofShared}.
     *
     * @return an arena, which is open until it is closed
     * @throws IllegalStateException if the heap has been closed
     */
    public Arena shared() { return SharedArena.shared(blocks, zeroed); }

    /**
     * An automatic arena; see {@link #ofAuto}.
     *
     * @return an arena, which is open
     * @throws IllegalStateException if the heap has been closed
     */
    public Arena auto() { return SharedArena.automatic(blocks, zeroed); }
}
