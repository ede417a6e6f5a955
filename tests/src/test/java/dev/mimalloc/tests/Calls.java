package dev.mimalloc.tests;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Calls of all kinds, any of which may fail half-way with an error of the JVM's: for want of stack, or of Java heap.
 * What they have is in fields that were there before, so that it can be given back afterwards, when there is room
 * again: nothing may be lost then, and nothing broken. For one thread.
 */
final class Calls {
    private static final int MOST = 64;

    /** Each allocates something, frees something, or both. The seed picks sizes and victims. */
    interface Call { void make(Calls calls, int seed); }

    static final List<Call> ALL = List.of(Calls::malloc, Calls::free, Calls::zalloc, Calls::free, Calls::aligned,
            Calls::realloc, Calls::large, Calls::free, Calls::openHeap, Calls::heapMalloc, Calls::free,
            Calls::heapMalloc, Calls::heapSegment, Calls::closeHeap, Calls::deleteHeap, Calls::openConfined, Calls::allocateConfined,
            Calls::closeConfined, Calls::openShared, Calls::allocateShared, Calls::closeShared, Calls::briefArena,
            Calls::buffer, Calls::burst, Calls::collect, Calls::arenaInHeap);

    private final long[] blocks = new long[MOST];
    private final long[] burst = new long[200];
    private final ByteBuffer[] buffers = new ByteBuffer[8];
    private final Heap[] heaps = new Heap[4];
    private final Arena[] confined = new Arena[4];
    private final Arena[] shared = new Arena[4];

    private static long size(int seed) {
        return switch (seed % 7) {
            case 0 -> seed % 64;
            case 1, 2, 3 -> seed % 1100;
            case 4 -> 1000 + seed % 20_000;
            case 5 -> seed * 31L % 100_000;
            default -> 100_000 + seed * 311L % 500_000;
        };
    }

    private void malloc(int seed) {
        int i = seed % MOST;
        if (blocks[i] == 0) blocks[i] = Mimalloc.malloc(size(seed));
    }

    private void zalloc(int seed) {
        int i = seed % MOST;
        if (blocks[i] == 0) blocks[i] = Mimalloc.zalloc(size(seed));
    }

    private void aligned(int seed) {
        int i = seed % MOST;
        if (blocks[i] == 0) blocks[i] = Mimalloc.zallocAligned(size(seed), 1L << seed % 18);
    }

    private void large(int seed) {
        int i = seed % MOST;
        if (blocks[i] == 0) blocks[i] = Mimalloc.malloc(600_000 + seed % 3_000_000);
    }

    /** A free that fails has freed nothing. */
    private void free(int seed) {
        int i = seed % MOST;
        if (blocks[i] == 0) return;
        Mimalloc.free(blocks[i]);
        blocks[i] = 0;
    }

    /** One that fails leaves the block as it was, and no other. */
    private void realloc(int seed) {
        int i = seed % MOST;
        if (blocks[i] != 0) blocks[i] = Mimalloc.realloc(blocks[i], size(seed / 3));
    }

    private void burst(int seed) {
        for (int i = 0; i < burst.length; i++) {
            if (burst[i] == 0) burst[i] = Mimalloc.malloc(size(seed % 4 + i % 3));
        }
        freeBurst();
    }

    private void freeBurst() {
        for (int i = 0; i < burst.length; i++) {
            Mimalloc.free(burst[i]);
            burst[i] = 0;
        }
    }

    private void buffer(int seed) {
        int i = seed % buffers.length;
        if (buffers[i] == null) {
            buffers[i] = Mimalloc.allocateBuffer(seed % 5000);
        } else {
            Mimalloc.free(buffers[i]);
            buffers[i] = null;
        }
    }

    private void collect(int seed) {
        Mimalloc.collect(seed % 3 == 0);
    }

    private void openHeap(int seed) {
        int i = seed % heaps.length;
        if (heaps[i] == null) heaps[i] = Heap.create();
    }

    private void heapMalloc(int seed) {
        Heap heap = heaps[seed % heaps.length];
        if (heap == null) return;
        for (int i = 0; i < 5; i++) heap.malloc(size(seed + i));
    }

    /** A call that failed and was still counted would keep the heap open for ever. */
    private void heapSegment(int seed) {
        Heap heap = heaps[seed % heaps.length];
        if (heap == null) return;
        if (seed % 3 == 0) heap.limit(1L << 40); // no limit in truth, but it is counted
        for (int i = 0; i < 5; i++) heap.allocate(size(seed + i), 1L << seed % 10);
        if (heap.used() < 0) throw new IllegalStateException();
    }

    private void closeHeap(int seed) {
        int i = seed % heaps.length;
        if (heaps[i] == null) return;
        for (Arena arena : confined) {
            if (arena != null && arena.scope().isAlive()) return; // it may be open in the heap
        }
        heaps[i].close();
        heaps[i] = null;
    }

    /** Its blocks would be hard to follow, so it has none. */
    private void deleteHeap(int seed) {
        int i = seed % heaps.length;
        if (heaps[i] != null) return;
        heaps[i] = Heap.create();
        Mimalloc.free(heaps[i].malloc(100));
        heaps[i].delete();
        heaps[i] = null;
    }

    private void openConfined(int seed) {
        int i = seed % confined.length;
        if (confined[i] == null) confined[i] = Arenas.ofConfined();
    }

    private void allocateConfined(int seed) {
        Arena arena = confined[seed % confined.length];
        if (arena != null && arena.scope().isAlive()) arena.allocate(size(seed), 1L << seed % 10);
    }

    private void closeConfined(int seed) {
        int i = seed % confined.length;
        if (confined[i] == null) return;
        if (confined[i].scope().isAlive()) confined[i].close();
        confined[i] = null;
    }

    private void openShared(int seed) {
        int i = seed % shared.length;
        if (shared[i] == null) shared[i] = Arenas.ofShared();
    }

    private void allocateShared(int seed) {
        Arena arena = shared[seed % shared.length];
        if (arena != null && arena.scope().isAlive()) arena.allocate(size(seed), 1L << seed % 10);
    }

    private void closeShared(int seed) {
        int i = seed % shared.length;
        if (shared[i] == null) return;
        if (shared[i].scope().isAlive()) shared[i].close();
        shared[i] = null;
    }

    private void briefArena(int seed) {
        int i = seed % confined.length;
        if (confined[i] != null) return;
        confined[i] = Arenas.main().uninitialized().confined();
        confined[i].allocate(seed % 3000, 8);
        confined[i].close();
        confined[i] = null;
    }

    private void arenaInHeap(int seed) {
        int i = seed % confined.length;
        Heap heap = heaps[seed % heaps.length];
        if (heap == null || confined[i] != null) return;
        confined[i] = Arenas.in(heap).confined();
        for (int j = 0; j < 10; j++) confined[i].allocate(seed % 30_000, 8);
        confined[i].close();
        confined[i] = null;
    }

    /** Gives everything back. */
    void end() {
        for (int i = 0; i < MOST; i++) free(i);
        freeBurst();
        for (int i = 0; i < buffers.length; i++) {
            if (buffers[i] != null) buffer(i);
        }
        for (int i = 0; i < 4; i++) {
            closeConfined(i);
            closeShared(i);
        }
        for (int i = 0; i < 4; i++) closeHeap(i);
    }
}
