package dev.mimalloc;

import dev.mimalloc.core.face.ManageArenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.machine.Segments;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A range of memory that only the heaps made for it allocate in: what mimalloc calls an exclusive arena. It is either
 * reserved from the system, or memory that the program brings along, such as a mapped file or memory of a special kind.
 * A region stays for as long as the process runs; what its heaps free serves its other heaps. All methods may be called
 * by any thread.
 */
public final class Region {
    private static final long SLICE = 64 << 10;

    /** What was brought along stays reachable for ever. */
    private static final Queue<MemorySegment> GIVEN = new ConcurrentLinkedQueue<>();

    private final long arena;

    private Region(long arena) { this.arena = arena; }

    /**
     * Reserves address space; memory is taken when it is needed. Stands for {@code mi_reserve_os_memory_ex}.
     *
     * @param size in bytes, rounded up to a multiple of 64 KiB
     * @return the region
     * @throws IllegalArgumentException if the size is not above 0
     * @throws OutOfMemoryError if the system has no room
     */
    public static Region reserve(long size) {
        if (size <= 0) throw new IllegalArgumentException("size is not above 0: " + size);
        long arena = ManageArenas.reserveArena(size, Arena.EXCLUSIVE);
        if (arena == 0) throw new OutOfMemoryError("no memory for a region of " + size + " bytes");
        return new Region(arena);
    }

    /**
     * Makes a region of memory that is there: its part from one multiple of 64 KiB to another. Nobody else may use it
     * from now on. Stands for {@code mi_manage_os_memory_ex}.
     *
     * @param memory native, writable, and never closed: of the global arena, of an automatic one, or of a direct or
     *        mapped buffer
     * @return the region
     * @throws IllegalArgumentException if it is something else, has no 64 KiB between such multiples, or lies in
     *         another region or in memory that the allocator has already
     * @throws OutOfMemoryError if there is no memory to keep account of it
     */
    public static Region of(MemorySegment memory) {
        if (!memory.isNative() || memory.isReadOnly()) {
            throw new IllegalArgumentException("not native memory to be written: " + memory);
        }
        if (!Segments.cannotBeClosed(memory.scope())) {
            throw new IllegalArgumentException("of an arena that can be closed: " + memory);
        }
        long first = memory.address() + SLICE - 1 & -SLICE;
        if (memory.address() + memory.byteSize() - first < SLICE) {
            throw new IllegalArgumentException("no 64 KiB between multiples of 64 KiB: " + memory);
        }
        GIVEN.add(memory);
        int flags = Arena.ACCESSIBLE | Arena.PINNED | Arena.EXCLUSIVE;
        long arena = ManageArenas.manageArena(memory.address(), memory.byteSize(), flags, -1, 0, 0);
        if (arena != 0) return new Region(arena);
        GIVEN.remove(memory);
        if (ManageArenas.isOurs(memory.address(), memory.byteSize())) {
            throw new IllegalArgumentException("of the allocator already: " + memory);
        }
        throw new OutOfMemoryError("no memory to keep account of a region of " + memory.byteSize() + " bytes");
    }

    /**
     * A new heap that has its blocks in this region, and fails when that is full. Stands for
     * {@code mi_heap_new_in_arena}.
     *
     * @return the heap, which is to be closed
     * @throws OutOfMemoryError if there is no memory
     */
    public Heap newHeap() { return Heap.create(arena, size()); }

    /**
     * The address of its first byte. Stands for {@code mi_arena_area}.
     *
     * @return the address
     */
    public long address() { return ManageArenas.area(arena, 0); }

    /**
     * Its size in bytes.
     *
     * @return bytes, a multiple of 64 KiB
     */
    public long size() { return ManageArenas.size(arena); }

    /**
     * Whether an address lies in it. Stands for {@code mi_arena_contains}.
     *
     * @param address any address
     * @return whether it does
     */
    public boolean contains(long address) { return ManageArenas.contains(arena, address); }

    @Override
    public String toString() {
        return "Region[0x" + Long.toHexString(address()) + ", " + size() + " bytes]";
    }
}
