package dev.mimalloc.core;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Os;

/**
 * How large blocks are used: whether those of a size were touched everywhere of late, or only here and there. Huge pages
 * are for the former: they save 511 of 512 page faults, but a block of which little is touched would become resident as a
 * whole. The sizes from one power of two to the next are taken together.
 *
 * <p>What is known comes from the OS, which tells the OS pages that have been touched. It is asked when a block is freed,
 * and when the next block of its size is allocated, as blocks are often filled one after the other. Only a block in
 * fresh memory of small pages can tell: in others all may have been touched before. So one in 16 blocks of a size that is
 * dense begins with small pages again.
 *
 * <p>All of this is a hint. The words are relaxed: when two threads write one, either is fine; and a block that was freed
 * and is somebody else's by now tells something about theirs.
 */
final class Density {
    /** No block of the size is known: only what lies behind its first {@link #FRONT} bytes may be huge pages. */
    static final int UNKNOWN = 0;
    static final int SPARSE = 1;
    static final int DENSE = 2;

    /**
     * A block that is filled from its front to anywhere, with the huge page behind it, is then resident by at most half
     * more than what was touched. It is also what is looked at: 1024 OS pages, in 3 us.
     */
    static final long FRONT = 4 << 20;

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
        if (candidate(word) != 0) word = look(candidate(word), size(word, power(size)));
        else if (verdict(word) != DENSE) return verdict(word);
        long turn = (word + TURN) % (CYCLES * TURN);
        putRelaxed(at, turn);
        return turn < TURN && verdict(word) == DENSE ? UNKNOWN : verdict(word);
    }

    /** A block was made of fresh memory that is not all huge pages: it will be looked at. */
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

    private static int look(long block, long size) {
        size = Config.min(size, FRONT);
        long pages = size / Os.pageSize();
        long vector = Meta.allocate(pages);
        if (vector == 0) return UNKNOWN;
        long touched = 0;
        boolean told = Os.residentPages(block, size, vector);
        for (long i = 0; told && i < pages; i += 8) touched += Bits.count(getLong(vector + i) & 0x0101010101010101L);
        Meta.free(vector, pages);
        return !told ? UNKNOWN : touched * 3 >= pages * 2 ? DENSE : SPARSE;
    }
}
