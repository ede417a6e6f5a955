package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * Random sequences of calls, checked against the model: {@link LiveBlocks} knows every block, whole and where it
 * belongs. Several threads take the steps of one sequence each, on blocks and heaps that they share.
 */
abstract class RandomContract {
    private static final int MAX_HEAPS = 6;

    private final Allocator allocator;

    RandomContract(Allocator allocator) { this.allocator = allocator; }

    /** One call: which, a size, an alignment as a power of two, and a number that picks the block or heap. */
    record Step(Kind kind, long size, int alignment, int pick) {}

    enum Kind {
        MALLOC, ZALLOC, ALIGNED, HEAP_MALLOC, HEAP_ALIGNED, FREE, FREE_MANY, REALLOC, REALLOC_ALIGNED, EXPAND, NEW_HEAP,
        DELETE_HEAP, DESTROY_HEAP, COLLECT, VISIT
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        var kinds = Arbitraries.frequencyOf(
                Tuple.of(20, Arbitraries.of(Kind.MALLOC)), Tuple.of(8, Arbitraries.of(Kind.ZALLOC)),
                Tuple.of(8, Arbitraries.of(Kind.ALIGNED)), Tuple.of(15, Arbitraries.of(Kind.HEAP_MALLOC)),
                Tuple.of(5, Arbitraries.of(Kind.HEAP_ALIGNED)), Tuple.of(20, Arbitraries.of(Kind.FREE)),
                Tuple.of(2, Arbitraries.of(Kind.FREE_MANY)), Tuple.of(12, Arbitraries.of(Kind.REALLOC)),
                Tuple.of(4, Arbitraries.of(Kind.REALLOC_ALIGNED)), Tuple.of(2, Arbitraries.of(Kind.EXPAND)),
                Tuple.of(3, Arbitraries.of(Kind.NEW_HEAP)), Tuple.of(2, Arbitraries.of(Kind.DELETE_HEAP)),
                Tuple.of(2, Arbitraries.of(Kind.DESTROY_HEAP)), Tuple.of(1, Arbitraries.of(Kind.COLLECT)),
                Tuple.of(1, Arbitraries.of(Kind.VISIT)));
        var sizes = Arbitraries.frequencyOf(
                Tuple.of(10, Arbitraries.longs().between(0, 128)), Tuple.of(8, Arbitraries.longs().between(0, 1100)),
                Tuple.of(5, Arbitraries.longs().between(1000, 20_000)),
                Tuple.of(3, Arbitraries.longs().between(8000, 600_000)),
                Tuple.of(1, Arbitraries.longs().between(400_000, 6_000_000)));
        var alignments = Arbitraries.integers().between(0, 20);
        var picks = Arbitraries.integers().between(0, 1 << 20);
        return Combinators.combine(kinds, sizes, alignments, picks)
                .as(Step::new).withoutEdgeCases().list().ofMinSize(1).ofMaxSize(600).withoutEdgeCases();
    }

    /** The state that the steps work on: a heap is alive as long as somebody may use it. */
    private final class World {
        /** One step at a time: a heap may be destroyed, for nobody is about to free a block of it. */
        final boolean quiet;
        final LiveBlocks live = new LiveBlocks(allocator);
        final ConcurrentLinkedQueue<Long> blocks = new ConcurrentLinkedQueue<>();
        final List<Long> heaps = new ArrayList<>();

        World(boolean quiet) {
            this.quiet = quiet;
            allocator.takeError(); // other classes' tests leave their refusals on this thread
        }

        void run(List<Step> steps) {
            for (Step step : steps) take(step);
        }

        private void take(Step s) {
            long size = s.size();
            long alignment = 1L << s.alignment();
            long main = allocator.heapMain();
            switch (s.kind()) {
                case MALLOC -> enter(allocator.malloc(size), size, main);
                case ZALLOC -> enterZero(allocator.zalloc(size), size);
                case ALIGNED -> enter(aligned(allocator.mallocAligned(size, alignment), alignment), size, main);
                case HEAP_MALLOC -> inHeap(s, heap -> allocator.heapMalloc(heap, size));
                case HEAP_ALIGNED ->
                    inHeap(s, heap -> aligned(allocator.heapMallocAligned(heap, size, alignment), alignment));
                case FREE -> free();
                case FREE_MANY -> {
                    for (int i = 0; i < 40; i++) free();
                }
                case REALLOC -> resize(size, block -> allocator.realloc(block, size));
                case REALLOC_ALIGNED ->
                    resize(size, block -> aligned(allocator.reallocAligned(block, size, alignment), alignment));
                case EXPAND -> expand(size);
                case NEW_HEAP -> newHeap();
                case DELETE_HEAP -> endHeap(s.pick(), false);
                case DESTROY_HEAP -> endHeap(s.pick(), true);
                case COLLECT -> allocator.collect(s.pick() % 4 == 0);
                case VISIT -> visit(s.pick());
            }
        }

        private void enter(long block, long size, long heap) {
            live.add(block, size, heap);
            if (size >= 16) assertThat(allocator.heapContains(heap, block)).as("0x%x in its heap", block).isTrue();
            blocks.add(block);
        }

