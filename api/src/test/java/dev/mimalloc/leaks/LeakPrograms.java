package dev.mimalloc.leaks;

import dev.mimalloc.Heap;
import dev.mimalloc.Leaks;
import dev.mimalloc.Mimalloc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Small programs, run in JVMs of their own: the first argument says which. */
public final class LeakPrograms {
    private static volatile byte[] reserve;

    private LeakPrograms() {}

    /** Runs the program of that name. */
    public static void main(String[] args) {
        switch (args[0]) {
            case "leaky" -> leaky();
            case "tidy" -> Mimalloc.free(Mimalloc.malloc(100));
            case "onDemand" -> {
                leakOnce();
                Leaks.print(System.out);
            }
            case "damaged" -> damaged();
            case "doubleFree" -> doubleFree();
            case "outOfMemory" -> outOfMemory();
            case "untracked" -> untracked();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void leaky() {
        for (int i = 0; i < 10; i++) leakMany();
        leakOnce();
        Heap.create().malloc(300); // a heap that is never closed
        try (Heap heap = Heap.create()) {
            heap.malloc(5000);
        }
        Mimalloc.free(Mimalloc.malloc(7000));
    }

    private static void leakMany() { Mimalloc.malloc(20); }

    private static void leakOnce() { Mimalloc.allocate(1234, 64); }

    private static void damaged() {
        long block = Mimalloc.malloc(20);
        MemorySegment.ofAddress(block).reinterpret(21).set(ValueLayout.JAVA_BYTE, 20, (byte) 1);
    }

    private static void doubleFree() {
        long block = Mimalloc.malloc(20);
        firstFree(block);
        Mimalloc.free(block);
    }

    private static void firstFree(long block) { Mimalloc.free(block); }

    /** Fills the Java heap with records; the block whose record found no room has been freed again. */
    private static void outOfMemory() {
        reserve = new byte[4 << 20];
        long[] blocks = new long[1_000_000];
        int count = 0;
        boolean full = false;
        try {
            while (count < blocks.length) {
                long block = Mimalloc.malloc(8);
                blocks[count++] = block;
            }
        } catch (OutOfMemoryError e) {
            full = true;
        }
        int size = reserve.length;
        reserve = null;
        System.out.println(full + " " + size + " " + (inUse() - count));
        for (int i = 0; i < count; i++) Mimalloc.free(blocks[i]);
        System.out.println(Leaks.live().size() + " " + inUse());
    }

    /** Blocks of 8 bytes, with their padding, that the allocator believes to be in use. */
    private static long inUse() {
        long[] used = {0};
        Heap.main().visit(false, (area, _, _) -> {
            if (area.blockSize() == 16) used[0] += area.used();
            return true;
        });
        return used[0];
    }

    private static void untracked() {
        long block = Mimalloc.malloc(20);
        System.out.println(Leaks.isTracking() + " " + Leaks.live() + " " + Leaks.check());
        Leaks.print(System.out);
        Mimalloc.free(block);
    }
}
