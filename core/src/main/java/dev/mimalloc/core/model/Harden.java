package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.Track;

/**
 * What hardens single blocks: checks when a block is given to a user, and when it is taken back. Only pages that
 * {@link Page#isHardened} have such blocks; in the secure build all do.
 *
 * <p>A free block has a tag in its second word, which depends on its page's key and its own address. It is written when
 * the block becomes free, and cleared when the block is given out. So a block that is freed and has its tag was freed
 * before; and one that comes from a free list and has none is no free block, or was written to. That needs no list to be
 * walked, and 16 bytes: smaller blocks do not exist here.
 *
 * <p>Padding is what lies between the last byte that the user asked for and the block's end: one byte at least. It is
 * known to the byte where it begins, as the block's last word says so, and all of it depends on the block's address.
 * Where the padding begins in an earlier word, what is padding of that one is checked, too: who writes past the end in
 * one go cannot miss it.
 */
public final class Harden {
    /** The smallest block: it has a second word for its tag. */
    private static final long LEAST = 9;
    private static final int LAST_BYTE = 56;
    private static final long ONES = 0x0101010101010101L;

    private Harden() {}

    /** Bytes that a block needs for a user's {@code size}; a size that is too large stays one. */
    public static long padded(long size) {
        if (!Secret.isOn() || size < 0 || Secret.guardsPages() && size == 0) return size;
        long padded = Secret.has(Secret.PADDING) ? size + Track.redZone() : size; // negative if it was the largest number
        return padded < 0 ? padded : Config.max(LEAST, padded);
    }

    /** For the fast path: may the first block of a page be taken as it is? If not, the slow path says why. */
    public static boolean mayPop(long page, long block) {
        if (!Secret.isBuilt()) return true;
        return getLong(block + WORD) == Page.tag(page, block) && Page.isLink(page, Page.nextBlock(page, block));
    }

    /** For the fast path: takes the first block of a page, after {@link #mayPop}, for a user of {@code size} bytes. */
    public static long pop(long page, long block, long size) {
        Page.pop(page, block);
        if (!Secret.isBuilt()) return block;
        putLong(block + WORD, 0);
        pad(page, block, block + size);
        return block;
    }

    /** For the fast path: is this a block that its user has, and unharmed? If not, the slow path says why. */
    public static boolean mayPutBack(long page, long block) {
        if (!Secret.isBuilt()) return true;
        long tag = Page.tag(page, block);
        return Page.isBlockStart(page, block) && getLong(block + WORD) != tag && padding(page, block) != 0;
    }

    /** For the fast path: puts a block back into its page, after {@link #mayPutBack}; as {@link Page#putBack}. */
    public static int putBack(long page, long block) {
        if (Secret.isBuilt()) Page.setTag(page, block);
        return Page.putBack(page, block);
    }

    /**
     * Takes the first block of a page, and gives it to a user of {@code size} bytes.
     *
     * @return 0 if the block is not as it was left when it was freed, which is reported
     */
    public static long give(long page, long block, long size, boolean zero) {
        long next = Page.nextBlock(page, block);
        if (unlikely(getLong(block + WORD) != Page.tag(page, block) || !Page.isLink(page, next))) return refuseSlow(page, block);
        if (Secret.has(Secret.REUSE) && !isZero(page, block)) return setAsideSlow(page, block);
        boolean cleared = Page.has(page, Page.FREE_ZERO); // but for link and tag
        Page.pop(page, block);
        putLong(block + WORD, 0);
        if (zero) fill(block, cleared ? WORD : Page.blockSize(page), 0);
        if (Secret.has(Secret.PADDING)) pad(page, block, block + size);
        if (Track.isOn()) Track.allocated(block, size, zero, block, Page.blockSize(page));
        return block;
    }

    /** The first block of a free list was written to when it was free, or the list leads to where none is. */
    private static long refuseSlow(long page, long block) {
        Page.dropFree(page);
        Errors.misuse(Errors.EFAULT, Text.literal("a free block was overwritten"), block);
        return 0;
    }

    /** A block was written to when it was free: nobody gets it any more. */
    private static long setAsideSlow(long page, long block) {
        Page.pop(page, block);
        raiseWritten(block);
        return 0;
    }

    public static void raiseWritten(long block) {
        Errors.misuse(Errors.EFAULT, Text.literal("a block was written to after it was freed"), block);
    }

    /** Is a block that was freed, and whose first word was zero then, as it was? */
    public static boolean isAsFreed(long page, long block) {
        boolean whole = getLong(block) == 0 && getLong(block + WORD) == Page.tag(page, block);
        return whole && (!Secret.has(Secret.REUSE) || isZero(page, block));
    }

