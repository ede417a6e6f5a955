package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Memory;

/**
 * The one piece of static memory, from which all mutable state is reached. Zero at first.
 *
 * <pre>
 * offset width field
 *      0     8 state       0 before, 1 during, 2 after the process' initialisation; atomic
 *      8     8 metaFreed   bytes of meta-data freed since their memory was last given back; atomic, a hint
 *     16     8 metaPages   the latest meta-data page; atomic, pages are only added
 *     24     8 shared      theaps that virtual threads share: how many, a power of two; atomic
 *     32     8 forked      1 in a process that a fork made
 *     40     8 deferred    the deferred-free function; atomic
 *     48     8 deferredArg
 *     56     8 output      the output function; atomic
 *     64     8 outputArg
 *     72     8 error       the error function; atomic
 *     80     8 errorArg
 *     88     8 errors      how many errors were shown; atomic
 *     96     8 warnings    how many warnings were shown; atomic
 *    104     8 sequence    numbers for threads; atomic
 *    112     8 start       when the process began, monotonic ms
 *    120     8 lock        held while slots of heaps are given out, and while a subprocess begins or ends
 *    128     8 slotCount   slots that have been given out; lock
 *    136     8 freeSlot    a slot that is free again, plus one; lock
 *    144     8 subprocesses list, beginning with the latest; lock
 *    152     8 limit       bytes that all pages together may have, 0 for any; atomic
 *    160     8 charged     bytes that they have; atomic
 *    168     8 atLimit     the function that is called at a limit; atomic
 *    176     8 atLimitArg
 *    184     8 destroyed   1 after all memory has gone with blocks in it
 *    256   752 options     see Options
 *   1024    96 emptyPage   a page without blocks: where a direct table points when a size has no page yet
 *   1152  4864 subprocess  the main subprocess
 *   6144  6144 heap        the main heap
 *  12288  2048 sharedData  the thread data of the shared theaps, a pointer for each
 *  14336   128 slots       Table: the next free slot behind a free one; lock
 *  16384   512 density     a word for each power of two, see Density; relaxed
 * </pre>
 */
final class Root {
    private static final long SIZE = 16384 + 64 * 8;

    private Root() {}

    static long at(long offset) { return Memory.root() + offset; }

    static long state() { return getAcquire(at(0)); }
    static boolean casState(long expected, long state) { return compareAndSet(at(0), expected, state); }
    static void setState(long state) { putRelease(at(0), state); }

    static long metaPages() { return getAcquire(at(16)); }
    static boolean casMetaPages(long expected, long page) { return compareAndSet(at(16), expected, page); }

    static long metaFreed() { return getRelaxed(at(8)); }
    static void addMetaFreed(long bytes) { fetchAdd(at(8), bytes); }
    static long clearMetaFreed() { return exchange(at(8), 0); }
    static long sharedCount() { return getAcquire(at(24)); }
    static void raiseSharedCount() {
        long count = sharedCount();
        if (count < SHARED_MAX) compareAndSet(at(24), count, count * 2);
    }
    static void setSharedCount(long count) { putLong(at(24), count); }

    static boolean forked() { return getLong(at(32)) != 0; }
    static void setForked() { putLong(at(32), 1); }

    static long deferred() { return getAcquire(at(40)); }
    static long deferredArgument() { return getRelaxed(at(48)); }
    static void setDeferred(long function, long argument) { set(40, function, argument); }

    static long output() { return getAcquire(at(56)); }
    static long outputArgument() { return getRelaxed(at(64)); }
    static void setOutput(long function, long argument) { set(56, function, argument); }

    static long error() { return getAcquire(at(72)); }
    static long errorArgument() { return getRelaxed(at(80)); }
    static void setError(long function, long argument) { set(72, function, argument); }

    static long countError() { return fetchAdd(at(88), 1); }
    static long countWarning() { return fetchAdd(at(96), 1); }
    static long nextSequence() { return fetchAdd(at(104), 1); }

    static long start() { return getLong(at(112)); }
    static void setStart(long ms) { putLong(at(112), ms); }

    static long lock() { return at(120); }
    static long slotCount() { return getLong(at(128)); }
    static void setSlotCount(long count) { putLong(at(128), count); }
    static long freeSlot() { return getLong(at(136)); }
    static void setFreeSlot(long slot) { putLong(at(136), slot); }
    static long subprocesses() { return getLong(at(144)); }
    static void setSubprocesses(long subprocess) { putLong(at(144), subprocess); }
    static long slots() { return at(14336); }

    static long limit() { return getRelaxed(at(152)); }
    static void setLimit(long bytes) { putRelaxed(at(152), bytes); }
    static long charged() { return getRelaxed(at(160)); }
    static void addCharged(long bytes) { fetchAdd(at(160), bytes); }
    static long chargedWord() { return at(160); }
    static long atLimit() { return getAcquire(at(168)); }
    static long atLimitArgument() { return getRelaxed(at(176)); }
    static void setAtLimit(long function, long argument) { set(168, function, argument); }

    static boolean isDestroyed() { return getLong(at(184)) != 0; }
    static void setDestroyed() { putLong(at(184), 1); }
    /** As at the start of the process. */
    static void clear() { fill(at(0), SIZE, 0); }

    static long options() { return at(256); }
    static long emptyPage() { return at(1024); }
    static long subprocess() { return at(1152); }
    static long heap() { return at(6144); }

    static long density(long power) { return at(16384 + power * 8); }

    static final int SHARED_MAX = 256;
    static long sharedData(long index) { return getAcquire(at(12288 + index * 8)); }
    static boolean casSharedData(long index, long data) { return compareAndSet(at(12288 + index * 8), 0, data); }

    /**
     * A function and its argument: without the function first, so that nobody calls the new one with the old
     * argument.
     */
    private static void set(long offset, long function, long argument) {
        putRelease(at(offset), 0);
        putRelease(at(offset + 8), argument);
        putRelease(at(offset), function);
    }
}
