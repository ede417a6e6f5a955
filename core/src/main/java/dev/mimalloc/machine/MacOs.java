package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * macOS, by functions of its C library. Written for, not run: a test compares what is called here with the system's
 * headers.
 */
final class MacOs extends OperatingSystem {
    static final String[] FUNCTIONS = {"long write(int, const void*, unsigned long)",
            "void* mmap(void*, unsigned long, int, int, int, long long)", "int munmap(void*, unsigned long)",
            "int mprotect(void*, unsigned long, int)", "int madvise(void*, unsigned long, int)",
            "int getrusage(int, struct rusage*)"};
    /** Numbers of functions. */
    private static final int WRITE = 0, MMAP = 1, MUNMAP = 2, MPROTECT = 3, MADVISE = 4, GETRUSAGE = 5;

    static final int PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2;
    static final int MAP_PRIVATE = 0x2, MAP_FIXED = 0x10, MAP_NORESERVE = 0x40, MAP_ANON = 0x1000;
    static final int MADV_FREE = 5, RUSAGE_SELF = 0, STDERR_FILENO = 2;
    static final int EAGAIN = 35, ENOTSUP = 45, ENOSYS = 78;
    /** The first of the tags for applications: tools such as vmmap and Instruments tell our mappings apart by it. */
    static final int VM_MEMORY_APPLICATION_SPECIFIC_1 = 240;
    static final int VM_FLAGS_SUPERPAGE_SIZE_2MB = 2 << 16;

    /** The struct rusage: its size, and where fields are. */
    static final int RUSAGE_SIZE = 144, RUSAGE_USER = 0, RUSAGE_SYSTEM = 16, RUSAGE_PEAK = 32, RUSAGE_MINOR = 64;
    static final int RUSAGE_MAJOR = 72, TIMEVAL_MICROSECONDS = 8;

    /** Apple's own processors have pages of 16 KiB, but for programs that were made for Intel's. */
    private final long pageSize = isX86() ? 4 << 10 : 16 << 10;

    MacOs() {
        SystemCalls.load(null, FUNCTIONS, new long[] {STDERR_FILENO, 0, 0, 0, 0, 0, 0}, new long[] {-1, 0, 0, 0, 0, 0, 0});
    }

    @Override
    long pageSize() { return pageSize; }

    private static long call(int function, long a, long b, long c, long d, long e, long f) {
        long result = SystemCalls.call(function, a, b, c, d, e, f, 0);
        if (result == -EAGAIN) return Os.AGAIN;
        return result == -ENOSYS || result == -ENOTSUP ? Os.UNSUPPORTED : result; // EINTR is 4 everywhere
    }

    @Override
    long map(long wish, long size, long alignment, int flags) {
        if ((flags & Os.HUGE) != 0) return Os.UNSUPPORTED;
        int access = (flags & (Os.COMMIT | Os.LARGE)) != 0 ? PROT_READ | PROT_WRITE : PROT_NONE;
        int kind = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE;
        int tag = VM_MEMORY_APPLICATION_SPECIFIC_1 << 24; // in place of a file
        if ((flags & Os.LARGE) != 0) tag |= VM_FLAGS_SUPERPAGE_SIZE_2MB;
        // There is no flag for EXACT: the address is a wish.
        if ((flags & Os.REPLACE) == 0) return call(MMAP, wish, size, access, kind, tag, 0);
        return SystemCalls.callOnce(MMAP, wish, size, access, kind | MAP_FIXED, tag, 0, 0);
    }

    @Override
    long unmap(long a, long size) { return call(MUNMAP, a, size, 0, 0, 0, 0); }

    @Override
    long protect(long a, long size, int access) {
        return call(MPROTECT, a, size, access == Os.NO_ACCESS ? PROT_NONE : PROT_READ | PROT_WRITE, 0, 0, 0);
    }

    /**
     * MADV_DONTNEED keeps what was written, so what must read as zero is mapped anew. MADV_FREE_REUSABLE would make the
     * process look smaller at once, but wants to be told before the memory is used again.
     */
    @Override
    long advise(long a, long size, int advice) {
        return advice == Os.DROP_LATER ? call(MADVISE, a, size, MADV_FREE, 0, 0, 0) : Os.UNSUPPORTED;
    }

    @Override
    long remap(long a, long size, long newSize, long target) { return Os.UNSUPPORTED; }
    @Override
    long bind(long a, long size, int numaNode) { return Os.UNSUPPORTED; }
    @Override
    long node() { return Os.UNSUPPORTED; }
    @Override
    long disallowHugePages() { return Os.UNSUPPORTED; }
    @Override
    long write(long text, long length) { return call(WRITE, STDERR_FILENO, text, length, 0, 0, 0); }

    @Override
    void processInfo(long target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment usage = arena.allocate(RUSAGE_SIZE, Long.BYTES);
            call(GETRUSAGE, RUSAGE_SELF, usage.address(), 0, 0, 0, 0);
            long peak = usage.get(JAVA_LONG, RUSAGE_PEAK); // in bytes
            long major = usage.get(JAVA_LONG, RUSAGE_MAJOR), minor = usage.get(JAVA_LONG, RUSAGE_MINOR);
            store(target, milliseconds(usage, RUSAGE_USER), milliseconds(usage, RUSAGE_SYSTEM), 0, peak, major, minor);
        }
    }

    private static long milliseconds(MemorySegment usage, int at) {
        return usage.get(JAVA_LONG, at) * 1000 + usage.get(JAVA_INT, at + TIMEVAL_MICROSECONDS) / 1000;
    }
}
