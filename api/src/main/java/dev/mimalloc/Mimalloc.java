package dev.mimalloc;

import dev.mimalloc.base.Refusal;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.face.ProcessLife;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Segments;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.tracking.Tracker;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The allocator's functions. Sizes and alignments are in bytes, an address is a {@code long}, 0 is no address. All of
 * them may be called by any thread, platform or virtual; a block may be freed or resized by any thread, as long as no
 * other uses it at that moment.
 *
 * <p>A block of 16 bytes or more is aligned to 16, a smaller one to 8. A size of 0 gives a block with an address of its
 * own. Where a size or a count is negative, where their product is more than a {@code long} holds, where an alignment
 * is no power of two, or where an address lies in no page of blocks, there is an {@code IllegalArgumentException};
 * where the system has no memory, or a limit forbids to take it, an {@code OutOfMemoryError}. In both cases nothing has
 * changed: a block that could not be resized is as it was.
 *
 * <p>An address that lies among blocks is believed: to free a block twice is not noticed as long as there are others in
 * its page, and may break whatever is there. {@link Leaks} finds such mistakes.
 */
public final class Mimalloc {
    static {
        Boot.ready();
    }

    private Mimalloc() {}

    /**
     * Allocates a block; its contents are arbitrary. Stands for {@code mi_malloc}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if the size is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public static long malloc(long size) {
        long block = Tracker.ON ? Tracker.malloc(Tracker.MAIN, size) : Allocate.malloc(size);
        if (block == 0) throw Refusal.of(size);
        return block;
    }

    /**
     * As {@link #malloc}, with all bytes zero. Stands for {@code mi_zalloc}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public static long zalloc(long size) {
        long block = Tracker.ON ? Tracker.zalloc(Tracker.MAIN, size) : Allocate.zalloc(size);
        if (block == 0) throw Refusal.of(size);
        return block;
    }

    /**
     * Allocates zeroed memory for {@code count} elements of {@code size} bytes. Stands for {@code mi_calloc}.
     *
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if one of them is negative, or the product is more than a {@code long} holds
     * @throws OutOfMemoryError if there is no memory
     */
    public static long calloc(long count, long size) {
        long block = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.calloc(Tracker.MAIN, count, size, 1) : Allocate.calloc(count, size);
        if (block == 0) throw Refusal.ofMany(count, size);
        return block;
    }

    /**
     * As {@link #calloc}, with arbitrary contents. Stands for {@code mi_mallocn}.
     *
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, or the product too large
     * @throws OutOfMemoryError if there is no memory
     */
    public static long mallocn(long count, long size) {
        long block = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.mallocn(Tracker.MAIN, count, size) : Allocate.mallocn(count, size);
        if (block == 0) throw Refusal.ofMany(count, size);
        return block;
    }

    /**
     * Allocates a block at a multiple of {@code alignment}; its contents are arbitrary. Stands for
     * {@code mi_malloc_aligned}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment a power of two
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if the size is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public static long mallocAligned(long size, long alignment) {
        long block = Tracker.ON ? Tracker.mallocAligned(Tracker.MAIN, size, alignment)
                : AllocateAligned.malloc(size, alignment);
        if (block == 0) throw Refusal.ofAligned(size, alignment);
        return block;
    }

    /**
     * As {@link #mallocAligned}, with all bytes zero. Stands for {@code mi_zalloc_aligned}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment in bytes, a power of two
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public static long zallocAligned(long size, long alignment) {
        long block = Tracker.ON ? Tracker.zallocAligned(Tracker.MAIN, size, alignment)
                : AllocateAligned.zalloc(size, alignment);
        if (block == 0) throw Refusal.ofAligned(size, alignment);
        return block;
    }

    /**
     * Allocates zeroed memory for {@code count} elements of {@code size} bytes, at a multiple of {@code alignment}.
     * Stands for {@code mi_calloc_aligned}.
     *
     * @param count how many elements
     * @param size bytes of each element
     * @param alignment in bytes, a power of two
     * @return the address of the first element
     * @throws IllegalArgumentException as {@link #calloc} and {@link #mallocAligned}
     * @throws OutOfMemoryError if there is no memory
     */
    public static long callocAligned(long count, long size, long alignment) {
        long block = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.calloc(Tracker.MAIN, count, size, alignment)
                        : AllocateAligned.calloc(count, size, alignment);
        if (block == 0) throw Refusal.ofMany(count, size, alignment);
        return block;
    }

