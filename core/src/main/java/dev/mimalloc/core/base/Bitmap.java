package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Check;

/**
 * Bits that any thread sets, clears and claims without a lock. They lie in chunks of 512, each a cache line; a map of
 * the chunks says which may have a bit set, so that a search skips the empty ones.
 *
 * <p>A chunk's bit in the map is a hint with one guarantee: when no call is under way it is set if a bit of the chunk
 * is. A thread that sets a bit sets it in the chunk first and then looks at the map; a thread that empties a chunk
 * clears the map first and then looks at the chunk again. All four steps are sequentially consistent, so one of the two
 * sees the other and the map's bit stays or comes back.
 */
public final class Bitmap {
    private static final long CHUNK_COUNT = 0; // 8 once
    private static final long CHUNKS = CHUNK_COUNT + 8; // 8 once: the address of the first chunk
    private static final long MAP = CHUNKS + 8; // atomic: a bit for each chunk; behind it, from a cache line on, the chunks

    /** The bits of a chunk. */
    public static final int CHUNK = 512;
    private static final int CHUNK_BYTES = CHUNK / 8;

    private Bitmap() {}

    /** The bytes that a bitmap of {@code bits} bits takes. */
    public static long size(long bits) {
        long chunks = (bits + CHUNK - 1) / CHUNK;
        return head(chunks) + chunks * CHUNK_BYTES;
    }

    /** Makes a bitmap in zeroed memory, 64-byte aligned. */
    public static void init(long bitmap, long bits) {
        long chunks = (bits + CHUNK - 1) / CHUNK;
        putLong(bitmap + CHUNK_COUNT, chunks);
        putLong(bitmap + CHUNKS, bitmap + head(chunks));
    }

    /** The bytes before the chunks. */
    private static long head(long chunks) { return Config.alignUp(MAP + ((chunks + 63) >>> 6 << 3), LINE); }

    public static long chunkCount(long bitmap) { return getLong(bitmap + CHUNK_COUNT); }
    private static long word(long bitmap, long bit) { return getLong(bitmap + CHUNKS) + (bit >>> 6 << 3); }
    private static long mapWord(long bitmap, long chunk) { return bitmap + MAP + (chunk >>> 6 << 3); }

    public static boolean mayHave(long bitmap, long chunk) {
        return (getVolatile(mapWord(bitmap, chunk)) >>> (chunk & 63) & 1) != 0;
    }

    private static void noteSet(long bitmap, long chunk) {
        if (!mayHave(bitmap, chunk)) fetchOr(mapWord(bitmap, chunk), 1L << (chunk & 63));
    }

    private static void noteCleared(long bitmap, long chunk) {
        if (!isEmpty(bitmap, chunk)) return;
        fetchAnd(mapWord(bitmap, chunk), ~(1L << (chunk & 63)));
        if (!isEmpty(bitmap, chunk)) fetchOr(mapWord(bitmap, chunk), 1L << (chunk & 63));
    }

    private static boolean isEmpty(long bitmap, long chunk) {
        long first = word(bitmap, chunk * CHUNK);
        for (int i = 0; i < CHUNK_BYTES; i += (int) WORD) {
            if (getVolatile(first + i) != 0) return false;
        }
        return true;
    }

    /** A mask of {@code count} bits of a word from {@code from} on, up to the word's end. */
    private static long mask(int from, long count) {
        return (count >= 64 - from ? -1L : (1L << count) - 1) << from;
    }

    public static boolean isSet(long bitmap, long bit) {
        return (getVolatile(word(bitmap, bit)) >>> (bit & 63) & 1) != 0;
    }

    /** Whether there are such bits. */
    private static boolean has(long bitmap, long bit, long count) {
        return bit >= 0 && count >= 0 && bit + count <= chunkCount(bitmap) * CHUNK;
    }

    /** Sets a bit; true if it was clear. */
    public static boolean set(long bitmap, long bit) {
        if (Check.isOn()) Check.that(has(bitmap, bit, 1));
        long old = fetchOr(word(bitmap, bit), 1L << (bit & 63));
        noteSet(bitmap, bit / CHUNK);
        return (old >>> (bit & 63) & 1) == 0;
    }

    /** Clears a bit; true if it was set. */
    public static boolean clear(long bitmap, long bit) {
        if (Check.isOn()) Check.that(has(bitmap, bit, 1));
        long old = fetchAnd(word(bitmap, bit), ~(1L << (bit & 63)));
        noteCleared(bitmap, bit / CHUNK);
        return (old >>> (bit & 63) & 1) != 0;
    }