    /** Is a free block zero behind the words of its link and tag? */
    private static boolean isZero(long page, long block) {
        long end = block + Page.blockSize(page);
        long bits = 0;
        for (long at = block + 2 * WORD; at < end; at += WORD) bits |= getLong(at);
        return bits == 0;
    }

    /**
     * Takes a block back from its user, who frees it: checks it and makes it free, but for its link.
     *
     * @return false if that is no block which a user has, which is reported
     */
    public static boolean takeBack(long page, long block) {
        if (unlikely(!Page.isBlockStart(page, block))) return isNoBlock(block);
        long tag = Page.tag(page, block);
        if (unlikely(getLong(block + WORD) == tag)) return isFree(block);
        if (Secret.has(Secret.PADDING)) checkPadding(page, block);
        if (Secret.has(Secret.ZERO)) fill(block + 2 * WORD, Page.blockSize(page) - 2 * WORD, 0);
        putLong(block + WORD, tag);
        return true;
    }

    /** As {@link #takeBack}, of the block of a singleton, which has no tag: its page knows that it is freed. */
    public static boolean takeBackOnly(long page) {
        long block = Page.start(page);
        if (Page.isFreed(page)) return isFree(block);
        if (isPadded(page)) checkPadding(page, block);
        return Page.tryFree(page) || isFree(block);
    }

    private static boolean isNoBlock(long block) {
        Errors.misuse(Errors.EINVAL, Text.literal("invalid pointer, no block begins here"), block);
        return false;
    }

    private static boolean isFree(long block) {
        Errors.misuse(Errors.EAGAIN, Text.literal("a block is freed twice"), block);
        return false;
    }

    /** Reports a block that was written to past its user's end. */
    public static void checkPadding(long page, long block) {
        if (unlikely(padding(page, block) == 0)) {
            Errors.misuse(Errors.EFAULT, Text.literal("a block was written to past its end"), block);
        }
    }

    /** For the block of a singleton, which has neither link nor tag: marks where its user's {@code size} bytes end. */
    public static void padOnly(long page, long block, long size) {
        if (isPadded(page)) pad(page, block, block + size);
    }

    /** Does padding tell how many bytes the blocks of a page have for their users? */
    public static boolean isPadded(long page) { return Page.isHardened(page) && !Page.isGuarded(page) && Secret.has(Secret.PADDING); }

    /**
     * Marks what lies between {@code end}, the end of what a block's user asked for, and that of the block. The user's
     * bytes in the words that are marked become zero, which a user who asked for zeroes may rely on.
     */
    public static void pad(long page, long block, long end) {
        long last = block + Page.blockSize(page) - WORD;
        long mask = mask(page, block);
        long bytes = last + WORD - end;
        long first = end & -WORD;
        long user = (end & WORD - 1) * 8; // bits of the first word that are the user's
        if (first == last) {
            putLong(last, ((bytes << LAST_BYTE ^ mask) >>> user) << user);
        } else {
            putLong(first, (mask >>> user) << user);
            putLong(last, (WORD << LAST_BYTE | bytes - WORD) ^ mask);
        }
    }

    /** As {@link #pad}, of a block that its user keeps: with all bytes before {@code end}. */
    public static void padAnew(long page, long block, long end) {
        long first = end & -WORD;
        long user = end == first ? 0 : getLong(first) & (1L << (end - first) * 8) - 1;
        pad(page, block, end);
        if (end != first) putLong(first, getLong(first) | user);
    }

    /** How many bytes of padding a block has; 0 if they are not as they were. */
    public static long padding(long page, long block) {
        long last = block + Page.blockSize(page) - WORD;
        long mask = mask(page, block);
        long word = getLong(last) ^ mask;
        long bytes = word >>> LAST_BYTE;
        if (bytes < WORD) {
            long user = 64 - bytes * 8;
            return bytes != 0 && word >>> user == bytes << LAST_BYTE - user ? bytes : 0;
        }
        bytes = (word ^ WORD << LAST_BYTE) + WORD;
        long end = last + WORD - bytes;
        if (!Bits.below(end - block, last + 1 - block)) return 0;
        long first = end & -WORD;
        return first == last || (getLong(first) ^ mask) >>> (end & WORD - 1) * 8 == 0 ? bytes : 0;
    }

    /** What a block's padding is made of: no byte is 0, as the end of a text that is too long is. */
    private static long mask(long page, long block) { return Secret.rotate(Page.key(page), 42) ^ block | ONES; }
}
