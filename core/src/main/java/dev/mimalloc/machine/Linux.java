package dev.mimalloc.machine;

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
import java.nio.charset.StandardCharsets;

/** Linux, by {@link SystemCalls} and by what {@code /proc} and {@code /sys} tell. */
final class Linux extends OperatingSystem {
    /** x86-64 has numbers of its own, the later architectures share theirs. */
    private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
    private static final int WRITE = X86 ? 1 : 64, MMAP = X86 ? 9 : 222, MUNMAP = X86 ? 11 : 215;
    private static final int MPROTECT = X86 ? 10 : 226, MADVISE = X86 ? 28 : 233, MBIND = X86 ? 237 : 235;
    private static final int PRCTL = X86 ? 157 : 167, GETRUSAGE = X86 ? 98 : 165, GETCPU = X86 ? 309 : 168;
    private static final int GETRANDOM = X86 ? 318 : 278, MREMAP = X86 ? 25 : 216;

    private static final int PROT_NONE = 0, PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 0x2, MAP_ANONYMOUS = 0x20, MAP_FIXED = 0x10;
    private static final int MAP_FIXED_NOREPLACE = 0x100000, MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2;
    private static final int MAP_HUGETLB = 0x40000, MAP_HUGE_2MB = 21 << 26, MAP_HUGE_1GB = 30 << 26;
    private static final int MADV_DONTNEED = 4, MADV_FREE = 8, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15;
    private static final int MADV_DONTNEED_LOCKED = 24;
    private static final int PR_SET_THP_DISABLE = 41, MPOL_PREFERRED = 1;
    private static final int SC_PAGESIZE = 30, SC_PHYS_PAGES = 85;

    private static final long LARGE_PAGE = 2L << 20, HUGE_PAGE = 1L << 30, ADDRESSES = 1L << 47;
    private static final int AT_PAGESZ = 6;

    private final long pageSize = readPageSize();
    private final boolean overcommits = !read("/proc/sys/vm/overcommit_memory", "0").equals("2");
    private final int nodes = 1 + lastNumber(read("/sys/devices/system/node/online", "0"));

    Linux() { SystemCalls.load(); }

    private static long call(long number, long a, long b, long c, long d, long e, long f) {
        return SystemCalls.call(number, a, b, c, d, e, f);
    }

    /** What is asked for rarely; it has a type of its own. */
    private static final class Sysconf {
        static final MethodHandle SYSCONF = SystemCalls.handle("sysconf", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));

        private Sysconf() {}

