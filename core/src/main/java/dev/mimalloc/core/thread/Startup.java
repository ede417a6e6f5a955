package dev.mimalloc.core.thread;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;

/**
 * The process' initialisation, once: the main subprocess and its heap are made when the first thread wants a theap or a
 * heap, which may be before the library's own initialiser has run. Other threads that come meanwhile wait for it.
 *
 * <p>Whoever makes a theap, a heap or a subprocess asks {@link #ready} first; whoever has one need not, as it was made
 * after that. What is made here lies in static memory, so nothing in it can fail.
 */
public final class Startup {
    private static final long DONE = 2;

    private Startup() {}

    /** Initialises if that has not happened yet; true when it has. */
    public static boolean ready() {
        return Root.stateAcquire() == DONE || initialise();
    }

    public static boolean isDone() { return Root.stateAcquire() == DONE; }

    private static boolean initialise() {
        while (!Root.casState(0, 1)) {
            if (Root.stateAcquire() == DONE) return true;
            Os.yield();
        }
        Root.setStart(Os.clock());
        Secret.init();
        long count = 1;
        while (count < Os.processors() && count < Root.SHARED_MAX) count *= 2;
        Root.setSharedCount(count);
        long subprocess = Main.subprocess();
        Heap.initMain(Main.heap(), subprocess);
        if (Options.bounded(Options.ALLOW_THP) == 0) Os.disallowHugePages();
        Root.setStateRelease(DONE);
        reserveAsTold(subprocess);
        return true;
    }

    private static void reserveAsTold(long subprocess) {
        long size = Options.boundedSize(Options.RESERVE_OS_MEMORY);
        if (size <= 0) return;
        Lock.acquire(Subprocess.arenaLock(subprocess));
        int large = Options.isEnabled(Options.ALLOW_LARGE_OS_PAGES) ? Arena.LARGE : 0;
        Arenas.reserveMemory(subprocess, Config.alignUp(size, Config.SLICE), Arena.ACCESSIBLE | large);
        Lock.release(Subprocess.arenaLock(subprocess));
    }
}
