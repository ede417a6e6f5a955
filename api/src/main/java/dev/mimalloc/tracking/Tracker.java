package dev.mimalloc.tracking;

import dev.mimalloc.base.Settings;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.machine.Callers;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.ThreadSlot;
import java.util.List;

/**
 * Takes core's place where blocks are allocated, resized and freed, if {@link dev.mimalloc.Leaks} are to be found: each
 * block gets padding behind it and an entry in the {@link Ledger}. The methods answer as core's do, with 0 for what
 * cannot be had.
 *
 * <p>{@link #ON} never changes, so the JIT leaves nothing of the question in the machine code. Everything else here
 * lies outside of core, before or after a call of it: no lock of core is held, and none of the locks here is held while
 * core is called.
 *
 * <p>Whoever frees a block ends its entry first: one thread does, any other is told of a double free. Then it frees the
 * block, so that the address may come again at once, in a new entry; an old one is only ever removed by identity.
 *
 * <p>Java memory that runs out, or a stack that is full, changes nothing: what is needed is had before the block is
 * allocated or freed, or the block is freed again. To free a block needs next to no Java memory: the stack is left out
 * when there is none for it.
 */
public final class Tracker {
    private static final String HOW = Check.level() >= 1 ? Settings.choice("leaks", "quiet", "off", "false", "0", "", "exit", "true")
            : Settings.choice("leaks", "off", "false", "0", "", "exit", "true", "quiet");

    /** Whether blocks are tracked. */
    public static final boolean ON = !List.of("off", "false", "0").contains(HOW);
    /** Whether what is left is printed in the end. */
    public static final boolean REPORTS = ON && !HOW.equals("quiet");

    /** The main heap, for what is asked of {@link dev.mimalloc.Mimalloc}. */
    public static final long MAIN = 0;

    static {
        if (ON) Callers.tellBy(Tracker::story);
    }

    private Tracker() {}

    /** The stacks of the block that an address lies in, for what core finds wrong with it; or null. */
    private static Throwable story(long address) {
        TrackedBlock block = Ledger.containing(address);
        return block == null ? null : block.isLive() ? block.allocatedHere() : block.freedHere();
    }

    public static long malloc(long heap, long size) { return allocate(heap, size, 1, 0, false); }

    public static long zalloc(long heap, long size) { return allocate(heap, size, 1, 0, true); }

    public static long mallocAligned(long heap, long size, long alignment) {
        return allocate(heap, size, alignment, 0, false);
    }

    public static long zallocAligned(long heap, long size, long alignment) {
        return allocate(heap, size, alignment, 0, true);
    }

    public static long mallocn(long heap, long count, long size) { return malloc(heap, total(count, size)); }

    public static long calloc(long heap, long count, long size, long alignment) {
        return zallocAligned(heap, total(count, size), alignment);
    }

    /** Negative if that is more than there can be. */
    private static long total(long count, long size) { return Math.multiplyHigh(count, size) == 0 ? count * size : -1; }

    public static long allocate(long heap, long size, long alignment, long offset, boolean zero) {
        ThreadSlot.probeStack();
        return allocate(heap, size, alignment, offset, zero, CallStack.capture());
    }

    private static long allocate(long heap, long size, long alignment, long offset, boolean zero, CallStack stack) {
        long padded = size + TrackedBlock.PADDING;
        if (size < 0 || padded < 0) return 0;
        long address = fromCore(heap, padded, alignment, offset, zero);
        if (address == 0) return 0;
        try {
            Ledger.add(new TrackedBlock(address, heap, size, stack));
        } catch (Throwable t) {
            Free.free(address);
            throw t;
        }
        return address;
    }

    private static long fromCore(long heap, long size, long alignment, long offset, boolean zero) {
        if (alignment == 1 && heap == MAIN) return zero ? Allocate.zalloc(size) : Allocate.malloc(size);
        if (alignment == 1) return zero ? Allocate.heapZalloc(heap, size) : Allocate.heapMalloc(heap, size);
        if (heap == MAIN) {
            return zero ? AllocateAligned.zallocAt(size, alignment, offset)
                    : AllocateAligned.mallocAt(size, alignment, offset);
        }
        return zero ? AllocateAligned.heapZallocAt(heap, size, alignment, offset)
                : AllocateAligned.heapMallocAt(heap, size, alignment, offset);
    }

    public static long realloc(long heap, long block, long size) { return resize(heap, block, size, 1, false); }

    public static long rezalloc(long heap, long block, long size) { return resize(heap, block, size, 1, true); }

    public static long reallocn(long heap, long block, long count, long size) {
        return realloc(heap, block, total(count, size));
    }

    public static long recalloc(long heap, long block, long count, long size) {
        return rezalloc(heap, block, total(count, size));
    }

    public static long reallocAligned(long block, long size, long alignment) {
        return resize(MAIN, block, size, alignment, false);
    }

    /** A block that moves is allocated, copied and freed, so that each step may fail and leave all as it was. */
    private static long resize(long heap, long address, long size, long alignment, boolean zero) {
        if (size < 0) return 0;
        if (address == 0) return allocate(heap, size, alignment, 0, zero);
        ThreadSlot.probeStack();
        CallStack stack = CallStack.capture();
        TrackedBlock block = Ledger.live(address);
        int damaged = block.repair();
        if (damaged >= 0) throw Misuse.pastTheEnd(block, damaged);
        if (block.resize(size, alignment, zero, stack)) return address;
        long moved = allocate(heap, size, alignment, 0, zero, stack);
        if (moved == 0) return 0;
        try {
            // This very block: the address may be another's by now.
            if (!block.end(stack)) throw Misuse.noBlock(address, block);
        } catch (Throwable t) {
            free(moved, stack); // somebody else has freed the old one
            throw t;
        }
        Memory.copy(address, moved, Math.min(block.size(), size));
        release(block);
        return moved;
    }

    public static void free(long address) {
        if (address == 0) return;
        ThreadSlot.probeStack();
        free(address, CallStack.captureIfPossible());
    }

    private static void free(long address, CallStack stack) {
        TrackedBlock block = Ledger.end(address, stack);
        int damaged = block.damagedAt();
        if (damaged >= 0) block.tell();
        release(block);
        if (damaged >= 0) throw Misuse.pastTheEnd(block, damaged);
    }

    /** The memory of a block that the caller has ended. */
    private static void release(TrackedBlock block) {
        block.wipe();
        Ledger.bury(block);
        try {
            Free.free(block.address);
        } catch (IllegalArgumentException e) {
            // Core's padding, behind the tracker's, was written to as well: it keeps the block, and has no news.
            if (!block.isTold()) throw e;
        }
    }

    public static long usableSize(long address) { return address == 0 ? 0 : Ledger.live(address).size(); }

    public static boolean expand(long address, long size) { return address != 0 && size <= Ledger.live(address).size(); }

    /** Ends a heap with its blocks; only then says what was wrong with them. */
    public static void destroy(long heap) {
        // What goes wrong in here leaves the heap's memory as it is: some of its blocks may still be looked at.
        IllegalStateException wrong = Ledger.endHeap(heap, CallStack.captureIfPossible());
        Heaps.destroy(heap);
        if (wrong != null) throw wrong;
    }

    /** Ends a heap without its blocks, which are the main heap's from now on. */
    public static void delete(long heap) {
        Ledger.forgetHeap(heap);
        Heaps.delete(heap);
    }

    /** The address that has been given out of the block that core knows at {@code start}. */
    public static long addressIn(long start, long size) { return start == 0 ? 0 : Ledger.addressIn(start, size); }
}
