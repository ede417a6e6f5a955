package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Os;

/**
 * What there is to say of the whole process, at one moment.
 *
 * <pre>
 * offset width field
 *      0     8 user        ms of processor time in the program
 *      8     8 system      ms in the system for it
 *     16     8 resident    bytes in memory
 *     24     8 peak        the most of them so far
 *     32     8 faults      page faults that needed the disk
 *     40     8 minor       the others
 *     48     8 elapsed     ms since the allocator's start
 *     56     8 committed   bytes that the main subprocess has committed
 *     64     8 peakCommit  the most of them so far
 * </pre>
 */
public final class ProcessInfo {
    public static final long SIZE = 128;

    private ProcessInfo() {}

    public static long user(long info) { return getLong(info); }
    public static long system(long info) { return getLong(info + 8); }
    public static long resident(long info) { return getLong(info + 16); }
    public static long peak(long info) { return getLong(info + 24); }
    public static long faults(long info) { return getLong(info + 32); }
    public static long minorFaults(long info) { return getLong(info + 40); }
    public static long elapsed(long info) { return getLong(info + 48); }
    public static long committed(long info) { return getLong(info + 56); }
    public static long peakCommit(long info) { return getLong(info + 64); }

    /** Fills a struct. */
    public static void read(long info) {
        Os.processInfo(info);
        long statistics = Subprocess.statistics(Root.subprocess());
        putLong(info + 48, Os.clock() - Root.start());
        putLong(info + 56, Statistics.current(statistics, Statistics.COMMITTED));
        putLong(info + 64, Statistics.peak(statistics, Statistics.COMMITTED));
    }

    /** A struct with what there is to say now; 0 if there is no memory. */
    static long open() {
        long info = Meta.allocate(SIZE);
        if (info != 0) read(info);
        return info;
    }

    static void close(long info) { Meta.free(info, SIZE); }
}
