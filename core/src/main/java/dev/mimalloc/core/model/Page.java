package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Links;
import dev.mimalloc.core.base.Random;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;

/**
 * A page: blocks of one size, in one slice or several. The struct is the page's descriptor; the blocks lie elsewhere.
 *
 * <p>Free blocks are linked through their first word into three lists. {@code free} is where malloc takes from;
 * {@code localFree} is where the owner puts back, so that {@code free} runs empty after a bounded number of calls;
 * {@code threadFree} is where everybody else puts back, by one CAS. One word holds that list's head, how many blocks
 * are in it, and whether anybody owns the page. The count makes the owner's collection of the list one exchange: no
 * malloc and no free walks a list, however long it is.
 *
 * <p>The block of a page with a single one has no link: its address is known, and its memory stays as its user left it.
 * So a large block that nobody touches is not backed by memory.
 *
 * <p>Who may touch what: plain fields belong to the owner, that is, to the one who found the owned bit clear and set
 * it (or made the page). The thread word is written by the owner and read by everybody; relaxed is enough, since a
 * thread only acts on it when it reads its own id, which only that thread itself has written.
 *
 * <p>The first half line is all that malloc and a free by the owner touch, and the first two all that a refill does. In
 * an arena the last half line of every second descriptor shares its line with the first of the next one, which may be
 * another thread's: so the fields there are those that are seldom looked at.
 */
public final class Page {
    private static final long FREE = 0; // 8 owner: blocks to allocate from
    private static final long LOCAL_FREE = FREE + 8; // 8 owner: blocks that it has freed
    private static final long THREAD = LOCAL_FREE + 8; // 8 relaxed: the thread's id, HIDDEN or FINDABLE; and flags
    private static final long COUNTS = THREAD + 8; // 8 owner: reserved << 48 | capacity << 32 | the bit WAITS | used
    private static final long THREAD_FREE = COUNTS + 8; // 8 atomic: count << 48 | head | owned bit
    private static final long BLOCK_SIZE = THREAD_FREE + 8; // 8 once, unless Resize changes a large block: bytes
    private static final long SLICES = BLOCK_SIZE + 8; // 4 as BLOCK_SIZE: how many; 0 for a page straight from the OS
    private static final long ARENA = SLICES + 4; // 2 once: its arena's index
    private static final long RETIRE = ARENA + 2; // 1 owner: heartbeats until an empty page goes; 0 if it does not wait
    private static final long FLAGS_BYTE = RETIRE + 1; // 1 owner: see below
    private static final long THEAP = FLAGS_BYTE + 1; // 8 owner: the theap whose page this is or was
    private static final long NEXT = THEAP + 8; // 8 theap's lock: in the theap's queue; of a sample, which is in none, see Samples
    private static final long PREV = NEXT + 8; // 8 theap's lock; of a singleton that is in none: its guarded block's entry, or FREED
    private static final long HEAP = PREV + 8; // 8 acquire: changes when the heap is deleted
    private static final long START = HEAP + 8; // 8 as BLOCK_SIZE: the first block's address
    private static final long KEY = START + 8; // 8 once: what links and tags are encoded with; secure build, as the next two
    private static final long RECIPROCAL = KEY + 8; // 8 once: 2^64 over the block size, rounded up
    private static final long SPAN = RECIPROCAL + 8; // 8 once: the bytes that the page has for blocks
    private static final long OS_BASE = SPAN + 8; // 8 osLock: of pages straight from the OS, as all below: the mapping
    private static final long OS_BYTES = OS_BASE + 8; // 8 osLock: its addresses; those behind the block may lack memory
    private static final long OS_NEXT = OS_BYTES + 8; // 8 osLock: in the heap's list of such pages
    private static final long OS_PREV = OS_NEXT + 8; // 8 osLock

    /** Where a page is linked into its theap's queue, and one from the OS into its heap's list: see {@link Links}. */
    static final long LINKS = NEXT;
    public static final long OS_LINKS = OS_NEXT;

    /** The most bytes that a descriptor in an arena has. */
    static final long MAX_SIZE = KEY + 32;
    /** The size of the descriptor of a page straight from the OS. */
    public static final long OS_SIZE = OS_PREV + 8;
    /** Blocks whose memory has been linked in so far, in 16 bits of the counts. */
    private static final int CAPACITY_SHIFT = 32;
    /** Blocks that there is room for, in the 16 bits above. */
    private static final int RESERVED_SHIFT = 48;

