package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Trace;

/**
 * An arena: a large reserved range, cut into slices. Bitmaps say of each slice whether it is free, committed, dirty
 * (perhaps not zero), waiting to be purged, has waited before, and was purged early; and of each 32 slices whether they
 * are advised to be a huge page. Whoever clears a run of free bits has those slices, and nobody else touches their
 * other bits until they are free again. This struct, the bitmaps and the descriptors of the pages lie apart, in a
 * mapping that is only backed where it is used.
 */
public final class Arena {
    private static final long SUBPROCESS = 0; // 8 once, before the arena is published, as all without a word
    private static final long INDEX = SUBPROCESS + 8; // 8: in the subprocess' table
    private static final long START = INDEX + 8; // 8: the first slice's address
    private static final long SLICES = START + 8; // 8: how many
    private static final long META_SIZE = SLICES + 8; // 8: of this mapping
    private static final long FLAGS = META_SIZE + 8; // 8: what it was made with, see below
    private static final long NUMA_NODE = FLAGS + 8; // 8 relaxed: -1 for any
    private static final long COMMIT = NUMA_NODE + 8; // 8: the user's commit function, or 0
    private static final long COMMIT_ARGUMENT = COMMIT + 8; // 8
    private static final long FREE = COMMIT_ARGUMENT + 8; // 8: the first of the bitmaps with a bit for each slice, in order
    private static final long COMMITTED = FREE + 8; // 8
    private static final long DIRTY = COMMITTED + 8; // 8
    private static final long WAITING = DIRTY + 8; // 8: to be purged
    private static final long AGED = WAITING + 8; // 8
    private static final long EARLY = AGED + 8; // 8: purged lately, because too many waited; a hint
    private static final long CHUNK_KINDS = EARLY + 8; // 8: a word for each chunk: the kind of runs in it, plus one
    private static final long DESCRIPTORS = CHUNK_KINDS + 8; // 8: the pages', one for each slice
    private static final long ADVISABLE = DESCRIPTORS + 8; // 8 relaxed, until the OS refuses: 1 if huge pages help
    private static final long PURGE_CLAIMS = ADVISABLE + 8; // 8 atomic: begins and ends of purges: odd while one claims
    private static final long STEPS = PURGE_CLAIMS + 8; // 8: a bitmap of the accessible regions of a huge page, if BY_STEPS
    private static final long HUGE_REGIONS = STEPS + 8; // 8: a bitmap of the regions that are advised to be huge pages
    private static final long HEADER = HUGE_REGIONS + 8 + LINE - 1 & -LINE;

    /** The bitmaps with a bit for each slice. Behind them lie two with a bit for each region of a huge page. */
    private static final int SLICE_BITMAPS = (int) ((CHUNK_KINDS - FREE) / WORD);
    /** The slices of a huge page of 2 MiB. */
    public static final long HUGE_PAGE = 32;

    /**
     * Kinds of chunks, as in the statistics: each is for one kind of run, as far as there is room. Pages of one slice
     * are the most, and would fragment longer runs. Pages of which perhaps little will be used, and the first ones of a
     * process, are small pages of the OS, which should not lie in regions of huge ones: see {@code HugePages}.
     */
    private static final int SMALL = 0;
    private static final int OTHER = 1;
    private static final int SPARSE = 2;
    private static final int HUGE = 4;
    private static final int ANY = -2;
    private static final int NONE = -1;

    /**
     * The longest run, in slices, for which the shortest place is looked for. Runs up to here find use for the pieces
     * that longer ones leave; for all lengths the search cost more than it saved.
     */
    private static final int BEST_MAX = 32;
    /** How many chunks are searched for the shortest place: 256 MiB, so that the search has an end. */
    private static final int BEST_CHUNKS = 8;
    /**
     * How many chunks that nobody uses a search for the shortest place passes: behind a few of them there is hardly
     * anything else.
     */
    private static final int UNUSED_CHUNKS = 3;
    /** Milliseconds until a purge that the OS has refused is tried again, where there is no purge delay. */
    private static final long RETRY = 1000;

