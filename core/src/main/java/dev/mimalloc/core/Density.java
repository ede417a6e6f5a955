package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Os;

/**
 * How large blocks are used: whether those of a size were touched everywhere of late, or only here and there. Huge pages
 * are for the former: they save 511 of 512 page faults, but a block of which little is touched would become resident as a
 * whole. The sizes from one power of two to the next are taken together.
 *
 * <p>Only a block in fresh memory of small pages can tell, as there an OS page that has anything but zeros in it was
 * touched. A few OS pages of it are looked at when it is freed, and when the next block of its size is allocated, since
 * blocks are often filled one after the other. To ask the OS for what is resident would be exact; but it is a system call
 * that malloc is not known for, and a sandbox may end the process for it. One in 16 blocks of a size that is dense begins
 * with small pages again, and of a size that is sparse only one in 16 is looked at while it lives, as to look at an OS
 * page that was not touched is a page fault.
 *
 * <p>All of this is a hint. The words are relaxed: when two threads write one, either is fine. A block that was freed and
 * is somebody else's by now tells something about theirs: what is read is memory of an arena that stays readable for as
 * long as the process runs ({@link Arena#staysReadable}), and read relaxed, as its user may write to it.
 */
final class Density {
    /** No block of the size is known: only what lies behind its first {@link #FRONT} bytes may be huge pages. */
    static final int UNKNOWN = 0;
    static final int SPARSE = 1;
    static final int DENSE = 2;

    /**
     * A block that is filled from its front to anywhere, with the huge page behind it, is then resident by at most half
     * more than what was touched. It is also the part that is looked at.
     */
    static final long FRONT = 4 << 20;

    private static final int SAMPLES = 8;
    /** So many of them untouched, and the block is sparse. */
    private static final int SPARSE_SAMPLES = 3;
    /** Bytes from one word of an OS page that is looked at to the next. */
    private static final long WORDS_APART = 512;

    private static final int CYCLES = 16;
    private static final int TURN = 4;
    /** Where the eight bits behind the highest one of a candidate's size are. */
    private static final int SIZE_SHIFT = 6;

    private Density() {}

    /** A word for each power of two: the address and the size of a block to look at, a turn, and what is known. */
    private static long word(long size) { return Root.density(power(size)); }
    private static int power(long size) { return 63 - Bits.leadingZeros(size); }

    private static int verdict(long word) { return (int) word & TURN - 1; }
    private static long candidate(long word) { return word & -Config.SLICE; }
    /** Its size, nearly. */
    private static long size(long word, int power) { return (word >>> SIZE_SHIFT & 255 | 256) << power - 8; }

    /** What to expect of a new block. */
    static int expected(long size) {
        if (size <= Config.LARGE_OBJECT_MAX) return SPARSE;
        long at = word(size);
        long word = getRelaxed(at);
        long next = (word + TURN) % (CYCLES * TURN); // without the candidate
        boolean again = next < TURN;
        if (candidate(word) != 0 && (again || verdict(word) != SPARSE)) {
            next = next & -TURN | look(candidate(word), size(word, power(size)));
        }
        putRelaxed(at, next);
        return again && verdict(next) == DENSE ? UNKNOWN : verdict(next);
    }

    /** A block was made of fresh memory that is not all huge pages, and stays readable: it will be looked at. */
    static void made(long block, long size) {
        if (size <= Config.LARGE_OBJECT_MAX) return;
        long at = word(size);
        long bits = size >>> power(size) - 8 & 255;
        putRelaxed(at, block | bits << SIZE_SHIFT | getRelaxed(at) & CYCLES * TURN - 1);
    }

    /** Such a block is about to be freed. */
    static void released(long block, long size) {
        if (size > Config.LARGE_OBJECT_MAX) putRelaxed(word(size), look(block, size));
    }

    /** Dense is a block where six of eight OS pages were touched, which are spread evenly. */
    private static int look(long block, long size) {
        long page = Os.pageSize();
        long step = Config.min(size, FRONT) / SAMPLES;
        int untouched = 0;
        for (long at = block + step / 2; at < block + SAMPLES * step; at += step) {
            if (!isTouched(Config.alignDown(at, page), page) && ++untouched == SPARSE_SAMPLES) return SPARSE;
        }
        return DENSE;
    }

    private static boolean isTouched(long start, long size) {
        for (long at = start; at < start + size; at += WORDS_APART) {
            if (getRelaxed(at) != 0) return true;
        }
        return false;
    }
}
