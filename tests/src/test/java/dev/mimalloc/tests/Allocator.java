package dev.mimalloc.tests;

/**
 * The allocation calls as every machine offers them. Addresses and sizes are longs, sizes unsigned; a failure is 0,
 * false or nothing, and leaves a code that {@link #takeError} returns.
 */
interface Allocator {
    // The codes of the C interface.
    int NONE = 0;
    int EAGAIN = 11;
    int ENOMEM = 12;
    int EFAULT = 14;
    int EINVAL = 22;
    int EOVERFLOW = 75;

    /** The last error that a call of the current thread met since this was last asked; 0 if there was none. */
    int takeError();

    long malloc(long size);
    long zalloc(long size);
    long calloc(long count, long size);
    long mallocn(long count, long size);
    long mallocSmall(long size);
    long zallocSmall(long size);
    long realloc(long block, long size);
    long rezalloc(long block, long size);
    long recalloc(long block, long count, long size);
    long reallocn(long block, long count, long size);
    long reallocf(long block, long size);
    long expand(long block, long size);
    void free(long block);
    void freeSmall(long block);
    long usableSize(long block);
    long goodSize(long size);

    long mallocAligned(long size, long alignment);
    long mallocAlignedAt(long size, long alignment, long offset);
    long zallocAligned(long size, long alignment);
    long zallocAlignedAt(long size, long alignment, long offset);
    long callocAligned(long count, long size, long alignment);
    long callocAlignedAt(long count, long size, long alignment, long offset);
    long reallocAligned(long block, long size, long alignment);
    long reallocAlignedAt(long block, long size, long alignment, long offset);
    long rezallocAligned(long block, long size, long alignment);
    long rezallocAlignedAt(long block, long size, long alignment, long offset);
    long recallocAligned(long block, long count, long size, long alignment);
    long recallocAlignedAt(long block, long count, long size, long alignment, long offset);

    long heapNew();
    void heapDelete(long heap);
    void heapDestroy(long heap);
    void heapCollect(long heap, boolean force);
    long heapMain();
    long heapOf(long block);
    boolean heapContains(long heap, long block);
    boolean anyHeapContains(long block);
    boolean heapVisitBlocks(long heap, boolean visitBlocks, BlockVisitor visitor);
    /** Waits until no ended thread's quarantine has blocks. In C they leave it as the thread ends. */
    default void awaitQuarantines() {}

    long heapMalloc(long heap, long size);
    long heapZalloc(long heap, long size);
    long heapCalloc(long heap, long count, long size);
    long heapMallocn(long heap, long count, long size);
    long heapMallocSmall(long heap, long size);
    long heapZallocSmall(long heap, long size);
    long heapRealloc(long heap, long block, long size);
    long heapReallocn(long heap, long block, long count, long size);
    long heapReallocf(long heap, long block, long size);
    long heapRezalloc(long heap, long block, long size);
    long heapRecalloc(long heap, long block, long count, long size);
    long heapMallocAligned(long heap, long size, long alignment);
    long heapMallocAlignedAt(long heap, long size, long alignment, long offset);
    long heapZallocAligned(long heap, long size, long alignment);
    long heapZallocAlignedAt(long heap, long size, long alignment, long offset);
    long heapCallocAligned(long heap, long count, long size, long alignment);
    long heapCallocAlignedAt(long heap, long count, long size, long alignment, long offset);
    long heapReallocAligned(long heap, long block, long size, long alignment);
    long heapReallocAlignedAt(long heap, long block, long size, long alignment, long offset);

    /** The current thread's part of a heap. */
    long heapTheap(long heap);
    long theapDefault();
    /** Returns the one before. */
    long theapSetDefault(long theap);
    void theapCollect(long theap, boolean force);
    long theapMalloc(long theap, long size);
    long theapZalloc(long theap, long size);
    long theapCalloc(long theap, long count, long size);
    long theapMallocSmall(long theap, long size);
    long theapZallocSmall(long theap, long size);
    long theapMallocAligned(long theap, long size, long alignment);
    long theapRealloc(long theap, long block, long size);

    void collect(boolean force);
    /** An arena of the caller's zeroed memory, for ever; false if it is refused. */
    boolean manage(long start, long size, int numaNode);
    /** By its number, see {@link dev.mimalloc.core.base.Options}. */
    long option(int option);
    void setOption(int option, long value);
    /** Null takes it away. */
    void onDeferredFree(DeferredFree function);
    /** Is called for each error, by the thread that meets it; null takes it away. */
    void onError(Runnable function);
    /** Prints the statistics of each heap, and calls this for each line. */
    void printHeaps(Runnable onLine);
    /** A figure of the process at this moment, by its name in the C interface; the current thread's part included. */
    Figure statistic(String name);

    interface DeferredFree {
        void call(boolean force, long heartbeat);
    }

    interface BlockVisitor {
        /** With block 0 for the area itself, then for each of its live blocks; false ends the visit. */
        boolean visit(long heap, Area area, long block, long blockSize);
    }

    /** A run of blocks of one size. */
    record Area(long blocks, long reserved, long committed, long used, long blockSize, long fullBlockSize) {
        static Area at(long a) {
            return new Area(Raw.getLong(a), Raw.getLong(a + 8), Raw.getLong(a + 16), Raw.getLong(a + 24),
                    Raw.getLong(a + 32), Raw.getLong(a + 40));
        }
    }

    record Figure(long total, long peak, long current) {}
}
