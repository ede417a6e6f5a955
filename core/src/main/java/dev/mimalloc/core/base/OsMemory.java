package dev.mimalloc.core.base;

import dev.mimalloc.machine.Os;

/**
 * Memory of the operating system: what to ask {@link Os} for, and what to try next when it refuses. Ranges are whole OS
 * pages; what fails gives 0, false or {@link #REFUSED}, and leaves all as it was.
 */
public final class OsMemory {
    /**
     * An answer of {@link #decommit}: the memory has to be committed again before it is used. {@link #ZERO} may be set,
     * too.
     */
    public static final int UNCOMMITTED = 1;
    /** An answer of {@link #decommit}: the memory reads as zero. */
    public static final int ZERO = 2;
    /** An answer of {@link #decommit}: the memory is as it was. */
    public static final int REFUSED = -1;

    static final long LARGE_PAGE = 2 << 20;
    public static final long HUGE_PAGE = 1 << 30;
    private static final int NODES = 64;
    /**
     * How often advice is given while the OS says "again". Linux says so also when it has no room for one more mapping,
     * and that may be so for long.
     */
    private static final int ATTEMPTS = 8;

    private OsMemory() {}

    /**
     * Fresh zeroed memory at a multiple of {@code alignment}, a power of two that is at least the page size and may be
     * larger than the size; or 0.
     *
     * @param flags 0 to reserve only; {@link Os#COMMIT}; and with it {@link Os#LARGE}, for large OS pages if possible
     */
    public static long map(long size, long alignment, int flags) {
        if (size <= 0 || size > Config.ADDRESSES || alignment <= 0 || alignment > Config.ADDRESSES) return 0;
        long bytes = Config.alignUp(size, Os.pageSize());
        boolean large = flags == (Os.COMMIT | Os.LARGE);
        if (large && bytes % LARGE_PAGE == 0) {
            long p = aligned(bytes, Config.max(alignment, LARGE_PAGE), flags);
            if (p != 0) return p;
        }
        long p = aligned(bytes, alignment, flags & Os.COMMIT);
        if (p != 0 && large) allowHugePages(p, bytes, true);
        return p;
    }

    private static long aligned(long size, long alignment, int flags) {
        long p = Os.map(Random.address(size, alignment), size, alignment, flags);
        if (p > 0 && !isAligned(p, alignment)) {
            unmap(p, size);
            // Most systems give out addresses from above: what is below is likely to be free.
            p = Os.map(Config.alignDown(p, alignment), size, alignment, flags);
        }
        if (p > 0 && !isAligned(p, alignment)) {
            unmap(p, size);
            p = cut(size, alignment, flags);
        }
        return p > 0 ? p : 0;
    }

    private static boolean isAligned(long p, long alignment) { return (p & alignment - 1) == 0; }

    /** Maps enough memory for an aligned piece to lie in it, and unmaps the ends. */
    private static long cut(long size, long alignment, int flags) {
        // The ends should not count for the system's limits, not even for a moment. Large pages cannot be had later.
        boolean late = flags == Os.COMMIT;
        long p = Os.map(0, size + alignment, alignment, late ? 0 : flags);
        if (p <= 0) return 0;
        long start = Config.alignUp(p, alignment), end = p + alignment;
        if (start > p) unmap(p, start - p);
        if (end > start) unmap(start + size, end - start);
        if (!late || commit(start, size)) return start;
        unmap(start, size);
        return 0;
    }

    /** Committed memory in OS pages of 1 GiB, at a NUMA node if that can be, -1 for any; 0 when there are none. */
    public static long mapHuge(long size, int numaNode) {
        if (size <= 0 || size > Config.ADDRESSES || size % HUGE_PAGE != 0) return 0;
        long p = aligned(size, HUGE_PAGE, Os.COMMIT | Os.HUGE);
        if (p != 0 && numaNode >= 0 && numaNode < NODES) Os.bind(p, size, numaNode);
        return p;
    }

    /** Reserves just these addresses; false if anything is mapped there already. */
    public static boolean mapAt(long a, long size) {
        long p = Os.map(a, size, 1, Os.EXACT);
        if (p == a) return true;
        if (p > 0) unmap(p, size);
        return false;
    }

    public static boolean unmap(long a, long size) { return Os.unmap(a, size) >= 0; }

    /**
     * Committed memory for the allocator's own structs; in the secure build between two pieces that cannot be touched,
     * so that nobody who writes past a block reaches it.
     */
    public static long mapMeta(long size, long alignment) {
        if (!Random.isOn()) return map(size, alignment, Os.COMMIT);
        long guarded = alignment + Config.alignUp(size, Os.pageSize()) + Os.pageSize();
        long p = map(guarded, alignment, 0);
        if (p == 0 || commit(p + alignment, size)) return p == 0 ? 0 : p + alignment;
        unmap(p, guarded);
        return 0;
    }

    /** Gives what {@link #mapMeta} gave back, or at least its memory, as {@link #release}. */
    public static void releaseMeta(long a, long size, long alignment) {
        if (!Random.isOn()) release(a, size);
        else if (!unmap(a - alignment, alignment + Config.alignUp(size, Os.pageSize()) + Os.pageSize())) decommit(a, size);
    }

    /**
     * Gives a mapping back, or at least its memory: to cut a mapping in two makes one more, which the OS refuses when
     * the process has as many as it may.
     */
    public static void release(long a, long size) {
        if (!unmap(a, size)) decommit(a, size);
    }

    /** Makes memory readable and writable. */
    public static boolean commit(long a, long size) { return Os.protect(a, size, Os.READ_WRITE) >= 0; }

    /** Gives memory back, keeping the addresses; {@link #UNCOMMITTED}, {@link #ZERO} or {@link #REFUSED}. */
    public static int decommit(long a, long size) {
        long result = advise(a, size, Os.DROP);
        // Refused where the program has locked its memory; older kernels do not know the next.
        if (result < 0) result = advise(a, size, Os.DROP_LOCKED);
        if (result >= 0) return ZERO;
        return result == Os.UNSUPPORTED && discard(a, size) ? UNCOMMITTED | ZERO : REFUSED;
    }

    /**
     * Gives memory back, and with it what the system has promised: it is as if it had just been mapped without commit.
     * False, with nothing changed, when the system refuses.
     */
    public static boolean discard(long a, long size) { return Os.map(a, size, 1, Os.REPLACE) == a; }

    /** Lets the system take the memory when it needs it; the contents may be lost, the memory stays usable. */
    public static boolean reset(long a, long size) {
        return advise(a, size, Os.DROP_LATER) >= 0 || advise(a, size, Os.DROP) >= 0;
    }

    /** Asks for, or against, huge pages in a range of normal memory. */
    public static boolean allowHugePages(long a, long size, boolean allow) {
        return advise(a, size, allow ? Os.HUGE_PAGES : Os.NO_HUGE_PAGES) >= 0;
    }

    private static long advise(long a, long size, int advice) {
        long result = Os.AGAIN;
        for (int i = 0; i < ATTEMPTS && result == Os.AGAIN; i++) result = Os.advise(a, size, advice);
        return result;
    }
}
