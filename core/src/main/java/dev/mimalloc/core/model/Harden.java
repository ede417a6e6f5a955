package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.machine.Callers;
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
 * <p>In the debug build blocks are filled: new ones, so that nobody takes what was there before for a value, and freed
 * ones, so that a write to them is found when they are given out again.
 */
public final class Harden {
    /** The smallest block: it has a second word for its tag. */
    private static final long LEAST = 9;
    /** Is in the bytes of a new block of the debug build. */
    private static final int NEW = 0xD0;

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
        Padding.pad(page, block, block + size);
        return block;
    }

    /** For the fast path: is this a block that its user has, and unharmed? If not, the slow path says why. */
    public static boolean mayPutBack(long page, long block) {
        if (!Secret.isBuilt()) return true;
        long tag = Page.tag(page, block);
        return Page.isBlockStart(page, block) && getLong(block + WORD) != tag && Padding.isPlain(page, block);
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
        if (Secret.has(Secret.REUSE) && !isAsLeft(page, block)) return setAsideSlow(page, block);
        boolean cleared = Page.has(page, Page.FREE_ZERO); // but for link and tag
        Page.pop(page, block);
        putLong(block + WORD, 0);
        if (zero) fill(block, cleared ? WORD : Page.blockSize(page), 0);
        else if (Secret.isDebug()) fillFrom(page, block, 0, NEW);
        if (Secret.has(Secret.PADDING)) Padding.padAnew(page, block, block + size);
        if (Secret.isDebug()) Theap.countGiven(Page.theap(page), Page.bin(page), 1);
        note(page, block, size, size, false);
        if (Track.isOn()) Track.allocated(block, size, zero, block, Page.blockSize(page));
        return block;
    }

    /** The first block of a free list was written to when it was free, or the list leads to where none is. */
    private static long refuseSlow(long page, long block) {
        Page.dropFree(page);
        Page.setTag(page, block);
        Misuse.report(Errors.EFAULT, Text.literal("a free block was overwritten"), block);
        return 0;
    }

    /** A block was written to when it was free: nobody gets it any more. */
    private static long setAsideSlow(long page, long block) {
        Page.pop(page, block);
        raiseWritten(block);
        return 0;
    }

    public static void raiseWritten(long block) {
        Misuse.report(Errors.EFAULT, Text.literal("a block was written to after it was freed"), block);
    }

    /** Are the words of link and tag of a block that was freed, and whose first word was zero then, as they were? */
    public static boolean isAsFreed(long page, long block) {
        return getLong(block) == 0 && getLong(block + WORD) == Page.tag(page, block);
    }

    /** From where a block is filled: {@code least}, or more if its heap says so in the debug build. */
    private static long unfilled(long page, long least) {
        return Secret.isDebug() ? Config.max(least, Heap.unfilledRelaxed(Page.heapAcquire(page))) : least;
    }

    private static void fillFrom(long page, long block, long least, int value) {
        long from = unfilled(page, least);
        long end = Config.min(Page.blockSize(page), Padding.FILLED_MAX); // only a singleton has a block of that size
        if (from < end) fill(block + from, end - from, value);
    }

    /** Is a free block as it was left behind the words of its link and tag? */
    private static boolean isAsLeft(long page, long block) {
        long end = block + Page.blockSize(page);
        long bits = 0;
        for (long at = block + unfilled(page, 2 * WORD); at < end; at += WORD) bits |= getLong(at) ^ Secret.freed() * Padding.ONES;
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
        if (Secret.has(Secret.PADDING)) checkFreed(page, block);
        if (Secret.has(Secret.ZERO) || Secret.isDebug()) fillFrom(page, block, 2 * WORD, Secret.freed());
        putLong(block + WORD, tag);
        return true;
    }

    /** Does a user have the block at an address, which is not guarded? If not, that is reported. */
    public static boolean isLive(long page, long block) {
        if (likely(Page.isInUse(page, block))) return true;
        if (!Page.isBlockStart(page, block)) return isNoBlock(block);
        Misuse.report(Errors.EAGAIN, Text.literal("a block is used after it was freed"), block);
        return false;
    }

    /** As {@link #takeBack}, of the block of a singleton, which has no tag: its page knows that it is freed. */
    public static boolean takeBackOnly(long page) {
        long block = Page.start(page);
        if (Page.isFreed(page)) return isFree(block);
        if (Padding.isPadded(page)) checkFreed(page, block);
        return Page.tryFree(page) || isFree(block);
    }

    private static boolean isNoBlock(long block) {
        Misuse.report(Errors.EINVAL, Text.literal("invalid pointer, no block begins here"), block);
        return false;
    }

    private static boolean isFree(long block) {
        Misuse.report(Errors.EAGAIN, Text.literal("a block is freed twice"), block);
        return false;
    }

    /** Reports a block of malloc's that was written to past its user's end, or that is not of malloc. */
    public static void checkPadding(long page, long block) {
        boolean whole = likely(Padding.padding(page, block) != 0);
        if (!whole) Misuse.report(Errors.EFAULT, Text.literal("a block was written to past its end"), block);
        checkForm(page, block, 0);
    }

    /** Reports a block that another form than this one belongs to; from then on it is as malloc's. */
    public static void checkForm(long page, long block, int form) {
        if (!Secret.hasForms() || Padding.padding(page, block) == 0) return;
        if (Padding.form(page, block) != form) Misuse.reportMismatch(Padding.mismatch(page, block, form), block);
        Padding.setForm(page, block, 0);
    }

    /** Checks a block that its user frees. */
    public static void checkFreed(long page, long block) {
        checkPadding(page, block);
        note(page, block, 0, Padding.padding(page, block) - Page.blockSize(page), true);
    }

    /** A block stays, and its user has {@code bytes} more than before: all up to {@code end}. */
    public static void resize(long page, long block, long end, long bytes) {
        Padding.padAnew(page, block, end);
        note(page, block, end - block, bytes, false);
    }

    /** The block of a singleton, which has neither link nor tag, is given to a user of {@code size} bytes. */
    public static void giveOnly(long page, long block, long size, boolean zero) {
        if (Secret.isDebug() && !zero) {
            fillFrom(page, block, 0, NEW);
            Page.clearFlag(page, Page.MEMORY_ZERO);
        }
        if (!Padding.isPadded(page)) return;
        Padding.padAnew(page, block, block + size);
        note(page, block, size, size, false);
    }

    /** The block of a singleton is free. */
    public static void fillOnly(long page, long block) {
        if (Secret.isDebug()) fillFrom(page, block, 0, Secret.freed());
    }

    /**
     * Notes in the debug build that a user gets a block, keeps it with another size, or frees it.
     *
     * @param bytes how many more of those that he asked for he has
     */
    private static void note(long page, long block, long size, long bytes, boolean freed) {
        if (!Secret.isDebug()) return;
        Callers.record(block, size, freed);
        Statistics.add(Heap.statistics(Page.heapAcquire(page)), Statistics.MALLOC_REQUESTED, Config.max(0, bytes));
    }
}
