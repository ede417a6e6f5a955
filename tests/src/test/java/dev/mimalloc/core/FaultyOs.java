package dev.mimalloc.core;

/** The system's policy on one machine, over a system whose calls can be made to fail. */
interface FaultyOs {
    // Calls.
    int MAP = 0, UNMAP = 1, PROTECT = 2, ADVISE = 3, REMAP = 4, BIND = 5, READ_FILE = 6, WRITE = 7, CALLS = 8;

    // Errors as Linux counts them.
    int EINTR = 4, EAGAIN = 11, ENOMEM = 12, EINVAL = 22, ENOSYS = 38;
    /** In place of an error, for MAP: it gives memory at an odd page. */
    int MISPLACED = 0;
    /** In place of an error, for MAP: it gives normal pages for large or huge ones. */
    int NORMAL_PAGES = -1;

    /** From now on the {@code first}-th call, from 1, and as many as {@code times} in all, fail; counts anew. */
    void fail(int call, int first, int times, int error);
    /** How many there were since {@link #fail}. */
    long calls(int call);

    long map(long size, long alignment, int flags);
    long mapHuge(long size, int node);
    boolean mapAt(long a, long size);
    boolean unmap(long a, long size);
    void release(long a, long size);
    boolean remap(long a, long size, long newSize, long target);
    long realloc(long block, long size);
    void free(long block);
    boolean commit(long a, long size);
    int decommit(long a, long size);
    boolean discard(long a, long size);
    boolean reset(long a, long size);
    boolean allowHugePages(long a, long size, boolean allow);
    long nodes(long list);
    boolean overcommits();
    void forgetOvercommits();
    long resident();
    void print(long text);
    /** What has gone to stderr since the last time: it takes three bytes at a time. */
    String takeWritten();
}
