package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.machine.Callers;

/**
 * The stacks that samples were allocated with, each once, with counts of what came and went. The table only grows, up to
 * {@link #MOST} stacks; all is lock-free, so that a profile can be written in the middle of anything.
 *
 * <p>Two counts belong together: objects and bytes as they stand for all that was allocated, by which pprof's format
 * tells them; and the samples themselves with their bytes, which the older format has, whose readers do the scaling.
 */
final class Stacks {
    private static final long NEXT = 0; // 8 once: in its bucket
    private static final long HASH = NEXT + 8; // 8 once
    private static final long DEPTH = HASH + 8; // 8 once: how many addresses
    private static final long ALLOCATED = DEPTH + 8; // of a kind, atomic: 8 for each
    private static final long FREED = ALLOCATED + 4 * WORD; // of a kind, atomic: 8 for each
    private static final long FRAMES = FREED + 4 * WORD; // once: return addresses, the innermost first

    // A table: of how many stacks, the stack of those that found no room, and the buckets.
    private static final long COUNT = 0; // 8 atomic
    private static final long OTHER = COUNT + 8; // a stack of depth 0
    private static final long BUCKETS = OTHER + FRAMES; // acquire: the latest stack of each
    private static final int BUCKET_BITS = 14;
    private static final long SIZE = BUCKETS + (WORD << BUCKET_BITS);

    /** Kinds of counts. Objects have {@link #SHIFT} bits behind the point. */
    static final int OBJECTS = 0;
    static final int BYTES = 1;
    static final int SAMPLES = 2;
    static final int SAMPLE_BYTES = 3;
    static final int SHIFT = 16;

    /** As many as pprof shows with pleasure; a stack of this depth takes 640 bytes. */
    static final int DEPTH_MAX = 64;
    /** Programs have some thousands of stacks; all of these take 40 MiB at most. */
    private static final long MOST = 1 << 16;

    private Stacks() {}

    /** A table, or 0. */
    static long create() { return Meta.allocate(SIZE); }

    /**
     * The caller's stack in a table, without the frames of code between two addresses that come first; 0 if there is no
     * memory.
     */
    static long ofCaller(long table, long ownStart, long ownEnd) {
        long buffer = Meta.allocate(DEPTH_MAX * WORD);
        if (buffer == 0) return 0;
        long depth = Callers.capture(buffer, DEPTH_MAX);
        long own = 0;
        while (own < depth && getLong(buffer + own * WORD) >= ownStart && getLong(buffer + own * WORD) < ownEnd) own++;
        long stack = find(table, buffer + own * WORD, depth - own);
        Meta.free(buffer, DEPTH_MAX * WORD);
        return stack;
    }

    private static long find(long table, long frames, long depth) {
        long hash = depth;
        for (long i = 0; i < depth; i++) hash = Random.mix(hash + getLong(frames + i * WORD));
        long bucket = table + BUCKETS + (hash >>> Long.SIZE - BUCKET_BITS) * WORD;
        long made = 0;
        while (true) {
            long first = getAcquire(bucket);
            for (long stack = first; stack != 0; stack = getLong(stack + NEXT)) {
                if (!isSame(stack, hash, frames, depth)) continue;
                Meta.free(made, size(depth));
                return stack;
            }
            if (made == 0) made = getRelaxed(table + COUNT) < MOST ? create(hash, frames, depth) : 0;
            if (made == 0) return table + OTHER;
            putLong(made + NEXT, first);
            if (!compareAndSet(bucket, first, made)) continue;
            fetchAdd(table + COUNT, 1);
            return made;
        }
    }

    private static long size(long depth) { return FRAMES + depth * WORD; }

    private static long create(long hash, long frames, long depth) {
        long stack = Meta.allocate(size(depth));
        if (stack == 0) return 0;
        putLong(stack + HASH, hash);
        putLong(stack + DEPTH, depth);
        copy(frames, stack + FRAMES, depth * WORD);
        return stack;
    }

    private static boolean isSame(long stack, long hash, long frames, long depth) {
        if (getLong(stack + HASH) != hash || depth(stack) != depth) return false;
        for (long i = 0; i < depth; i++) {
            if (frame(stack, i) != getLong(frames + i * WORD)) return false;
        }
        return true;
    }

    static long depth(long stack) { return getLong(stack + DEPTH); }
    static long frame(long stack, long i) { return getLong(stack + FRAMES + i * WORD); }
    /** Relaxed: the counts of a profile are those of about now. */
    static long allocated(long stack, int kind) { return getRelaxed(stack + ALLOCATED + kind * WORD); }
    /** Acquire, and read before what was allocated: so no free is seen without its allocation. */
    static long freed(long stack, int kind) { return getAcquire(stack + FREED + kind * WORD); }

    static void countAllocated(long stack, int kind, long count) { fetchAdd(stack + ALLOCATED + kind * WORD, count); }
    static void countFreed(long stack, int kind, long count) { fetchAdd(stack + FREED + kind * WORD, count); }

    /** Objects, as a whole number. */
    static long whole(long objects) { return objects + (1 << SHIFT - 1) >>> SHIFT; }

    /** The stack behind {@code stack}, which is 0 for the first; 0 behind the last. Those without any samples, too. */
    static long next(long table, long stack) {
        if (stack == 0) return table + OTHER;
        long bucket = table + BUCKETS;
        if (stack != table + OTHER) {
            if (getLong(stack + NEXT) != 0) return getLong(stack + NEXT);
            bucket += ((getLong(stack + HASH) >>> Long.SIZE - BUCKET_BITS) + 1) * WORD;
        }
        for (; bucket < table + SIZE; bucket += WORD) {
            if (getAcquire(bucket) != 0) return getAcquire(bucket);
        }
        return 0;
    }

    /** Forgets all counts; the stacks stay, as somebody may just count one. */
    static void clear(long table) {
        for (long stack = next(table, 0); stack != 0; stack = next(table, stack)) {
            for (long at = ALLOCATED; at < FRAMES; at += WORD) exchange(stack + at, 0);
        }
    }
}