    /** A flag of an arena: its slices can be touched without a commit. */
    public static final int ACCESSIBLE = 1;
    /** A flag of an arena: its memory is zero when the arena is made. */
    public static final int ZERO = 2;
    /** A flag of an arena: its memory is in large OS pages, where these can be had. */
    public static final int LARGE = 4;
    /** A flag of an arena: its memory can never be given back. */
    public static final int PINNED = 8;
    /** A flag of an arena: only heaps made for it may use it. */
    public static final int EXCLUSIVE = 16;
    /** A flag of an arena: the allocator has reserved the range itself. */
    public static final int OWNED = 32;
    /**
     * A flag of an arena, where the OS promises more memory than it has: a whole region of a huge page is made accessible
     * when any of it is wanted, and stays so. That takes one call of the OS for 2 MiB, and what was never wanted counts
     * for nothing, neither for the OS' limits nor as memory that is locked. In other arenas just what is wanted is
     * committed.
     */
    public static final int BY_STEPS = 64;
    /**
     * A flag of an arena, where the OS promises only the memory that it has: what is purged is no longer promised. In
     * other arenas it can still be touched.
     */
    public static final int STRICTLY = 128;

    private Arena() {}

    public static long subprocess(long arena) { return getLong(arena + SUBPROCESS); }
    public static long index(long arena) { return getLong(arena + INDEX); }
    public static void setIndex(long arena, long index) { putLong(arena + INDEX, index); }
    public static long start(long arena) { return getLong(arena + START); }
    public static long slices(long arena) { return getLong(arena + SLICES); }
    public static long metaSize(long arena) { return getLong(arena + META_SIZE); }
    private static boolean has(long arena, int flags) { return (getLong(arena + FLAGS) & flags) != 0; }
    public static boolean isExclusive(long arena) { return has(arena, EXCLUSIVE); }
    public static long numaNodeRelaxed(long arena) { return getRelaxed(arena + NUMA_NODE); }
    public static void setNumaNodeRelaxed(long arena, long node) { putRelaxed(arena + NUMA_NODE, node); }
    public static boolean isPinned(long arena) { return has(arena, PINNED); }
    /** Can memory that was committed once be read for as long as the arena is there? */
    public static boolean staysReadable(long arena) { return has(arena, ACCESSIBLE | BY_STEPS); }
    private static long commitFunction(long arena) { return getLong(arena + COMMIT); }
    public static boolean isCommittedByUser(long arena) { return commitFunction(arena) != 0; }
    /** Sets the function by which the user commits the arena's memory; what is accessible the user has committed. */
    public static void setCommit(long arena, long function, long argument) {
        putLong(arena + COMMIT, function);
        putLong(arena + COMMIT_ARGUMENT, argument);
        if (!has(arena, ACCESSIBLE)) return;
        putLong(arena + FLAGS, getLong(arena + FLAGS) & ~ACCESSIBLE);
        Bitmap.set(committed(arena), 0, slices(arena));
        Statistics.increase(Subprocess.statistics(subprocess(arena)), Statistics.COMMITTED, size(arena));
    }
    private static long steps(long arena) { return getLong(arena + STEPS); }
    public static boolean isOwned(long arena) { return has(arena, OWNED); }
    public static long free(long arena) { return getLong(arena + FREE); }
    public static long committed(long arena) { return getLong(arena + COMMITTED); }
    public static long dirty(long arena) { return getLong(arena + DIRTY); }
    public static long waiting(long arena) { return getLong(arena + WAITING); }
    public static long aged(long arena) { return getLong(arena + AGED); }
    public static long huge(long arena) { return getLong(arena + HUGE_REGIONS); }
    public static long early(long arena) { return getLong(arena + EARLY); }
    private static long chunkKindWord(long arena, long chunk) { return getLong(arena + CHUNK_KINDS) + chunk * WORD; }
    /** The kind of a chunk, a hint: two threads may both choose one for the same chunk, and the later choice stays. */
    private static int chunkKind(long arena, long chunk) { return (int) getRelaxed(chunkKindWord(arena, chunk)) - 1; }
    private static void setChunkKind(long arena, long chunk, int kind) {
        putRelaxed(chunkKindWord(arena, chunk), kind + 1);
    }
    public static boolean isAdvisable(long arena) { return getRelaxed(arena + ADVISABLE) != 0; }
    public static void setAdvisable(long arena, boolean advisable) { putRelaxed(arena + ADVISABLE, advisable ? 1 : 0); }

