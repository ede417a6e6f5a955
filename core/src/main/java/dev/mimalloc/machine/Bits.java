package dev.mimalloc.machine;

/** Counting bits and comparing without a sign: one or two instructions on every machine. */
public final class Bits {
    private Bits() {}

    /** The number of zeros below the lowest one; 64 for 0. */
    public static int trailingZeros(long bits) { return Long.numberOfTrailingZeros(bits); }

    /** The number of zeros above the highest one; 64 for 0. */
    public static int leadingZeros(long bits) { return Long.numberOfLeadingZeros(bits); }

    /** The number of ones. */
    public static int count(long bits) { return Long.bitCount(bits); }

    /** The high 64 bits of the unsigned product. */
    public static long multiplyHigh(long a, long b) { return Math.unsignedMultiplyHigh(a, b); }

    /** Unsigned {@code a < b}. */
    public static boolean below(long a, long b) { return Long.compareUnsigned(a, b) < 0; }
}
