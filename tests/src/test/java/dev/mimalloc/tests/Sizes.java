package dev.mimalloc.tests;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Sizes that are worth a test. */
final class Sizes {
    static final long KIB = 1L << 10;
    static final long MIB = 1L << 20;
    static final long GIB = 1L << 30;

    /** The largest size that a request may have; it is refused for want of memory, larger ones for their size. */
    static final long MAX = Long.MAX_VALUE;

    /** From here on a block has a page of its own. */
    static final long SINGLETON = 80 * KIB;

    /** Every size class up to the singletons: the size of its blocks, as the allocator says. */
    static List<Long> classes(Allocator allocator) {
        var classes = new ArrayList<Long>();
        for (long size = allocator.goodSize(1); size <= SINGLETON; size = allocator.goodSize(size + 1)) {
            classes.add(size);
        }
        return classes;
    }

    /** Both sides of every class and of every kind of page, and some beyond: up to 64 MiB. */
    static List<Long> boundaries(Allocator allocator) {
        var sizes = new TreeSet<>(List.of(0L, 1L, 2L, 3L, 7L));
        for (long size : classes(allocator)) addAround(sizes, size);
        // Pages: small and medium ones hold six blocks at least; and what has a page of its own.
        for (long size : new long[] {64 * KIB / 8, 64 * KIB / 6, 64 * KIB, 512 * KIB / 8, 512 * KIB / 6, 512 * KIB,
                4 * MIB / 8, 4 * MIB, 4 * MIB + 64 * KIB, 32 * MIB, 64 * MIB})
            addAround(sizes, size);
        return List.copyOf(sizes);
    }

    private static void addAround(Set<Long> sizes, long size) {
        sizes.add(size - 1);
        sizes.add(size);
        sizes.add(size + 1);
    }

    private Sizes() {}
}
