package dev.mimalloc.examples;

import dev.mimalloc.Mimalloc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Addresses: the cheapest way. A list of numbers outside the Java heap, which grows by realloc; nothing here makes
 * work for the garbage collector, and nothing but the code frees the memory.
 */
public final class Addresses {
    /** All of memory: an address is an offset into it. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private long block = Mimalloc.malloc(16);
    private long capacity = Mimalloc.usableSize(block) / 8;
    private long size;

    private Addresses() {}

    private void add(long number) {
        if (size == capacity) {
            block = Mimalloc.realloc(block, 16 * capacity);
            capacity = Mimalloc.usableSize(block) / 8;
        }
        MEMORY.set(ValueLayout.JAVA_LONG, block + 8 * size++, number);
    }

    private long sum() {
        long sum = 0;
        for (long i = 0; i < size; i++) sum += MEMORY.get(ValueLayout.JAVA_LONG, block + 8 * i);
        return sum;
    }

    /** Adds a million numbers. */
    public static void main(String[] args) {
        Addresses numbers = new Addresses();
        for (long i = 1; i <= 1_000_000; i++) numbers.add(i);
        System.out.printf("%,d numbers, their sum is %,d%n", numbers.size, numbers.sum());
        System.out.printf("the block at 0x%x has room for %,d%n", numbers.block, numbers.capacity);
        System.out.printf("in use: %,d KiB", Mimalloc.used() >> 10);
        Mimalloc.free(numbers.block);
        Mimalloc.collect(true); // it would keep some for what comes next
        System.out.printf(", afterwards: %,d KiB%n", Mimalloc.used() >> 10);
    }
}
