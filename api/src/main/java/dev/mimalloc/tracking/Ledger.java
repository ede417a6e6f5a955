package dev.mimalloc.tracking;

import dev.mimalloc.base.Settings;
import dev.mimalloc.core.malloc.Free;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The blocks that live, and those that were freed last, by address. A freed block stays until {@link #FREED_MAX} others
 * have been freed after it, or until another has its address.
 */
public final class Ledger {
    private static final int FREED_MAX = (int) Math.min(Settings.number("leaks.freed", 10_000), Integer.MAX_VALUE);

    private static final ConcurrentHashMap<Long, TrackedBlock> BLOCKS = new ConcurrentHashMap<>();
    private static final ConcurrentHashMap<Long, Set<TrackedBlock>> BY_HEAP = new ConcurrentHashMap<>();
    private static final ConcurrentLinkedQueue<TrackedBlock> FREED = new ConcurrentLinkedQueue<>();
    private static final AtomicInteger FREED_COUNT = new AtomicInteger();

    private Ledger() {}

    /** Adds a block that nobody else knows yet. If there is no memory for that it is as if nothing had been added. */
    static void add(TrackedBlock block) {
        try {
            if (block.heap != Tracker.MAIN) {
                BY_HEAP.computeIfAbsent(block.heap, _ -> ConcurrentHashMap.newKeySet()).add(block);
            }
            BLOCKS.put(block.address, block);
        } catch (Throwable t) {
            BLOCKS.remove(block.address, block);
            leaveHeap(block);
            throw t;
        }
    }

    /**
     * The live block at an address.
     *
     * @throws IllegalArgumentException if there is none
     */
    static TrackedBlock live(long address) {
        TrackedBlock block = BLOCKS.get(address);
        if (block == null || !block.isLive()) throw Misuse.noBlock(address, block);
        return block;
    }

    /**
     * Ends the life of the block at an address: its memory is now the caller's, to be freed.
     *
     * @throws IllegalArgumentException if there is none
     */
    static TrackedBlock end(long address, CallStack stack) {
        TrackedBlock block = BLOCKS.get(address);
        if (block == null || !block.end(stack)) throw Misuse.noBlock(address, block);
        return block;
    }

    /** Keeps a block that has ended for a while; at once none, if there is no memory. */
    static void bury(TrackedBlock block) {
        leaveHeap(block);
        try {
            FREED.add(block);
        } catch (OutOfMemoryError e) {
            BLOCKS.remove(block.address, block);
            return;
        }
        if (FREED_COUNT.incrementAndGet() <= FREED_MAX) return;
        FREED_COUNT.decrementAndGet();
        TrackedBlock oldest = FREED.poll();
        if (oldest != null) BLOCKS.remove(oldest.address, oldest);
    }

    private static void leaveHeap(TrackedBlock block) {
        if (block.heap == Tracker.MAIN) return;
        Set<TrackedBlock> blocks = BY_HEAP.get(block.heap);
        if (blocks != null) blocks.remove(block);
    }

    /** Ends the lives of a heap's blocks. Returns what was wrong with them, or null. */
    static IllegalStateException endHeap(long heap, CallStack stack) {
        Set<TrackedBlock> blocks = BY_HEAP.remove(heap);
        if (blocks == null) return null;
        IllegalStateException wrong = null;
        for (TrackedBlock block : blocks) {
            if (!block.end(stack)) continue;
            int damaged = block.damagedAt();
            bury(block);
            if (damaged < 0) continue;
            IllegalStateException each = Misuse.pastTheEnd(block, damaged);
            if (wrong == null) wrong = each;
            else wrong.addSuppressed(each);
        }
        return wrong;
    }

    /**
     * The heap ends, its blocks stay. They still have its name, which a later heap may have, too: but only a heap's own
     * blocks are in its set.
     */
    static void forgetHeap(long heap) { BY_HEAP.remove(heap); }

    /** All that are known, the freed ones too. What comes and goes meanwhile may be there or not. */
    public static Collection<TrackedBlock> all() { return BLOCKS.values(); }

    /** The block that an address lies in, preferably a live one; or null. */
    static TrackedBlock containing(long address) {
        TrackedBlock found = null;
        for (TrackedBlock block : BLOCKS.values()) {
            if (!block.contains(address)) continue;
            if (block.isLive()) return block;
            found = block;
        }
        return found;
    }

    /** An aligned block may lie inside of what core calls the block; nobody uses the heap meanwhile. */
    static long addressIn(long start, long size) {
        TrackedBlock first = BLOCKS.get(start);
        if (first != null && first.isLive()) return start;
        for (TrackedBlock block : BLOCKS.values()) {
            long offset = block.address - start;
            if (offset > 0 && offset < size && block.isLive()
                    && Free.usableSize(block.address) + offset == Free.usableSize(start)) return block.address;
        }
        return start;
    }
}
