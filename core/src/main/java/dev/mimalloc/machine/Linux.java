package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.FileInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;

/** Linux, by {@code syscall} of the C library, glibc or musl. */
final class Linux extends OperatingSystem {
    private static final String[] FUNCTIONS = {"long syscall(long, ...)"};

    private static final String PROCESSOR = System.getProperty("os.arch");
    /** x86-64 has numbers of its own, the later processors share theirs. Older ones have others, and are not known here. */
    private static final boolean X86 = PROCESSOR.equals("amd64");
    private static final Set<String> LATER = Set.of("aarch64", "riscv64", "loongarch64");
    private static final int WRITE = X86 ? 1 : 64, MMAP = X86 ? 9 : 222, MUNMAP = X86 ? 11 : 215;
    private static final int MPROTECT = X86 ? 10 : 226, MADVISE = X86 ? 28 : 233, MBIND = X86 ? 237 : 235;
    private static final int GETCPU = X86 ? 309 : 168;
    private static final int PRCTL = X86 ? 157 : 167, GETRUSAGE = X86 ? 98 : 165;
    private static final int MREMAP = X86 ? 25 : 216, MINCORE = X86 ? 27 : 232;

    private static final int PROT_NONE = 0, PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 0x2, MAP_ANONYMOUS = 0x20, MAP_FIXED = 0x10;
    private static final int MAP_FIXED_NOREPLACE = 0x100000, MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2;
    private static final int MAP_HUGETLB = 0x40000, MAP_HUGE_2MB = 21 << 26, MAP_HUGE_1GB = 30 << 26;
    private static final int MADV_DONTNEED = 4, MADV_FREE = 8, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15;
    private static final int MADV_DONTNEED_LOCKED = 24;
    private static final int PR_SET_THP_DISABLE = 41, MPOL_PREFERRED = 1;
    private static final int SC_PAGESIZE = 30, AT_PAGESZ = 6;

    private static final int OUT_OF_MEMORY = -12, RESIDENT_AT_ONCE = 4096;

    private final long pageSize = readPageSize();

    Linux() {
        if (!X86 && !LATER.contains(PROCESSOR)) throw unknown("Linux on " + PROCESSOR);
        SystemCalls.load(null, FUNCTIONS, new long[] {WRITE, 2, 0, 0, 0, 0, 0}, new long[] {WRITE, -1, 0, 0, 0, 0, 0});
    }

    private static long call(long number, long a, long b, long c, long d, long e, long f) {
        return SystemCalls.call(0, number, a, b, c, d, e, f);
    }

    private static long callOnce(long number, long a, long b, long c, long d, long e, long f) {
        return SystemCalls.callOnce(0, number, a, b, c, d, e, f);
    }

