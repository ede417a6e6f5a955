package dev.mimalloc.profile;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A stack, and what was allocated there. The numbers are whole: what a sample adds is what its free takes away, so that
 * nothing is left over in the end. Objects are counted in parts, as a sample of a large block stands for little more than one.
 */
final class CountedStack {
    /** Of the four counts, in the order in which profiles have them. */
    static final int ALLOC_OBJECTS = 0, ALLOC_SPACE = 1, INUSE_OBJECTS = 2, INUSE_SPACE = 3, COUNTS = 4;

    private static final int PARTS = 1 << 16;

    private final Frame[] frames; // the innermost first; each is interned
    private final int hash;
    private final AtomicLongArray counts = new AtomicLongArray(COUNTS);

    CountedStack(Frame... frames) {
        this.frames = frames;
        int mixed = 1;
        for (Frame frame : frames) mixed = 31 * mixed + System.identityHashCode(frame);
        this.hash = mixed;
    }

    /** How many parts of objects a sample stands for. */
    static long parts(long size, long weight) { return Math.round((double) weight / size * PARTS); }

    void allocated(long parts, long bytes) {
        counts.addAndGet(ALLOC_OBJECTS, parts);
        counts.addAndGet(ALLOC_SPACE, bytes);
        counts.addAndGet(INUSE_OBJECTS, parts);
        counts.addAndGet(INUSE_SPACE, bytes);
    }

    void freed(long parts, long bytes) {
        counts.addAndGet(INUSE_OBJECTS, -parts);
        counts.addAndGet(INUSE_SPACE, -bytes);
    }

    /** The four counts. What is in use is read first: so no more is in use than was allocated. */
    long[] counts() {
        long[] now = new long[COUNTS];
        for (int i = COUNTS - 1; i >= 0; i--) now[i] = counts.get(i);
        now[ALLOC_OBJECTS] = (now[ALLOC_OBJECTS] + PARTS / 2) / PARTS;
        now[INUSE_OBJECTS] = (now[INUSE_OBJECTS] + PARTS / 2) / PARTS;
        return now;
    }

    Frame[] frames() { return frames; }

    @Override
    public boolean equals(Object other) {
        return other instanceof CountedStack o && hash == o.hash && Arrays.equals(frames, o.frames);
    }

    @Override
    public int hashCode() { return hash; }
}