    /** In the thread word: some block's user has an address inside it, because of a large alignment. */
    static final long HAS_INTERIOR = 1;
    /** In the thread word: the page has a single block, and a free of any other address is refused. */
    static final long SINGLE = 2;
    /** In the thread word: the page's blocks are hardened on demand, and each free takes the slow path. */
    static final long HARDENED = 4;
    /** In the thread word: the single block is guarded, begins where its entry says, and is in no queue. */
    static final long GUARDED = 8;
    public static final long FLAGS = 15;
    /** What a hardened singleton has in place of a link once its block was freed: no address. */
    private static final long FREED = 1;
    private static final long CLOSED = 2;
    /** Thread words of pages that no thread owns. No thread has such an id. */
    public static final long HIDDEN = Long.MIN_VALUE + 0x10;
    public static final long FINDABLE = Long.MIN_VALUE + 0x20;

    /**
     * In the used word: the page waits to be retired. So the word of a page whose only block comes and goes is not 0
     * when it runs empty again, and a free has nothing to do.
     */
    static final int WAITS = 1 << 30;

    /** How far below its block the address is that the user of a block of size 0 has. */
    public static final long EMPTY_SHIFT = Config.SLICE / 2;

    public static final long OWNED = 1;
    private static final int COUNT_SHIFT = 48;
    private static final long HEAD = (1L << COUNT_SHIFT) - 2;

    /** Flag: the page's memory was zero when the page was made. */
    public static final int MEMORY_ZERO = 1;
    /** Flag: the blocks in {@code free} have never been given out and are zero, their first words aside. */
    public static final int FREE_ZERO = 2;
    /** Flag: every slice of this singleton is in the page map. */
    public static final int MAPPED_WHOLE = 4;
    /** Flag: the page is in its theap's list of full pages. */
    public static final int IN_FULL = 8;
    /** Flag: the block in this singleton is a sample, which a listener knows. */
    public static final int SAMPLED = 16;
    /** Flag: when {@code free} is empty, the next allocation is a sample. */
    public static final int SAMPLE_NEXT = 32;
    /** Flag: another page has what this one was charged, as its block is being copied there. */
    public static final int CHARGED_ELSEWHERE = 64;
    /** Flag: when {@code free} is empty, the next allocation is guarded. */
    public static final int GUARD_NEXT = 128;

    private Page() {}

    /** The size of a descriptor in an arena: a multiple of 32, so that the first half line is never split. */
    static long size() { return Secret.isBuilt() ? MAX_SIZE : KEY; }

    public static long free(long page) { return getLong(page + FREE); }
    public static void setFree(long page, long block) { putLong(page + FREE, block); }

    public static long localFree(long page) { return getLong(page + LOCAL_FREE); }
    /** For other threads: acquire, so that whoever reads a block here sees its link, and those behind. */
    public static long localFreeAcquire(long page) { return getAcquire(page + LOCAL_FREE); }
    public static void setLocalFree(long page, long block) { putLong(page + LOCAL_FREE, block); }
    /** For the owner: puts a list before {@code localFree}. */
    public static void prependLocal(long page, long first, long last) {
        setNextBlock(page, last, localFree(page));
        setLocalFree(page, first);
    }

    public static long threadWordRelaxed(long page) { return getRelaxed(page + THREAD); }
    /**
     * Is the page the calling thread's, with no flag set? True only of a word that this very thread has written: no
     * other value, old or torn, can look like its id.
     */
    public static boolean isLocal(long page) { return equalsRelaxed(page + THREAD, ThreadSlot.id()); }
    /** The id of the thread whose page this is, {@link #HIDDEN} or {@link #FINDABLE}. */
    public static long threadId(long page) { return threadWordRelaxed(page) & ~FLAGS; }
    public static void setThreadId(long page, long owner) { putRelaxed(page + THREAD, owner | threadWordRelaxed(page) & FLAGS); }
    public static boolean isAbandoned(long page) { return threadId(page) == HIDDEN || threadId(page) == FINDABLE; }
    public static boolean hasInterior(long page) { return (threadWordRelaxed(page) & HAS_INTERIOR) != 0; }
    public static void setHasInterior(long page) { putRelaxed(page + THREAD, threadWordRelaxed(page) | HAS_INTERIOR); }
    public static boolean isGuarded(long page) { return (threadWordRelaxed(page) & GUARDED) != 0; }
    public static void setGuarded(long page) { putRelaxed(page + THREAD, threadWordRelaxed(page) | GUARDED | HAS_INTERIOR); }
    public static long guard(long page) { return getLong(page + PREV); }