    /** What the kernel has told the process when it began: pairs of words. A process may be forbidden to look. */
    private static long readPageSize() {
        try (var auxiliary = new FileInputStream("/proc/self/auxv")) {
            ByteBuffer words = ByteBuffer.wrap(auxiliary.readAllBytes()).order(ByteOrder.nativeOrder());
            while (words.remaining() >= 16) {
                long type = words.getLong(), value = words.getLong();
                if (type == AT_PAGESZ) return value;
            }
        } catch (IOException e) {
            // The C library is asked instead.
        }
        try {
            MethodHandle sysconf = SystemCalls.handle("sysconf", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
            return (long) sysconf.invokeExact(SC_PAGESIZE);
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }

    @Override
    long pageSize() { return pageSize; }

    @Override
    long map(long wish, long size, long alignment, int flags) {
        int access = (flags & (Os.COMMIT | Os.LARGE | Os.HUGE)) != 0 ? PROT_READ_WRITE : PROT_NONE;
        int kind = MAP_PRIVATE | MAP_ANONYMOUS;
        if ((flags & Os.LARGE) != 0) kind |= MAP_HUGETLB | MAP_HUGE_2MB;
        if ((flags & Os.HUGE) != 0) kind |= MAP_HUGETLB | MAP_HUGE_1GB;
        if ((flags & Os.EXACT) != 0) kind |= MAP_FIXED_NOREPLACE;
        if ((flags & Os.REPLACE) != 0) kind |= MAP_FIXED;
        if ((flags & Os.REPLACE) != 0) return callOnce(MMAP, wish, size, access, kind, -1, 0);
        return call(MMAP, wish, size, access, kind, -1, 0);
    }

    @Override
    long unmap(long a, long size) { return call(MUNMAP, a, size, 0, 0, 0, 0); }

    @Override
    long protect(long a, long size, int access) {
        return call(MPROTECT, a, size, access == Os.NO_ACCESS ? PROT_NONE : PROT_READ_WRITE, 0, 0, 0);
    }

    @Override
    long advise(long a, long size, int advice) {
        int madvise = switch (advice) {
            case Os.DROP -> MADV_DONTNEED;
            case Os.DROP_LOCKED -> MADV_DONTNEED_LOCKED;
            case Os.DROP_LATER -> MADV_FREE;
            case Os.HUGE_PAGES -> MADV_HUGEPAGE;
            default -> MADV_NOHUGEPAGE;
        };
        return call(MADVISE, a, size, madvise, 0, 0, 0);
    }

    @Override
    long remap(long a, long size, long newSize, long target) {
        if (target == 0) return call(MREMAP, a, size, newSize, 0, 0, 0);
        return callOnce(MREMAP, a, size, newSize, MREMAP_MAYMOVE | MREMAP_FIXED, target, 0);
    }

    @Override
    long bind(long a, long size, int numaNode) {
        try (Arena arena = Arena.ofConfined()) {
            long mask = arena.allocateFrom(JAVA_LONG, 1L << numaNode).address();
            return call(MBIND, a, size, MPOL_PREFERRED, mask, Long.SIZE + 1, 0);
        }
    }

    @Override
    long node() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment node = arena.allocate(JAVA_INT);
            long result = call(GETCPU, 0, node.address(), 0, 0, 0, 0);
            return result < 0 ? result : node.get(JAVA_INT, 0);
        }
    }

    @Override
    long disallowHugePages() { return call(PRCTL, PR_SET_THP_DISABLE, 1, 0, 0, 0, 0); }
    @Override
    long write(long text, long length) { return call(WRITE, 2, text, length, 0, 0, 0); }

    @Override
    long resident(long a, long size) {
        long count = 0, start = a & -pageSize, end = a + size + pageSize - 1 & -pageSize;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(RESIDENT_AT_ONCE);
            for (long at = start, some; at < end; at += some * pageSize) {
                some = Math.min((end - at) / pageSize, RESIDENT_AT_ONCE);
                long result = call(MINCORE, at, some * pageSize, pages.address(), 0, 0, 0);
                if (result < 0 && result != OUT_OF_MEMORY) return result;
                // Of a piece that is not mapped as a whole nothing is known.
                for (long i = 0; result == 0 && i < some; i++) count += pages.get(JAVA_BYTE, i) & 1;
            }
        } catch (OutOfMemoryError e) {
            return Os.UNSUPPORTED; // the caller holds locks
        }
        return count * pageSize;
    }

    @Override
    void processInfo(long target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment usage = arena.allocate(JAVA_LONG, 18); // struct rusage: two times of (s, us), then counts
            call(GETRUSAGE, 0, usage.address(), 0, 0, 0, 0);
            long peak = usage.getAtIndex(JAVA_LONG, 4) << 10;
            store(target, milliseconds(usage, 0), milliseconds(usage, 2), 0, peak, usage.getAtIndex(JAVA_LONG, 9), usage.getAtIndex(JAVA_LONG, 8));
        }
    }

    private static long milliseconds(MemorySegment usage, int index) {
        return usage.getAtIndex(JAVA_LONG, index) * 1000 + usage.getAtIndex(JAVA_LONG, index + 1) / 1000;
    }
}
