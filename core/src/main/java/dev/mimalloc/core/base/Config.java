package dev.mimalloc.core.base;

/** The constants that everything else is built from. All sizes are bytes. */
public final class Config {
    /** The interface's version: 3.6.0. */
    public static final int VERSION = 30600;

    /**
     * Arenas are cut into slices of 64 KiB: small enough for a page of tiny blocks, large enough for a page map of two
     * levels, whose lower tables have 1 MiB for each 8 GiB of addresses.
     */
    public static final int SLICE_SHIFT = 16;
    public static final long SLICE = 1L << SLICE_SHIFT;

    static final long SMALL_PAGE = SLICE;
    public static final long MEDIUM_PAGE = 8 * SLICE;

    /** Up to here a theap's direct table leads from a size to a page in one load. */
    public static final long SMALL_SIZE_MAX = 1024;

    /** A page holds at least six small or medium blocks: bounds what a page's end wastes. */
    public static final long SMALL_OBJECT_MAX = SMALL_PAGE / 6;
    /**
     * The largest size class. Above it each block has a page to itself: blocks so large rarely come in numbers, and
     * what a page of several classes would hold ready for each of them costs more memory than it saves time.
     */
    public static final long LARGE_OBJECT_MAX = 80 << 10;

    /** What malloc promises: 16 for blocks of 16 bytes and more, as the C ABI asks. */
    static final long MAX_ALIGN = 16;

    /** The largest request: a difference of two pointers must fit a {@code ptrdiff_t}. */
    public static final long MAX_SIZE = Long.MAX_VALUE;
    /** More addresses than any system has. */
    public static final long ADDRESSES = 1L << 57;

    /**
     * A free list grows by this many bytes at a time, an OS page: memory is touched, and paged in, only when it is
     * needed.
     */
    public static final long EXTEND_SIZE = 4096;

    /**
     * A free list of blocks up to 1 KiB grows by this many blocks at least, so that a thread with few blocks of a size
     * does not take the slow path all the time.
     */
    public static final int EXTEND_MIN = 16;

    /**
     * A page's linked blocks are charged by OS pages up to this many bytes, and by as many bytes above: threads with a
     * few blocks of many sizes should not be charged for more, and a page that is used up should not cost an atomic
     * operation for each OS page.
     */
    public static final long CHARGE_STEP = 16 << 10;
    /**
     * A free list of blocks above 1 KiB grows up to this many bytes while blocks come and go: more would not fit the
     * processor's nearest cache.
     */
    public static final long LIST_SIZE = 16 << 10;

    /**
     * One in this many allocations that find their page's free list empty takes the slow path, for what is due now and
     * then. With 4, programs of small objects took 5 % more instructions in the allocator; with 64, 1.5 % fewer, and
     * what is due would come four times later. A power of two.
     */
    public static final int HEARTBEAT_CYCLES = 16;

    /**
     * An empty page that is alone in its queue survives this many heartbeats: with 16, a program of small objects took
     * 4 % more instructions.
     */
    public static final int RETIRE_CYCLES = 64;

    /**
     * With one in this many allocations that find their page's free list empty a theap is taken care of: emptied pages,
     * the purge, the theap's collection. Each of these asks for the time or reads words that other threads write, so it
     * comes with every fourth heartbeat at most. A power of two, and a multiple of {@link #HEARTBEAT_CYCLES}.
     */
    public static final int CARE_CYCLES = 64;

    /**
     * Where checks are on, generic allocations between two verifications of a theap: the walk over a thousand pages then
     * takes about as long as they do. A multiple of {@link #CARE_CYCLES}.
     */
    public static final int VERIFY_CYCLES = 64 * CARE_CYCLES;

    /**
     * This many free slices, 64 MiB, may wait to be purged whatever is in use. When more wait than may, they are purged
     * down to half of this below the bound.
     */
    public static final long WAITING_MIN = 1024;

    /** Up to this alignment a block is looked for in the arenas; beyond, it comes straight from the OS. */
    public static final long ARENA_ALIGN_MAX = 512 * SLICE;

    private Config() {}

    public static long alignUp(long size, long alignment) { return (size + alignment - 1) & -alignment; }

    public static long alignDown(long size, long alignment) { return size & -alignment; }

    public static boolean isPowerOfTwo(long x) { return x > 0 && (x & (x - 1)) == 0; }

    public static long min(long a, long b) { return a < b ? a : b; }

    public static long max(long a, long b) { return a > b ? a : b; }
}