    /** The address of the guarded block of a singleton, with which its entry begins. */
    public static long guardedBlock(long page) { return getLong(guard(page)); }
    public static void setGuard(long page, long entry) { putLong(page + PREV, entry); }
    /** For the user who frees the block of a hardened singleton: true for the first one. */
    static boolean tryFree(long page) { return compareAndSet(page + PREV, 0, FREED); }
    /** Was the block of this page freed, and has the page stayed? */
    public static boolean isFreed(long page) { return isSingleton(page) && !isGuarded(page) && getAcquire(page + PREV) != 0; }
    /** Is the block of this page a freed one whose memory is gone and cannot be touched? */
    public static boolean isClosed(long page) { return isSingleton(page) && getAcquire(page + PREV) == CLOSED; }
    public static void setFreedRelease(long page, boolean closed) { putRelease(page + PREV, closed ? CLOSED : FREED); }
    public static void setSingle(long page) { putRelaxed(page + THREAD, threadWordRelaxed(page) | SINGLE); }
    /** Are the page's blocks hardened? In the secure build all are. */
    public static boolean isHardened(long page) { return Secret.isBuilt() || (threadWordRelaxed(page) & HARDENED) != 0; }
    /** Prepares a new page for what hardens its blocks. */
    public static void harden(long page) {
        if (Secret.isBuilt()) {
            putLong(page + KEY, Random.mix(Random.at(page) + ThreadSlot.id() + Os.clock()));
            putLong(page + RECIPROCAL, Long.divideUnsigned(-1, blockSize(page)) + 1);
            putLong(page + SPAN, bytes(page));
        }
        if (Secret.isOnDemand()) putRelaxed(page + THREAD, threadWordRelaxed(page) | HARDENED);
    }
    /** What the page's links and tags are encoded with. */
    static long key(long page) { return Secret.isBuilt() ? getLong(page + KEY) : Random.at(page); }

    /** By shifts, not by narrower loads: these would find the parts elsewhere on a big-endian processor. */
    private static long counts(long page) { return getLong(page + COUNTS); }
    private static void setCounts(long page, long counts) { putLong(page + COUNTS, counts); }
    /** Blocks given out, also those in the thread-free list. */
    public static int used(long page) { return (int) counts(page) & ~WAITS; }
    public static void addUsed(long page, int blocks) { setCounts(page, counts(page) + blocks); }
    public static int capacity(long page) { return (int) (counts(page) >>> CAPACITY_SHIFT) & 0xffff; }
    public static int reserved(long page) { return (int) (counts(page) >>> RESERVED_SHIFT); }
    public static void setReserved(long page, int blocks) {
        setCounts(page, counts(page) << 16 >>> 16 | (long) blocks << RESERVED_SHIFT);
    }

    /** Acquire: whoever takes the blocks sees what other threads wrote before they freed them. */
    public static long threadFreeAcquire(long page) { return getAcquire(page + THREAD_FREE); }
    public static void setThreadFreeRelease(long page, long word) { putRelease(page + THREAD_FREE, word); }
    public static boolean casThreadFree(long page, long expected, long word) {
        return compareAndSet(page + THREAD_FREE, expected, word);
    }
    public static boolean weakCasThreadFree(long page, long expected, long word) {
        return weakCompareAndSet(page + THREAD_FREE, expected, word);
    }
    /** Takes the whole list; the page stays owned. */
    public static long exchangeThreadFree(long page) { return exchange(page + THREAD_FREE, OWNED); }
    /** Sets the owned bit; true if it was clear: then the caller owns the page now. */
    public static boolean tryOwn(long page) { return !isOwned(fetchOr(page + THREAD_FREE, OWNED)); }