    /**
     * How often a purge has claimed slices or given them up. Sequentially consistent, as the bits of {@code free}: a
     * search that missed slices because a purge had them reads another number after it than before, or an odd one.
     */
    public static long purgeClaims(long arena) { return getVolatile(arena + PURGE_CLAIMS); }
    public static void countPurgeClaim(long arena) { fetchAdd(arena + PURGE_CLAIMS, 1); }

    public static long size(long arena) { return slices(arena) << Config.SLICE_SHIFT; }
    public static long address(long arena, long slice) { return start(arena) + (slice << Config.SLICE_SHIFT); }
    public static boolean contains(long arena, long address) { return Bits.below(address - start(arena), size(arena)); }
    public static long descriptor(long arena, long slice) { return getLong(arena + DESCRIPTORS) + slice * Page.size(); }
    /** Behind the descriptors: what is known of {@link Holes}. */
    static long holes(long arena) { return descriptor(arena, slices(arena)); }
    public static long sliceOf(long arena, long page) { return (Page.start(page) - start(arena)) >>> Config.SLICE_SHIFT; }

    /**
     * Makes an arena of the slices from {@code start} on; 0 if there is no memory for the bookkeeping.
     *
     * @param flags from {@link #ACCESSIBLE} to {@link #STRICTLY}; all but {@link #ZERO} say what stays so
     */
    public static long create(long subprocess, long start, long slices, int flags, long numaNode) {
        long bitmap = Bitmap.size(slices);
        long kinds = Config.alignUp((slices + Bitmap.CHUNK - 1) / Bitmap.CHUNK * WORD, 64);
        long regions = Bitmap.size(slices / HUGE_PAGE);
        long bitmaps = SLICE_BITMAPS * bitmap + 2 * regions;
        long metaSize = Config.alignUp(HEADER + bitmaps + kinds + slices * Page.size() + slices * Holes.ENTRY, Os.pageSize());
        long arena = OsMemory.mapMeta(metaSize, Os.pageSize());
        if (arena == 0) return 0;
        OsMemory.allowHugePages(arena, metaSize, false);
        putLong(arena + SUBPROCESS, subprocess);
        putLong(arena + START, start);
        putLong(arena + SLICES, slices);
        putLong(arena + META_SIZE, metaSize);
        putLong(arena + FLAGS, flags);
        setNumaNodeRelaxed(arena, numaNode < 0 ? -1 : numaNode);
        for (int i = 0; i < SLICE_BITMAPS; i++) {
            putLong(arena + FREE + i * WORD, arena + HEADER + i * bitmap);
            Bitmap.init(arena + HEADER + i * bitmap, slices);
        }
        putLong(arena + HUGE_REGIONS, arena + HEADER + SLICE_BITMAPS * bitmap);
        Bitmap.init(huge(arena), slices / HUGE_PAGE);
        putLong(arena + STEPS, huge(arena) + regions);
        Bitmap.init(steps(arena), slices / HUGE_PAGE);
        putLong(arena + CHUNK_KINDS, arena + HEADER + bitmaps);
        putLong(arena + DESCRIPTORS, arena + HEADER + bitmaps + kinds);
        Bitmap.set(free(arena), 0, slices);
        if ((flags & ZERO) == 0) Bitmap.set(dirty(arena), 0, slices);
        return arena;
    }

    /** Gives back the bookkeeping of an arena that was never published, or that nobody uses any more. */
    public static void release(long arena) { OsMemory.releaseMeta(arena, metaSize(arena), Os.pageSize()); }

