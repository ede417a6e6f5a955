package dev.mimalloc.base;

import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.page.Limits;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Makes the errors for requests that core has answered with 0. They are thrown by who makes them, far from a fast path.
 */
public final class Refusal {
    private static final AtomicLong COUNT = new AtomicLong();
    private static volatile Consumer<String> listener; // where a flight recording runs

    private Refusal() {}

    /** How many errors for want of memory were made. */
    public static long count() { return COUNT.get(); }

    public static void listener(Consumer<String> listener) { Refusal.listener = listener; }

    /** For a request of {@code size} bytes: it was negative, or there is no memory. */
    public static OutOfMemoryError of(long size) {
        if (size < 0) throw negative("size", size);
        return noMemory(size + " bytes");
    }

    public static OutOfMemoryError ofAligned(long size, long alignment) {
        if (size < 0) throw negative("size", size);
        return noMemory(size + " bytes" + aligned(alignment));
    }

    private static String aligned(long alignment) { return alignment > 16 ? " aligned to " + alignment : ""; }

    public static OutOfMemoryError ofMany(long count, long size) { return ofMany(count, size, 1); }

    public static OutOfMemoryError ofMany(long count, long size, long alignment) {
        if (count < 0) throw negative("count", count);
        if (size < 0) throw negative("size", size);
        if (Math.multiplyHigh(count, size) != 0 || count * size < 0) {
            throw new IllegalArgumentException(count + " times " + size + " bytes are more than there can be");
        }
        return noMemory(count + " times " + size + " bytes" + aligned(alignment));
    }

    private static OutOfMemoryError noMemory(String what) {
        long limit = Limits.processLimit();
        String reason = limit == 0 ? "" : "; all heaps have " + used(Limits.processUsed(), limit, Report.live(0));
        String message = "no memory for " + what + reason;
        COUNT.incrementAndGet();
        Consumer<String> to = listener;
        if (to != null) to.accept(message);
        return new OutOfMemoryError(message);
    }

    /** What a limit counts, and what of it is not in blocks. */
    public static String used(long used, long limit, long live) {
        return used + " bytes of " + limit + ", " + live + " in blocks and " + Math.max(0, used - live)
                + " that threads keep for their next blocks, or round up to";
    }

    public static IllegalArgumentException negative(String what, long value) {
        return new IllegalArgumentException(what + " is negative: " + value);
    }

    /** What {@code SegmentAllocator} asks for. */
    public static void checkSegment(long byteSize, long byteAlignment) {
        if (byteSize < 0) throw negative("byteSize", byteSize);
        if (byteAlignment <= 0 || (byteAlignment & byteAlignment - 1) != 0) {
            throw new IllegalArgumentException("byteAlignment is not a power of two: " + byteAlignment);
        }
    }
}
