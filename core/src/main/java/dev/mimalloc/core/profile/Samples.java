package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.CallOut;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.machine.Callback;

/**
 * Allocations that a profiler knows, from malloc to free. A sample has a page to itself, whose descriptor refers to what is
 * known of it.
 */
public final class Samples {
    private static final long PROFILER = 0; // 8 once
    private static final long GENERATION = PROFILER + 8; // 8 once: the profiler's
    private static final long STACK = GENERATION + 8; // 8 once: of the built-in profiler
    private static final long SIZE = STACK + 8; // 8 once: the bytes of the block
    private static final long OBJECTS = SIZE + 8; // 8 once: how many allocations it stands for, see Stacks.SHIFT
    private static final long BYTES = OBJECTS + 8; // 8 once: how many bytes
    /** What the user's functions see: a {@code size_t} with how many bytes follow that are the user's. */
    private static final long DATA = BYTES + 8;
    private static final long HEAD = DATA + WORD;

    /** The most bytes of a sample that may be the user's: {@code MI_PROFILE_SAMPLE_DATA_MAX_SIZE}. */
    static final long DATA_MAX = 1024;

    private Samples() {}

    /**
     * Makes a block a sample of its heap's profiler. At the end of an allocation, as the profiler's function may do
     * whatever it likes; what is allocated by it is no sample.
     *
     * @param asked what the user asked for
     * @param bytes what the block takes
     * @param rate one byte in so many was to be a sample
     * @param since the bytes that were allocated since the thread's last sample
     */
    public static void add(long heap, long page, long block, long asked, long bytes, long rate, long since) {
        long profiler = Heap.profilerAcquire(heap);
        if (profiler == 0 || CallOut.isInside()) return;
        long generation = Profiler.generation(profiler);
        long stacks = Profiler.stacks(profiler), data = Profiler.dataSize(profiler);
        long user = Profiler.user(profiler), onAlloc = Profiler.onAlloc(profiler);
        boolean knowsFree = stacks != 0 || Profiler.onFree(profiler) != 0;
        // It may have been another's since the heap had it: whoever gives it back has taken it from its heaps before.
        if (Profiler.generation(profiler) != generation || user == 0 || Heap.profilerAcquire(heap) != profiler) return;
        long sample = knowsFree ? Meta.allocate(HEAD + data) : 0;
        if (sample == 0 && knowsFree) return;
        Statistics.add(Heap.statistics(heap), Statistics.PROFILE_SAMPLES, 1);
        if (sample != 0) {
            putLong(sample + PROFILER, profiler);
            putLong(sample + GENERATION, generation);
            putLong(sample + SIZE, bytes);
            putPointer(userData(sample), data);
            Page.setSample(page, sample);
        }
        if (stacks != 0 && Profiler.tryCount(profiler, generation)) {
            count(profiler, sample, stacks, rate);
            Profiler.endCount(profiler);
            Snapshot.writeIfDue(profiler, getLong(sample + BYTES));
        }
        if (onAlloc != 0) call(profiler, generation, onAlloc, user, sample, block, asked, rate, since, heap);
    }

    /** The size comes before a multiple of a word, which the user's data begins with. */
    private static long userData(long sample) { return sample + HEAD - pointerSize(); }

