package dev.mimalloc.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Inside;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Visit;
import dev.mimalloc.machine.Callback;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * The whole allocator on one abandoned page, in a heap of its own: blocks are freed, and others allocated, by threads
 * that do not own the page. In the end the heap has just the blocks that are out, and a page that is empty is gone.
 */
public final class AbandonedPageTests {
    /** A page has room for 64. */
    private static final long SIZE = 1024;

    static {
        Mimalloc.free(0); // makes the allocator ready
    }

    private AbandonedPageTests() {}

    static class AHeap {
        final long heap = Heaps.create();

        final int liveBlocks() {
            int[] blocks = {0};
            long visitor = Callback.register((Callback.BlockVisitor) (h, area, block, size, argument) -> {
                if (block != 0) blocks[0]++;
                return true;
            });
            Visit.heapBlocks(heap, true, visitor, 0);
            Callback.unregister(visitor);
            return blocks[0];
        }

        /** 1 if the address lies in a page. */
        static int mapped(long block) { return PageMap.pageOf(block) == 0 ? 0 : 1; }
    }

    static class Abandoned extends AHeap {
        final long first = Allocate.heapMalloc(heap, SIZE);
        final long second = Allocate.heapMalloc(heap, SIZE);

        Abandoned() { Inside.abandonAll(heap); }
    }

    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "The page is gone.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Some thread has the page, empty, or has made another of it.")
    @Outcome(expect = FORBIDDEN, desc = "A block is left.")
    @State
    public static class LastTwoFrees extends Abandoned {
        @Actor
        public void one() { Free.free(first); }
        @Actor
        public void two() { Free.free(second); }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = liveBlocks();
            r.r2 = mapped(first);
            Heaps.destroy(heap);
        }
    }

    @JCStressTest
    @Outcome(id = "2, 1, 1", expect = ACCEPTABLE, desc = "The block that stayed and the new one.")
    @Outcome(expect = FORBIDDEN, desc = "A block is lost, or given out twice.")
    @State
    public static class AFreeAndAnAllocation extends Abandoned {
        private long block;

        @Actor
        public void free() { Free.free(first); }
        @Actor
        public void allocate() { block = Allocate.heapMalloc(heap, SIZE); }

        @Arbiter
        public void look(III_Result r) {
            r.r1 = liveBlocks();
            r.r2 = block != second ? 1 : 0;
            r.r3 = mapped(second) & mapped(block);
            Heaps.destroy(heap);
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The new block only.")
    @Outcome(expect = FORBIDDEN, desc = "A block is lost, or given out twice.")
    @State
    public static class LastTwoFreesAndAnAllocation extends Abandoned {
        private long block;

        @Actor
        public void free() {
            Free.free(first);
            Free.free(second);
        }

        @Actor
        public void allocate() { block = Allocate.heapMalloc(heap, SIZE); }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = liveBlocks();
            r.r2 = mapped(block);
            Heaps.destroy(heap);
        }
    }

    @JCStressTest
    @Outcome(id = "4, 1, 1", expect = ACCEPTABLE, desc = "Four blocks, all different.")
    @Outcome(expect = FORBIDDEN, desc = "Two have claimed the page.")
    @State
    public static class TwoAllocations extends Abandoned {
        private long one;
        private long other;

        @Actor
        public void one() { one = Allocate.heapMalloc(heap, SIZE); }
        @Actor
        public void other() { other = Allocate.heapMalloc(heap, SIZE); }

        @Arbiter
        public void look(III_Result r) {
            r.r1 = liveBlocks();
            r.r2 = one != other && one != first && one != second ? 1 : 0;
            r.r3 = other != first && other != second ? 1 : 0;
            Heaps.destroy(heap);
        }
    }

    /** A thread ends with a page while another frees its only block. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "The page is gone.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Some thread has the page, empty, or has made another of it.")
    @Outcome(expect = FORBIDDEN, desc = "A block is left.")
    @State
    public static class AbandonedWhileItsLastBlockIsFreed extends AHeap {
        private volatile long block;
        private long freed;

        @Actor
        public void owner() {
            block = Allocate.heapMalloc(heap, SIZE);
            Inside.abandonAll(heap);
        }

        @Actor
        public void free() {
            freed = block;
            if (freed != 0) Free.free(freed);
        }

        @Arbiter
        public void look(II_Result r) {
            if (freed == 0) Free.free(block);
            r.r1 = liveBlocks();
            r.r2 = mapped(block);
            Heaps.destroy(heap);
        }
    }

    /** The heap is deleted while blocks are freed; the one that stays now belongs to the main heap. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The main heap has it.")
    @Outcome(expect = FORBIDDEN, desc = "The page is lost, or still the old heap's.")
    @State
    public static class DeletedWhileBlocksAreFreed extends AHeap {
        private final long first = Allocate.heapMalloc(heap, SIZE);
        private final long second = Allocate.heapMalloc(heap, SIZE);
        private final long third = Allocate.heapMalloc(heap, SIZE);

        public DeletedWhileBlocksAreFreed() { Inside.abandonAll(heap); }

        @Actor
        public void free() {
            Free.free(first);
            Free.free(second);
        }

        @Actor
        public void delete() { Heaps.delete(heap); }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = mapped(third);
            r.r2 = Heaps.of(third) == Heaps.main() ? 1 : 0;
            Free.free(third);
        }
    }
}