    public static boolean isOwned(long threadFree) { return (threadFree & OWNED) != 0; }
    public static long head(long threadFree) { return threadFree & HEAD; }
    public static int count(long threadFree) { return (int) (threadFree >>> COUNT_SHIFT); }
    /** The word after {@code block} was pushed before {@code head}: one more, and owned. */
    public static long wordAfterPush(long threadFree, long head, long block) {
        return threadFree - head + ((1L << COUNT_SHIFT) + block) | OWNED;
    }

    /**
     * Zeroes a descriptor for a new page, all but the thread-free word: that one stays owned from the page before, so
     * that a thread that was led here by an old bit of a bitmap cannot own the page while it is being made.
     */
    public static void clear(long page) {
        fill(page, THREAD_FREE, 0);
        fill(page + BLOCK_SIZE, size() - BLOCK_SIZE, 0);
    }

    public static long blockSize(long page) { return getLong(page + BLOCK_SIZE); }
    public static void setBlockSize(long page, long size) { putLong(page + BLOCK_SIZE, size); }
    public static long start(long page) { return getLong(page + START); }
    public static void setStart(long page, long start) { putLong(page + START, start); }
    public static long theap(long page) { return getLong(page + THEAP); }
    public static void setTheap(long page, long theap) { putLong(page + THEAP, theap); }
    public static long next(long page) { return getLong(page + NEXT); }
    /** What is known of the sample that the page's only block is, or 0: see {@link #SAMPLED}. */
    public static long sample(long page) { return getLong(page + NEXT); }
    public static void setSample(long page, long sample) { putLong(page + NEXT, sample); }
    public static void setNext(long page, long next) { putLong(page + NEXT, next); }
    public static long prev(long page) { return getLong(page + PREV); }
    static void setPrev(long page, long prev) { putLong(page + PREV, prev); }
    public static long heapAcquire(long page) { return getAcquire(page + HEAP); }
    public static void setHeapRelease(long page, long heap) { putRelease(page + HEAP, heap); }
    public static int slices(long page) { return getInt(page + SLICES); }
    public static void setSlices(long page, int slices) { putInt(page + SLICES, slices); }
    public static int arena(long page) { return getShort(page + ARENA); }
    public static void setArena(long page, int index) { putShort(page + ARENA, index); }
    public static int retire(long page) { return getByte(page + RETIRE); }
    public static void setRetire(long page, int cycles) {
        putByte(page + RETIRE, cycles);
        long counts = counts(page);
        setCounts(page, cycles == 0 ? counts & ~WAITS : counts | WAITS);
    }
    public static boolean has(long page, int flag) { return (getByte(page + FLAGS_BYTE) & flag) != 0; }
    public static void setFlags(long page, int flags) { putByte(page + FLAGS_BYTE, flags); }
    public static void setFlag(long page, int flag) { putByte(page + FLAGS_BYTE, getByte(page + FLAGS_BYTE) | flag); }
    public static void clearFlag(long page, int flag) { putByte(page + FLAGS_BYTE, getByte(page + FLAGS_BYTE) & ~flag); }

    public static long osBase(long page) { return getLong(page + OS_BASE); }
    public static void setOsBase(long page, long base) { putLong(page + OS_BASE, base); }
    public static long osSize(long page) { return getLong(page + OS_BYTES); }
    public static void setOsSize(long page, long size) { putLong(page + OS_BYTES, size); }
    public static long osNext(long page) { return getLong(page + OS_NEXT); }
    public static void setOsNext(long page, long next) { putLong(page + OS_NEXT, next); }

    public static boolean isInArena(long page) { return slices(page) != 0; }
    /**
     * Has the page room for a single block only, whatever its size? The thread word has the answer, since a thread that
     * frees a block of another's page asks, too; {@code reserved} lies in a word that only the owner may read.
     */
    public static boolean isSingleton(long page) { return (threadWordRelaxed(page) & SINGLE) != 0; }
    /** Which of its theap's queues the page is in. */
    public static int queue(long page) { return bin(page) + (has(page, IN_FULL) ? SizeClass.COUNT : 0); }
    public static int bin(long page) {
        return isSingleton(page) ? SizeClass.HUGE : isOfEmpty(page) ? SizeClass.EMPTY : SizeClass.bin(blockSize(page));
    }

