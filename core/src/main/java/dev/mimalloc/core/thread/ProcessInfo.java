package dev.mimalloc.core.thread;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.OsConfig;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;

/**
 * The memory and the time of the whole process, at one moment.
 */
public final class ProcessInfo {
    private static final long USER = 0; // 8: ms of processor time in the program
    private static final long SYSTEM = USER + 8; // 8: ms in the system for it
    private static final long RESIDENT = SYSTEM + 8; // 8: bytes in memory
    private static final long PEAK = RESIDENT + 8; // 8: the most of them so far
    private static final long FAULTS = PEAK + 8; // 8: page faults that needed the disk
    private static final long MINOR_FAULTS = FAULTS + 8; // 8: the others
    private static final long ELAPSED = MINOR_FAULTS + 8; // 8: ms since the allocator's start
    private static final long COMMITTED = ELAPSED + 8; // 8: bytes that the main subprocess has committed
    private static final long PEAK_COMMIT = COMMITTED + 8; // 8: the most of them so far
    public static final long SIZE = PEAK_COMMIT + 8;

    private ProcessInfo() {}

    public static long user(long info) { return getLong(info + USER); }
    public static long system(long info) { return getLong(info + SYSTEM); }
    public static long resident(long info) { return getLong(info + RESIDENT); }
    public static long peak(long info) { return getLong(info + PEAK); }
    public static long faults(long info) { return getLong(info + FAULTS); }
    public static long minorFaults(long info) { return getLong(info + MINOR_FAULTS); }
    public static long elapsed(long info) { return getLong(info + ELAPSED); }
    public static long committed(long info) { return getLong(info + COMMITTED); }
    public static long peakCommit(long info) { return getLong(info + PEAK_COMMIT); }

    /** Fills a struct. */
    public static void read(long info) {
        Os.processInfo(info);
        long resident = OsConfig.resident();
        if (resident != 0) putLong(info + RESIDENT, resident);
        else if (resident(info) == 0) putLong(info + RESIDENT, peak(info));
        // The system counts the two separately, and its peak lags behind.
        putLong(info + PEAK, Config.max(peak(info), resident(info)));
        long statistics = Subprocess.statistics(Main.subprocess());
        putLong(info + ELAPSED, Os.clock() - Root.start());
        putLong(info + COMMITTED, Statistics.current(statistics, Statistics.COMMITTED));
        putLong(info + PEAK_COMMIT, Statistics.peak(statistics, Statistics.COMMITTED));
    }

    /** Makes a struct and fills it; 0 if there is no memory. The caller closes it. */
    public static long open() {
        long info = Meta.allocate(SIZE);
        if (info != 0) read(info);
        return info;
    }

    public static void close(long info) { Meta.free(info, SIZE); }
}
