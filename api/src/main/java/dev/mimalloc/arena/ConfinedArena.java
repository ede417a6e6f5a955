package dev.mimalloc.arena;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.base.Refusal;
import dev.mimalloc.core.malloc.Spare;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Segments;
import dev.mimalloc.machine.ThreadSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A confined arena. Its lifetime is that of one of the JDK's; its memory is sliced off chunks: the first is the
 * thread's {@link Spare} block, if it is to be had, and the next are blocks that grow with the arena. So an allocation
 * costs a few instructions, and the end of the arena has few blocks to free.
 *
 * <p>The fields belong to the owner: each method that touches them begins with {@link #checkUse}. A limit handler may
 * come in the middle of an allocation, and allocate in this very arena: so the fields hold at that moment, and are read
 * anew after it. It cannot close the arena then. An action that runs when the lifetime ends finds the arena closed, as
 * with the JDK's; the memory is freed when all of them have run.
 */
public final class ConfinedArena implements Arena {
    private static final long CHUNK_MIN = 512;
    private static final long CHUNK_MAX = 64 << 10;

    private final Arena lifetime = Arena.ofConfined();
    private final Thread owner = Thread.currentThread();
    private final Blocks blocks;
    private final boolean zeroed;
    private final long lender; // of the spare block
    private final long spare; // 0 if it was not to be had
    private boolean closed; // or about to be
    private int allocating; // calls that are waiting for a block, one inside of the other
    private long next; // from here to the limit there is room in the current chunk
    private long limit;
    private long chunk = CHUNK_MIN; // size of the next chunk
    private long first; // the first block, 0 for none
    private long[] more; // the blocks after the first
    private int count;

    public ConfinedArena(Blocks blocks, boolean zeroed) {
        this.blocks = blocks;
        this.zeroed = zeroed;
        blocks.enter(); // either this can fail or what follows
        lender = blocks.lender();
        spare = lender == 0 ? 0 : Spare.borrow(lender);
        next = spare;
        limit = spare == 0 ? 0 : spare + Spare.SIZE;
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        Refusal.checkSegment(byteSize, byteAlignment);
        checkUse();
        long address = slice(byteSize, byteAlignment);
        return Segments.of(address != 0 ? address : allocateSlow(byteSize, byteAlignment), byteSize, lifetime);
    }

    /** The next part of the chunk, of whole words, so that they can be zeroed as such; 0 if there is no room. */
    private long slice(long size, long alignment) {
        long mask = Math.max(alignment, 8) - 1;
        long start = next + mask & ~mask;
        if (limit - start < Math.max(size, 1)) return 0; // nothing has an address of its own, too
        long words = Math.max(size, 1) + 7 >>> 3;
        next = start + (words << 3);
        if (zeroed) Memory.zero(start, words);
        return start;
    }

    /** Begins a new chunk; the first block, and what would take a good part of a chunk, is for this segment alone. */
    private long allocateSlow(long size, long alignment) {
        long length = chunk;
        boolean alone = first == 0 && spare == 0 || size > length / 4 || alignment > length / 4;
        makeRoom();
        allocating++;
        long block;
        try {
            block = alone ? block(size, alignment) : blocks.allocate(length, 8);
        } finally {
            allocating--;
        }
        keep(block);
        if (alone) return block;
        next = block;
        limit = block + length;
        chunk = Math.min(2 * length, CHUNK_MAX);
        return slice(size, alignment);
    }

    /** For one more block: before there is one that could not be kept. */
    private void makeRoom() {
        if (first == 0) return;
        if (more == null) more = new long[8];
        else if (count == more.length) more = Arrays.copyOf(more, 2 * count);
    }

    private void keep(long block) {
        if (first == 0) {
            first = block;
            return;
        }
        try {
            makeRoom(); // what there was may have been taken by a limit handler
        } catch (Throwable t) {
            Mimalloc.free(block);
            throw t;
        }
        more[count++] = block;
    }

    private long block(long size, long alignment) {
        return zeroed ? blocks.allocateZeroed(size, alignment) : blocks.allocate(size, alignment);
    }

    @Override
    public MemorySegment.Scope scope() { return lifetime.scope(); }

    /** The JDK's arena refuses while a segment is in use by a native call: then everything stays as it is. */
    @Override
    public void close() {
        checkUse();
        if (allocating != 0) throw new IllegalStateException("a limit handler cannot close the arena that it is for");
        // That there is stack for what follows is seen first: it would be too late once the lifetime has ended.
        if (first != 0) ThreadSlot.probeStackAround();
        closed = true; // also for the actions that run now
        try {
            lifetime.close();
        } catch (Throwable t) {
            // An action of the user's may have thrown: the lifetime has ended all the same.
            closed = false; // should the stack be too full for the question, then close() can be called again
            if (!lifetime.scope().isAlive()) free();
            throw t;
        }
        free();
    }

    private void free() {
        closed = true;
        if (spare != 0) Spare.putBack(lender, spare);
        RuntimeException wrong = first == 0 ? null : Blocks.free(first, null);
        for (int i = 0; i < count; i++) wrong = Blocks.free(more[i], wrong);
        blocks.leave();
        if (wrong != null) throw wrong;
    }

    private void checkUse() {
        if (Thread.currentThread() != owner) throw new WrongThreadException("Attempted access outside owning thread");
        if (closed) throw new IllegalStateException("Already closed");
    }
}
