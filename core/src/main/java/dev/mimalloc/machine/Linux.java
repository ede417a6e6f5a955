package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Linux, by calls of the C library (glibc or musl) and by what {@code /proc} and {@code /sys} tell. The numbers below
 * are those of its interface on x86-64 and AArch64.
 *
 * <p>No call is {@link Linker.Option#critical}: each may sleep in the kernel, and the garbage collector should not wait
 * for that.
 */
final class Linux extends OperatingSystem {
    private static final int PROT_NONE = 0, PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 0x2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000;
    private static final int MAP_HUGETLB = 0x40000, MAP_HUGE_2MB = 21 << 26, MAP_HUGE_1GB = 30 << 26;
    private static final int MADV_DONTNEED = 4, MADV_FREE = 8, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15;
    private static final int PR_SET_THP_DISABLE = 41;
    private static final int SC_PAGESIZE = 30, SC_PHYS_PAGES = 85;
    private static final long SYS_MBIND = System.getProperty("os.arch").equals("aarch64") ? 235 : 237;
    private static final long MPOL_PREFERRED = 1;
    private static final long LARGE_PAGE = 2L << 20, HUGE_PAGE = 1L << 30, ADDRESSES = 1L << 47;

    private static final MethodHandle MMAP = call("mmap", JAVA_LONG,
            JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MUNMAP = call("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MPROTECT = call("mprotect", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MADVISE = call("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SYSCONF = call("sysconf", JAVA_LONG, JAVA_INT);
    private static final MethodHandle SCHED_GETCPU = call("sched_getcpu", JAVA_INT);
    private static final MethodHandle GETRANDOM = call("getrandom", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle GETRUSAGE = call("getrusage", JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle WRITE = call("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PRCTL = callVariadic("prctl", JAVA_INT,
            JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SYSCALL = callVariadic("syscall", JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private final long pageSize = sysconf(SC_PAGESIZE);
    private final boolean overcommits = !read("/proc/sys/vm/overcommit_memory", "0").equals("2");
    private final int[] nodeOfProcessor = nodeOfProcessor();
    private final int nodes = Arrays.stream(nodeOfProcessor).max().orElse(0) + 1;

    Linux() {
        // The first call of a handle loads classes and links code. Later, that could come in the middle of an update.
        long p = map(2 * pageSize, 2 * pageSize, false, false);
        if (p == 0) return;
        commit(p, pageSize);
        reset(p, pageSize);
        decommit(p, pageSize);
        protect(p, pageSize);
        unmap(p, 2 * pageSize);
        numaNode();
        random();
        write(p, 0);
    }

    private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
        return handle(name, FunctionDescriptor.of(result, arguments));
    }

    private static MethodHandle callVariadic(String name, MemoryLayout result, MemoryLayout... arguments) {
        return handle(name, FunctionDescriptor.of(result, arguments), Linker.Option.firstVariadicArg(1));
    }

    private static MethodHandle handle(String name, FunctionDescriptor type, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
    }

    /** A C function does not throw. What may come here is a {@code StackOverflowError}. */
    private static Error failed(Throwable t) { return t instanceof Error e ? e : new AssertionError(t); }

    @Override long pageSize() { return pageSize; }
    @Override long largePageSize() { return LARGE_PAGE; }
    @Override long physicalMemory() { return sysconf(SC_PHYS_PAGES) * pageSize; }
    @Override boolean overcommits() { return overcommits; }

    @Override long map(long size, long alignment, boolean commit, boolean large) {
        if (size <= 0 || size > ADDRESSES || alignment <= 0 || alignment > ADDRESSES) return 0;
        int protection = commit ? PROT_READ_WRITE : PROT_NONE;
        if (large && size % LARGE_PAGE == 0) {
            // Here MAP_NORESERVE would promise pages that are not there, and the first touch would end the process.
            long p = mapAligned(size, Math.max(alignment, LARGE_PAGE), protection, MAP_HUGETLB | MAP_HUGE_2MB);
            if (p != 0) return p;
        }
        long p = mapAligned(pages(size), alignment, protection, MAP_NORESERVE);
        if (p != 0 && large) transparentHugePages(p, pages(size), true);
        return p;
    }

    private long mapAligned(long size, long alignment, int protection, int flags) {
        long p = mmap(size, protection, flags); // a newer kernel aligns large ranges on its own
        if (p == 0 || (p & alignment - 1) == 0) return p;
        unmap(p, size);
        p = mmap(size + alignment, protection, flags);
        if (p == 0) return 0;
        long start = p + alignment - 1 & -alignment, end = p + alignment;
        if (start > p) unmap(p, start - p);
        if (end > start) unmap(start + size, end - start);
        return start;
    }

    @Override long mapHuge(long size, int numaNode) {
        if (size <= 0 || size > ADDRESSES || size % HUGE_PAGE != 0) return 0;
        long p = mmap(size, PROT_READ_WRITE, MAP_HUGETLB | MAP_HUGE_1GB);
        if (p != 0 && numaNode >= 0 && numaNode < Long.SIZE) prefer(p, size, numaNode);
        return p;
    }

    private static void prefer(long p, long size, int numaNode) {
        try (Arena arena = Arena.ofConfined()) {
            long mask = arena.allocateFrom(JAVA_LONG, 1L << numaNode).address();
            // If it fails, the pages come from wherever they are, which was all that had been asked for.
            long ignored = (long) SYSCALL.invokeExact(SYS_MBIND, p, size, MPOL_PREFERRED, mask, Long.SIZE + 1L, 0L);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override boolean unmap(long a, long size) {
        try {
            return (int) MUNMAP.invokeExact(a, pages(size)) == 0;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override boolean commit(long a, long size) { return mprotect(a, size, PROT_READ_WRITE); }
    @Override boolean protect(long a, long size) { return mprotect(a, size, PROT_NONE); }
    @Override int decommit(long a, long size) { return madvise(a, size, MADV_DONTNEED) ? 2 : -1; }

    @Override boolean reset(long a, long size) {
        return madvise(a, size, MADV_FREE) || madvise(a, size, MADV_DONTNEED);
    }

    @Override boolean transparentHugePages(long a, long size, boolean allow) {
        return madvise(a, size, allow ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    }

    @Override boolean disallowTransparentHugePages() {
        try {
            return (int) PRCTL.invokeExact(PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L) == 0;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private long mmap(long size, int protection, int flags) {
        try {
            long p = (long) MMAP.invokeExact(0L, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0L);
            return p == -1 ? 0 : p;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private boolean mprotect(long a, long size, int protection) {
        try {
            return (int) MPROTECT.invokeExact(a, size, protection) == 0;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private boolean madvise(long a, long size, int advice) {
        try {
            return (int) MADVISE.invokeExact(a, size, advice) == 0;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static long sysconf(int name) {
        try {
            return (long) SYSCONF.invokeExact(name);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private long pages(long size) { return size + pageSize - 1 & -pageSize; }

    @Override int numaNodes() { return nodes; }

    @Override int numaNode() {
        if (nodes == 1) return 0;
        try {
            int processor = (int) SCHED_GETCPU.invokeExact();
            return processor >= 0 && processor < nodeOfProcessor.length ? nodeOfProcessor[processor] : 0;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static int[] nodeOfProcessor() {
        String nodes = "/sys/devices/system/node/";
        int[] nodeOf = new int[0];
        for (int node : numbers(read(nodes + "online", "0"))) {
            for (int processor : numbers(read(nodes + "node" + node + "/cpulist", ""))) {
                if (processor >= nodeOf.length) nodeOf = Arrays.copyOf(nodeOf, processor + 1);
                nodeOf[processor] = node;
            }
        }
        return nodeOf;
    }

    /** The numbers of a list like {@code 0-3,8}. */
    private static int[] numbers(String list) {
        return Arrays.stream(list.split(",", -1)).filter(range -> !range.isEmpty()).flatMapToInt(range -> {
            String[] ends = range.split("-", -1);
            return IntStream.rangeClosed(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
        }).toArray();
    }

    @Override long random() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bits = arena.allocate(JAVA_LONG);
            if ((long) GETRANDOM.invokeExact(bits.address(), 8L, 0) == 8) return bits.get(JAVA_LONG, 0);
        } catch (Throwable t) {
            throw failed(t);
        }
        long mix = System.nanoTime() ^ Memory.root() ^ System.identityHashCode(new Object());
        return mix * 0x9E3779B97F4A7C15L ^ mix >>> 31;
    }

    @Override void write(long text, long length) {
        try {
            while (length > 0) {
                long written = (long) WRITE.invokeExact(2, text, length);
                if (written <= 0) return;
                text += written;
                length -= written;
            }
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override void processInfo(long target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment usage = arena.allocate(18 * 8, 8); // struct rusage: two times of (s, us), then counts
            int ignored = (int) GETRUSAGE.invokeExact(0, usage.address());
            Memory.putLong(target, usage.get(JAVA_LONG, 0) * 1000 + usage.get(JAVA_LONG, 8) / 1000);
            Memory.putLong(target + 8, usage.get(JAVA_LONG, 16) * 1000 + usage.get(JAVA_LONG, 24) / 1000);
            long resident = resident();
            Memory.putLong(target + 16, resident);
            // The two come from different counters of the kernel, and the peak is the one that lags behind.
            Memory.putLong(target + 24, Math.max(usage.get(JAVA_LONG, 32) << 10, resident));
            Memory.putLong(target + 32, usage.get(JAVA_LONG, 72));
            Memory.putLong(target + 40, usage.get(JAVA_LONG, 64));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private long resident() {
        String[] pages = read("/proc/self/statm", "0 0").split(" ", -1);
        return Long.parseLong(pages[1]) * pageSize;
    }

    private static String read(String file, String otherwise) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException | SecurityException e) {
            return otherwise;
        }
    }
}