    /**
     * Makes a new page one of blocks of size 0, whose users may not touch anything. The page's blocks lie in the upper
     * half of its slice; the addresses that users have lie as far down, where nothing can be touched.
     */
    public static void setOfEmpty(long page) {
        setStart(page, start(page) + EMPTY_SHIFT);
        setHasInterior(page);
    }
    /** Has the page blocks of size 0? Those of all others begin with a slice. */
    public static boolean isOfEmpty(long page) { return Secret.guardsPages() && (start(page) & Config.SLICE - 1) != 0; }
    /** The address that a block's user has. */
    public static long userAddress(long page, long block) { return isOfEmpty(page) ? block - EMPTY_SHIFT : block; }

    /** For the owner of a new page with a single block: makes that block free. It needs no link. */
    public static void addOnly(long page) {
        if (Check.isOn()) Check.that(isSingleton(page) && capacity(page) == 0);
        setFree(page, start(page));
        setCounts(page, counts(page) + (1L << CAPACITY_SHIFT));
        if (has(page, MEMORY_ZERO)) setFlag(page, FREE_ZERO);
    }

    /**
     * The next block of a free list. The only block of a singleton has no link, and is not to be asked for it. The
     * secure build encodes links: who overwrites one without the page's key cannot choose where it leads.
     */
    public static long nextBlock(long page, long block) { return link(page, block, getLong(block)); }
    public static void setNextBlock(long page, long block, long next) { putLong(block, link(page, block, next)); }
    /** A link as it is in memory, of what it is, and the other way round. */
    private static long link(long page, long block, long next) {
        return Secret.isBuilt() ? next ^ block ^ getLong(page + KEY) : next;
    }

    /** The block that {@code address} lies in. */
    public static long blockOf(long page, long address) {
        if (isOfEmpty(page)) return address + EMPTY_SHIFT;
        long offset = address - start(page);
        return address - Long.remainderUnsigned(offset, blockSize(page));
    }

    /** The bytes that the page has for blocks. */
    public static long bytes(long page) { return blockSize(page) * reserved(page); }

    /** The bytes of the blocks in {@code free}, where all free blocks are in it. */
    public static long listBytes(long page) { return (capacity(page) - used(page)) * blockSize(page); }

    /** Blocks that somebody still has. Exact for the owner; for others a snapshot. */
    public static int live(long page) { return used(page) - count(threadFreeAcquire(page)); }

    /** How many blocks of {@code free} nobody was given since it was filled; 0 where only a walk could tell. */
    public static int unused(long page) {
        if (free(page) == 0 || localFree(page) != 0 || Secret.isDebug()) return 0;
        return (int) Config.max(0, capacity(page) - used(page));
    }

    /** For other threads, as the next one; what they say does not change while the caller holds the theap's lock. */
    public static int capacityAcquire(long page) { return (int) (getAcquire(page + COUNTS) >>> CAPACITY_SHIFT) & 0xffff; }
    public static int reservedAcquire(long page) { return (int) (getAcquire(page + COUNTS) >>> RESERVED_SHIFT); }

    /**
     * As {@link #live}, for a thread that holds the lock of the page's theap: not less than the blocks that somebody has,
     * as the page gives none out meanwhile.
     */
    public static int liveAcquire(long page) {
        int used = (int) getAcquire(page + COUNTS) & ~WAITS;
        return (int) Config.max(0, used - count(threadFreeAcquire(page)));
    }

    /** For the owner: nobody has a block of this page. */
    public static boolean isEmpty(long page) { return live(page) == 0; }

    /**
     * Have others freed the last blocks of this page? For a thread that holds the lock of the page's theap, of a page
     * that malloc does not take from. True says that nobody has a block of it, and that its owner will not look at it
     * without the lock.
     *
     * <p>The owner gave out the page's blocks before it last held the lock; since then it only puts blocks back. So
     * {@code used}, as other threads see it, is never less than the number of blocks that the owner has not put back.
     * When it equals the number of blocks in {@code threadFree}, all blocks are back; and the stores of the owner's
     * last free are seen, too, as that of {@code used} is the last of them. A page whose last block its owner freed,
     * with no other block in {@code threadFree}, has a count of 0: its owner is about to retire it.
     */
    public static boolean isEmptied(long page) {
        int used = (int) getAcquire(page + COUNTS) & ~WAITS;
        return used != 0 && used == count(threadFreeAcquire(page));
    }
    /**
     * An abandoned page is worth the while of a thread that never had it when one block in 8 is free: with less room,
     * it would soon be full and be abandoned again.
     */
    public static final int OTHERS_SHARE = 8;
    /**
     * A page is worth the while of the thread that has it, or that gave it up, when one block in 32 is free. So at most
     * a thirty-second of such pages is free and not used: an eighth cost 5 % more memory with 256 MiB of live blocks.
     */
    public static final int OWN_SHARE = 32;

