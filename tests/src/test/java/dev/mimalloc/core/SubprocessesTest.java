package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Callback;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SubprocessesTest {
    @AfterEach
    void allIsWhole() { Invariants.check(); }

    private static boolean visit(long subprocess, Callback.HeapVisitor visitor) {
        long handle = Callback.register(visitor);
        try {
            return Subprocesses.visitHeaps(subprocess, handle, 0);
        } finally {
            Callback.unregister(handle);
        }
    }

    /** The visitor ends the heap that it is shown, and the next one, and makes another. */
    @Test
    void heapsThatEndMeanwhileAreNotShown() {
        var alive = new ArrayList<Long>();
        for (int i = 0; i < 40; i++) alive.addFirst(Heaps.create()); // the latest is shown first
        var expected = new ArrayList<Long>();
        for (int i = 0; i < 40; i += 2) expected.add(alive.get(i));
        var shown = new ArrayList<Long>();
        assertThat(visit(Main.subprocess(), (heap, arg) -> {
            int at = alive.indexOf(heap);
            if (at < 0) return true;
            shown.add(heap);
            Free.free(Allocate.heapMalloc(heap, 100));
            Heaps.destroy(heap);
            Heaps.delete(alive.get(at + 1));
            assertThat(Heap.isDeleted(heap)).as("its struct is still there").isTrue();
            Heaps.delete(Heaps.create());
            return true;
        })).isTrue();
        assertThat(shown).isEqualTo(expected);
        assertThat(heaps()).doesNotContainAnyElementsOf(alive);
    }

    @Test
    void aVisitThatStopsHoldsNothing() {
        long heap = Heaps.create();
        assertThat(visit(Main.subprocess(), (shown, arg) -> shown != heap)).isFalse();
        assertThat(Heap.addReferences(heap, 0)).isEqualTo(1);
        Heaps.destroy(heap);
    }

    private static Set<Long> heaps() {
        var heaps = new HashSet<Long>();
        visit(Main.subprocess(), (heap, arg) -> heaps.add(heap));
        return heaps;
    }

    @Test
    void heapsAndArenasOfAnotherSubprocessAreRefused() throws Exception {
        long heap = Heaps.create();
        List<Long> mine = List.of(heap, Heaps.main());
        var task = new FutureTask<Void>(() -> {
            long subprocess = Subprocesses.create();
            Subprocesses.addCurrentThread(subprocess);
            try {
                for (long other : mine) {
                    assertThatIllegalArgumentException().isThrownBy(() -> Allocate.heapMalloc(other, 100));
                    assertThatIllegalArgumentException().isThrownBy(() -> Allocate.heapZalloc(other, 1 << 20));
                    assertThatIllegalArgumentException().isThrownBy(() -> Heaps.theap(other));
                }
                long arena = Subprocess.arena(Main.subprocess(), 0);
                assertThatIllegalArgumentException().isThrownBy(() -> Heaps.create(arena));
                long own = Heaps.create();
                long block = Allocate.heapMalloc(own, 100);
                assertThat(Heaps.of(block)).isEqualTo(own);
                Free.free(block);
            } finally {
                Threads.done();
                Subprocesses.destroy(subprocess);
            }
            return null;
        });
        Free.free(Allocate.malloc(100)); // so that there is an arena
        Thread.ofPlatform().start(task).join();
        task.get();
        Heaps.destroy(heap);
    }

    /** The NUMA node of the first arena of a new subprocess. */
    private static long nodeOfAnArena() throws Exception {
        var task = new FutureTask<Long>(() -> {
            long subprocess = Subprocesses.create();
            Subprocesses.addCurrentThread(subprocess);
            try {
                Free.free(Allocate.malloc(100));
                return Arena.numaNodeRelaxed(Subprocess.arena(subprocess, 0));
            } finally {
                Threads.done();
                Subprocesses.destroy(subprocess);
            }
        });
        Thread.ofPlatform().start(task).join();
        return task.get();
    }

    @Test
    void anArenaBelongsToTheNodeOfTheThreadThatReservesItIfTheOptionSaysSo() throws Exception {
        assertThat(nodeOfAnArena()).isEqualTo(-1);
        Options.set(Options.ARENA_IS_NUMA_LOCAL, 1);
        Options.set(Options.USE_NUMA_NODES, 1); // so that it is number 0, wherever the thread runs
        try {
            assertThat(nodeOfAnArena()).isZero();
        } finally {
            Options.set(Options.ARENA_IS_NUMA_LOCAL, 0);
            Options.set(Options.USE_NUMA_NODES, 0);
        }
    }
}
