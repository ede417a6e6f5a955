package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.Arenas;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.infra.Blackhole;

/** An arena is opened, allocates one segment, and is closed; the automatic ones are left to the garbage collector. */
public class ArenaLife extends Case {
    @Param({"64", "1024"})
    public long size;

    @Benchmark
    public void confined(Blackhole use) {
        try (Arena arena = Arenas.ofConfined()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void confinedUninitialized(Blackhole use) {
        try (Arena arena = Arenas.main().uninitialized().confined()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void shared(Blackhole use) {
        try (Arena arena = Arenas.ofShared()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void auto(Blackhole use) { use.consume(Arenas.ofAuto().allocate(size, 8)); }

    @Benchmark
    public void jdkConfined(Blackhole use) {
        try (Arena arena = Arena.ofConfined()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void jdkShared(Blackhole use) {
        try (Arena arena = Arena.ofShared()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void jdkAuto(Blackhole use) { use.consume(Arena.ofAuto().allocate(size, 8)); }
}