    /**
     * Allocates a block such that {@code address + offset} is a multiple of {@code alignment}. Stands for
     * {@code mi_malloc_aligned_at}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment in bytes, a power of two
     * @param offset in bytes from the address to the place that is aligned; not negative
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if the size or the offset is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public static long mallocAlignedAt(long size, long alignment, long offset) {
        if (offset < 0) throw Refusal.negative("offset", offset);
        long block = Tracker.ON ? Tracker.allocate(Tracker.MAIN, size, alignment, offset, false)
                : AllocateAligned.mallocAt(size, alignment, offset);
        if (block == 0) throw Refusal.ofAligned(size, alignment);
        return block;
    }

    /**
     * As {@link #mallocAlignedAt}, with all bytes zero. Stands for {@code mi_zalloc_aligned_at}.
     *
     * @param size how many bytes are wanted; 0 gives a block, too
     * @param alignment in bytes, a power of two
     * @param offset in bytes from the address to the place that is aligned; not negative
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public static long zallocAlignedAt(long size, long alignment, long offset) {
        if (offset < 0) throw Refusal.negative("offset", offset);
        long block = Tracker.ON ? Tracker.allocate(Tracker.MAIN, size, alignment, offset, true)
                : AllocateAligned.zallocAt(size, alignment, offset);
        if (block == 0) throw Refusal.ofAligned(size, alignment);
        return block;
    }

    /**
     * Changes a block's size, keeping what fits of its contents; the rest is arbitrary. The block may move, and the old
     * address is no block any more. Stands for {@code mi_realloc}.
     *
     * @param block the address of a block; 0 makes this {@link #malloc}
     * @param size the new size in bytes
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if the size is negative, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public static long realloc(long block, long size) {
        long moved = Tracker.ON ? Tracker.realloc(Tracker.MAIN, block, size) : Reallocate.realloc(block, size);
        if (moved == 0) throw Refusal.of(size);
        return moved;
    }

    /**
     * As {@link #realloc}, with what is added zero: for blocks that have been zeroed when they were allocated, and
     * resized only by this. What one call cuts off and a later one adds again may have the old contents: a block does not
     * know that it was to be smaller. Stands for {@code mi_rezalloc}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param size the new size in bytes
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException if a number is negative, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public static long rezalloc(long block, long size) {
        long moved = Tracker.ON ? Tracker.rezalloc(Tracker.MAIN, block, size) : Reallocate.rezalloc(block, size);
        if (moved == 0) throw Refusal.of(size);
        return moved;
    }

    /**
     * As {@link #realloc}, to {@code count} elements of {@code size} bytes. Stands for {@code mi_reallocn}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, the product too large, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public static long reallocn(long block, long count, long size) {
        long moved = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.reallocn(Tracker.MAIN, block, count, size)
                        : Reallocate.reallocn(block, count, size);
        if (moved == 0) throw Refusal.ofMany(count, size);
        return moved;
    }

    /**
     * As {@link #rezalloc}, to {@code count} elements of {@code size} bytes. Stands for {@code mi_recalloc}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param count how many elements
     * @param size bytes of each element
     * @return the address of the first element
     * @throws IllegalArgumentException if a number is negative, the product too large, or this is no block
     * @throws OutOfMemoryError if there is no memory; the block is as it was
     */
    public static long recalloc(long block, long count, long size) {
        long moved = (count | size) < 0 ? 0
                : Tracker.ON ? Tracker.recalloc(Tracker.MAIN, block, count, size)
                        : Reallocate.recalloc(block, count, size);
        if (moved == 0) throw Refusal.ofMany(count, size);
        return moved;
    }

