package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Table;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;

/**
 * What belongs to one thread: its theaps, one for each heap that it has used. There are also a few shared thread data,
 * for virtual threads and for threads that are at their end: whoever has the lease is the thread, for as long as one
 * call takes.
 */
public final class ThreadData {
    private static final long ID = 0; // 8 once: the thread's id; of shared data a number that no thread has
    private static final long SUBPROCESS = ID + 8; // 8 once
    private static final long THEAPS = SUBPROCESS + 8; // 8 livesLock: list
    private static final long MAIN_THEAP = THEAPS + 8; // 8 once: for the subprocess' main heap
    private static final long LEASE = MAIN_THEAP + 8; // 8 atomic: 1 while somebody has the shared data
    private static final long SHARED = LEASE + 8; // 8 once: 1 when virtual threads share it
    private static final long HEARTBEAT = SHARED + 8; // 8: the deferred-free function's calls
    private static final long IN_DEFERRED = HEARTBEAT + 8; // 8: 1 while the deferred-free function runs
    private static final long ORPHANS = IN_DEFERRED + 8; // 8 acquire, under livesLock: theaps whose heap has ended
    private static final long SEQUENCE = ORPHANS + 8; // 8 once: a number for each thread
    private static final long SPARE = SEQUENCE + 8; // 8: see Spare: a block, 0 as long as there is none, or LENT
    private static final long CALL_OUTS = SPARE + 8; // 8: user's functions that its calls are inside of; see CallOut
    private static final long KEEPS = CALL_OUTS + 8; // 8 acquire: 1 when orphans wait for the thread: see keepsOrphans
    private static final long BY_SLOT = KEEPS + 8; // Table: the theap for the heap with this slot
    public static final long SIZE = BY_SLOT + Table.SIZE;

    public static final long LENT = 1;

    private ThreadData() {}

    static long id(long data) { return getLong(data + ID); }
    public static void setId(long data, long id) { putLong(data + ID, id); }
    public static long subprocess(long data) { return getLong(data + SUBPROCESS); }
    public static void setSubprocess(long data, long subprocess) { putLong(data + SUBPROCESS, subprocess); }
    public static long theaps(long data) { return getLong(data + THEAPS); }
    public static long theapsWord(long data) { return data + THEAPS; }
    public static long mainTheap(long data) { return getLong(data + MAIN_THEAP); }
    public static void setMainTheap(long data, long theap) { putLong(data + MAIN_THEAP, theap); }
    public static boolean tryLease(long data) { return getRelaxed(data + LEASE) == 0 && compareAndSet(data + LEASE, 0, 1); }
    /** Waits until the lease may be free. */
    public static void awaitLease(long data) { Os.waitOn(data + LEASE, 1); }
    private static boolean isLeased(long data) { return isShared(data) && getRelaxed(data + LEASE) != 0; }
    /** Release: the next one to have the lease sees all that this one did. */
    public static void endLease(long data) {
        if (Check.isOn()) Check.that(isLeased(data));
        putRelease(data + LEASE, 0);
    }
    public static boolean isShared(long data) { return getLong(data + SHARED) != 0; }
    public static void setShared(long data) { putLong(data + SHARED, 1); }
    public static long nextHeartbeat(long data) {
        putLong(data + HEARTBEAT, getLong(data + HEARTBEAT) + 1);
        return getLong(data + HEARTBEAT);
    }
    public static boolean inDeferred(long data) { return getLong(data + IN_DEFERRED) != 0; }
    public static void setInDeferred(long data, boolean in) { putLong(data + IN_DEFERRED, in ? 1 : 0); }
    public static boolean hasOrphans(long data) { return getAcquire(data + ORPHANS) != 0; }
    public static long orphansAcquire(long data) { return getAcquire(data + ORPHANS); }
    static long orphansWord(long data) { return data + ORPHANS; }
    static long sequence(long data) { return getLong(data + SEQUENCE); }
    public static void setSequence(long data, long sequence) { putLong(data + SEQUENCE, sequence); }
    public static long spare(long data) { return getLong(data + SPARE); }
    /** The spare block, which is the caller's then; 0 if there is none, or somebody has it. */
    public static long takeSpare(long data) {
        long block = spare(data);
        if (block == LENT) return 0;
        setSpare(data, 0);
        return block;
    }
    public static void setSpare(long data, long block) { putLong(data + SPARE, block); }
    public static long callOuts(long data) { return getLong(data + CALL_OUTS); }
    public static void setCallOuts(long data, long count) { putLong(data + CALL_OUTS, count); }
    /**
     * May a thread come back to any of these theaps, even when its heap has ended? Virtual threads that share the data
     * may, and so may a thread that was inside of a user's function of which no theap knows. Written before that
     * function is called, which is before it could end a heap; read under the lives lock, which whoever ended a heap
     * has held.
     */
    public static boolean keepsOrphans(long data) { return isShared(data) || getAcquire(data + KEEPS) != 0; }
    static void setKeepsOrphans(long data) { putRelease(data + KEEPS, 1); }
    public static long bySlot(long data) { return data + BY_SLOT; }
}