        static long get(int name) {
            try {
                return (long) SYSCONF.invokeExact(name);
            } catch (Throwable t) {
                throw SystemCalls.failed(t);
            }
        }
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
            // Then the C library is asked.
        }
        return Sysconf.get(SC_PAGESIZE);
    }

    @Override
    void prepare() { SystemCalls.link(); }
    @Override
    long firstMemory(long size) { return SystemCalls.isLinked() ? 0 : FirstMemory.takeForBlocks(size, 64 << 10); }
    @Override
    long pageSize() { return pageSize; }
    @Override
    long largePageSize() { return LARGE_PAGE; }
    @Override
    long physicalMemory() { return Sysconf.get(SC_PHYS_PAGES) * pageSize; }
    @Override
    boolean overcommits() { return overcommits; }

    @Override
    long map(long size, long alignment, boolean commit, boolean large) {
        if (size <= 0 || size > ADDRESSES || alignment <= 0 || alignment > ADDRESSES) return 0;
        if (commit && !large && !SystemCalls.isLinked()) {
            long first = FirstMemory.take(pages(size), alignment);
            if (first != 0) return first;
        }
        int protection = commit ? PROT_READ_WRITE : PROT_NONE;
        if (large && size % LARGE_PAGE == 0) {
            long p = mapAligned(size, Math.max(alignment, LARGE_PAGE), protection, MAP_HUGETLB | MAP_HUGE_2MB);
            if (p != 0) return p;
        }
        long p = mapAligned(pages(size), alignment, protection, 0);
        if (p != 0 && large) transparentHugePages(p, pages(size), true);
        return p;
    }

    private long mapAligned(long size, long alignment, int protection, int flags) {
        long p = mmap(0, size, protection, flags); // a newer kernel aligns large ranges on its own
        if (p == 0 || (p & alignment - 1) == 0) return p;
        unmap(p, size);
        // Most systems give out addresses from above: what is below is likely to be free.
        p = mmap(p & -alignment, size, protection, flags);
        if (p == 0 || (p & alignment - 1) == 0) return p;
        unmap(p, size);
        // What is cut off should not count for the system's limits, not even for a moment.
        boolean late = flags == 0 && protection != PROT_NONE;
        p = mmap(0, size + alignment, late ? PROT_NONE : protection, flags);
        if (p == 0) return 0;
        long start = p + alignment - 1 & -alignment, end = p + alignment;
        if (start > p) unmap(p, start - p);
        if (end > start) unmap(start + size, end - start);
        if (!late || commit(start, size)) return start;
        unmap(start, size);
        return 0;
    }

    private static long mmap(long wish, long size, int protection, int flags) {
        long p = call(MMAP, wish, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
        return p == -1 ? 0 : p;
    }

    @Override
    long mapHuge(long size, int numaNode) {
        if (size <= 0 || size > ADDRESSES || size % HUGE_PAGE != 0) return 0;
        long p = mmap(0, size, PROT_READ_WRITE, MAP_HUGETLB | MAP_HUGE_1GB);
        if (p == 0 || numaNode < 0 || numaNode >= Long.SIZE) return p;
        try (Arena arena = Arena.ofConfined()) {
            long mask = arena.allocateFrom(JAVA_LONG, 1L << numaNode).address();
            // If this fails the pages come from wherever there are some: a node is a wish.
            call(MBIND, p, size, MPOL_PREFERRED, mask, Long.SIZE + 1, 0);
        }
        return p;
    }

    @Override
    boolean unmap(long a, long size) {
        // The JDK's memory stays; what was in it goes.
        if (FirstMemory.contains(a)) return !SystemCalls.isLinked() || madvise(a, pages(size), MADV_DONTNEED);
        return call(MUNMAP, a, pages(size), 0, 0, 0, 0) == 0;
    }
    @Override
    boolean mapAt(long a, long size) {
        long p = mmap(a, size, PROT_NONE, MAP_FIXED_NOREPLACE);
        if (p == a) return true;
        if (p != 0) unmap(p, size); // an older kernel takes it for a wish
        return false;
    }

    @Override
    boolean remap(long a, long size, long newSize, long target) {
        long to = call(MREMAP, a, size, newSize, target == 0 ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED, target, 0);
        return to == (target == 0 ? a : target);
    }

    @Override
    boolean commit(long a, long size) { return call(MPROTECT, a, size, PROT_READ_WRITE, 0, 0, 0) == 0; }
    @Override
    boolean protect(long a, long size) { return call(MPROTECT, a, size, PROT_NONE, 0, 0, 0) == 0; }
    @Override
    int decommit(long a, long size) {
        // The former is refused where the program has locked its memory; older kernels do not know the latter.
        return madvise(a, size, MADV_DONTNEED) || madvise(a, size, MADV_DONTNEED_LOCKED) ? 2 : -1;
    }

    @Override
    boolean discard(long a, long size) { return mmap(a, size, PROT_NONE, MAP_FIXED) != 0; }

    @Override
    boolean reset(long a, long size) {
        return madvise(a, size, MADV_FREE) || madvise(a, size, MADV_DONTNEED);
    }

    @Override
    boolean transparentHugePages(long a, long size, boolean allow) {
        if (!SystemCalls.isLinked() && FirstMemory.contains(a)) return false; // advice is not worth the time
        return madvise(a, size, allow ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    }

    @Override
    boolean disallowTransparentHugePages() { return call(PRCTL, PR_SET_THP_DISABLE, 1, 0, 0, 0, 0) == 0; }

    private static boolean madvise(long a, long size, int advice) {
        return call(MADVISE, a, size, advice, 0, 0, 0) == 0;
    }

    private long pages(long size) { return size + pageSize - 1 & -pageSize; }

    @Override
    int numaNodes() { return nodes; }

    /**
     * Room for some threads to ask for their node. When two use the same, one may get the other's, which is no harm.
     */
    private static final class Nodes {
        static final MemorySegment NODES = Arena.global().allocate(JAVA_INT, 64);

        private Nodes() {}
    }

    @Override
    int numaNode() {
        if (nodes == 1) return 0;
        long index = Thread.currentThread().threadId() % 64;
        if (call(GETCPU, 0, Nodes.NODES.address() + 4 * index, 0, 0, 0, 0) != 0) return 0;
        return Math.clamp(Nodes.NODES.getAtIndex(JAVA_INT, index), 0, nodes - 1);
    }

    /** The last number of a list like {@code 0-3,8}. */
    private static int lastNumber(String list) { return Integer.parseInt(list.substring(Math.max(list.lastIndexOf('-'), list.lastIndexOf(',')) + 1)); }

    @Override
    long random() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bits = arena.allocate(JAVA_LONG);
            if (call(GETRANDOM, bits.address(), 8, 0, 0, 0, 0) == 8) return bits.get(JAVA_LONG, 0);
        }
        long mix = System.nanoTime() ^ Memory.root();
        return mix * 0x9E3779B97F4A7C15L ^ mix >>> 31;
    }

    @Override
    void write(long text, long length) {
        while (length > 0) {
            long written = call(WRITE, 2, text, length, 0, 0, 0);
            if (written <= 0) return;
            text += written;
            length -= written;
        }
    }

    @Override
    void processInfo(long target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment usage = arena.allocate(JAVA_LONG, 18); // struct rusage: two times of (s, us), then counts
            call(GETRUSAGE, 0, usage.address(), 0, 0, 0, 0);
            long resident = resident();
            Memory.putLong(target, milliseconds(usage, 0));
            Memory.putLong(target + 8, milliseconds(usage, 2));
            Memory.putLong(target + 16, resident);
            // The two come from different counters of the kernel, and the peak is the one that lags behind.
            Memory.putLong(target + 24, Math.max(usage.getAtIndex(JAVA_LONG, 4) << 10, resident));
            Memory.putLong(target + 32, usage.getAtIndex(JAVA_LONG, 9));
            Memory.putLong(target + 40, usage.getAtIndex(JAVA_LONG, 8));
        }
    }

    private static long milliseconds(MemorySegment usage, int index) {
        return usage.getAtIndex(JAVA_LONG, index) * 1000 + usage.getAtIndex(JAVA_LONG, index + 1) / 1000;
    }

    private long resident() {
        return Long.parseLong(read("/proc/self/statm", "0 0").split(" ", -1)[1]) * pageSize;
    }

    private static String read(String file, String otherwise) {
        try (var text = new FileInputStream(file)) {
            return new String(text.readAllBytes(), StandardCharsets.ISO_8859_1).strip();
        } catch (IOException e) {
            return otherwise;
        }
    }
}
