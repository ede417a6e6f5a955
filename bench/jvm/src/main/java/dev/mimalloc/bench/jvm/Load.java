package dev.mimalloc.bench.jvm;

import dev.mimalloc.bench.jvm.cases.Allocator;
import dev.mimalloc.bench.jvm.cases.Sizes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/**
 * Threads that allocate and free under the clock, in a JVM of its own. The live blocks of a thread swell and shrink in
 * turns of a tenth of a second, blocks go in random order, and their sizes are a program's: so pages fill, empty, and
 * are purged all the time.
 *
 * <p>Each call is timed by itself and nothing is due at a certain time, so that there is no omission to correct. What
 * the clock, the garbage collector and the system add is the same for an allocator that does {@code nothing}.
 */
public final class Load {
    private static final int BLOCKS = 50_000;
    private static final long HALF_TIDE = 100_000_000;
    private static final long WARM_UP = 1_000_000_000;

    private final Allocator allocator;
    private final Sizes sizes;
    private final SplittableRandom random;
    private final long[] blocks = new long[BLOCKS];
    private final Histogram mallocs = histogram(), frees = histogram();

    /** What was seen: nanoseconds, with three digits. */
    record Latencies(Histogram mallocs, Histogram frees) {
        void add(Latencies other) {
            mallocs.add(other.mallocs);
            frees.add(other.frees);
        }

        static Latencies none() { return new Latencies(histogram(), histogram()); }
    }

    /** With its largest value set: recording must not allocate. */
    static Histogram histogram() { return new Histogram(60_000_000_000L, 3); }

    private Load(String allocator, int seed) {
        this.allocator = Allocator.named(allocator);
        sizes = new Sizes(16, 64 << 10, seed);
        random = new SplittableRandom(seed);
    }

    /** Arguments: the allocator, threads, milliseconds. Prints the two histograms, encoded. */
    public static void main(String[] arguments) throws Exception {
        Latencies all = run(arguments[0], Integer.parseInt(arguments[1]), Long.parseLong(arguments[2]));
        System.out.println(encode(all.mallocs));
        System.out.println(encode(all.frees));
    }

    static Latencies run(String allocator, int threads, long milliseconds) throws Exception {
        try (var executor = Executors.newFixedThreadPool(threads)) {
            long begin = System.nanoTime() + Math.min(WARM_UP, milliseconds * 1_000_000);
            long end = begin + milliseconds * 1_000_000;
            List<Callable<Latencies>> tasks = new ArrayList<>();
            for (int i = 1; i <= threads; i++) {
                int seed = i;
                tasks.add(() -> new Load(allocator, seed).run(begin, end)); // made by its thread, as a handle must be
            }
            Latencies all = Latencies.none();
            for (Future<Latencies> each : executor.invokeAll(tasks)) all.add(each.get());
            return all;
        }
    }

    private Latencies run(long begin, long end) {
        boolean warm = false;
        long now = System.nanoTime();
        while (now - end < 0 || mallocs.getTotalCount() == 0 || frees.getTotalCount() == 0) {
            if (!warm && now - begin >= 0) {
                warm = true;
                mallocs.reset();
                frees.reset();
            }
            now = step(((now - begin) / HALF_TIDE & 1) == 0);
        }
        for (long block : blocks) {
            if (block != 0) allocator.free(block);
        }
        return new Latencies(mallocs, frees);
    }

    private long step(boolean swelling) {
        int i = random.nextInt(BLOCKS);
        long block = blocks[i];
        if (block != 0) {
            long before = System.nanoTime();
            allocator.free(block);
            frees.recordValue(System.nanoTime() - before);
        }
        if (!swelling) {
            blocks[i] = 0;
            return System.nanoTime();
        }
        long size = sizes.next();
        long before = System.nanoTime();
        blocks[i] = allocator.malloc(size);
        long after = System.nanoTime();
        mallocs.recordValue(after - before);
        return after;
    }

    static String encode(Histogram histogram) {
        ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(bytes);
        return Base64.getEncoder().encodeToString(Arrays.copyOf(bytes.array(), length));
    }

    static Histogram decode(String text) {
        try {
            return Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(text)), 0);
        } catch (DataFormatException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