    /**
     * As {@link #realloc}, to a multiple of {@code alignment}. Stands for {@code mi_realloc_aligned}.
     *
     * @param block the address of a block; for 0 a new one is allocated
     * @param size the new size in bytes
     * @param alignment in bytes, a power of two
     * @return the address of at least {@code size} bytes
     * @throws IllegalArgumentException also if the alignment is no power of two
     */
    public static long reallocAligned(long block, long size, long alignment) {
        long moved = Tracker.ON ? Tracker.reallocAligned(block, size, alignment)
                : Reallocate.aligned(block, size, alignment);
        if (moved == 0) throw Refusal.ofAligned(size, alignment);
        return moved;
    }

    /**
     * Frees a block. Any thread may; it never waits. Stands for {@code mi_free}.
     *
     * @param block the address of a block; for 0 nothing happens
     * @throws IllegalArgumentException if this is an address that the allocator knows nothing of
     */
    public static void free(long block) {
        if (Tracker.ON) Tracker.free(block);
        else Free.free(block);
    }

    /**
     * Whether a block has room for {@code size} bytes as it is; then it has that size now. Stands for
     * {@code mi_expand}.
     *
     * @param block the address of a block
     * @param size the new size in bytes
     * @return whether it has that size now
     * @throws IllegalArgumentException if the size is negative, or this is no block
     */
    public static boolean expand(long block, long size) {
        if (size < 0) throw Refusal.negative("size", size);
        return Tracker.ON ? Tracker.expand(block, size) : Reallocate.expand(block, size) != 0;
    }

    /**
     * How many bytes of a block may be used: what was asked for, or a little more. 0 for 0. Stands for
     * {@code mi_usable_size}.
     *
     * @param block the address of a block
     * @return bytes, at least what was asked for
     * @throws IllegalArgumentException if this is no block
     */
    public static long usableSize(long block) {
        return Tracker.ON ? Tracker.usableSize(block) : Free.usableSize(block);
    }

    /**
     * The size that a block would have for a request of {@code size} bytes. Stands for {@code mi_good_size}.
     *
     * @param size bytes that would be asked for
     * @return bytes, at least {@code size}
     * @throws IllegalArgumentException if the size is negative
     */
    public static long goodSize(long size) {
        if (size < 0) throw Refusal.negative("size", size);
        return SizeClass.goodSize(size);
    }

    /**
     * Whether an address lies in a page that blocks are allocated in. Stands for {@code mi_any_heap_contains}.
     *
     * @param address any address
     * @return whether it does
     */
    public static boolean contains(long address) { return Heaps.anyContains(address); }

    /**
     * Gives back what the current thread has kept of free memory; this happens by itself now and then.  Stands for
     * {@code mi_collect}.
     *
     * @param force also gives the memory back to the system at once, and not after a delay
     */
    public static void collect(boolean force) { Threads.collect(force); }

    /**
     * Ends the allocator's own thread, {@code mimalloc-housekeeper}, and waits for its end; then gives free memory back
     * as {@code collect(true)} does. For a container that is about to unload a program with the allocator in it, and
     * wants to see no thread left; without this the thread ends by itself, soon after the garbage collector has found
     * that nobody can reach the allocator's classes.
     *
     * <p>From here on nobody notices that a thread has ended: its free memory stays with it. Nothing is purged unless
     * somebody allocates, and a flight recording does not adapt how often it samples. All else works as before. The
     * next thread that allocates for the first time starts the allocator's thread again.
     *
     * <p>Memory that is in use stays, also when the classes are unloaded: native code may have its address. So what a
     * program has not freed by then is lost until the process ends. An MBean keeps the classes, and is the program's
     * to take away, by {@link Management#unregister}.
     */
    public static void stopHousekeeper() {
        ThreadSlot.stopWatching();
        Boot.lastRound();
    }

