package dev.mimalloc.arena;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.base.Refusal;
import dev.mimalloc.machine.Segments;
import dev.mimalloc.machine.ThreadSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * A shared arena, or an automatic one. Its lifetime is that of one of the JDK's; each segment is a block, from the part
 * of the heap that belongs to the thread that asks for it.
 */
public final class SharedArena implements Arena {
    private final Arena lifetime;
    private final boolean zeroed;
    private final List blocks;

    private SharedArena(Arena lifetime, Blocks source, boolean zeroed, boolean automatic) {
        this.lifetime = lifetime;
        this.zeroed = zeroed;
        this.blocks = new List(source, automatic);
        source.enter();
        // The JDK's arena runs its actions when no thread can be in the middle of an access any more, the first one
        // last; and the list does not keep an automatic arena alive.
        try {
            Segments.whenClosed(lifetime, blocks::free);
        } catch (Throwable t) {
            source.leave();
            throw t;
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // its lifetime is closed with it
    public static Arena shared(Blocks source, boolean zeroed) {
        return new SharedArena(Arena.ofShared(), source, zeroed, false);
    }

    public static Arena automatic(Blocks source, boolean zeroed) {
        return new SharedArena(Arena.ofAuto(), source, zeroed, true);
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        Refusal.checkSegment(byteSize, byteAlignment);
        if (!lifetime.scope().isAlive()) throw closed();
        return Segments.of(blocks.allocate(byteSize, byteAlignment, zeroed), byteSize, lifetime);
    }

    @Override
    public MemorySegment.Scope scope() { return lifetime.scope(); }

    @Override
    public void close() {
        ThreadSlot.probeStackAround(); // what ends from here on ends whole
        try {
            lifetime.close();
        } catch (OutOfMemoryError e) {
            // The JDK makes a segment for each action, and ours may not have run for want of one. It gets there only
            // when no thread is in the middle of an access any more. If ours has run, nothing is left to free.
            if (!lifetime.scope().isAlive()) blocks.free();
            throw e;
        }
    }

    private static IllegalStateException closed() { return new IllegalStateException("Already closed"); }

    /**
     * The blocks, as a stack to which any thread adds. Who closes takes all of them and leaves {@link #CLOSED}: whoever
     * allocates at that moment adds its block before, and it is freed with the others, or finds the arena closed and
     * frees it itself. One exchange decides, so each block is freed once, and a second close finds nothing.
     */
    private static final class List {
        private static final Node CLOSED = new Node();
        /** Not a VarHandle, as an AtomicReference is inside: not compiled yet, it may want Java heap. */
        private static final AtomicReferenceFieldUpdater<List, Node> HEAD = AtomicReferenceFieldUpdater
                .newUpdater(List.class, Node.class, "head");

        private static final class Node {
            long block;
            long counted; // bytes, in AutomaticMemory
            Node next;

            void free() {
                if (counted != 0) AutomaticMemory.release(counted);
                Mimalloc.free(block);
            }
        }

        private final Blocks source;
        private final boolean automatic;
        private volatile Node head;

        List(Blocks source, boolean automatic) {
            this.source = source;
            this.automatic = automatic;
        }

        /** A block for one more segment. The arena may be closed meanwhile; its heap then waits. */
        long allocate(long size, long alignment, boolean zeroed) {
            int place = source.begin();
            try {
                return allocateOpen(size, alignment, zeroed);
            } finally {
                source.end(place);
            }
        }

        /** The node comes first: nothing can fail once there is a block. */
        private long allocateOpen(long size, long alignment, boolean zeroed) {
            Node node = new Node();
            if (automatic) node.counted = AutomaticMemory.reserve(size);
            try {
                node.block = zeroed ? source.allocateZeroed(size, alignment) : source.allocate(size, alignment);
                if (automatic) node.counted = AutomaticMemory.correct(node.counted, node.block);
            } catch (Throwable t) {
                node.free();
                throw t;
            }
            Node old;
            do {
                old = head;
                if (old == CLOSED) {
                    node.free();
                    throw closed();
                }
                node.next = old;
            } while (!HEAD.compareAndSet(this, old, node));
            return node.block;
        }

        void free() {
            Node node = HEAD.getAndSet(this, CLOSED);
            if (node == CLOSED) return;
            RuntimeException wrong = null;
            for (; node != null; node = node.next) {
                wrong = Blocks.free(node.block, wrong);
                if (node.counted != 0) AutomaticMemory.release(node.counted);
            }
            source.leave();
            if (wrong != null) throw wrong;
        }
    }
}
