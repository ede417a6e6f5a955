package dev.mimalloc.profiles;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.Arena;
import java.util.List;

/** A program whose allocations are known, method by method, in a package that is not the allocator's. */
final class Workload {
    private Workload() {}

    static void small(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.malloc(48));
    }

    static void medium(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.zalloc(5000));
    }

    static void large(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.malloc(200_000));
    }

    static void aligned(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.mallocAligned(500, 256));
    }

    static void alignedLarge(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.mallocAligned(128 << 10, 4096));
    }

    /** Each block moves, so that the first one is freed, and the second one counts. */
    static void resized(List<Long> blocks, int count) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.realloc(Mimalloc.malloc(64), 1000));
    }

    static void inAHeap(Heap heap, int count) {
        for (int i = 0; i < count; i++) heap.malloc(112);
    }

    static void inAnArena(Arena arena, int count) {
        for (int i = 0; i < count; i++) arena.allocate(320);
    }

    static void comeAndGo(int count) {
        for (int i = 0; i < count; i++) Mimalloc.free(Mimalloc.malloc(16 + i % 1000));
    }

    /** More frames than a profile has. */
    static long deep(int depth) { return depth == 0 ? Mimalloc.malloc(100) : deep(depth - 1); }

    /** A program of its own: keeps a million bytes, and some in an arena that is closed. */
    public static void main(String[] arguments) {
        for (int i = 0; i < 10_000; i++) Mimalloc.malloc(100);
        try (Arena arena = Arenas.ofConfined()) {
            inAnArena(arena, 10_000);
        }
        System.out.println("done");
    }
}