    /**
     * A snapshot of the statistics of the whole allocator. Stands for {@code mi_stats_get}.
     *
     * @return the snapshot
     */
    public static Statistics statistics() { return Statistics.ofProcess(); }

    /**
     * Writes what is where in the heap to a file, which is made or replaced: each arena with its pages, their blocks and
     * threads, as JSON, of which {@code ./mimalloc map FILE} draws a picture. Stands for {@code mi_heaps_dump_json}, which
     * also tells what of it is in memory: here these numbers are negative.
     *
     * <p>Other threads go on meanwhile, and what they change is shown as it was before or after. Where a list is locked
     * just then it is left out, and {@code complete} is 0. The text, about 40 bytes for each page, is put together first, in
     * memory that is not the allocator's.
     *
     * @param file the path of the file, by custom with the end {@code .json}
     * @throws IOException if it cannot be written; the message says which file, and why
     * @throws OutOfMemoryError if there is no memory for the text; the file is as it was
     */
    public static void dump(Path file) throws IOException { DumpFile.write(file); }

    /**
     * Starts a heap profile, with one sample in 512 KiB on average; the property {@code dev.mimalloc.profile.sample.rate},
     * or {@code MIMALLOC_PROFILE_SAMPLE_RATE} in the environment, gives another number of bytes.
     *
     * @return a profile that takes samples until it is closed
     */
    public static Profile profile() { return Profile.start(); }

    /**
     * Starts a heap profile. Fewer bytes between samples make a finer picture, and cost more: each sample takes a few
     * microseconds, and a page of its own for as long as its block is in use.
     *
     * @param bytesPerSample how many allocated bytes lie between two samples, on average; with 1 each block is one
     * @return a profile that takes samples until it is closed
     * @throws IllegalArgumentException if the number is not positive
     */
    public static Profile profile(long bytesPerSample) { return Profile.start(bytesPerSample); }

    /**
     * The version of the interface, 30600 for 3.6.0. Stands for {@code mi_version}.
     *
     * @return the number
     */
    public static int version() { return ProcessLife.version(); }

    /**
     * Allocates a zeroed segment, as {@link java.lang.foreign.SegmentAllocator} wants it: {@code Mimalloc::allocate} is
     * one. It may be used by any thread, and stays until {@link #free(MemorySegment)}; using it, or a slice of it,
     * after that is not detected. For segments that can tell, see {@link Arenas}.
     *
     * @param byteSize how many bytes are wanted; not negative
     * @param byteAlignment a power of two
     * @return a segment of {@code byteSize} bytes
     * @throws IllegalArgumentException if the size is negative, or the alignment no power of two
     * @throws OutOfMemoryError if there is no memory
     */
    public static MemorySegment allocate(long byteSize, long byteAlignment) {
        Refusal.checkSegment(byteSize, byteAlignment);
        long block = Tracker.ON ? Tracker.zallocAligned(Tracker.MAIN, byteSize, byteAlignment)
                : byteAlignment <= 8 ? Allocate.zalloc(byteSize) : AllocateAligned.zalloc(byteSize, byteAlignment);
        if (block == 0) throw Refusal.ofAligned(byteSize, byteAlignment);
        try {
            return Segments.of(block, byteSize);
        } catch (Throwable t) {
            free(block);
            throw t;
        }
    }