    /**
     * Claims {@code count} slices in a row, the first aligned to {@code alignment} slices.
     *
     * @param sparse perhaps little will be used of these slices
     * @return the first slice, or -1
     */
    public static long claim(long arena, long count, long alignment, boolean sparse) {
        // An aligned run might not fit in any chunk, where the arena's start is less aligned.
        if (count + alignment - 1 > Bitmap.CHUNK) return claimHuge(arena, count, alignment);
        int kind = sparse ? SPARSE : count == 1 ? SMALL : OTHER;
        if (count > 1 && alignment == 1 && count <= BEST_MAX) return claimBest(arena, count, kind);
        long slice = claimIn(arena, count, alignment, kind, kind);
        if (slice < 0) slice = claimIn(arena, count, alignment, NONE, kind);
        return slice < 0 ? claimIn(arena, count, alignment, ANY, kind) : slice;
    }

    /**
     * Claims slices as {@link #claim} does, wherever they are, but only accessible ones: for when the OS promises no
     * more memory. It is -1 if there are none, or if the arena is not committed by steps.
     */
    public static long claimAccessible(long arena, long count, long alignment) {
        if (!has(arena, BY_STEPS)) return -1;
        long end = slices(arena) / HUGE_PAGE;
        long at = 0;
        while ((at = Bitmap.nextSet(steps(arena), at, end)) >= 0) {
            long length = Bitmap.runLength(steps(arena), at, end);
            long slice = claimAligned(arena, at * HUGE_PAGE, (at + length) * HUGE_PAGE, count, alignment);
            if (slice >= 0) return slice;
            at += length;
        }
        return -1;
    }

    private static long claimIn(long arena, long count, long alignment, int wanted, int kind) {
        long free = free(arena);
        long slices = slices(arena);
        long from = 0;
        while ((from = Bitmap.nextSet(free, from, slices)) >= 0) {
            long chunk = from / Bitmap.CHUNK;
            from = (chunk + 1) * Bitmap.CHUNK;
            int is = chunkKind(arena, chunk);
            if (wanted != ANY && is != wanted) continue;
            long first = chunk * Bitmap.CHUNK;
            long last = Config.min(from, slices);
            long slice = claimAligned(arena, first, last, count, alignment);
            if (slice < 0) continue;
            // A hint for the next search; when two threads disagree either is fine.
            if (is == NONE) setChunkKind(arena, chunk, kind);
            return slice;
        }
        return -1;
    }

    private static long claimBest(long arena, long count, int kind) {
        while (true) {
            long best = findBest(arena, count, kind);
            if (best < 0) best = findBest(arena, count, ANY);
            if (best < 0) return -1;
            // Another thread may have claimed some of these slices meanwhile: look again.
            if (!Bitmap.tryClaim(free(arena), best, count)) continue;
            // A hint for the next search; when two threads disagree either is fine.
            long chunk = best / Bitmap.CHUNK;
            if (chunkKind(arena, chunk) == NONE) setChunkKind(arena, chunk, kind);
            return best;
        }
    }

    /**
     * Finds the shortest run that is long enough, in a few chunks: blocks of all lengths come and go there, and the
     * first run that fits would soon leave pieces that fit nothing. A chunk that nobody uses comes last.
     */
    private static long findBest(long arena, long count, int wanted) {
        long free = free(arena);
        long slices = slices(arena);
        long best = -1;
        long unused = -1;
        int seen = 0;
        int passed = 0;
        long from = 0;
        while (seen < BEST_CHUNKS && passed < UNUSED_CHUNKS && (from = Bitmap.nextSet(free, from, slices)) >= 0) {
            int is = chunkKind(arena, from / Bitmap.CHUNK);
            if (wanted == ANY || is == wanted) {
                best = shortest(free, best, from, count);
                if (best >= 0 && freeRun(free, best) == count) break;
                if (best >= 0) seen++;
            } else if (is == NONE) {
                if (unused < 0 && freeRun(free, from) >= count) unused = from;
                passed++;
            }
            from = chunkEnd(from);
        }
        return best >= 0 ? best : unused;
    }

    /** The shortest of {@code best} and the runs from {@code from} to its chunk's end that are long enough. */
    private static long shortest(long free, long best, long from, long count) {
        long length = best < 0 ? Config.MAX_SIZE : freeRun(free, best);
        long last = chunkEnd(from);
        while (length > count && from >= 0) {
            long run = freeRun(free, from);
            if (run >= count && run < length) {
                best = from;
                length = run;
            }
            from = Bitmap.nextSet(free, from + run, last);
        }
        return best;
    }

