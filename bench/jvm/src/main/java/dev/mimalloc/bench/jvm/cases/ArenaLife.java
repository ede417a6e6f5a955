package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.Arenas;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.infra.Blackhole;

/**
 * An arena is opened, allocates one segment, which is written and read, and is closed. Where the segment escapes, it and
 * its arena are Java objects in the end; otherwise the JIT may do without them. Automatic arenas are left to the
 * garbage collector.
 */
public class ArenaLife extends Case {
    @Param({"64", "1024"})
    public long size;

    private static long used(MemorySegment segment) {
        segment.set(ValueLayout.JAVA_LONG, 8, segment.byteSize());
        return segment.get(ValueLayout.JAVA_LONG, 8);
    }

    @Benchmark
    public void confined(Blackhole use) {
        try (Arena arena = Arenas.ofConfined()) {
            use.consume(used(arena.allocate(size, 8)));
        }
    }

    @Benchmark
    public void confinedUninitialized(Blackhole use) {
        try (Arena arena = Arenas.main().uninitialized().confined()) {
            use.consume(used(arena.allocate(size, 8)));
        }
    }

    @Benchmark
    public void confinedEscaping(Blackhole use) {
        try (Arena arena = Arenas.ofConfined()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void shared(Blackhole use) {
        try (Arena arena = Arenas.ofShared()) {
            use.consume(used(arena.allocate(size, 8)));
        }
    }

    @Benchmark
    public void auto(Blackhole use) { use.consume(Arenas.ofAuto().allocate(size, 8)); }

    @Benchmark
    public void jdkConfined(Blackhole use) {
        try (Arena arena = Arena.ofConfined()) {
            use.consume(used(arena.allocate(size, 8)));
        }
    }

    @Benchmark
    public void jdkConfinedEscaping(Blackhole use) {
        try (Arena arena = Arena.ofConfined()) {
            use.consume(arena.allocate(size, 8));
        }
    }

    @Benchmark
    public void jdkShared(Blackhole use) {
        try (Arena arena = Arena.ofShared()) {
            use.consume(used(arena.allocate(size, 8)));
        }
    }

    @Benchmark
    public void jdkAuto(Blackhole use) { use.consume(Arena.ofAuto().allocate(size, 8)); }
}