    /** Sets {@code count} bits from {@code bit} on; returns how many of them were clear. */
    public static long set(long bitmap, long bit, long count) {
        if (count == 1) return set(bitmap, bit) ? 1 : 0;
        if (Check.isOn()) Check.that(has(bitmap, bit, count));
        long changed = 0;
        while (count > 0) {
            int from = (int) bit & 63;
            long mask = mask(from, count);
            changed += Bits.count(mask & ~fetchOr(word(bitmap, bit), mask));
            noteSet(bitmap, bit / CHUNK);
            bit += 64 - from;
            count -= 64 - from;
        }
        return changed;
    }

    /** Clears {@code count} bits from {@code bit} on; returns how many of them were set. */
    public static long clear(long bitmap, long bit, long count) {
        if (count == 1) return clear(bitmap, bit) ? 1 : 0;
        if (Check.isOn()) Check.that(has(bitmap, bit, count));
        long changed = 0;
        while (count > 0) {
            int from = (int) bit & 63;
            long mask = mask(from, count);
            changed += Bits.count(mask & fetchAnd(word(bitmap, bit), ~mask));
            noteCleared(bitmap, bit / CHUNK);
            bit += 64 - from;
            count -= 64 - from;
        }
        return changed;
    }

    /** How many of {@code count} bits from {@code bit} on are set. */
    public static long countSet(long bitmap, long bit, long count) {
        if (count == 1) return isSet(bitmap, bit) ? 1 : 0;
        long set = 0;
        while (count > 0) {
            int from = (int) bit & 63;
            set += Bits.count(mask(from, count) & getVolatile(word(bitmap, bit)));
            bit += 64 - from;
            count -= 64 - from;
        }
        return set;
    }

    /** Claims {@code count} bits from {@code bit} on: clears them all if all are set, and otherwise none. */
    public static boolean tryClaim(long bitmap, long bit, long count) {
        if (Check.isOn()) Check.that(has(bitmap, bit, count));
        long at = bit;
        long left = count;
        while (left > 0) {
            int from = (int) at & 63;
            if (!claimInWord(word(bitmap, at), mask(from, left))) {
                set(bitmap, bit, at - bit);
                return false;
            }
            noteCleared(bitmap, at / CHUNK);
            at += 64 - from;
            left -= 64 - from;
        }
        return true;
    }

    private static boolean claimInWord(long word, long mask) {
        long old = getVolatile(word);
        while ((old & mask) == mask) {
            if (compareAndSet(word, old, old & ~mask)) return true;
            old = getVolatile(word);
        }
        return false;
    }

    /** The first bit from {@code from} on, and below {@code to}, that is set; -1 if there is none. */
    public static long nextSet(long bitmap, long from, long to) {
        while (from < to) {
            if ((from & (CHUNK - 1)) == 0 && !mayHave(bitmap, from / CHUNK)) {
                from = nextChunk(bitmap, from / CHUNK) * CHUNK;
                continue;
            }
            long word = getVolatile(word(bitmap, from)) >>> (from & 63);
            if (word != 0) {
                from += Bits.trailingZeros(word);
                return from < to ? from : -1;
            }
            from = (from | 63) + 1;
        }
        return -1;
    }

    /** The next chunk after {@code chunk} that may have a bit set, or one beyond the last. */
    private static long nextChunk(long bitmap, long chunk) {
        chunk++;
        while (chunk < chunkCount(bitmap)) {
            long map = getVolatile(mapWord(bitmap, chunk)) >>> (chunk & 63);
            if (map != 0) return chunk + Bits.trailingZeros(map);
            chunk = (chunk | 63) + 1;
        }
        return chunk;
    }

    /** How many bits in a row are set from {@code from} on, below {@code to}. */
    public static long runLength(long bitmap, long from, long to) {
        long at = from;
        while (at < to) {
            long clear = ~getVolatile(word(bitmap, at)) >>> (at & 63);
            if (clear != 0) return Config.min(at + Bits.trailingZeros(clear), to) - from;
            at = (at | 63) + 1;
        }
        return Config.min(at, to) - from;
    }

    /**
     * Claims {@code count} bits in a row, the first a multiple of {@code alignment}, between {@code from} and {@code
     * to}.
     *
     * @return the first of them, or -1
     */
    public static long claimRun(long bitmap, long from, long to, long count, long alignment) {
        long at = from;
        while (true) {
            at = nextSet(bitmap, at, to);
            if (at < 0) return -1;
            long start = Config.alignUp(at, alignment);
            if (start + count > to) return -1;
            long run = runLength(bitmap, start, start + count);
            if (run < count) at = start + run + (start + run < to ? 1 : 0);
            else if (tryClaim(bitmap, start, count)) return start;
            // else another thread has claimed some of these: look here again
        }
    }
}