    /** How many slices in a row are free from {@code slice} on, in its chunk. */
    private static long freeRun(long free, long slice) { return Bitmap.runLength(free, slice, chunkEnd(slice)); }

    private static long chunkEnd(long slice) { return Config.alignUp(slice + 1, Bitmap.CHUNK); }

    private static long claimHuge(long arena, long count, long alignment) {
        long slice = claimAligned(arena, 0, slices(arena), count, alignment);
        for (long chunk = slice / Bitmap.CHUNK; slice >= 0 && chunk * Bitmap.CHUNK < slice + count; chunk++) {
            if (chunkKind(arena, chunk) == NONE) setChunkKind(arena, chunk, HUGE);
        }
        return slice;
    }

    private static long claimAligned(long arena, long from, long to, long count, long alignment) {
        long free = free(arena);
        if (alignment == 1) return Bitmap.claimRun(free, from, to, count, 1);
        // The alignment is one of addresses, and the arena's start may lie anywhere.
        long shift = start(arena) >>> Config.SLICE_SHIFT & alignment - 1;
        for (long at = Config.alignUp(from + shift, alignment) - shift; at + count <= to; at += alignment) {
            if (Bitmap.runLength(free, at, at + count) == count && Bitmap.tryClaim(free, at, count)) return at;
        }
        return -1;
    }

    /** The kind of a chunk as the statistics count it: 0 to 5. */
    public static int chunkKindOf(long arena, long chunk) {
        int kind = chunkKind(arena, chunk);
        return kind == NONE ? 5 : kind == SPARSE ? SMALL : kind;
    }

    /** Makes claimed slices usable; false if the OS has no memory. */
    public static boolean commit(long arena, long slice, long count) {
        if (Check.isOn()) Check.that(Bitmap.countSet(free(arena), slice, count) == 0);
        // Nobody else changes these bits as long as the slices are claimed.
        if (Bitmap.countSet(committed(arena), slice, count) == count) return true;
        if (!has(arena, ACCESSIBLE) && !commitMemory(arena, slice, count)) return false;
        long fresh = Bitmap.set(committed(arena), slice, count);
        Statistics.increase(Subprocess.statistics(subprocess(arena)), Statistics.COMMITTED,
                fresh << Config.SLICE_SHIFT);
        return true;
    }

    private static boolean commitMemory(long arena, long slice, long count) {
        if (has(arena, BY_STEPS)) return commitSteps(arena, slice, count);
        long address = address(arena, slice);
        long size = count << Config.SLICE_SHIFT;
        Statistics.add(Subprocess.statistics(subprocess(arena)), Statistics.COMMIT_CALLS, 1);
        if (commitFunction(arena) == 0) return OsMemory.commit(address, size);
        return callCommit(arena, true, address, size);
    }

    private static boolean callCommit(long arena, boolean commit, long address, long size) {
        CallOut.beginBelow();
        boolean done = Callback.commit(commitFunction(arena), commit, address, size, 0, getLong(arena + COMMIT_ARGUMENT));
        CallOut.endBelow();
        return done;
    }

    /**
     * Makes all regions accessible that claimed slices lie in. Two threads may do so with one region at one time:
     * either call leaves it accessible, and the bit says so only after that. Nobody makes a region inaccessible again.
     */
    private static boolean commitSteps(long arena, long slice, long count) {
        long end = (slice + count - 1) / HUGE_PAGE + 1;
        for (long step = slice / HUGE_PAGE; step < end; step++) {
            long first = step;
            while (step < end && !Bitmap.isSet(steps(arena), step)) step++;
            if (step > first && !commitStep(arena, first, step - first) && !commitGap(arena, first)) {
                // There may still be memory for the slices alone.
                return OsMemory.commit(address(arena, slice), count << Config.SLICE_SHIFT);
            }
        }
        return true;
    }

