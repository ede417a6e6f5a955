package dev.mimalloc;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What is particular about our arenas: their heaps. */
class ArenasTest {
    @Test
    void segmentsLieInTheHeap() {
        try (Heap heap = Heap.create()) {
            Arenas arenas = Arenas.in(heap);
            try (Arena confined = arenas.confined(); Arena shared = arenas.uninitialized().shared()) {
                for (int i = 1; i < 100; i++) {
                    assertThat(heap.contains(confined.allocate(i * 50L, 8).address())).isTrue();
                    assertThat(heap.contains(shared.allocate(i * 50L, 8).address())).isTrue();
                }
            }
        }
        try (Arena arena = Arenas.ofConfined()) {
            assertThat(Heap.main().contains(arena.allocate(100, 8).address())).isTrue();
        }
        assertThat(Arenas.in(Heap.main())).isSameAs(Arenas.main());
    }

    @Test
    void allBlocksAreFreedAtTheEnd() {
        try (Heap heap = Heap.create()) {
            for (Arena arena : new Arena[] {Arenas.in(heap).confined(), Arenas.in(heap).shared()}) {
                for (int i = 0; i < 1000; i++) arena.allocate(i * 40L, i % 3 == 0 ? 128 : 8);
                assertThat(blocks(heap)).isPositive();
                arena.close();
                assertThat(blocks(heap)).isZero();
            }
        }
    }

    private static long blocks(Heap heap) {
        long[] blocks = {0};
        heap.visit(true, (area, block, size) -> {
            if (block != 0) blocks[0]++;
            return true;
        });
        return blocks[0];
    }

    @Test
    void aHeapStaysAsLongAsItsArenas() {
        Heap heap = Heap.create();
        Arena arena = Arenas.in(heap).confined();
        MemorySegment segment = arena.allocate(8, 8);
        assertThatThrownBy(heap::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("arenas are open");
        assertThatThrownBy(heap::delete).isInstanceOf(IllegalStateException.class);
        segment.set(JAVA_LONG, 0, 1);
        arena.allocate(8, 8);
        arena.close();
        heap.close();
        assertThatThrownBy(() -> Arenas.in(heap)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void noArenaBeginsInAClosedHeap() {
        Heap heap = Heap.create();
        Arenas arenas = Arenas.in(heap);
        heap.close();
        assertThatThrownBy(arenas::confined).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(arenas::shared).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(arenas::auto).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theCollectorEndsAnAutomaticArena() throws InterruptedException {
        Heap heap = Heap.create();
        MemorySegment kept = allocateAutomatic(heap);
        System.gc();
        kept.set(JAVA_LONG, 0, 1); // the segment alone keeps the arena
        assertThatThrownBy(heap::close).isInstanceOf(IllegalStateException.class);
        kept = null;
        while (!closes(heap)) {
            System.gc();
            Thread.sleep(10);
        }
    }

    @Test
    void automaticArenasAskForACollection() {
        // Far more than the Java heap has room for in Java objects, and nobody else runs the collector.
        long total = 4 * Runtime.getRuntime().maxMemory();
        long size = Runtime.getRuntime().maxMemory() / 8;
        for (long allocated = 0; allocated < total; allocated += size) {
            assertThat(Arenas.main().uninitialized().auto().allocate(size, 8).byteSize()).isEqualTo(size);
        }
        assertThatThrownBy(() -> Arenas.ofAuto().allocate(2 * Runtime.getRuntime().maxMemory(), 8))
                .isInstanceOf(OutOfMemoryError.class).hasMessageContaining("automatic arenas");
    }

    /** A byte at a multiple of 64 KiB has a block of 64 KiB, an empty segment has a small one. */
    @Test
    void automaticArenasCountTheirBlocks() throws Exception {
        for (String program : List.of("1 65536 100", "65537 8 70", "0 8 700000")) {
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Ddev.mimalloc.automatic.max=5000000", "--enable-native-access=ALL-UNNAMED", "-cp",
                    SettingsTest.classPath(), Automatic.class.getName(), program).redirectErrorStream(true).start();
            String out = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor()).as(out).isZero();
            assertThat(out).as(program).contains("automatic arenas have");
        }
    }

    /** Allocates so many segments of a size and an alignment in one automatic arena. */
    static final class Automatic {
        private Automatic() {}

        public static void main(String[] args) {
            long[] numbers = Arrays.stream(args[0].split(" ", -1)).mapToLong(Long::parseLong).toArray();
            Arena arena = Arenas.main().uninitialized().auto();
            try {
                for (long i = 0; i < numbers[2]; i++) arena.allocate(numbers[0], numbers[1]);
            } catch (OutOfMemoryError e) {
                System.out.println(e.getMessage());
            } finally {
                Reference.reachabilityFence(arena);
            }
        }
    }

    private static MemorySegment allocateAutomatic(Heap heap) {
        Arena arena = Arenas.in(heap).auto();
        for (int i = 0; i < 100; i++) arena.allocate(1000, 8);
        return arena.allocate(1000, 8);
    }

    private static boolean closes(Heap heap) {
        try {
            heap.close();
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    @Test
    void nothingIsFreedWhileAnAccessIsGoingOnWhoeverCloses() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            Arena arena = Arenas.ofShared();
            long size = 32L << 20;
            MemorySegment segment = arena.allocate(size, 8);
            CountDownLatch writing = new CountDownLatch(1);
            Thread writer = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        segment.fill((byte) 1);
                        writing.countDown();
                    }
                } catch (IllegalStateException e) {
                    // closed
                }
            });
            writing.await();
            Thread closer = Thread.ofPlatform().start(arena::close);
            while (arena.scope().isAlive()) Thread.onSpinWait();
            assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
            MemorySegment next = Mimalloc.allocate(size); // likely the same block, once it is free
            next.fill((byte) 2);
            closer.join();
            writer.join();
            for (long i = 0; i < size; i += 4096) assertThat(next.get(JAVA_BYTE, i)).isEqualTo((byte) 2);
            Mimalloc.free(next);
        }
    }

    @Test
    void aThreadThatEndsLeavesNothing() throws InterruptedException {
        // Each thread keeps a block at hand for its arenas: it goes with the thread.
        for (int i = 0; i < 50; i++) {
            Thread thread = Thread.ofPlatform().start(() -> {
                try (Arena arena = Arenas.ofConfined()) {
                    arena.allocate(100, 8);
                }
            });
            thread.join();
        }
        try (Arena arena = Arenas.ofConfined()) {
            assertThat(arena.allocate(100, 8).byteSize()).isEqualTo(100);
        }
    }
}