    /** For the owner: at least one block in {@code share} is free. */
    public static boolean hasRoom(long page, int share) { return room(page) * share >= reserved(page); }

    /** For the owner: how many blocks can be allocated. */
    static int room(long page) { return reserved(page) - live(page); }

    /*
     * Methods pop, popOnly and putBack do all or nothing. On the JVM a call that is not compiled yet may find the stack
     * full: so all stores of such a method are calls of one accessor from one frame, and the first one shows that there
     * is stack for the others. That is why a count of 32 bits is stored with its neighbours.
     */

    /** Takes {@code block}, the first in {@code free}, and returns it. */
    public static long pop(long page, long block) {
        long counts = counts(page);
        putLong(page + FREE, nextBlock(page, block));
        putLong(page + COUNTS, counts + 1);
        return block;
    }

    /** Takes the only block of a page, whose memory is not looked at. */
    public static void popOnly(long page) {
        long counts = counts(page);
        putLong(page + FREE, 0);
        putLong(page + COUNTS, counts + 1);
    }

    /**
     * Puts a block back into {@code localFree}; returns the used word. The used word is stored last, with release:
     * whoever sees that the block is back sees all that its free has done to the page, see {@link #isEmptied}. That of
     * {@code localFree} has release for who reads that list beside the owner, see {@code Punch}; the first one only so that
     * it is a call of the same accessor as the others.
     */
    public static int putBack(long page, long block) {
        putRelease(block, link(page, block, localFree(page)));
        long counts = counts(page) - 1;
        putRelease(page + LOCAL_FREE, block);
        putRelease(page + COUNTS, counts);
        return (int) counts;
    }

    /**
     * Puts back a block of a page that the calling thread does not own; returns the thread-free word as it was before.
     * The CAS releases what the thread wrote into the block and its link; whoever takes the list acquires that.
     */
    public static long push(long page, long block) {
        long old;
        long head;
        do {
            old = threadFreeAcquire(page);
            head = head(old);
            setNextBlock(page, block, head);
        } while (!weakCasThreadFree(page, old, wordAfterPush(old, head, block)));
        return old;
    }

    /**
     * Puts a list back that {@link #exchangeThreadFree} gave. It may have fewer blocks than {@code count}, which is how many
     * of those that the page counts as used are free.
     */
    public static void pushAll(long page, long first, long last, int count) {
        long old;
        do {
            old = threadFreeAcquire(page);
            setNextBlock(page, last, head(old));
        } while (!casThreadFree(page, old, (long) (count(old) + count) << COUNT_SHIFT | first | OWNED));
    }

    /** What holds of a page at any time its owner looks at it; the lists themselves are not walked. */
    private static void check(long page) {
        long word = threadFreeAcquire(page);
        Check.that(isOwned(word) && used(page) >= 0 && used(page) <= capacity(page) && capacity(page) <= reserved(page));
        Check.that(count(word) <= used(page) && (count(word) == 0) == (head(word) == 0));
        Check.that(isBlock(page, free(page)) && isBlock(page, localFree(page)) && isBlock(page, head(word)));
    }

    /** Whether a block of the page begins there, or it is 0. */
    public static boolean isBlock(long page, long block) {
        long offset = block - start(page);
        boolean within = offset >= 0 && offset < capacity(page) * blockSize(page);
        return block == 0 || within && offset % blockSize(page) == 0;
    }

    /**
     * For the owner: when {@code free} is empty, makes {@code localFree} or, if that is empty as well, the thread-free
     * list the new {@code free}. The number of steps does not depend on how long the lists are.
     *
     * @return whether {@code free} has a block now
     */
    public static boolean collect(long page) {
        if (Check.isOn()) check(page);
        if (free(page) != 0) return true;
        // The list that comes now is not fresh memory, and not the one that was cut before a sample.
        clearFlag(page, FREE_ZERO | SAMPLE_NEXT | GUARD_NEXT);
        long local = localFree(page);
        putLong(page + FREE, 0); // a store of what is there: it shows that there is stack for the next ones
        if (local != 0) {
            putLong(page + LOCAL_FREE, 0);
            putLong(page + FREE, local);
            return true;
        }
        if (head(threadFreeAcquire(page)) == 0) return false;
        long counts = counts(page);
        long taken = exchangeThreadFree(page);
        putLong(page + FREE, head(taken));
        putLong(page + COUNTS, counts - count(taken));
        return true;
    }

