package dev.mimalloc.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The system below {@link Os}, but that calls of the thread that made this object can be made to fail. */
public final class FaultySystem extends OperatingSystem {
    // As in FaultyOs.
    private static final int CALLS = 8, MAP = 0, UNMAP = 1, PROTECT = 2, ADVISE = 3, REMAP = 4, BIND = 5, READ_FILE = 6;
    private static final int WRITE = 7;
    private static final int MISPLACED = 0, NORMAL_PAGES = -1, SHORT = 3;

    private final OperatingSystem real = Os.system;
    private final Thread thread = Thread.currentThread();
    private final long[] first = new long[CALLS], times = new long[CALLS], errors = new long[CALLS], calls = new long[CALLS];
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    private FaultySystem() {}

    public static FaultySystem install() {
        Os.system.prepare(); // memory that costs no call is out of these tests' reach
        var system = new FaultySystem();
        Os.system = system;
        return system;
    }

    public void remove() { Os.system = real; }

    public void fail(int kind, long first, long times, long error) {
        this.first[kind] = first;
        this.times[kind] = times;
        errors[kind] = error;
        calls[kind] = 0;
    }

    public long calls(int kind) { return calls[kind]; }

    public String takeWritten() {
        String text = written.toString(StandardCharsets.UTF_8);
        written.reset();
        return text;
    }

    private boolean isHit(int kind) {
        if (Thread.currentThread() != thread) return false;
        long n = ++calls[kind];
        return n >= first[kind] && n < first[kind] + times[kind];
    }

    @Override
    long map(long wish, long size, long alignment, int flags) {
        if (!isHit(MAP)) return real.map(wish, size, alignment, flags);
        if (errors[MAP] == NORMAL_PAGES) return real.map(wish, size, alignment, flags & ~(Os.LARGE | Os.HUGE));
        if (errors[MAP] != MISPLACED) return -errors[MAP];
        long page = pageSize();
        long p = real.map(0, size + page, page, flags & Os.COMMIT);
        boolean odd = (p & page) != 0;
        real.unmap(odd ? p + size : p, page);
        return odd ? p : p + page;
    }

    @Override
    long unmap(long a, long size) { return isHit(UNMAP) ? -errors[UNMAP] : real.unmap(a, size); }
    @Override
    long protect(long a, long size, int access) {
        return isHit(PROTECT) ? -errors[PROTECT] : real.protect(a, size, access);
    }
    @Override
    long advise(long a, long size, int advice) { return isHit(ADVISE) ? -errors[ADVISE] : real.advise(a, size, advice); }
    @Override
    long remap(long a, long size, long newSize, long target) {
        return isHit(REMAP) ? -errors[REMAP] : real.remap(a, size, newSize, target);
    }
    @Override
    long node() { return real.node(); }
    @Override
    long bind(long a, long size, int numaNode) { return isHit(BIND) ? -errors[BIND] : real.bind(a, size, numaNode); }
    @Override
    long readFile(String path, long buffer, long size) {
        return isHit(READ_FILE) ? -errors[READ_FILE] : real.readFile(path, buffer, size);
    }

    @Override
    long write(long text, long length) {
        if (Thread.currentThread() != thread) return real.write(text, length);
        if (isHit(WRITE)) return -errors[WRITE];
        long taken = Math.min(SHORT, length);
        for (long i = 0; i < taken; i++) written.write(Memory.getByte(text + i));
        return taken;
    }

    @Override
    void prepare() { real.prepare(); }
    @Override
    boolean isReady() { return real.isReady(); }
    @Override
    long pageSize() { return real.pageSize(); }
    @Override
    long disallowHugePages() { return real.disallowHugePages(); }
    @Override
    void processInfo(long target) { real.processInfo(target); }
}
