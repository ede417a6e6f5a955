package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Os;

/**
 * What belongs to one thread: its theaps, one for each heap that it has used. There are also a few that
 * virtual threads share, and threads that are at their end: who has the lease is the thread, for as long as one call takes.
 *
 * <pre>
 * offset width field
 *      0     8 id          the thread's id; of shared data a number that no thread has
 *      8     8 subprocess  written once
 *     16     8 theaps      list; livesLock
 *     24     8 mainTheap   for the subprocess' main heap; written once
 *     32     8 lease       1 while somebody has the shared data; atomic
 *     40     8 shared      1 when virtual threads share it; written once
 *     48     8 heartbeat   the deferred-free function's calls
 *     56     8 inDeferred  1 while the deferred-free function runs
 *     64     8 orphans     list of theaps whose heap has ended; written under livesLock, read by the thread without
 *     72     8 sequence    a number for each thread
 *     80     8 random
 *     88     8 inPool      1 when the thread said that it belongs to a pool
 *     96     8 spare       see Spare: a block, 0 as long as there is none, or LENT
 *    104     8 callOuts    functions of the user's that calls of this thread are inside of; see CallOut
 *    112     8 keeps       1 when orphans wait for the thread to come by: see keepsOrphans
 *    128   128 bySlot      Table: the theap for the heap with this slot
 * </pre>
 */
final class ThreadData {
    static final long SIZE = 256;
    static final long LENT = 1;

    private ThreadData() {}

    static long id(long data) { return getLong(data); }
    static void setId(long data, long id) { putLong(data, id); }
    static long subprocess(long data) { return getLong(data + 8); }
    static void setSubprocess(long data, long subprocess) { putLong(data + 8, subprocess); }
    static long theaps(long data) { return getLong(data + 16); }
    static void setTheaps(long data, long theap) { putLong(data + 16, theap); }
    static long mainTheap(long data) { return getLong(data + 24); }
    static void setMainTheap(long data, long theap) { putLong(data + 24, theap); }
    static boolean tryLease(long data) { return getRelaxed(data + 32) == 0 && compareAndSet(data + 32, 0, 1); }
    /** Waits until it may be free. */
    static void awaitLease(long data) { Os.waitOn(data + 32, 1); }
    /** Release: the next one to have the lease sees all that this one did. */
    static void endLease(long data) { putRelease(data + 32, 0); }
    static boolean isShared(long data) { return getLong(data + 40) != 0; }
    static void setShared(long data) { putLong(data + 40, 1); }
    static long nextHeartbeat(long data) {
        putLong(data + 48, getLong(data + 48) + 1);
        return getLong(data + 48);
    }
    static boolean inDeferred(long data) { return getLong(data + 56) != 0; }
    static void setInDeferred(long data, boolean in) { putLong(data + 56, in ? 1 : 0); }
    static boolean hasOrphans(long data) { return getAcquire(data + 64) != 0; }
    static long orphans(long data) { return getAcquire(data + 64); }
    static void setOrphans(long data, long theap) { putRelease(data + 64, theap); }
    static long sequence(long data) { return getLong(data + 72); }
    static void setSequence(long data, long sequence) { putLong(data + 72, sequence); }
    static boolean inPool(long data) { return getLong(data + 88) != 0; }
    static void setInPool(long data) { putLong(data + 88, 1); }
    static long spare(long data) { return getLong(data + 96); }
    static void setSpare(long data, long block) { putLong(data + 96, block); }
    static long callOuts(long data) { return getLong(data + 104); }
    static void setCallOuts(long data, long count) { putLong(data + 104, count); }
    /**
     * Virtual threads that share the data, and a thread that was inside of a user's function of which no theap knows, may
     * come back to any theap of theirs. Written by the thread before that function is called, which is before it could
     * end a heap; read with the lives lock, which who ends a heap has held.
     */
    static boolean keepsOrphans(long data) { return isShared(data) || getAcquire(data + 112) != 0; }
    static void setKeepsOrphans(long data) { putRelease(data + 112, 1); }
    static long bySlot(long data) { return data + 128; }
}