    /**
     * For a new owner: takes all blocks that others have freed, so that {@code used} is what is in use, and the page's
     * own thread sees when the page runs empty. A list is walked only if {@code free} and {@code localFree} both have
     * blocks already, and is never longer than the page has blocks.
     */
    public static void collectAll(long page) {
        if (Check.isOn()) Check.that(isOwned(threadFreeAcquire(page)));
        collect(page);
        if (head(threadFreeAcquire(page)) == 0) return;
        long taken = exchangeThreadFree(page);
        addUsed(page, -count(taken));
        long local = localFree(page);
        setLocalFree(page, head(taken));
        if (local == 0) return; // so it is where there is a single block, which has no link
        long last = head(taken);
        while (nextBlock(page, last) != 0) last = nextBlock(page, last);
        setNextBlock(page, last, local);
    }

    /**
     * For the owner, with {@code localFree} empty: leaves {@code blocks} in {@code free}, and moves the others there.
     */
    public static void cut(long page, int blocks) {
        long last = free(page);
        if (Check.isOn()) Check.that(last != 0 && localFree(page) == 0 && blocks >= 0 && blocks <= capacity(page));
        if (blocks == 0) {
            setLocalFree(page, last);
            setFree(page, 0);
            return;
        }
        for (int i = 1; i < blocks; i++) last = nextBlock(page, last);
        setLocalFree(page, nextBlock(page, last));
        setNextBlock(page, last, 0);
    }

    /**
     * For the owner, with all free blocks in {@code free}: is the list shorter than 16 KiB, so that malloc would soon
     * come to its end, and more blocks would still fit the processor's nearest cache? Lists of small blocks are long
     * enough.
     */
    public static boolean isShort(long page) {
        return blockSize(page) > Config.SMALL_SIZE_MAX && listBytes(page) + blockSize(page) <= Config.LIST_SIZE;
    }

    /** How many fresh blocks of {@code size} bytes are linked in at a time, when {@code left} are not linked in yet. */
    public static int portion(long size, int left) {
        long blocks = Config.max(size <= Config.SMALL_SIZE_MAX ? Config.EXTEND_MIN : 1, Config.EXTEND_SIZE / size);
        return (int) Config.min(blocks, left);
    }

    /**
     * The bytes of a page's linked blocks as limits count them: whole OS pages, and above 16 KiB whole pieces of 16
     * KiB, as each charge takes atomic operations. Exact for the owner.
     */
    public static long linkedBytes(long page) { return linkedBytes(capacity(page), blockSize(page)); }

    /** The bytes of {@code blocks} linked blocks of {@code size} bytes, as limits count them. */
    public static long linkedBytes(long blocks, long size) {
        long bytes = blocks * size;
        long step = bytes <= Config.CHARGE_STEP ? Os.pageSize() : Config.CHARGE_STEP;
        return Config.alignUp(bytes, step);
    }

    /** How many fresh blocks the owner may link in next. */
    public static int portion(long page) { return portion(blockSize(page), reserved(page) - capacity(page)); }

    /** By how much {@link #linkedBytes(long)} grows when {@code blocks} more are linked in. */
    public static long extension(long page, int blocks) {
        long size = blockSize(page);
        long before = capacity(page) * size;
        long after = before + blocks * size;
        // Most often by far there is nothing to charge.
        boolean charged = before > Config.CHARGE_STEP && after <= Config.alignUp(before, Config.CHARGE_STEP);
        return charged ? 0 : linkedBytes(capacity(page) + blocks, size) - linkedBytes(page);
    }

    /** For the owner: links the next few fresh blocks into {@code free}, in front; false if there are none. */
    public static boolean extend(long page) {
        int blocks = portion(page);
        if (blocks <= 0) return false;
        extend(page, blocks);
        return true;
    }