    private static void count(long profiler, long sample, long stacks, long rate) {
        long stack = Stacks.ofCaller(stacks, Profiler.ownStart(profiler), Profiler.ownLimit(profiler));
        if (stack == 0) return;
        long size = getLong(sample + SIZE);
        // Each allocation like this one is a sample with the same probability: so this one stands for one over that.
        // 2^64 over the probability's upper bits is 2^62 over the probability, with 2^SHIFT as many.
        long probability = rate == 1 ? Exponential.ONE : Exponential.probability(size, rate); // at 1 each byte is one
        long objects = 1 + Long.divideUnsigned(-1, Config.max(1, probability >>> Stacks.SHIFT - 2));
        long bytes = size * (objects >>> Stacks.SHIFT) + (size * (objects & (1 << Stacks.SHIFT) - 1) >>> Stacks.SHIFT);
        putLong(sample + STACK, stack);
        putLong(sample + OBJECTS, objects);
        putLong(sample + BYTES, bytes);
        Stacks.countAllocated(stack, Stacks.OBJECTS, objects);
        Stacks.countAllocated(stack, Stacks.BYTES, bytes);
        Stacks.countAllocated(stack, Stacks.SAMPLES, 1);
        Stacks.countAllocated(stack, Stacks.SAMPLE_BYTES, size);
        Profiler.addInUse(profiler, bytes);
    }

    private static void call(long profiler, long generation, long onAlloc, long user, long sample, long block, long asked, long rate, long since, long heap) {
        CallOut.beginBelow();
        long next = Callback.sampleAllocated(onAlloc, user, sample == 0 ? 0 : userData(sample), block, asked, rate, since, heap);
        CallOut.endBelow();
        boolean changes = next > 0 && next != rate && Profiler.generation(profiler) == generation;
        if (changes && Profiler.rate(profiler) != 0) Profiler.setRate(profiler, next);
    }

    /** A sample's block has grown in its place by some bytes; it stands for so many more, as it is large. */
    public static void grow(long page, long bytes) {
        long sample = Page.sample(page);
        long stack = sample == 0 ? 0 : getLong(sample + STACK);
        if (stack == 0 || !Profiler.tryCount(getLong(sample + PROFILER), getLong(sample + GENERATION))) return;
        putLong(sample + SIZE, getLong(sample + SIZE) + bytes);
        putLong(sample + BYTES, getLong(sample + BYTES) + bytes);
        Stacks.countAllocated(stack, Stacks.BYTES, bytes);
        Stacks.countAllocated(stack, Stacks.SAMPLE_BYTES, bytes);
        Profiler.addInUse(getLong(sample + PROFILER), bytes);
        Profiler.endCount(getLong(sample + PROFILER));
    }

    /**
     * The bytes that a sample's block may have where it is: those that it counts for, as its page has more of them than the
     * pages of other blocks. A large one has all.
     */
    public static long room(long page) {
        long sample = Page.sample(page), size = Page.blockSize(page);
        return sample == 0 || size >= Config.LARGE_OBJECT_MAX ? size : Config.min(getLong(sample + SIZE), size);
    }

    /** A sample's block was freed, or goes with its heap; its memory has not been given out again. */
    public static void remove(long page, long heap) {
        long sample = Page.sample(page);
        if (sample == 0) return;
        Page.setSample(page, 0);
        long profiler = getLong(sample + PROFILER), generation = getLong(sample + GENERATION);
        long stack = getLong(sample + STACK), onFree = Profiler.onFree(profiler), user = Profiler.user(profiler);
        if (stack != 0 && Profiler.tryCount(profiler, generation)) {
            uncount(profiler, sample, stack);
            Profiler.endCount(profiler);
        }
        if (onFree != 0 && Profiler.generation(profiler) == generation) {
            CallOut.beginBelow();
            Callback.sampleFreed(onFree, user, userData(sample), Page.start(page), heap);
            CallOut.endBelow();
        }
        Meta.free(sample, HEAD + getPointer(userData(sample)));
    }

    private static void uncount(long profiler, long sample, long stack) {
        Stacks.countFreed(stack, Stacks.OBJECTS, getLong(sample + OBJECTS));
        Stacks.countFreed(stack, Stacks.BYTES, getLong(sample + BYTES));
        Stacks.countFreed(stack, Stacks.SAMPLES, 1);
        Stacks.countFreed(stack, Stacks.SAMPLE_BYTES, getLong(sample + SIZE));
        Profiler.addInUse(profiler, -getLong(sample + BYTES));
    }
}
