package dev.mimalloc;

import java.lang.foreign.Arena;

/**
 * What the system says of the whole process, the Java heap and all, and what the allocator has of it. Stands for
 * {@code mi_process_info}.
 *
 * @param elapsedMillis since the allocator was first used
 * @param userMillis processor time in the program, in milliseconds
 * @param systemMillis processor time in the system for it, in milliseconds
 * @param resident bytes of the process in memory
 * @param peakResident the most of them so far
 * @param committed bytes that the allocator has committed
 * @param peakCommitted the most of them so far
 * @param pageFaults page faults that had to wait for the disk
 * @param minorPageFaults page faults that did not
 */
public record ProcessInfo(long elapsedMillis, long userMillis, long systemMillis, long resident, long peakResident,
        long committed, long peakCommitted, long pageFaults, long minorPageFaults) {
    static {
        Boot.ready();
    }

    /**
     * How things are now. Any thread may ask.
     *
     * @return a snapshot
     */
    public static ProcessInfo now() {
        try (Arena arena = Arena.ofConfined()) {
            long info = arena.allocate(dev.mimalloc.core.thread.ProcessInfo.SIZE, 8).address();
            dev.mimalloc.core.thread.ProcessInfo.read(info);
            return new ProcessInfo(dev.mimalloc.core.thread.ProcessInfo.elapsed(info),
                    dev.mimalloc.core.thread.ProcessInfo.user(info), dev.mimalloc.core.thread.ProcessInfo.system(info),
                    dev.mimalloc.core.thread.ProcessInfo.resident(info), dev.mimalloc.core.thread.ProcessInfo.peak(info),
                    dev.mimalloc.core.thread.ProcessInfo.committed(info), dev.mimalloc.core.thread.ProcessInfo.peakCommit(info),
                    dev.mimalloc.core.thread.ProcessInfo.faults(info), dev.mimalloc.core.thread.ProcessInfo.minorFaults(info));
        }
    }
}
