package dev.mimalloc.core.face;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.memory.Kept;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.core.page.Guarded;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;

/**
 * The end of the allocator in a process that may go on: its library is unloaded, or option {@code destroy_on_exit}
 * wants no memory left at exit. All that was mapped goes back to the system, users' blocks, structs and tables, and
 * static memory is as at the start: a later call begins anew. C only.
 *
 * <p>No other thread may be inside the allocator meanwhile. A program that unloads a library promises that for the
 * library's code; at exit other threads may be anywhere, so there their parts are left alone.
 */
public final class Teardown {
    private Teardown() {}

    /**
     * Gives everything back, unless a block is alive: then what is free.
     *
     * @param others no other thread will ever call again, so that their parts can be ended
     * @param live nobody needs the blocks that are alive: they go, too
     * @return whether nothing is left
     */
    @Export("bool mi__teardown(bool others, bool live)")
    public static boolean run(boolean others, boolean live) {
        if (!Startup.isDone()) return true;
        long theap = ThreadSlot.theap();
        ThreadSlot.setTheap(0);
        if (!live) {
            if (theap != 0) Threads.done(theap);
            boolean empty = true;
            for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
                if (others) endThreads(s);
                if (!isEmpty(s)) empty = false;
            }
            if (!empty) {
                for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) Purge.run(s);
                return false;
            }
        }
        Guarded.collect();
        Meta.free(Root.guardedAcquire(), Guarded.SIZE);
        long next;
        for (long s = Root.subprocesses(); s != 0; s = next) {
            next = Subprocess.next(s);
            releaseHeaps(s);
            releaseArenas(s);
        }
        Table.release(Root.slots());
        PageMap.releaseAll();
        Meta.releaseAll();
        Main.clear();
        if (live) Root.setDestroyed();
        return true;
    }

    /**
     * Ends the parts of threads as if these had ended. In a child of a fork they may have stopped in the middle of
     * something: then they stay as they are.
     */
    private static void endThreads(long subprocess) {
        if (Root.forked()) return;
        long theap;
        while ((theap = Heap.theaps(Subprocess.mainHeap(subprocess))) != 0) Threads.done(theap);
    }

    /** Exact: a page without a live block goes when its thread ends, and each live block is in a page of some heap. */
    private static boolean isEmpty(long subprocess) {
        if (Heap.theaps(Subprocess.mainHeap(subprocess)) != 0) return false;
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            if (Heap.osPages(heap) != 0 || HeapPages.next(heap, 0) >= 0) return false;
        }
        return true;
    }

    private static void releaseHeaps(long subprocess) {
        for (long t = Heap.theaps(Subprocess.mainHeap(subprocess)); t != 0; t = Theap.nextInHeap(t)) {
            Table.release(ThreadData.bySlot(Theap.data(t)));
        }
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            // The descriptors lie in meta pages, which are still there.
            for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) {
                OsMemory.release(Page.osBase(page), Page.osSize(page));
            }
            Heap.releaseTables(heap);
        }
    }

    private static void releaseArenas(long subprocess) {
        Kept.end(subprocess, 0);
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0) continue;
            Trace.arena(false, Arena.start(arena), Arena.size(arena));
            if (Arena.isOwned(arena)) OsMemory.release(Arena.start(arena), Arena.size(arena));
            Arena.release(arena);
        }
        Table.release(Subprocess.arenas(subprocess));
    }
}