        private void enterZero(long block, long size) {
            assertThat(Raw.firstDirty(block, size)).as("offset of what is not zero").isEqualTo(-1);
            enter(block, size, allocator.heapMain());
        }

        private long aligned(long block, long alignment) {
            assertThat(block & alignment - 1).as("0x%x modulo %d", block, alignment).isZero();
            return block;
        }

        private void free() {
            Long block = blocks.poll();
            if (block != null) live.free(block);
        }

        private interface Resize { long to(long block); }

        private void resize(long size, Resize resize) {
            Long block = blocks.poll();
            if (block == null) return;
            LiveBlocks.Block old = live.remove(block);
            long moved = resize.to(block);
            old.check(moved, Math.min(old.size(), size));
            live.add(moved, size, allocator.heapOf(moved));
            blocks.add(moved);
        }

        private void expand(long size) {
            Long block = blocks.poll();
            if (block == null) return;
            LiveBlocks.Block old = live.remove(block);
            boolean fits = size <= old.usable();
            assertThat(allocator.expand(block, size)).isEqualTo(fits ? block : 0);
            live.add(block, fits ? size : old.size(), old.heap());
            blocks.add(block);
        }

        // A heap is used under its list's lock: C mimalloc asks the same of its users, that a heap outlives its uses.

        private interface InHeap { long allocate(long heap); }

        private void inHeap(Step s, InHeap allocation) {
            synchronized (heaps) {
                if (heaps.isEmpty()) return;
                long heap = heaps.get(s.pick() % heaps.size());
                enter(allocation.allocate(heap), s.size(), heap);
            }
        }

        private void newHeap() {
            synchronized (heaps) {
                if (heaps.size() < MAX_HEAPS) heaps.add(allocator.heapNew());
            }
        }

        private void endHeap(int pick, boolean destroy) {
            synchronized (heaps) {
                if (heaps.isEmpty()) return;
                long heap = heaps.remove(pick % heaps.size());
                if (destroy && quiet) {
                    for (LiveBlocks.Block block : live.all()) {
                        if (block.heap() != heap) continue;
                        blocks.remove(block.address());
                        live.remove(block.address());
                    }
                    allocator.heapDestroy(heap);
                } else {
                    allocator.heapDelete(heap);
                    live.moveHeap(heap, allocator.heapMain());
                }
            }
        }

        private void visit(int pick) {
            if (!quiet || heaps.isEmpty()) return;
            long heap = heaps.get(pick % heaps.size());
            allocator.awaitQuarantines(); // what waits in another thread's is shown as live
            var expected = live.all().stream().filter(b -> b.heap() == heap).toList(); // in order of their addresses
            var found = new TreeMap<Long, Long>();
            allocator.heapVisitBlocks(heap, true, (h, area, b, size) -> b == 0 || found.put(b, size) == null);
            assertThat(found).as("blocks that a visit finds").hasSameSizeAs(expected);
            for (LiveBlocks.Block block : expected) { // an aligned one may begin somewhat after what the visit finds
                var entry = found.floorEntry(block.address());
                assertThat(entry).as("the visit's entry for %s", block).isNotNull();
                assertThat(block.address() + block.size()).isLessThanOrEqualTo(entry.getKey() + entry.getValue());
            }
        }

        void end() {
            live.checkAll();
            for (LiveBlocks.Block block : live.all()) {
                long heap = allocator.heapOf(block.address());
                if (quiet) assertThat(heap).as("heap of %s", block).isEqualTo(block.heap());
                else assertThat(heap).as("heap of %s", block).isNotZero();
            }
            var random = new Random(live.count());
            for (long heap : heaps) {
                if (random.nextBoolean()) {
                    live.removeHeap(heap);
                    allocator.heapDestroy(heap);
                } else {
                    allocator.heapDelete(heap);
                }
            }
            live.freeAll();
            assertThat(allocator.takeError()).isZero();
        }
    }

    @Property(tries = 2000)
    void oneThread(@ForAll("steps") List<Step> steps) {
        var world = new World(true);
        world.run(steps);
        world.end();
    }

    @Property(tries = 600)
    void severalThreads(@ForAll("steps") List<Step> a, @ForAll("steps") List<Step> b, @ForAll("steps") List<Step> c)
            throws Exception {
        var world = new World(false);
        var parts = List.of(a, b, c);
        Threads.run(3, number -> world.run(parts.get(number)));
        world.end();
    }

    /** Each sequence on a thread of its own that ends: the next one finds what it left. */
    @Property(tries = 400)
    void oneAfterTheOther(@ForAll("steps") List<Step> a, @ForAll("steps") List<Step> b, @ForAll("steps") List<Step> c)
            throws Exception {
        var world = new World(true);
        Threads.run(() -> world.run(a));
        Threads.run(() -> world.run(b));
        Threads.run(() -> world.run(c));
        world.end();
    }

    /** Where freed blocks wait in a quarantine, those of an ended thread leave it, however late its end is noticed. */
    @Example
    void whatAnEndedThreadFreedIsNotShown() throws Exception {
        var world = new World(true);
        world.newHeap();
        Threads.run(() -> world.run(List.of(new Step(Kind.HEAP_MALLOC, 0, 0, 0), new Step(Kind.FREE, 0, 0, 0))));
        Threads.run(() -> world.visit(0));
        world.end();
    }
}
