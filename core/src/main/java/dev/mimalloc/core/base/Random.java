package dev.mimalloc.core.base;

import dev.mimalloc.machine.Secure;
import dev.mimalloc.machine.UpperTable;

/**
 * What the secure build draws from the process' keys, which {@link Secret} has from the OS: numbers, and addresses for
 * mappings.
 *
 * <p>A mapping of 1 GiB or more, as arenas are, may lie anywhere in a random TiB of the lower 64, at a multiple of its
 * alignment: 2 MiB leave 25 random bits in all. Smaller ones, of which there may be many, lie in a random region of 8
 * GiB. A table of the page map is for 8 GiB: so there are 128 of them or so for a thousand arenas and whatever comes
 * straight from the OS, and none is touched where nothing lies.
 */
public final class Random {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L; // 2^64 over the golden ratio, which is odd
    /** Below are the program, where it has a fixed address, and the heap of a JVM. */
    private static final long LOWEST = 1L << 40;
    /** A power of two of addresses, less than all systems give a process: others ignore the wish. */
    private static final int RANGE_BITS = 46;
    private static final long RANGE = 1L << RANGE_BITS;
    private static final long LARGE_REGION = 1L << 40;
    private static final long REGION = 8L << 30;

    private Random() {}

    /** Does the secure build scatter memory, and guard the allocator's own? A constant. */
    public static boolean isOn() { return Secure.level() >= 1; }

    /** A number for what lies at an address: nobody who knows one of them can tell the others. */
    public static long at(long address) { return Root.key(1) + mix(Root.key(0) ^ address); }

    /** The next of a row of random numbers: a bijection that scatters its argument's bits. */
    public static long mix(long x) {
        x = (x ^ x >>> 32) * GOLDEN;
        return x ^ x >>> 29;
    }

    /** Where the OS is asked to map memory, which it does if nothing is there; 0 for where it likes. */
    static long address(long size, long alignment) {
        if (!isOn() || Root.key(0) == 0 || UpperTable.addressBits() < RANGE_BITS) return 0;
        long region = size < REGION / 8 ? REGION : LARGE_REGION;
        long first = LOWEST + (at(0) & RANGE - region);
        return Config.alignDown(first + (at(Root.countMapping()) & region - 1), alignment);
    }
}
