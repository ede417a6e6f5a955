package dev.mimalloc.leaks;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.Arena;
import java.util.List;

/** A user of the allocator, in another package than it. */
public final class Keeper {
    private Keeper() {}

    public static void keep(List<Long> blocks, int count, long size) {
        for (int i = 0; i < count; i++) blocks.add(Mimalloc.malloc(size));
    }

    public static void churn(int count, long size) {
        for (int i = 0; i < count; i++) Mimalloc.free(Mimalloc.malloc(size));
    }

    /** By many of the ways that there are. */
    public static void useAll() {
        for (int i = 0; i < 3000; i++) {
            long block = Mimalloc.realloc(Mimalloc.zalloc(100 + i), 3000 + i);
            Mimalloc.free(Mimalloc.mallocAligned(500, 256));
            Mimalloc.free(Mimalloc.allocate(700, 64));
            Mimalloc.free(Mimalloc.allocateBuffer(900));
            Mimalloc.free(block);
        }
        Mimalloc.free(Mimalloc.malloc(5 << 20));
        try (Arena arena = Arenas.ofConfined(); Arena shared = Arenas.ofShared(); Heap heap = Heap.create()) {
            Heap.Local local = heap.local();
            for (int i = 0; i < 3000; i++) {
                arena.allocate(300);
                shared.allocate(300);
                heap.malloc(200);
                heap.allocate(200);
                local.malloc(400);
            }
        }
    }
}
