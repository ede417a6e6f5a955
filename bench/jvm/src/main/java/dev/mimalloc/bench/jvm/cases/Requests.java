package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.infra.Blackhole;

/** A request of a server: a hundred allocations, of which none is freed on its own, and then all are. */
public class Requests extends Case {
    private static final int COUNT = 100;

    private final Sizes sizes = new Sizes(16, 4096, 3);

    @Benchmark
    public void heapAddresses(Blackhole use) {
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < COUNT; i++) use.consume(heap.malloc(sizes.next()));
        }
    }

    @Benchmark
    public void heapSegments(Blackhole use) {
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < COUNT; i++) use.consume(heap.allocate(sizes.next(), 8));
        }
    }

    @Benchmark
    public void confined(Blackhole use) {
        try (Arena arena = Arenas.ofConfined()) {
            for (int i = 0; i < COUNT; i++) use.consume(arena.allocate(sizes.next(), 8));
        }
    }

    @Benchmark
    public void shared(Blackhole use) {
        try (Arena arena = Arenas.ofShared()) {
            for (int i = 0; i < COUNT; i++) use.consume(arena.allocate(sizes.next(), 8));
        }
    }

    @Benchmark
    public void jdkConfined(Blackhole use) {
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < COUNT; i++) use.consume(arena.allocate(sizes.next(), 8));
        }
    }

    @Benchmark
    public void jdkShared(Blackhole use) {
        try (Arena arena = Arena.ofShared()) {
            for (int i = 0; i < COUNT; i++) use.consume(arena.allocate(sizes.next(), 8));
        }
    }
}