    public static void extend(long page, int blocks) {
        if (Check.isOn()) Check.that(blocks > 0 && capacity(page) + blocks <= reserved(page));
        long size = blockSize(page);
        long first = start(page) + capacity(page) * size;
        long last = first + (blocks - 1) * size;
        long before = free(page);
        if (isHardened(page) || Secret.isShuffled()) first = linkShuffled(page, first, size, blocks, before);
        else linkInOrder(page, first, size, last, before);
        setFree(page, first);
        setCounts(page, counts(page) + ((long) blocks << CAPACITY_SHIFT));
        if (before == 0 && has(page, MEMORY_ZERO) && !Secret.isDebug()) setFlag(page, FREE_ZERO);
    }

    private static void linkInOrder(long page, long first, long size, long last, long next) {
        for (long block = first; block != last; block += size) setNextBlock(page, block, block + size);
        setNextBlock(page, last, next);
    }

    /**
     * Links fresh blocks before {@code next}, in random order if the process wants that, and with their tags if they are
     * hardened; returns the first of them. The second words of the blocks are the array in which their order is shuffled.
     */
    private static long linkShuffled(long page, long first, long size, int blocks, long next) {
        long end = first + blocks * size;
        if (Secret.has(Secret.REUSE) && (!has(page, MEMORY_ZERO) || Secret.freed() != 0)) fill(first, end - first, Secret.freed());
        for (long block = first; block != end; block += size) putLong(block + WORD, block);
        if (Secret.has(Secret.SHUFFLE)) shuffle(first, size, blocks, Random.mix(key(page) + capacity(page)));
        for (long at = end - size; at >= first; at -= size) {
            long block = getLong(at + WORD);
            setNextBlock(page, block, next);
            next = block;
        }
        for (long block = first; block != end; block += size) putLong(block + WORD, isHardened(page) ? tag(page, block) : 0);
        return next;
    }

    /** Shuffles the second words of blocks: each is swapped with one that is not behind it. */
    private static void shuffle(long first, long size, int blocks, long random) {
        for (int i = blocks - 1; i > 0; i--) {
            random = Random.mix(random + i);
            long other = first + Long.remainderUnsigned(random, i + 1) * size + WORD;
            long at = first + i * size + WORD;
            long block = getLong(at);
            putLong(at, getLong(other));
            putLong(other, block);
        }
    }

    /** What the second word of a free block holds; that of no block which its user has. */
    static long tag(long page, long block) { return Secret.rotate(key(page), 21) - block; }
    static void setTag(long page, long block) { putLong(block + WORD, tag(page, block)); }

    /** May a free list of the page lead there? */
    static boolean isLink(long page, long block) {
        long span = Secret.isBuilt() ? getLong(page + SPAN) : bytes(page);
        return block == 0 || Bits.below(block - start(page), span);
    }

    /**
     * Does one of the blocks that were linked in begin at an address of the page? In the secure build one multiplication
     * tells: with the reciprocal its low half is below that when the offset is a multiple of the block size, and its
     * high half is the block's index. The offset has less than 32 bits.
     */
    public static boolean isBlockStart(long page, long address) {
        long offset = address - start(page);
        if (!Secret.isBuilt()) return Long.remainderUnsigned(offset, blockSize(page)) == 0 && offset < capacity(page) * blockSize(page);
        long reciprocal = getLong(page + RECIPROCAL);
        return Bits.below(offset * reciprocal, reciprocal) && Bits.multiplyHigh(offset, reciprocal) < capacity(page);
    }

    /** Does a user have the block at an address? Of a page whose blocks are hardened. */
    public static boolean isInUse(long page, long block) {
        return isSingleton(page) ? block == start(page) && !isFreed(page) : isBlockStart(page, block) && getLong(block + WORD) != tag(page, block);
    }

    /**
     * For the owner: gives a free list up that cannot be followed. Its blocks count as used for ever, so that nobody
     * allocates them, and the page stays.
     */
    static void dropFree(long page) {
        int left = capacity(page) - used(page);
        for (long block = localFree(page); block != 0 && left > 0 && isLink(page, block); block = nextBlock(page, block)) left--;
        setFree(page, 0);
        clearFlag(page, FREE_ZERO | SAMPLE_NEXT | GUARD_NEXT);
        addUsed(page, left);
    }
}
