package dev.mimalloc.core.base;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;

/**
 * Size classes, called bins. Up to 64 bytes there are blocks of 8, 16, 32, 48 and 64 bytes, as blocks of 16 bytes and
 * more have to be aligned to 16. Above there are four classes to each doubling, so that a block is at most a quarter
 * larger than what was asked for. {@link #HUGE} stands for all sizes whose blocks have a page to themselves.
 */
public final class SizeClass {
    public static final int HUGE = 73;
    /** The bin of size 0, where its blocks lie in memory that cannot be touched. Elsewhere no size has it, or 1 to 8 have. */
    public static final int EMPTY = 1;
    public static final int COUNT = HUGE + 1;

    private SizeClass() {}

    /** The bin of a size up to {@link Config#LARGE_OBJECT_MAX}; larger sizes are {@link #HUGE}. */
    public static int bin(long size) {
        long words = (size + 7) >>> 3;
        if (Secret.guardsPages() && size == 0) return EMPTY;
        if (words <= 1) return Secret.isShuffled() ? 2 : 1; // a tag, or what is shuffled, has the second word
        if (words <= 8) return (int) (words + 1) & ~1;
        if (Bits.below(Config.LARGE_OBJECT_MAX >>> 3, words)) return HUGE;
        long last = words - 1;
        int top = 63 - Bits.leadingZeros(last);
        return (top << 2) + ((int) (last >>> (top - 2)) & 3) - 3;
    }

    /** Does a size have a place in the direct table of a theap? Without a sign: a negative size is a large one. */
    public static boolean isSmall(long size) {
        if (Secret.guardsPages()) return Bits.below(size - 1, Config.SMALL_SIZE_MAX - Secret.builtPadding()); // 0 is not
        return !Bits.below(Config.SMALL_SIZE_MAX - Secret.builtPadding(), size);
    }

    /** Does a block of this size get a page to itself? Without a sign, as {@link #isSmall}. */
    public static boolean isHuge(long size) { return Bits.below(Config.LARGE_OBJECT_MAX, size); }

    /** The size of a bin's blocks, in bytes. No size has bin 0, 3, 5 or 7. */
    public static long binSize(int bin) {
        if (Secret.guardsPages() && bin <= EMPTY) return 16;
        if (bin <= 8) return Config.max(bin, 1) * 8;
        int top = (bin + 3) >> 2;
        return (5L + ((bin + 3) & 3)) << (top + 1);
    }

    /** How many bytes a block for {@code size} bytes really has. */
    @Export({"size_t mi_good_size(size_t size)", "size_t mi_malloc_good_size(size_t size)"})
    public static long goodSize(long size) {
        if (Bits.below(Config.MAX_SIZE, size)) return size;
        if (size <= Config.LARGE_OBJECT_MAX) return binSize(bin(size));
        long page = Os.pageSize();
        return size > Config.MAX_SIZE - page ? size : Config.alignUp(size, page);
    }

    /** How many bytes a page of blocks of this size has. */
    public static long pageSize(long blockSize) {
        return blockSize <= Config.SMALL_OBJECT_MAX ? Config.SMALL_PAGE : Config.MEDIUM_PAGE;
    }

    /** {@code count * size}, or -1 if that is more than any block can have. */
    public static long total(long count, long size) {
        if (Bits.multiplyHigh(count, size) != 0 || count * size > Memory.maxSize()) return -1;
        return count * size;
    }

    /** The block size of statistics bin {@code bin}, 0 if there is no such bin. */
    @Export("size_t mi_stats_get_bin_size(size_t bin)")
    public static long statisticsBinSize(long bin) {
        if (!Bits.below(bin, HUGE)) return 0;
        return bin <= EMPTY ? 8 : binSize((int) bin);
    }
}
