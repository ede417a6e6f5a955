package dev.mimalloc.core.profile;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.machine.Bits;

/**
 * The exponential distribution, in fixed point: system Java has no floating point, and a C library without libm has no
 * logarithm.
 */
public final class Exponential {
    /** One, with 62 bits behind the point. */
    static final long ONE = 1L << 62;
    /** The natural logarithm of 2, with 64 bits behind the point. */
    private static final long LN2 = 0xB17217F7D1CF79ABL;
    /** Bits behind the point of a logarithm. */
    private static final int LOG_BITS = 32;
    /** From here on what is left of 1 is below 2^-62. */
    private static final long CERTAIN = 43;
    /** Larger means lose nothing by being cut: no process allocates as much between two samples. */
    static final long MEAN_MAX = 1L << 47;

    private Exponential() {}

    /**
     * How many bytes it is to the next sample, at least 1, where one byte in {@code mean} is one and each is as likely
     * as any other.
     *
     * @param random 64 random bits
     */
    public static long draw(long mean, long random) {
        long bits = random | 1; // so there is a logarithm
        int zeros = Bits.leadingZeros(bits);
        long log = 63L - zeros; // of base 2; a bit more behind the point with each square
        long x = bits << zeros;
        for (int i = 0; i < LOG_BITS; i++) {
            x = Bits.multiplyHigh(x, x);
            log = log << 1 | x >>> 63;
            if (x >= 0) x <<= 1;
        }
        long exponent = Bits.multiplyHigh((64L << LOG_BITS) - log, LN2);
        return 1 + Bits.multiplyHigh(Config.min(mean, MEAN_MAX) - 1 << 16, exponent << 64 - LOG_BITS - 16);
    }

    /** The probability that at least one of {@code size} bytes is a sample, with 62 bits behind the point; at least 1 of them. */
    static long probability(long size, long mean) {
        if (size / CERTAIN >= mean) return ONE;
        // 1 - exp(-x) for a part of the size that is below the mean; then twice as much, as often as it was halved.
        int halved = 0;
        while (size >= mean << halved) halved++;
        long x = fraction(size, mean << halved);
        long sum = 0;
        long term = x;
        for (int n = 2; term != 0; n++) {
            sum += term;
            term = -product(term, x) / n;
        }
        for (; halved > 0; halved--) sum = 2 * sum - product(sum, sum);
        return Config.max(1, sum);
    }

    /** Of two numbers with 62 bits behind the point, the second from 0 to 1. */
    private static long product(long a, long b) {
        return a >= 0 ? Bits.multiplyHigh(a, b) << 2 : -(Bits.multiplyHigh(-a, b) << 2);
    }

    /** {@code a / b} with 62 bits behind the point, for {@code a < b}. */
    private static long fraction(long a, long b) {
        long x = 0;
        for (int i = 0; i < 62; i++) {
            a <<= 1;
            x <<= 1;
            if (a < b) continue;
            a -= b;
            x++;
        }
        return x;
    }
}