    /**
     * As {@link #allocate(long, long)}, aligned like any block.
     *
     * @param byteSize how many bytes are wanted; not negative
     * @return a segment of {@code byteSize} bytes
     * @throws IllegalArgumentException if a number is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public static MemorySegment allocate(long byteSize) { return allocate(byteSize, 1); }

    /**
     * Frees a segment that {@link #allocate(long, long)} has given; not a slice of it, unless it has the same beginning
     * and is not empty.
     *
     * @param segment the whole segment, as it was given
     * @throws IllegalArgumentException if it is anything else: a segment of the Java heap, one that an arena or a heap
     *         frees, an empty slice, or one that begins inside of a block or outside of the allocator
     */
    public static void free(MemorySegment segment) {
        if (!segment.isNative()) throw new IllegalArgumentException("not a native segment: " + segment);
        free(segment, segment);
    }

    /** Frees what a segment shows, {@code shown} to who has made a mistake. */
    private static void free(MemorySegment segment, Object shown) {
        if (!Segments.isOfBlock(segment)) {
            throw new IllegalArgumentException(segment.scope().equals(Arena.global().scope())
                    ? "an empty slice is no block: " + shown
                    : "not of Mimalloc.allocate: it is freed with the arena or heap that it is of: " + shown);
        }
        long block = segment.address();
        if (!Tracker.ON && Free.isInside(block)) {
            throw new IllegalArgumentException("not the beginning of a block: " + shown);
        }
        free(block);
    }

    /**
     * Allocates a direct buffer, zeroed and big-endian as {@link ByteBuffer#allocateDirect} makes them, and aligned
     * like any block. It stays until {@link #free(ByteBuffer)}, and the garbage collector has nothing to do with it; using
     * it after that is not detected. For buffers that can tell, see {@link Arenas} and
     * {@link MemorySegment#asByteBuffer}.
     *
     * @param capacity in bytes
     * @return a buffer of {@code capacity} bytes
     * @throws IllegalArgumentException if the capacity is negative
     * @throws OutOfMemoryError if there is no memory
     */
    public static ByteBuffer allocateBuffer(int capacity) {
        ThreadSlot.probeStackAround(); // there will be for the free, too
        MemorySegment segment = allocate(capacity);
        try {
            return segment.asByteBuffer();
        } catch (Throwable t) {
            free(segment);
            throw t;
        }
    }

    /**
     * Frees a buffer that {@link #allocateBuffer} has given, or a duplicate of it with the same beginning; not a slice. A
     * capacity of 0 is a block, too, and is freed in the same way.
     *
     * @param buffer the whole buffer, as it was given
     * @throws IllegalArgumentException if it is anything else: not a direct buffer, one that an arena, a heap or the
     *         garbage collector frees, or one that begins inside of a block
     */
    public static void free(ByteBuffer buffer) {
        if (!buffer.isDirect()) throw new IllegalArgumentException("not a direct buffer: " + buffer);
        free(MemorySegment.ofBuffer(buffer.duplicate().clear()), buffer);
    }

    /**
     * Sets how much memory all heaps together may have, in bytes, or 0 for any amount. See {@link Heap#limit(long)}.
     *
     * @param bytes the limit in bytes, or 0 for none
     * @throws IllegalArgumentException if it is negative
     */
    public static void limit(long bytes) {
        if (bytes < 0) throw Refusal.negative("bytes", bytes);
        Limits.setProcessLimit(bytes);
    }

    /**
     * How much memory all heaps together may have, in bytes; 0 for any amount.
     *
     * @return bytes, or 0
     */
    public static long limit() { return Limits.processLimit(); }

    /**
     * How much memory all heaps together have, in bytes, as {@link Heap#limit(long)} counts it.
     *
     * @return bytes
     */
    public static long used() { return Limits.processUsed(); }

    /**
     * How many allocations, in whatever heap, have thrown an {@code OutOfMemoryError}, at a limit or for another reason.
     *
     * @return the number of refused allocations so far
     */
    public static long refusals() { return Refusal.count(); }

    /**
     * Sets what is called when a limit stands in the way of an allocation; null for nothing.
     *
     * @param handler who is called, or null for nobody
     */
    public static void onLimit(LimitHandler handler) { InstalledLimitHandler.set(handler); }
}
