package dev.mimalloc.core.thread;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Kept;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * The lives of subprocesses: parts of a process whose threads share arenas and heaps, and nothing with the others.
 */
public final class Subprocesses {
    private Subprocesses() {}

    @Export("mi_subproc_id_t mi_subproc_main(void)")
    public static long main() { return Startup.ready() ? Main.subprocess() : 0; }

    @Export("mi_subproc_id_t mi_subproc_current(void)")
    public static long current() { return Startup.ready() ? Theap.currentSubprocess() : 0; }

    /** A new subprocess; 0 if there is no memory. */
    @Export("mi_subproc_id_t mi_subproc_new(void)")
    public static long create() {
        if (!Startup.ready()) return 0;
        long subprocess = Meta.allocate(Subprocess.SIZE);
        long heap = Meta.allocate(Heap.SIZE);
        if (subprocess == 0 || heap == 0 || !Heaps.takeSlot(heap)) {
            Meta.free(subprocess, Subprocess.SIZE);
            Meta.free(heap, Heap.SIZE);
            return Errors.outOfMemory(Subprocess.SIZE);
        }
        Heap.initMain(heap, subprocess);
        return subprocess;
    }

    /**
     * Ends a subprocess with all its heaps and memory; none of its threads may run any more, nor anybody use its
     * blocks.
     */
    @Export("void mi_subproc_destroy(mi_subproc_id_t subproc)")
    public static void destroy(long subprocess) {
        if (subprocess == 0 || subprocess == Main.subprocess()) return;
        long main = Subprocess.mainHeap(subprocess);
        long next;
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            if (heap != main && !Heap.isDeleted(heap)) Heaps.destroy(heap);
        }
        // Deleted heaps still have the pages that the subprocess' threads owned.
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            Heaps.releasePages(heap);
        }
        Theaps.endThreads(main);
        // The structs of deleted heaps were waiting for threads that will not come by again.
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            if (heap != main) Heap.release(heap);
        }
        Subprocess.unlink(subprocess);
        Kept.end(subprocess, Main.subprocess());
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            Trace.arena(false, Arena.start(arena), Arena.size(arena));
            if (Arena.isOwned(arena)) OsMemory.release(Arena.start(arena), Arena.size(arena));
        }
        Heap.releaseTables(main);
        Heaps.giveSlotBack(main);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) Arena.release(Subprocess.arena(subprocess, i));
        Table.release(Subprocess.arenas(subprocess));
        Meta.free(main, Heap.SIZE);
        Meta.free(subprocess, Subprocess.SIZE);
    }

    /**
     * Moves the current thread into a subprocess; its blocks stay where they are. Inside of a function that the
     * allocator calls nothing happens, since the call around that function goes on.
     */
    @Export("void mi_subproc_add_current_thread(mi_subproc_id_t subproc)")
    public static void addCurrentThread(long subprocess) {
        if (subprocess == 0 || !ThreadSlot.mayOwn() || current() == subprocess || CallOut.isInside()) return;
        Threads.done();
        Theaps.startThread(subprocess);
    }

    /**
     * Shows each heap of a subprocess that is there when its turn comes; false as soon as the visitor says so. The
     * visitor may make heaps, which it is not shown, and end them, as other threads may: the heap that it is shown
     * keeps its struct until it returns, and so the heap stays in the list, from which the next one is found.
     */
    @Export("bool mi_subproc_visit_heaps(mi_subproc_id_t subproc, mi_heap_visit_fun* visitor, void* arg)")
    public static boolean visitHeaps(long subprocess, long visitor, long argument) {
        if (subprocess == 0) return false;
        boolean more = true;
        long heap = Heap.nextReferred(subprocess, 0);
        while (heap != 0) {
            more = Callback.visitHeap(visitor, heap, argument);
            long next = more ? Heap.nextReferred(subprocess, heap) : 0;
            Heap.dropReference(heap);
            heap = next;
        }
        return more;
    }
}
