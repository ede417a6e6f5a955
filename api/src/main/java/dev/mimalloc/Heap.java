package dev.mimalloc;

import dev.mimalloc.arena.Blocks;
import dev.mimalloc.base.HeapUsers;
import dev.mimalloc.base.Refusal;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Visit;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Segments;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.tracking.Tracker;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * A heap: memory that is freed all at once, by {@link #close}, in time proportional to its pages and not to its blocks.
 * A block may also be freed on its own, by {@link Mimalloc#free(long)}.
 *
 * <p>Any thread may allocate in it, and free what others have allocated. Sizes, alignments and errors are those of
 * {@link Mimalloc}. A heap that is never closed keeps its memory.
 *
 * <p>As a {@link SegmentAllocator} it gives segments that live as long as the heap, as the JDK's shared arenas do. They
 * are safe whatever other threads do: to use one after the heap was closed throws an {@code IllegalStateException}, and
 * so does each method here. {@link #close} and {@link #delete} wait for calls that are inside of the heap at that
 * moment, and calls that come meanwhile wait for them. Nobody waits for a function of the program's: while one of the
 * heap's calls is inside of a {@link LimitHandler} or a {@link Visitor}, in whatever thread, the heap cannot be ended.
 * This costs 5 to 10 ns for each segment.
 *
 * <p>Addresses are not watched, and cost nothing: whoever ends the heap sees to it that no thread is inside of a method
 * that takes or returns an address ({@code malloc} to {@code recalloc}, those of {@link Local} and {@link
 * Mimalloc#free(long)}) with this heap or one of its blocks, or touches such a block afterwards.
 *
 * <p>To make, use and close a heap takes microseconds, and about ten of them if it gave segments, as the JDK's shared
 * lifetimes end with a handshake of all threads. For what ends with a request {@link Arenas} are a hundred times
 * cheaper, also those {@link Arenas#in in} a heap that stays.
 */
public final class Heap implements SegmentAllocator, AutoCloseable {
    static {
        Boot.ready();
    }

    /** A place for calls of the main heap, which need not be counted. */
    private static final int NOWHERE = -1;

    private static final AtomicLongFieldUpdater<Heap> REFUSALS = AtomicLongFieldUpdater.newUpdater(Heap.class, "refusals");

    private static final AtomicReferenceFieldUpdater<Heap, Arena> SCOPE = AtomicReferenceFieldUpdater
            .newUpdater(Heap.class, Arena.class, "scope");

    private static final Heap MAIN = new Heap(Heaps.main(), 0);

    private long heap; // 0 once the heap has ended
    private long number; // written before anybody else knows the heap, as is the next
    private String name = "";
    private volatile long refusals;
    private final long regionSize; // 0 if it is not in a region
    private final HeapUsers users = new HeapUsers();
    private volatile Arena scope; // of the segments; made with the first one
    private final List<Local> locals = new ArrayList<>(); // of living threads; guarded by this

    private Heap(long heap, long regionSize) {
        this.heap = heap;
        this.regionSize = regionSize;
    }

    /**
     * A new heap. Stands for {@code mi_heap_new}.
     *
     * @return the heap, which is to be closed
     * @throws OutOfMemoryError if there is no memory
     */
    public static Heap create() { return create(0, 0); }

    /**
     * A new heap with a name. The name is for people: it is what {@link #toString}, the flight recorder and JMX show. Any
     * number of heaps may have the same.
     *
     * @param name what the heap is for, in a word or two
     * @return the heap
     * @throws OutOfMemoryError if there is no memory
     */
    public static Heap create(String name) {
        Objects.requireNonNull(name, "name");
        Heap created = create();
        created.name = name;
        KnownHeaps.ALL.add(created);
        KnownHeaps.ALL.changed(created);
        return created;
    }

    /** A new heap that only allocates in one of core's arenas, of {@code size} bytes, or in any for 0. */
    static Heap create(long arena, long size) {
        Heap created = new Heap(0, size); // first: there may be no room for it
        created.heap = Heaps.create(arena);
        if (created.heap == 0) throw new OutOfMemoryError("no memory for a heap");
        created.number = Heaps.number(created.heap);
        return created;
    }

    /**
     * The heap that {@link Mimalloc} allocates in. It cannot be closed. Stands for {@code mi_heap_main}.
     *
     * @return the main heap, always the same object
     */
    public static Heap main() { return MAIN; }

    /**
     * The name that the heap was created with; the main heap's is "main".
     *
     * @return the name, empty if the heap has none
     */
    public String name() { return this == MAIN ? "main" : name; }

    /**
     * The heap's number, which no other heap of the process has or will have: events of the flight recorder name heaps
     * by it. The main heap's is 0. A heap that has ended keeps its number.
     *
     * @return the number
     */
    public long number() { return number; }

    /**
     * How many allocations in this heap have thrown an {@code OutOfMemoryError}, at its limit or for another reason.
     * It may be asked of a heap that has ended.
     *
     * @return the number of refused allocations so far
     */
    public long refusals() { return refusals; }

    /** What is known of the heap; null once it has ended. */
    HeapInfo info() {
        synchronized (this) { // it does not end meanwhile
            long heap = this.heap;
            if (heap == 0) return null;
            return new HeapInfo(number, name(), Limits.limit(heap), Limits.used(heap), refusals);
        }
    }

    @Override
    public String toString() { return "heap " + number + (name().isEmpty() ? "" : " (" + name() + ")"); }

    /**
     * As {@link Mimalloc#malloc}. Stands for {@code mi_heap_malloc}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public long malloc(long size) {
        long block = Tracker.ON ? Tracker.malloc(open(), size) : Allocate.heapMalloc(open(), size);
        if (block == 0) throw refused(Refusal.of(size));
        return block;
    }

    /**
     * As {@link Mimalloc#zalloc}. Stands for {@code mi_heap_zalloc}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public long zalloc(long size) {
        long block = Tracker.ON ? Tracker.zalloc(open(), size) : Allocate.heapZalloc(open(), size);
        if (block == 0) throw refused(Refusal.of(size));
        return block;
    }

    /**
     * As {@link Mimalloc#calloc}. Stands for {@code mi_heap_calloc}.
     *
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, or the product too large
     * @throws OutOfMemoryError if there is no memory
     */
    public long calloc(long count, long size) {
        long heap = open();
        long block = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.calloc(heap, count, size, 1) : Allocate.heapCalloc(heap, count, size);
        if (block == 0) throw refused(Refusal.ofMany(count, size));
        return block;
    }

    /**
     * As {@link Mimalloc#mallocn}. Stands for {@code mi_heap_mallocn}.
     *
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, or the product too large
     * @throws OutOfMemoryError if there is no memory
     */
    public long mallocn(long count, long size) {
        long heap = open();
        long block = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.mallocn(heap, count, size) : Allocate.heapMallocn(heap, count, size);
        if (block == 0) throw refused(Refusal.ofMany(count, size));
        return block;
    }

    /**
     * As {@link Mimalloc#mallocAligned}. Stands for {@code mi_heap_malloc_aligned}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment in bytes, a power of two
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public long mallocAligned(long size, long alignment) {
        long block = Tracker.ON ? Tracker.mallocAligned(open(), size, alignment)
                : AllocateAligned.heapMalloc(open(), size, alignment);
        if (block == 0) throw refused(Refusal.ofAligned(size, alignment));
        return block;
    }

    /**
     * As {@link Mimalloc#zallocAligned}. Stands for {@code mi_heap_zalloc_aligned}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment in bytes, a power of two
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public long zallocAligned(long size, long alignment) {
        long block = Tracker.ON ? Tracker.zallocAligned(open(), size, alignment)
                : AllocateAligned.heapZalloc(open(), size, alignment);
        if (block == 0) throw refused(Refusal.ofAligned(size, alignment));
        return block;
    }

    /**
     * As {@link Mimalloc#realloc}; when the block, of whatever heap, has to move, it moves into this heap. Stands for
     * {@code mi_heap_realloc}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param size the new size in bytes
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public long realloc(long block, long size) {
        long moved = Tracker.ON ? Tracker.realloc(open(), block, size)
                : Reallocate.heapRealloc(open(), block, size);
        if (moved == 0) throw refused(Refusal.of(size));
        return moved;
    }

    /**
     * As {@link #realloc}, with what is added zero; see {@link Mimalloc#rezalloc}. Stands for {@code mi_heap_rezalloc}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param size the new size in bytes
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public long rezalloc(long block, long size) {
        long moved = Tracker.ON ? Tracker.rezalloc(open(), block, size)
                : Reallocate.heapRezalloc(open(), block, size);
        if (moved == 0) throw refused(Refusal.of(size));
        return moved;
    }

    /**
     * As {@link #realloc}, to {@code count} elements of {@code size} bytes. Stands for {@code mi_heap_reallocn}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, the product too large, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public long reallocn(long block, long count, long size) {
        long heap = open();
        long moved = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.reallocn(heap, block, count, size)
                        : Reallocate.heapReallocn(heap, block, count, size);
        if (moved == 0) throw refused(Refusal.ofMany(count, size));
        return moved;
    }

    /**
     * As {@link #rezalloc}, to {@code count} elements of {@code size} bytes. Stands for {@code mi_heap_recalloc}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, the product too large, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public long recalloc(long block, long count, long size) {
        long heap = open();
        long moved = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.recalloc(heap, block, count, size)
                        : Reallocate.heapRecalloc(heap, block, count, size);
        if (moved == 0) throw refused(Refusal.ofMany(count, size));
        return moved;
    }

    /**
     * Allocates a zeroed segment, which may be used by any thread until the heap is closed.
     *
     * @param byteAlignment a power of two
     * @return a segment of {@code byteSize} bytes
     * @throws IllegalArgumentException if the size is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        int place = enter();
        try {
            Refusal.checkSegment(byteSize, byteAlignment);
            return segment(byteSize, byteAlignment);
        } finally {
            leave(place);
        }
    }

    private MemorySegment segment(long byteSize, long byteAlignment) {
        long heap = open();
        long block = Tracker.ON ? Tracker.zallocAligned(heap, byteSize, byteAlignment)
                : byteAlignment <= 8 ? Allocate.heapZalloc(heap, byteSize)
                        : AllocateAligned.heapZalloc(heap, byteSize, byteAlignment);
        if (block == 0) throw refused(Refusal.ofAligned(byteSize, byteAlignment));
        try {
            return this == MAIN ? Segments.of(block, byteSize) : Segments.of(block, byteSize, scope());
        } catch (Throwable t) {
            Mimalloc.free(block);
            throw t;
        }
    }

    /**
     * Sets how much memory the heap may have, in bytes, or 0 for any amount. An allocation that would take more throws
     * an {@code OutOfMemoryError} that says so, unless a {@link LimitHandler} makes room. What the heap has already, it
     * keeps.
     *
     * <p>What counts are the system's pages of 4 KiB that blocks were made from, in use or kept by a thread for its next
     * blocks: a few KiB for blocks of a kind in each thread, and what was asked for, in steps of 4 KiB, for large blocks.
     * Before an allocation is refused, all that can be given back is. The error says how much of it is in blocks.
     *
     * @param bytes the limit in bytes, or 0 for none
     * @throws IllegalArgumentException if it is negative
     */
    public void limit(long bytes) {
        if (bytes < 0) throw Refusal.negative("bytes", bytes);
        ThreadSlot.probeStackAround(); // an error between these two would keep the heap open for ever
        int place = enter();
        try {
            synchronized (users) { // not this: who ends the heap has it, and waits for us
                Limits.setLimit(heap, bytes);
                InstalledLimitHandler.remember(heap, bytes == 0 ? null : this);
            }
            KnownHeaps.ALL.add(this);
        } finally {
            leave(place);
        }
        KnownHeaps.ALL.changed(this);
    }

    /**
     * How much memory the heap may have, in bytes; 0 for any amount.
     *
     * @return bytes, or 0
     */
    public long limit() {
        int place = enter();
        try {
            return Limits.limit(heap);
        } finally {
            leave(place);
        }
    }

    /**
     * How much memory the heap has, in bytes, as {@link #limit(long)} counts it.
     *
     * @return bytes
     */
    public long used() {
        int place = enter();
        try {
            return Limits.used(heap);
        } finally {
            leave(place);
        }
    }

    /** Adds to an error what stands in the heap's way. */
    private OutOfMemoryError refused(OutOfMemoryError error) {
        REFUSALS.incrementAndGet(this);
        long heap = this.heap;
        long limit = heap == 0 ? 0 : Limits.limit(heap);
        String reasons = "";
        if (limit != 0) reasons += "; the heap has " + Refusal.used(Limits.used(heap), limit, Report.live(heap));
        if (regionSize != 0) reasons += "; the region of " + regionSize + " bytes is full";
        return reasons.isEmpty() ? error : new OutOfMemoryError(error.getMessage() + reasons);
    }

    /**
     * Whether an address lies in a block of this heap. Stands for {@code mi_heap_contains}.
     *
     * @param address any address
     * @return whether it does
     */
    public boolean contains(long address) {
        int place = enter();
        try {
            return Heaps.contains(heap, address);
        } finally {
            leave(place);
        }
    }

    /**
     * As {@link Mimalloc#collect}, for this heap. Stands for {@code mi_heap_collect}.
     *
     * @param force also gives the memory back to the system at once, and not after a delay
     */
    public void collect(boolean force) {
        int place = enter();
        try {
            Heaps.collect(heap, force);
        } finally {
            leave(place);
        }
    }

    /**
     * A snapshot of the heap's statistics. Stands for {@code mi_heap_stats_get}.
     *
     * @return the snapshot
     */
    public Statistics statistics() {
        int place = enter();
        try {
            return Statistics.ofHeap(heap);
        } finally {
            leave(place);
        }
    }

    /**
     * Shows each page of the heap and, if asked to, each block that is in use. What is allocated or freed meanwhile, by
     * the visitor or by another thread, may be shown or not; the visitor may free the block that it is shown. In a
     * process hardened at level 3 what other threads freed is shown until it has left their quarantine, some
     * milliseconds after the thread's end at the latest. As long as the visitor is at work the heap cannot be closed.
     * Stands for {@code mi_heap_visit_blocks}.
     *
     * @param blocks whether to show the blocks, too, and not only the pages
     * @param visitor who sees them
     * @return whether the visitor has seen everything
     */
    public boolean visit(boolean blocks, Visitor visitor) {
        Visiting visiting = new Visiting(visitor);
        long handle = Callback.register(visiting);
        boolean complete;
        try {
            int place = enter();
            try {
                complete = Visit.heapBlocks(heap, blocks, handle, 0);
            } finally {
                leave(place);
            }
        } finally {
            Callback.unregister(handle);
        }
        visiting.rethrow();
        return complete;
    }

    /**
     * A handle to this heap for the current thread: to allocate with it is the fastest way, as the thread's part of the
     * heap need not be found. A pair of malloc and free takes 0.6 of the time that it takes without one in a heap other
     * than the main one, and 0.7 to 0.95 in the main heap. Only the thread that has
     * asked for it may use it. Stands for {@code mi_heap_theap}.
     *
     * @return the handle; the same one as long as the thread lives
     */
    public Local local() {
        synchronized (this) {
            long theap = Heaps.theap(open());
            if (this == MAIN || theap == 0) return new Local(this, theap); // the heap's end means nothing to it
            for (Local local : locals) {
                if (local.thread == Thread.currentThread()) return local;
            }
            locals.removeIf(local -> !local.thread.isAlive());
            Local local = new Local(this, theap);
            locals.add(local);
            return local;
        }
    }

    /** The heap ends, for its handles as well; they ask the heap from now on. If it cannot, it stays open. */
    private long end(boolean withSegments) {
        ThreadSlot.probeStackAround(); // an error half-way would leave a heap that is neither open nor closed
        HeapInfo last = KnownHeaps.ALL.isKnown(this) ? info() : null;
        long ended = heap;
        users.close();
        try {
            for (int i = 0; users.areInside(); i++) {
                if (Heaps.isCalledOut(ended) || Callback.isReporting()) throw inUse();
                HeapUsers.pause(i);
            }
            // By a call that is not counted, as it is for an address.
            if (Heaps.isCalledOut(ended)) throw inUse();
            int arenas = users.arenas();
            if (arenas != 0) throw new IllegalStateException("arenas are open in the heap: " + arenas);
            if (withSegments && scope != null && scope.scope().isAlive()) scope.close();
            InstalledLimitHandler.remember(ended, null);
        } catch (Throwable t) {
            if (scope != null && !scope.scope().isAlive()) scope = null; // segments to come have another one
            users.reopen();
            throw t;
        }
        users.end();
        heap = 0;
        if (last != null) KnownHeaps.ALL.remove(this, last);
        for (int i = 0; i < locals.size(); i++) locals.get(i).owner = null;
        locals.clear();
        return ended;
    }

    private static IllegalStateException inUse() {
        return new IllegalStateException("the heap is in use by a call that is inside of a function of the program,"
                + " such as a limit handler or a visitor");
    }

    /**
     * Ends the heap and frees all its blocks at once. Calls of other threads for a segment are waited for. When the heap
     * has ended already nothing happens. Stands for {@code mi_heap_destroy}.
     *
     * @throws IllegalStateException if one of its segments is in use at this moment, an arena is open in it, or one of
     *         its calls is inside of a function of the program's, in this thread or in another; the heap stays open
     * @throws UnsupportedOperationException if this is the main heap
     */
    @Override
    public void close() {
        synchronized (this) {
            if (heap == 0) return;
            refuseMain("closed");
            long ended = end(true);
            if (Tracker.ON) Tracker.destroy(ended);
            else Heaps.destroy(ended);
        }
    }

    /**
     * Ends the heap, but not its blocks: they belong to the main heap now. Its segments can be used for ever; to free
     * one, its address is given to {@link Mimalloc#free(long)}, and its use after that is not detected. Calls of other
     * threads for a segment are waited for. Stands for {@code mi_heap_delete}.
     *
     * @throws IllegalStateException if an arena is open in it, one of its calls is inside of a function of the
     *         program's, or it has ended already; in the first two cases it stays open
     * @throws UnsupportedOperationException if this is the main heap
     */
    public void delete() {
        synchronized (this) {
            open();
            refuseMain("deleted");
            long ended = end(false);
            if (Tracker.ON) Tracker.delete(ended);
            else Heaps.delete(ended);
        }
    }

    private void refuseMain(String what) {
        if (this == MAIN) throw new UnsupportedOperationException("the main heap cannot be " + what);
    }

    /**
     * From here to {@link #leave} the heap does not end.
     *
     * @throws IllegalStateException if it has ended
     */
    private int enter() { return this == MAIN ? NOWHERE : users.enter(); }

    private void leave(int place) {
        if (place != NOWHERE) users.leave(place);
    }

    /** For arenas in this heap, which has not ended. */
    Blocks blocks() {
        open();
        return new Blocks(this, users);
    }

    private long open() {
        long heap = this.heap;
        if (heap == 0) throw new IllegalStateException("the heap has been closed");
        return heap;
    }

    @SuppressWarnings("MustBeClosedChecker") // it is closed with the heap
    private Arena scope() {
        Arena scope = this.scope;
        if (scope != null) return scope;
        // Without a lock: who ends the heap has it, and waits for us.
        Arena made = Arena.ofShared();
        if (!SCOPE.compareAndSet(this, null, made)) made.close();
        return this.scope;
    }

    /**
     * A page, or a block of memory of its own.
     *
     * @param start the address of the first block
     * @param reserved bytes that there are for blocks
     * @param committed bytes that blocks have been made of so far
     * @param used blocks that are in use
     * @param blockSize bytes of each block
     */
    public record Area(long start, long reserved, long committed, long used, long blockSize) {
        private static Area at(long area) {
            return new Area(Memory.getLong(area), Memory.getLong(area + 8), Memory.getLong(area + 16),
                    Memory.getLong(area + 24), Memory.getLong(area + 32));
        }
    }

    /** Looks at a heap. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Sees a page, or a block in it. What it throws goes to who called {@link Heap#visit}.
         *
         * @param area the page
         * @param block the address of a block, or 0 for the page itself, which comes first
         * @param size of the block in bytes
         * @return whether to go on
         */
        boolean visit(Area area, long block, long size);
    }

    /** Keeps a visitor's exception out of core, which is in the middle of something. */
    private static final class Visiting implements Callback.BlockVisitor {
        private final Visitor visitor;
        private Area area;
        private Throwable thrown;

        Visiting(Visitor visitor) { this.visitor = visitor; }

        @Override
        public boolean visit(long heap, long address, long block, long size, long arg) {
            try {
                if (block == 0) area = Area.at(address);
                return visitor.visit(area, Tracker.ON ? Tracker.addressIn(block, size) : block, size);
            } catch (Throwable t) {
                thrown = t;
                return false;
            }
        }

        void rethrow() {
            if (thrown != null) throw Visiting.<RuntimeException>asIs(thrown);
        }

        /** What the compiler need not know: other languages throw checked exceptions anywhere. */
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private static <T extends Throwable> T asIs(Throwable thrown) throws T { throw (T) thrown; }
    }

    /** A heap for one thread; see {@link Heap#local}. Errors are those of {@link Heap}. */
    public static final class Local {
        private final Heap heap;
        private final long theap;
        private final Thread thread = Thread.currentThread();
        private Thread owner; // of the theap: null in a virtual thread, which has none, when the heap has ended, and
                              // when blocks are tracked: then the heap is asked

        private Local(Heap heap, long theap) {
            this.heap = heap;
            this.theap = theap;
            this.owner = theap == 0 || Tracker.ON ? null : thread;
        }

        /**
         * As {@link Heap#malloc}. Stands for {@code mi_theap_malloc}.
         *
         * @param size how many bytes are wanted; 0 gives a block, too
         * @return the address of at least {@code size} bytes
         * @throws WrongThreadException if the current thread is not the one that the handle was made for
         */
        public long malloc(long size) {
            if (Thread.currentThread() != owner) return checkedHeap().malloc(size);
            long block = Allocate.theapMalloc(theap, size);
            if (block == 0) throw heap.refused(Refusal.of(size));
            return block;
        }

        /**
         * As {@link Heap#zalloc}. Stands for {@code mi_theap_zalloc}.
         *
         * @param size how many bytes are wanted; 0 gives a block, too
         * @return the address of at least {@code size} bytes
         * @throws WrongThreadException if the current thread is not the one that the handle was made for
         */
        public long zalloc(long size) {
            if (Thread.currentThread() != owner) return checkedHeap().zalloc(size);
            long block = Allocate.theapZalloc(theap, size);
            if (block == 0) throw heap.refused(Refusal.of(size));
            return block;
        }

        private Heap checkedHeap() {
            if (Thread.currentThread() != thread) throw new WrongThreadException("a handle of " + thread);
            return heap;
        }
    }
}
