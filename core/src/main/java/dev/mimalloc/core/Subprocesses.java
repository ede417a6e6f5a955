package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * The lives of subprocesses: parts of a process whose threads share arenas and heaps, and nothing with the others.
 */
public final class Subprocesses {
    private Subprocesses() {}

    @Export("mi_subproc_id_t mi_subproc_main(void)")
    public static long main() { return Startup.ready() ? Root.subprocess() : 0; }

    @Export("mi_subproc_id_t mi_subproc_current(void)")
    public static long current() { return Startup.ready() ? Heaps.currentSubprocess() : 0; }

    /** A new subprocess; 0 if there is no memory. */
    @Export("mi_subproc_id_t mi_subproc_new(void)")
    public static long create() {
        if (!Startup.ready()) return 0;
        long subprocess = Meta.allocate(Subprocess.SIZE);
        long heap = Meta.allocate(Heap.SIZE);
        if (subprocess == 0 || heap == 0) {
            Meta.free(subprocess, Subprocess.SIZE);
            Meta.free(heap, Heap.SIZE);
            return Errors.outOfMemory(Subprocess.SIZE);
        }
        Startup.init(subprocess, heap);
        return subprocess;
    }

    /**
     * Ends a subprocess with all its heaps and memory; none of its threads may run any more, nor anybody use its
     * blocks.
     */
    @Export("void mi_subproc_destroy(mi_subproc_id_t subproc)")
    public static void destroy(long subprocess) {
        if (subprocess == 0 || subprocess == Root.subprocess()) return;
        long main = Subprocess.mainHeap(subprocess);
        long next;
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            if (heap != main && !Heap.isDeleted(heap)) Heaps.destroy(heap);
        }
        // What is left of deleted heaps, in which the subprocess' threads had pages.
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            Heaps.releasePages(heap, subprocess);
        }
        Theaps.endThreads(main);
        // Their structs were waiting for threads that will not come.
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = next) {
            next = Heap.next(heap);
            if (heap != main) Heap.release(heap);
        }
        unlink(subprocess);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            Trace.arena(false, Arena.start(arena), Arena.size(arena));
            if (Arena.isOwned(arena)) Os.unmap(Arena.start(arena), Arena.size(arena));
        }
        Heap.releaseTables(main);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) Arena.release(Subprocess.arena(subprocess, i));
        Table.release(Subprocess.arenas(subprocess));
        Meta.free(main, Heap.SIZE);
        Meta.free(subprocess, Subprocess.SIZE);
    }

    private static void unlink(long subprocess) {
        Lock.acquire(Root.lock());
        long before = 0;
        long at = Root.subprocesses();
        while (at != subprocess) {
            before = at;
            at = Subprocess.next(at);
        }
        if (before == 0) Root.setSubprocesses(Subprocess.next(subprocess));
        else Subprocess.setNext(before, Subprocess.next(subprocess));
        Lock.release(Root.lock());
    }

    /**
     * Moves the current thread into a subprocess; what it allocated before stays where it is. In a function that the
     * allocator calls nothing happens, as in {@link Threads#done}.
     */
    @Export("void mi_subproc_add_current_thread(mi_subproc_id_t subproc)")
    public static void addCurrentThread(long subprocess) {
        if (subprocess == 0 || !ThreadSlot.mayOwn() || current() == subprocess || CallOut.isInside()) return;
        Threads.done();
        Theaps.startThread(subprocess);
    }

    /** Shows each heap of a subprocess; false as soon as the visitor says so. */
    @Export("bool mi_subproc_visit_heaps(mi_subproc_id_t subproc, mi_heap_visit_fun* visitor, void* arg)")
    public static boolean visitHeaps(long subprocess, long visitor, long argument) {
        if (subprocess == 0) return false;
        // A copy, since the visitor may make heaps and end them.
        Lock.acquire(Subprocess.livesLock(subprocess));
        long count = 0;
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            count += Heap.isDeleted(heap) ? 0 : 1;
        }
        long heaps = Meta.allocate(count * 8);
        long at = heaps;
        for (long heap = heaps == 0 ? 0 : Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            if (Heap.isDeleted(heap)) continue;
            putLong(at, heap);
            at += 8;
        }
        Lock.release(Subprocess.livesLock(subprocess));
        boolean more = heaps != 0;
        for (at = heaps; more && at < heaps + count * 8; at += 8) {
            more = Callback.visitHeap(visitor, getLong(at), argument);
        }
        Meta.free(heaps, count * 8);
        return more;
    }
}
