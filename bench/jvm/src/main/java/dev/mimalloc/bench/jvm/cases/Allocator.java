package dev.mimalloc.bench.jvm.cases;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;

/**
 * A way to get blocks, for loads that are the same for all. A JVM that measures uses one of them, so the JIT sees
 * through the interface.
 */
public interface Allocator {
    long malloc(long size);
    void free(long block);

    /** One of {@code mimalloc}, {@code handle} (for the current thread), {@code unsafe}, {@code libc}, {@code c}. */
    static Allocator named(String name) {
        return switch (name) {
            case "mimalloc" -> new Ours();
            case "handle" -> new Handle(Heap.main().local());
            case "unsafe" -> new Unsafe();
            case "libc" -> new C();
            case "c" -> new Library();
            case "nothing" -> new Nothing();
            default -> throw new IllegalArgumentException("no such allocator: " + name);
        };
    }

    /** {@link Mimalloc}. */
    record Ours() implements Allocator {
        @Override
        public long malloc(long size) { return Mimalloc.malloc(size); }
        @Override
        public void free(long block) { Mimalloc.free(block); }
    }

    /** {@link Mimalloc}, with a handle. */
    record Handle(Heap.Local local) implements Allocator {
        @Override
        public long malloc(long size) { return local.malloc(size); }
        @Override
        public void free(long block) { Mimalloc.free(block); }
    }

    /** {@code sun.misc.Unsafe}. */
    record Unsafe() implements Allocator {
        @Override
        public long malloc(long size) { return Unsafes.allocateMemory(size); }
        @Override
        public void free(long block) { Unsafes.freeMemory(block); }
    }

    /** The C library, by downcalls. */
    record C() implements Allocator {
        @Override
        public long malloc(long size) { return LibC.malloc(size); }
        @Override
        public void free(long block) { LibC.free(block); }
    }

    /** A mimalloc library, by downcalls. */
    record Library() implements Allocator {
        @Override
        public long malloc(long size) { return CMimalloc.malloc(size); }
        @Override
        public void free(long block) { CMimalloc.free(block); }
    }

    /** Allocates nothing: what a load costs by itself. */
    record Nothing() implements Allocator {
        @Override
        public long malloc(long size) { return size; }
        @Override
        public void free(long block) {}
    }
}
