package dev.mimalloc.tests;

/**
 * What the tests write into their blocks: each byte follows from a seed and its offset, so that a block that
 * overlaps another, moved wrongly or was given out twice does not go unseen. A block is written whole up to
 * {@link #DENSE}, beyond that a word in every {@link #STRIDE} bytes and its last bytes: gigabytes stay cheap.
 */
final class Pattern {
    private static final long DENSE = 16 << 10;
    private static final long STRIDE = 2048;

    static void write(long block, long size, long seed) {
        long dense = Math.min(size, DENSE);
        writeDense(block, 0, dense, seed);
        for (long i = DENSE; i + 8 <= size; i += STRIDE) Raw.putLong(block + i, word(seed, i));
        writeDense(block, Math.max(dense, size - 8), size, seed);
    }

    /** The offset of the first byte or word that is not as it was written, -1 if all are. */
    static long mismatch(long block, long size, long seed) {
        long found = prefixMismatch(block, size, seed);
        return found >= 0 ? found : denseMismatch(block, Math.max(Math.min(size, DENSE), size - 8), size, seed);
    }

    /** The same for the first bytes of a block that was larger when it was written. */
    static long prefixMismatch(long block, long kept, long seed) {
        long found = denseMismatch(block, 0, Math.min(kept, DENSE), seed);
        for (long i = DENSE; found < 0 && i + 8 <= kept; i += STRIDE) {
            if (Raw.getLong(block + i) != word(seed, i)) found = i;
        }
        return found;
    }

    private static void writeDense(long block, long from, long to, long seed) {
        long i = from;
        for (; (i & 7) == 0 && i + 8 <= to; i += 8) Raw.putLong(block + i, word(seed, i));
        for (; i < to; i++) Raw.putByte(block + i, octet(seed, i));
    }

    private static long denseMismatch(long block, long from, long to, long seed) {
        long i = from;
        for (; (i & 7) == 0 && i + 8 <= to; i += 8) {
            if (Raw.getLong(block + i) != word(seed, i)) return i;
        }
        for (; i < to; i++) {
            if (Raw.getByte(block + i) != octet(seed, i)) return i;
        }
        return -1;
    }

    private static int octet(long seed, long offset) {
        return (int) (word(seed, offset & ~7) >>> (offset & 7) * 8) & 0xff;
    }

    private static long word(long seed, long offset) {
        long x = (seed + 1) * 0x9E3779B97F4A7C15L + offset * 0xD1B54A32D192ED03L;
        return x ^ x >>> 29;
    }

    private Pattern() {}
}