    /**
     * Makes a region accessible, and with it all neighbours that are not: together they are one mapping, and stay one.
     * For when the process has as many mappings as it may, and a piece of that mapping would be one more.
     */
    private static boolean commitGap(long arena, long step) {
        long end = slices(arena) / HUGE_PAGE;
        long last = step + 1;
        while (step > 0 && !Bitmap.isSet(steps(arena), step - 1)) step--;
        while (last < end && !Bitmap.isSet(steps(arena), last)) last++;
        return commitStep(arena, step, last - step);
    }

    private static boolean commitStep(long arena, long step, long count) {
        Statistics.add(Subprocess.statistics(subprocess(arena)), Statistics.COMMIT_CALLS, 1);
        if (!OsMemory.commit(address(arena, step * HUGE_PAGE), count * HUGE_PAGE << Config.SLICE_SHIFT)) return false;
        Bitmap.set(steps(arena), step, count);
        return true;
    }

    /**
     * Makes claimed slices that are uncommitted, and cannot be touched, ones that may be given back; false if the OS
     * refuses. Where that is for want of a mapping those who want such slices ask it again, and for the whole region.
     */
    public static boolean open(long arena, long slice, long count) {
        if (!staysReadable(arena) || OsMemory.commit(address(arena, slice), count << Config.SLICE_SHIFT)) return true;
        long step = slice / HUGE_PAGE;
        if (has(arena, BY_STEPS)) Bitmap.clear(steps(arena), step, (slice + count - 1) / HUGE_PAGE + 1 - step);
        return has(arena, BY_STEPS);
    }

    /** Marks claimed slices as used; true if all of them are zero. */
    public static boolean use(long arena, long slice, long count) {
        // The bits are looked at before they are written: to look is cheaper, and most slices were used before. Whoever
        // had a slice before may mark it as waiting only now: then the purge will find that the slice is not free.
        boolean clean = Bitmap.countSet(dirty(arena), slice, count) < count;
        long waiting = Bitmap.countSet(waiting(arena), slice, count);
        if (waiting != 0) {
            waiting = Bitmap.clear(waiting(arena), slice, count);
            Bitmap.clear(aged(arena), slice, count);
        }
        if (waiting != 0) Subprocess.addWaiting(subprocess(arena), -waiting);
        if (waiting < count && Bitmap.countSet(early(arena), slice, count) != 0) wantEarly(arena, slice, count);
        return clean && Bitmap.set(dirty(arena), slice, count) == count;
    }

    /** Slices that were purged because too many waited are wanted after all: from now on as many more may wait. */
    private static void wantEarly(long arena, long slice, long count) {
        long subprocess = subprocess(arena);
        long wanted = Subprocess.wanted(subprocess) + Bitmap.clear(early(arena), slice, count);
        Subprocess.setWanted(subprocess, wanted);
        long peak = wanted + Config.WAITING_MIN; // as if it had waited
        if (peak > Subprocess.waitPeak(subprocess)) Subprocess.setWaitPeak(subprocess, peak);
    }

    /** Makes slices that {@link #claim} gave, and that were not used, free again. */
    public static void unclaim(long arena, long slice, long count) {
        if (Check.isOn()) Check.that(slice + count <= slices(arena) && Bitmap.countSet(free(arena), slice, count) == 0);
        Bitmap.set(free(arena), slice, count);
        long last = (slice + count - 1) / Bitmap.CHUNK;
        for (long chunk = slice / Bitmap.CHUNK; chunk <= last; chunk++) {
            long first = chunk * Bitmap.CHUNK;
            long length = Config.min(Bitmap.CHUNK, slices(arena) - first);
            if (Bitmap.runLength(free(arena), first, first + length) == length) setChunkKind(arena, chunk, NONE);
        }
    }

