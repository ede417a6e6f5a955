package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;
import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.machine.Bits;

/**
 * Padding is what lies between the last byte that a block's user asked for and the block's end: one byte at least. It is
 * known to the byte where it begins, as the block's last word says so, and all of it depends on the block's address.
 * Where the padding begins in an earlier word, what is padding of that one is checked, too: who writes past the end in
 * one go cannot miss it. In the debug build all of it is filled and checked.
 *
 * <p>Words of padding are little-endian on every processor: a shift to the left leaves out the first bytes, the user's, and
 * the highest byte is the block's last.
 */
public final class Padding {
    static final long ONES = 0x0101010101010101L;
    /** Of a large block no more is filled than this, so that memory which nobody touches is not needed. */
    static final long FILLED_MAX = 1 << 20;
    /** In the last byte, above a bit that is always 0: odd as the mask is, no byte behind the user's is 0. */
    private static final int COUNT_SHIFT = 57;
    /** Is in all padding of the debug build but the last word. */
    private static final int FILLED = 0xDE;
    private static final long FILLED_WORD = 0xDEDE_DEDE_DEDE_DEDEL;

    /**
     * Forms of allocation, for builds that know them: 0 is {@code malloc} and all that {@code free} belongs to, the others
     * are C++'s. They are in the last byte, above the count.
     */
    private static final int NEW = 1;
    private static final int NEW_ARRAY = 2; // 4 more where an alignment was asked for
    private static final int FORM_SHIFT = 61;
    private static final long FORMS = 7L << FORM_SHIFT;
    /** A bit for each form that there is: 0, 1, 2, 5 and 6. In place of another one somebody has written. */
    private static final int VALID = 0x67;

    private Padding() {}

    /** Does padding tell how many bytes the blocks of a page have for their users? */
    public static boolean isPadded(long page) { return Page.isHardened(page) && !Page.isGuarded(page) && Secret.has(Secret.PADDING); }

    /**
     * Marks what lies between {@code end}, the end of what a block's user asked for, and that of the block. The user's
     * bytes in the words that are marked become zero, which a user who asked for zeroes may rely on.
     */
    static void pad(long page, long block, long end) {
        long last = block + Page.blockSize(page) - WORD;
        long mask = mask(page, block);
        long bytes = last + WORD - end;
        long first = end & -WORD;
        long user = (end & WORD - 1) * 8; // bits of the first word that are the user's
        if (first == last) {
            putLittleEndian(last, ((bytes << COUNT_SHIFT ^ mask) >>> user) << user);
        } else {
            putLittleEndian(first, (start(mask) >>> user) << user);
            putLittleEndian(last, (WORD << COUNT_SHIFT | bytes - WORD) ^ mask);
            if (Secret.isDebug()) fill(first + WORD, filledTo(first, last) - first - WORD, FILLED);
        }
    }

    /** As {@link #pad}, of a block that its user keeps: with all bytes before {@code end}. */
    static void padAnew(long page, long block, long end) {
        long first = end & -WORD;
        long user = end == first ? 0 : getLittleEndian(first) & (1L << (end - first) * 8) - 1;
        pad(page, block, end);
        if (end != first) putLittleEndian(first, getLittleEndian(first) | user);
    }

    /** How many bytes of padding a block has; 0 if they are not as they were. */
    public static long padding(long page, long block) {
        boolean formed = Secret.hasForms() && (VALID >>> form(page, block) & 1) != 0;
        return padding(page, block, formed ? word(page, block) & ~FORMS : word(page, block));
    }

    /** For the fast path of free: is all padding of a block as it was, and does it say nothing of a form? */
    static boolean isPlain(long page, long block) { return padding(page, block, word(page, block)) != 0; }

    private static long last(long page, long block) { return block + Page.blockSize(page) - WORD; }

    /** The last word of a block. */
    private static long word(long page, long block) { return getLittleEndian(last(page, block)) ^ mask(page, block); }

    private static long padding(long page, long block, long word) {
        long last = last(page, block);
        long mask = mask(page, block);
        long bytes = word >>> COUNT_SHIFT;
        if (bytes < WORD) {
            long user = 64 - bytes * 8;
            return bytes != 0 && word >>> user == bytes << COUNT_SHIFT - user ? bytes : 0;
        }
        bytes = (word ^ WORD << COUNT_SHIFT) + WORD;
        long end = last + WORD - bytes;
        if (!Bits.below(end - block, last + 1 - block)) return 0;
        long first = end & -WORD;
        boolean whole = first == last || (getLittleEndian(first) ^ start(mask)) >>> (end & WORD - 1) * 8 == 0;
        return whole && (!Secret.isDebug() || isFilled(first + WORD, filledTo(first, last))) ? bytes : 0;
    }

    static int form(long page, long block) { return (int) (word(page, block) >>> FORM_SHIFT) & 7; }

    public static void setForm(long page, long block, int form) {
        long change = (long) (form(page, block) ^ form) << FORM_SHIFT;
        if (change != 0) putLittleEndian(last(page, block), getLittleEndian(last(page, block)) ^ change);
    }

    /** What is told of a block's form. In a single byte of padding it may have been written by somebody else. */
    static long formName(long page, long block) {
        int form = form(page, block);
        if (form == 0 || padding(page, block) == 1) return literal("");
        return form == NEW ? literal(", by new") : form == NEW_ARRAY ? literal(", by new[]") : literal(", by aligned new");
    }

    /** What is said when a block is freed by a form that is not its own. */
    static long mismatch(long page, long block, int form) {
        if (padding(page, block) == 1) return literal("a block was written to past its end, or is freed by a form that is not its own");
        if (form == 0) return literal("free or realloc of a block that is not from malloc");
        if (form == NEW) return literal("delete of a block that is not from new");
        return form == NEW_ARRAY ? literal("delete[] of a block that is not from new[]")
                : literal("aligned delete of a block that is not from aligned new");
    }

    private static boolean isFilled(long from, long to) {
        while (from < to && getLong(from) == FILLED_WORD) from += WORD;
        return from >= to;
    }

    private static long filledTo(long first, long last) { return Config.min(last, first + FILLED_MAX); }

    /** What the first word of padding is made of, where it is not the last. */
    private static long start(long mask) { return Secret.isDebug() ? FILLED_WORD : mask; }

    /** What a block's padding is made of: no byte is 0, as the end of a text that is too long is. */
    private static long mask(long page, long block) { return Secret.rotate(Page.key(page), 42) ^ block | ONES; }
}
