package dev.mimalloc.core;

import static dev.mimalloc.core.FaultyOs.*;

import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.FaultySystem;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.tests.Child;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a hardened or guarded JVM, too, all goes on where the system refuses calls; blocks are as they should be. */
class RefusalsTest {
    private static final int[] KINDS = {MAP, UNMAP, PROTECT, ADVISE};
    private static final int BLOCKS = 100;

    @ParameterizedTest
    @ValueSource(strings = {"harden=3", "secure=4", "guarded_sample_rate=3", "harden=3 guarded_sample_rate=10",
            "harden=3 purge_delay=0", "harden=3 arena_eager_commit=0", "harden=3 disallow_arena_alloc=1"})
    void allGoesOn(String properties) throws Exception {
        // What a debug build has is what a preset that is given has.
        var options = new ArrayList<>(List.of("debug=3", "leaks=off", "harden=0", "-XX:ErrorFile=/dev/null", "-XX:-CreateCoredumpOnCrash"));
        options.addAll(List.of(properties.split(" ", -1)));
        Child.java(RefusalsTest.class, options).assertSuccess();
    }

    public static void main(String[] arguments) {
        dev.mimalloc.Mimalloc.free(dev.mimalloc.Mimalloc.malloc(1));
        FaultySystem system = FaultySystem.install();
        var random = new Random(1);
        for (int round = 0; round < 40; round++) {
            for (int kind : KINDS) {
                system.fail(kind, 1 + random.nextInt(20), round % 4 == 0 ? Integer.MAX_VALUE : 1 + random.nextInt(3), ENOMEM);
                use(random);
                system.fail(kind, 0, 0, 0);
            }
        }
        system.remove();
        Threads.collect(true);
        Invariants.check();
    }

    private static void use(Random random) {
        long heap = Heaps.create();
        long[] blocks = new long[BLOCKS];
        long[] sizes = new long[BLOCKS];
        for (int i = 0; i < 600; i++) {
            int at = random.nextInt(BLOCKS);
            if (blocks[at] != 0 && random.nextInt(4) == 0) {
                long size = size(random);
                long block = attempt(() -> Reallocate.realloc(blocks[at], size));
                if (block == 0) continue;
                check(block, Math.min(sizes[at], size), at);
                put(blocks, sizes, at, block, size);
                continue;
            }
            if (blocks[at] != 0) check(blocks[at], sizes[at], at);
            Free.free(blocks[at]);
            blocks[at] = 0;
            long size = size(random);
            boolean inHeap = heap != 0 && i % 3 == 0;
            long block = attempt(() -> inHeap ? Allocate.heapMalloc(heap, size) : Allocate.zalloc(size));
            if (block == 0) continue;
            if (!inHeap) for (long j = 0; j < size; j += 1 + size / 100) if (Memory.getByte(block + j) != 0) throw new AssertionError("not zero");
            put(blocks, sizes, at, block, size);
        }
        for (int i = 0; i < BLOCKS; i++) {
            if (blocks[i] == 0) continue;
            check(blocks[i], sizes[i], i);
            if (random.nextBoolean() || Heaps.of(blocks[i]) != heap) Free.free(blocks[i]);
        }
        if (heap != 0) Heaps.destroy(heap);
        if (random.nextInt(10) == 0) Threads.collect(true);
    }

    private static long size(Random random) { return (long) Math.exp(random.nextDouble() * Math.log(random.nextInt(20) == 0 ? 9e6 : 3e5)); }

    private static void put(long[] blocks, long[] sizes, int at, long block, long size) {
        Memory.fill(block, size, at);
        blocks[at] = block;
        sizes[at] = size;
    }

    private static void check(long block, long size, int at) {
        for (long j = 0; j < size; j += 1 + size / 100) if (Memory.getByte(block + j) != at) throw new AssertionError("not " + at + " at " + j);
    }

    private static long attempt(java.util.function.LongSupplier call) {
        try {
            return call.getAsLong();
        } catch (OutOfMemoryError e) {
            return 0;
        }
    }
}