    /** Gives used slices back: they are free at once, and wait to be purged, unless they have no memory any more. */
    public static void giveBack(long arena, long slice, long count) {
        long subprocess = subprocess(arena);
        boolean stays = isPinned(arena) || Bitmap.countSet(committed(arena), slice, count) == 0;
        long delay = stays ? -1 : Options.bounded(Options.PURGE_DELAY);
        long atOnce = delay == 0 ? 0 : Options.boundedSize(Options.ARENA_PURGE_IMMEDIATE_SIZE) >>> Config.SLICE_SHIFT;
        // The user's commit function is not called here: the caller may hold a lock that the function needs.
        boolean purged = delay >= 0 && count >= atOnce && !isCommittedByUser(arena) && purge(arena, slice, count);
        unclaim(arena, slice, count);
        if (delay < 0 || purged) return;
        // They wait only once they are free, so that a purge that runs now does not pass them over.
        // Another thread may have claimed some by now: then the purge will find that they are not free.
        Subprocess.addWaiting(subprocess, Bitmap.set(waiting(arena), slice, count));
        schedulePurge(subprocess);
    }

    /** Sets the time when slices that wait to be purged are due, unless it is set. */
    public static void schedulePurge(long subprocess) {
        if (Subprocess.purgeExpire(subprocess) != 0) return;
        long expire = Os.clock() + (purgeDelay() > 0 ? purgeDelay() : RETRY);
        if (Subprocess.casPurgeExpire(subprocess, 0, expire)) Os.wakePurgeThread();
    }

    /** How long slices wait, in milliseconds. */
    public static long purgeDelay() {
        return Options.bounded(Options.PURGE_DELAY) * Options.bounded(Options.ARENA_PURGE_MULT);
    }

    /** Gives the memory of slices that the caller has claimed back to the OS; false if it, or the user, refuses. */
    public static boolean purge(long arena, long slice, long count) {
        long address = address(arena, slice);
        long size = count << Config.SLICE_SHIFT;
        Trace.purging();
        boolean done = decommitOrReset(arena, slice, count, address, size);
        if (done) Statistics.add(Subprocess.statistics(subprocess(arena)), Statistics.PURGED, size);
        Trace.purged(address, done ? size : 0);
        return done;
    }

    private static boolean decommitOrReset(long arena, long slice, long count, long address, long size) {
        long statistics = Subprocess.statistics(subprocess(arena));
        Statistics.add(statistics, Statistics.PURGE_CALLS, 1);
        if (commitFunction(arena) != 0) {
            if (!callCommit(arena, false, address, size)) return false;
            uncommit(arena, slice, count);
        } else if (Options.isEnabled(Options.PURGE_DECOMMITS)) {
            // A new mapping may be refused where there are many: then the memory goes, and the promise stays.
            boolean discarded = has(arena, STRICTLY) && OsMemory.discard(address, size);
            int result = discarded ? OsMemory.UNCOMMITTED | OsMemory.ZERO : OsMemory.decommit(address, size);
            if (result < 0) return false;
            if ((result & OsMemory.UNCOMMITTED) != 0 && staysReadable(arena)) OsMemory.commit(address, size);
            if ((result & OsMemory.ZERO) != 0 && isOwned(arena)) Bitmap.clear(dirty(arena), slice, count);
            uncommit(arena, slice, count);
        } else {
            if (!OsMemory.reset(address, size)) return false;
            Statistics.add(statistics, Statistics.RESET_CALLS, 1);
            Statistics.add(statistics, Statistics.RESET, size);
        }
        return true;
    }

    /** Gives the memory of holes in a page back, where memory {@link #staysReadable}. What is refused stays. */
    public static void discard(long arena, long address, long size) {
        long statistics = Subprocess.statistics(subprocess(arena));
        Statistics.add(statistics, Statistics.PURGE_CALLS, 1);
        int result = OsMemory.decommit(address, size);
        if (result > 0 && (result & OsMemory.UNCOMMITTED) != 0) OsMemory.commit(address, size);
        if (result > 0) Statistics.add(statistics, Statistics.PURGED, size);
    }

    private static void uncommit(long arena, long slice, long count) {
        long gone = Bitmap.clear(committed(arena), slice, count);
        Statistics.decrease(Subprocess.statistics(subprocess(arena)), Statistics.COMMITTED, gone << Config.SLICE_SHIFT);
    }

    @Export("size_t mi_arena_min_alignment(void)")
    public static long minAlignment() { return Config.SLICE; }

    @Export("size_t mi_arena_min_size(void)")
    public static long minSize() { return Config.SLICE; }
}
