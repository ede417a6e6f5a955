package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/**
 * Random programs over heaps and arenas of the public API: each step is taken by one of several threads, platform and
 * virtual, so that blocks, heaps and shared arenas go from hand to hand, and arenas are nested and end in any order.
 * The steps of a program come one after the other, so that the model always knows what there must be; many threads at
 * a time are RandomContract's.
 */
@SuppressWarnings("ReferenceEquality") // owners are who they are
class HeapsAndArenasTest {
    private static final int MOST = 5;

    enum Kind {
        MALLOC, ZALLOC, FREE, FREE_TWO, REALLOC, NEW_HEAP, CLOSE_HEAP, DELETE_HEAP, OPEN, ALLOCATE, CLOSE, VISIT,
        COLLECT
    }

    record Step(Kind kind, int thread, long size, int alignment, int pick) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        var kinds = Arbitraries.of(Kind.MALLOC, Kind.MALLOC, Kind.MALLOC, Kind.ZALLOC, Kind.FREE, Kind.FREE,
                Kind.FREE_TWO, Kind.REALLOC, Kind.REALLOC, Kind.NEW_HEAP, Kind.CLOSE_HEAP, Kind.DELETE_HEAP, Kind.OPEN,
                Kind.OPEN, Kind.ALLOCATE, Kind.ALLOCATE, Kind.ALLOCATE, Kind.CLOSE, Kind.VISIT, Kind.COLLECT);
        var sizes = Arbitraries.oneOf(Arbitraries.longs().between(0, 200), Arbitraries.longs().between(0, 3000),
                Arbitraries.longs().between(2000, 100_000), Arbitraries.longs().between(400_000, 1_500_000));
        return Combinators.combine(kinds, Arbitraries.integers().between(0, 3), sizes,
                Arbitraries.integers().between(0, 13), Arbitraries.integers().between(0, 1 << 20)).as(Step::new)
                .withoutEdgeCases().list().ofMinSize(1).ofMaxSize(250).withoutEdgeCases();
    }

    private final List<ExecutorService> threads = new ArrayList<>();
    private final List<Thread> workers = new ArrayList<>();

    @BeforeProperty
    void startThreads() throws Exception {
        for (int i = 0; i < 4; i++) {
            var builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            threads.add(Executors.newSingleThreadExecutor(builder.factory()));
            workers.add(threads.getLast().submit(Thread::currentThread).get());
        }
    }

    @AfterProperty
    void endThreads() throws Exception {
        threads.forEach(ExecutorService::close);
        for (Thread worker : workers) worker.join(); // close() only waits for their last tasks
        Invariants.check();
    }

    @Property(tries = 300)
    void whatTheModelSays(@ForAll("steps") List<Step> steps) throws Exception {
        var world = new World();
        for (Step step : steps) on(step.thread(), () -> world.take(step));
        world.checkAll();
        world.end();
    }

    private void on(int thread, Threads.Work work) throws Exception {
        threads.get(thread).submit(() -> {
            work.run();
            return null;
        }).get();
    }

    /** A block, or a segment of an arena; the heap or arena that it ends with, null for none. */
    private record Block(long address, long size, long seed, Object owner) {}

    private record Opened(Arena arena, Heap heap, int thread, boolean confined) {}

    private final class World {
        final TreeMap<Long, Block> blocks = new TreeMap<>();
        final List<Heap> heaps = new ArrayList<>();
        final List<Opened> arenas = new ArrayList<>();
        final Map<Heap, Integer> opened = new HashMap<>();
        long seeds;

        void take(Step s) {
            Heap heap = heaps.isEmpty() || s.pick() % 3 == 0 ? null : heaps.get(s.pick() % heaps.size());
            long alignment = 1L << s.alignment();
            switch (s.kind()) {
                case MALLOC -> add(heap == null ? Mimalloc.mallocAligned(s.size(), alignment)
                        : heap.mallocAligned(s.size(), alignment), s.size(), heap);
                case ZALLOC -> {
                    long block = heap == null ? Mimalloc.zalloc(s.size()) : heap.zalloc(s.size());
                    assertThat(Raw.firstDirty(block, s.size())).isEqualTo(-1);
                    add(block, s.size(), heap);
                }
                case FREE -> free(s.pick());
                case FREE_TWO -> {
                    free(s.pick());
                    free(s.pick() / 2);
                }
                case REALLOC -> realloc(s, heap);
                case NEW_HEAP -> {
                    if (heaps.size() < MOST) heaps.add(Heap.create());
                }
                case CLOSE_HEAP, DELETE_HEAP -> endHeap(heap, s.kind() == Kind.DELETE_HEAP);
                case OPEN -> open(s, heap);
                case ALLOCATE -> allocate(s);
                case CLOSE -> close(s);
                case VISIT -> visit(heap);
                case COLLECT -> Mimalloc.collect(s.pick() % 5 == 0);
            }
        }

        private void add(long address, long size, Object owner) {
            Block block = new Block(address, size, ++seeds, owner);
            var before = blocks.floorEntry(address);
            var after = blocks.higherKey(address);
            if (before != null) {
                assertThat(before.getKey() + Math.max(1, before.getValue().size())).isLessThanOrEqualTo(address);
            }
            if (after != null) assertThat(address + size).isLessThanOrEqualTo(after);
            blocks.put(address, block);
            Pattern.write(address, size, block.seed());
            if (owner instanceof Heap heap) assertThat(heap.contains(address)).isTrue();
            else if (owner == null) assertThat(Heap.main().contains(address)).isTrue();
        }

        private void check(Block b) {
            assertThat(Pattern.mismatch(b.address(), b.size(), b.seed())).as("offset of damage in %s", b).isEqualTo(-1);
        }

        /** A block that may be freed on its own; null if the pick leads to none. */
        private Block pick(int pick) {
            if (blocks.isEmpty()) return null;
            var entry = blocks.ceilingEntry(blocks.firstKey() + (long) ((blocks.lastKey() - blocks.firstKey())
                    * (pick % 1000 / 1000.0)));
            Block block = entry == null ? blocks.firstEntry().getValue() : entry.getValue();
            return block.owner() instanceof Opened ? null : block;
        }

        private void free(int pick) {
            Block block = pick(pick);
            if (block == null) return;
            check(block);
            blocks.remove(block.address());
            Mimalloc.free(block.address());
        }

        private void realloc(Step s, Heap heap) {
            Block old = pick(s.pick());
            if (old == null) return;
            check(old);
            blocks.remove(old.address());
            long moved = heap == null ? Mimalloc.realloc(old.address(), s.size())
                    : heap.realloc(old.address(), s.size());
            assertThat(Pattern.prefixMismatch(moved, Math.min(old.size(), s.size()), old.seed())).isEqualTo(-1);
            Object owner = old.owner();
            if (moved != old.address()) owner = heap;
            add(moved, s.size(), owner);
        }

        private void endHeap(Heap heap, boolean delete) {
            if (heap == null) return;
            if (opened.getOrDefault(heap, 0) > 0) {
                assertThat(thrownBy(heap::close)).isInstanceOf(IllegalStateException.class);
                assertThat(thrownBy(heap::delete)).isInstanceOf(IllegalStateException.class);
                return;
            }
            heaps.remove(heap);
            if (delete) {
                heap.delete();
                blocks.replaceAll((_, b) -> b.owner() == heap ? new Block(b.address(), b.size(), b.seed(), null) : b);
            } else {
                heap.close();
                blocks.values().removeIf(b -> b.owner() == heap);
            }
            assertThat(thrownBy(() -> heap.malloc(8))).isInstanceOf(IllegalStateException.class);
        }

        private void open(Step s, Heap heap) {
            if (arenas.size() == MOST) return;
            boolean confined = s.pick() % 2 == 0;
            Arenas in = heap == null ? Arenas.main() : Arenas.in(heap);
            Arena arena = confined ? in.confined() : in.shared();
            arenas.add(new Opened(arena, heap, s.thread(), confined));
            if (heap != null) opened.merge(heap, 1, Integer::sum);
        }

        private void allocate(Step s) {
            if (arenas.isEmpty()) return;
            Opened o = arenas.get(s.pick() % arenas.size());
            if (o.confined() && o.thread() != s.thread()) {
                assertThat(thrownBy(() -> o.arena().allocate(8))).isInstanceOf(WrongThreadException.class);
                return;
            }
            long address = o.arena().allocate(s.size(), 1L << s.alignment()).address();
            assertThat(Raw.firstDirty(address, s.size())).isEqualTo(-1);
            assertThat((o.heap() == null ? Heap.main() : o.heap()).contains(address)).isTrue();
            add(address, s.size(), o);
        }

        private void close(Step s) {
            if (arenas.isEmpty()) return;
            Opened o = arenas.get(s.pick() % arenas.size());
            if (o.confined() && o.thread() != s.thread()) {
                assertThat(thrownBy(o.arena()::close)).isInstanceOf(WrongThreadException.class);
                return;
            }
            end(o);
            arenas.remove(o);
        }

        private void end(Opened o) {
            for (Block block : blocks.values()) {
                if (block.owner() == o) check(block);
            }
            o.arena().close();
            blocks.values().removeIf(b -> b.owner() == o);
            if (o.heap() != null) opened.merge(o.heap(), -1, Integer::sum);
        }

        /** A visit and the statistics tell of just the blocks that the model has. Arenas have some of their own. */
        private void visit(Heap heap) {
            if (heap == null || opened.getOrDefault(heap, 0) > 0) return;
            Set<Long> found = new HashSet<>();
            long[] bytes = {0};
            heap.visit(true, (area, block, size) -> {
                if (block == 0) return true;
                bytes[0] += size;
                Long inside = blocks.ceilingKey(block); // an aligned block may begin after what is visited
                assertThat(inside).isNotNull().isLessThan(block + Math.max(size, 1));
                assertThat(blocks.get(inside).owner()).isSameAs(heap);
                return found.add(inside);
            });
            assertThat(found).hasSize((int) blocks.values().stream().filter(b -> b.owner() == heap).count());
            var statistics = heap.statistics();
            assertThat(statistics.mallocNormal().current() + statistics.mallocHuge().current()).isEqualTo(bytes[0]);
        }

        void checkAll() { blocks.values().forEach(this::check); }

        void end() throws Exception {
            for (Heap heap : heaps) visit(heap);
            for (Opened o : arenas.reversed()) on(o.thread(), () -> end(o));
            for (Heap heap : heaps) {
                heap.close();
                blocks.values().removeIf(b -> b.owner() == heap);
            }
            for (long address : blocks.keySet()) Mimalloc.free(address);
        }

        private Throwable thrownBy(Runnable call) {
            try {
                call.run();
                return null;
            } catch (Throwable t) {
                return t;
            }
        }
    }
}
