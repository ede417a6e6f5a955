package dev.mimalloc.core.memory;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Os;

/**
 * How large blocks are used: whether the latest ones of a size were touched everywhere, or only here and there. Huge
 * pages are for the former: they save 511 of 512 page faults, but a block of which little is touched would become
 * resident as a whole. The sizes from one power of two to the next are taken together.
 *
 * <p>A block in fresh memory can tell, as there an OS page that has anything but zeros in it was touched. Eight OS
 * pages of it are looked at when the next block of its size is allocated, since blocks are often filled one after the
 * other, and when it is freed. So before the first block has told, no more than a huge page of it is there for nothing.
 * To ask the OS for what is resident would be exact; but it is a system call that malloc is not known for, and a
 * sandbox may end the process for it. Of a size that is sparse only one in 16 blocks is looked at while it lives, as to
 * look at an OS page that was not touched is a page fault.
 *
 * <p>All of this is a hint. The words are relaxed: when two threads write one, either is fine. A block that was freed
 * and is somebody else's by now tells something about theirs: what is read is memory of an arena that stays readable
 * for as long as the process runs ({@link Arena#staysReadable}), and read relaxed, as its user may write to it.
 */
public final class Density {
    /** No block of the size is known: a new one may have huge pages. */
    public static final int UNKNOWN = 0;
    public static final int SPARSE = 1;
    public static final int DENSE = 2;

    /** How many OS pages of a block are looked at. */
    private static final int SAMPLES = 8;
    /** A block of which this many of the 8 samples are untouched is sparse. */
    private static final int SPARSE_SAMPLES = 3;
    /** Bytes from one word of an OS page that is looked at to the next. */
    private static final long WORDS_APART = 512;

    /** Of blocks of a sparse size one in 16 is looked at while it lives. */
    private static final int CYCLES = 16;
    /** One turn in a word, whose two lowest bits are the verdict. */
    private static final int TURN = 4;
    /** Where the eight bits behind the highest one of a candidate's size are. */
    private static final int SIZE_SHIFT = 6;

    private Density() {}

    /** A word for each power of two: the address and the size of a block to look at, a turn, and what is known. */
    private static long word(long size) { return Root.density(power(size)); }
    private static int power(long size) { return 63 - Bits.leadingZeros(size); }

    private static int verdict(long word) { return (int) word & TURN - 1; }
    private static long candidate(long word) { return word & -Config.SLICE; }
    /** The candidate's size, to eight bits behind the highest one. */
    private static long size(long word, int power) { return (word >>> SIZE_SHIFT & 255 | 256) << power - 8; }

    /** Whether a new block of this size, above {@link Config#LARGE_OBJECT_MAX}, is expected to be dense or sparse. */
    public static int expected(long size) {
        long at = word(size);
        long word = getRelaxed(at);
        long next = (word + TURN) % (CYCLES * TURN); // without the candidate
        long block = candidate(word);
        if (block != 0 && (next < TURN || verdict(word) != SPARSE)) {
            // A block that nobody has begun to use tells nothing yet.
            if (isTouched(block)) next = next & -TURN | look(block, size(word, power(size)));
        }
        if (next != word) putRelaxed(at, next);
        return verdict(next);
    }

    /** A block was made of fresh memory that stays readable: it is the next one of its size to be looked at. */
    public static void afterAllocate(long block, long size) {
        long at = word(size);
        long bits = size >>> power(size) - 8 & 255;
        putRelaxed(at, block | bits << SIZE_SHIFT | getRelaxed(at) & CYCLES * TURN - 1);
    }

    /** Looks at a block of memory that was fresh, and that is about to be freed. */
    public static void beforeRelease(long block, long size) { putRelaxed(word(size), look(block, size)); }

    private static int look(long block, long size) { return isSparse(block, size) ? SPARSE : DENSE; }

    /** Were three or more of 8 OS pages, spread evenly over the block, never touched? */
    private static boolean isSparse(long block, long size) {
        long step = size / SAMPLES;
        int untouched = 0;
        for (long at = block + step / 2; at < block + SAMPLES * step; at += step) {
            if (!isTouched(at) && ++untouched == SPARSE_SAMPLES) return true;
        }
        return false;
    }

    /** Has the OS page of this address anything but zeros in the words that are looked at? */
    private static boolean isTouched(long address) {
        long page = Os.pageSize();
        long start = Config.alignDown(address, page);
        for (long at = start; at < start + page; at += WORDS_APART) {
            if (getRelaxed(at) != 0) return true;
        }
        return false;
    }
}
