package dev.mimalloc;

import static dev.mimalloc.core.base.Statistics.*;

import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.report.Json;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Text;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * A snapshot of the statistics of the whole allocator, from {@link Mimalloc#statistics}, or of one heap, from
 * {@link Heap#statistics}. Stands for {@code mi_stats_t}, without the fields that only older versions fill.
 *
 * <p>A {@link Count} has a current value, a peak and a total; what is a {@code long} only rises. To take a snapshot
 * costs nothing that malloc and free would notice, and takes time proportional to the number of pages.
 *
 * <p>How exact it is:
 * <ul>
 * <li>Pages, memory, threads, heaps and calls of the system are counted when they happen.
 * <li>What malloc has given out is not, since that would cost. The <em>current</em> values of {@code allocated},
 * {@code mallocNormal}, {@code mallocHuge} and the bins are added up from the pages: exact when no other thread is allocating or freeing, and
 * otherwise as each page was when it was looked at. Their <em>totals</em>, {@code mallocCount} and {@code mallocNormalCount}, may be ahead
 * by some of the blocks that pages had ready and never gave out; they are never behind. Their <em>peaks</em> are the
 * most that any snapshot has shown.
 * <li>A heap counts what is its own. Memory of the system, threads, arenas and purges are the whole allocator's: in a
 * heap's statistics they are 0.
 * <li>Where several heaps add up to the whole allocator, the peak is the most that was seen together.
 * </ul>
 *
 * @param pages pages, of blocks of one size each
 * @param reserved bytes of addresses that were reserved
 * @param committed bytes of them that may be touched; the system may back them only when they are
 * @param reset bytes whose contents were given up while they stayed committed
 * @param purged bytes that were given back to the system
 * @param pageCommitted bytes that pages have for blocks
 * @param pagesAbandoned pages that no thread owns, because their thread has ended or had no use for them
 * @param threads threads with memory of their own; virtual threads share some
 * @param allocated bytes in blocks: {@code mallocNormal} and {@code mallocHuge} together
 * @param mallocCount blocks that were ever given out
 * @param freeCount of them, blocks that were freed
 * @param freed bytes in blocks that were freed
 * @param mallocRequested bytes that were ever asked for, with {@code -Ddev.mimalloc.debug}; 0 without: only the size of
 *     the block is kept
 * @param mallocNormal bytes in blocks that share a page
 * @param mallocHuge bytes in blocks with a page of their own
 * @param mmapCalls how often the system was asked for memory
 * @param commitCalls how often memory was committed
 * @param resetCalls how often memory was reset
 * @param purgeCalls how often memory was purged
 * @param arenaCount arenas
 * @param mallocNormalCount blocks that share a page and were ever given out
 * @param mallocHugeCount blocks with a page of their own that were ever given out
 * @param mallocGuardedCount blocks with a guard page that were ever given out
 * @param arenaRollbackCount how often memory was claimed in an arena and given back at once
 * @param arenaPurges how often all arenas were purged
 * @param pagesExtended how often blocks were made of a page's fresh memory
 * @param pagesRetire how often an empty page was kept for a while
 * @param pageSearches pages that were looked at in searches for one with room
 * @param pageSearchesCount such searches
 * @param heaps heaps
 * @param theaps threads' parts of heaps
 * @param pagesOsAllocated pages whose memory is not an arena's; their total is not kept
 * @param pagesReclaimOnAlloc abandoned pages that an allocation took over
 * @param pagesReclaimOnFree abandoned pages that a free took over
 * @param pagesReabandonFull pages that were given up because they were full
 * @param pagesUnabandonBusyWait how often a thread waited for another to let go of an abandoned page
 * @param heapsDeleteWait how often the end of a heap waited
 * @param bins by size of block, smallest first; the last one is for blocks with a page of their own
 * @param chunks the arenas' memory by what it is used for; not for a heap
 */
public record Statistics(Count pages, Count reserved, Count committed, long reset, long purged, Count pageCommitted,
        Count pagesAbandoned, Count threads, Count allocated, long mallocCount, long freeCount, long freed,
        long mallocRequested, Count mallocNormal, Count mallocHuge,
        long mmapCalls, long commitCalls, long resetCalls, long purgeCalls, long arenaCount, long mallocNormalCount,
        long mallocHugeCount, long mallocGuardedCount, long arenaRollbackCount, long arenaPurges, long pagesExtended,
        long pagesRetire, long pageSearches, long pageSearchesCount, Count heaps, Count theaps, Count pagesOsAllocated,
        long pagesReclaimOnAlloc, long pagesReclaimOnFree, long pagesReabandonFull, long pagesUnabandonBusyWait,
        long heapsDeleteWait, List<Bin> bins, Chunks chunks) {
    /** Copies the list. */
    public Statistics {
        bins = List.copyOf(bins);
    }

    /**
     * Something that rises and falls.
     *
     * @param current what there is now
     * @param peak the most there was at a time
     * @param total all there ever was
     */
    public record Count(long current, long peak, long total) {}

    /**
     * Blocks of one size.
     *
     * @param blockSize bytes of a block; 0 for blocks with a page of their own, which have any size
     * @param bytes in such blocks
     * @param pages of such blocks
     */
    public record Bin(long blockSize, Count bytes, Count pages) {}

    /**
     * Parts of arenas, of 32 MiB each, by the pages that they are kept for, so that long-lived small pages do not
     * stand in the way of large ones.
     *
     * @param small for pages of small blocks
     * @param other for what has no part of its own
     * @param medium for pages of medium blocks
     * @param large for pages of large blocks
     * @param huge for blocks with a page of their own
     * @param none not used yet
     */
    public record Chunks(Count small, Count other, Count medium, Count large, Count huge, Count none) {}

    /** Of the main subprocess, in which all Java threads are. */
    static Statistics ofProcess() { return taken(stats -> Report.subprocess(Subprocesses.main(), stats)); }

    static Statistics ofHeap(long heap) { return taken(stats -> Report.heap(heap, stats)); }

    private static Statistics taken(LongConsumer report) {
        // The memory comes from elsewhere: it is not to be seen in what it is for.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stats = arena.allocate(SIZE, 8);
            report.accept(stats.address());
            return new Struct(stats.address()).read();
        }
    }

    /**
     * As JSON, with the names of the C interface. Stands for {@code mi_stats_as_json}; the process' part is of now.
     *
     * @return the text, an object of JSON
     */
    public String toJson() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stats = arena.allocate(SIZE, 8);
            new Struct(stats.address()).write(this);
            for (long size = 32 << 10;; size *= 2) {
                MemorySegment text = arena.allocate(size);
                if (Json.json(stats.address(), size, text.address()) != 0) return text.getString(0);
                if (size > 1 << 20) throw new OutOfMemoryError("no memory for statistics as JSON");
            }
        }
    }

    /**
     * As a table for people to read. Stands for {@code mi_stats_print_out}; the last line is about the process, of
     * now.
     *
     * @return the text, of many lines
     */
    public String toText() {
        var text = new StringBuilder();
        Callback.Output output = (part, arg) -> text.append(Text.string(part));
        long handle = Callback.register(output);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stats = arena.allocate(SIZE, 8);
            new Struct(stats.address()).write(this);
            Report.print(stats.address(), handle, 0);
        } finally {
            Callback.unregister(handle);
        }
        return text.toString();
    }

    /** The C struct, at an address. */
    private record Struct(long address) {
        private Count count(int field) {
            return new Count(current(address, field), peak(address, field), total(address, field));
        }

        private long counter(int field) { return total(address, field); }

        Statistics read() {
            return new Statistics(
                    count(PAGES), count(RESERVED), count(COMMITTED), counter(RESET), counter(PURGED),
                    count(PAGE_COMMITTED), count(PAGES_ABANDONED), count(THREADS), count(ALLOCATED),
                    counter(MALLOC_COUNT), counter(FREE_COUNT), counter(FREED), counter(MALLOC_REQUESTED),
                    count(MALLOC_NORMAL), count(MALLOC_HUGE), counter(MMAP_CALLS), counter(COMMIT_CALLS),
                    counter(RESET_CALLS), counter(PURGE_CALLS), counter(ARENA_COUNT), counter(MALLOC_NORMAL_COUNT),
                    counter(MALLOC_HUGE_COUNT), counter(MALLOC_GUARDED_COUNT), counter(ARENA_ROLLBACK_COUNT),
                    counter(ARENA_PURGES), counter(PAGES_EXTENDED), counter(PAGES_RETIRE), counter(PAGE_SEARCHES),
                    counter(PAGE_SEARCHES_COUNT), count(HEAPS), count(THEAPS), count(PAGES_OS_ALLOCATED),
                    counter(PAGES_RECLAIM_ON_ALLOC),
                    counter(PAGES_RECLAIM_ON_FREE), counter(PAGES_REABANDON_FULL), counter(PAGES_UNABANDON_BUSY_WAIT),
                    counter(HEAPS_DELETE_WAIT), bins(), chunks());
        }

        private List<Bin> bins() {
            var bins = new ArrayList<Bin>();
            for (int bin = 1; bin < SizeClass.COUNT; bin++) {
                // The odd words up to 8 have no bin: their blocks are a word larger.
                if (bin > 1 && bin < 8 && bin % 2 != 0) continue;
                bins.add(new Bin(SizeClass.statisticsBinSize(bin), count(MALLOC_BINS + bin * COUNT_SIZE),
                        count(PAGE_BINS + bin * COUNT_SIZE)));
            }
            return bins;
        }

        private Chunks chunks() { return new Chunks(chunk(0), chunk(1), chunk(2), chunk(3), chunk(4), chunk(5)); }

        /** By the kind of chunks, as an arena counts them. */
        private Count chunk(int kind) { return count(CHUNK_BINS + kind * COUNT_SIZE); }

        /** For a struct that is zero. */
        void write(Statistics s) {
            init(address);
            put(PAGES, s.pages);
            put(RESERVED, s.reserved);
            put(COMMITTED, s.committed);
            put(RESET, s.reset);
            put(PURGED, s.purged);
            put(PAGE_COMMITTED, s.pageCommitted);
            put(PAGES_ABANDONED, s.pagesAbandoned);
            put(THREADS, s.threads);
            put(ALLOCATED, s.allocated);
            put(MALLOC_COUNT, s.mallocCount);
            put(FREE_COUNT, s.freeCount);
            put(FREED, s.freed);
            put(MALLOC_NORMAL, s.mallocNormal);
            put(MALLOC_HUGE, s.mallocHuge);
            put(MALLOC_REQUESTED, s.mallocRequested);
            put(MMAP_CALLS, s.mmapCalls);
            put(COMMIT_CALLS, s.commitCalls);
            put(RESET_CALLS, s.resetCalls);
            put(PURGE_CALLS, s.purgeCalls);
            put(ARENA_COUNT, s.arenaCount);
            put(MALLOC_NORMAL_COUNT, s.mallocNormalCount);
            put(MALLOC_HUGE_COUNT, s.mallocHugeCount);
            put(MALLOC_GUARDED_COUNT, s.mallocGuardedCount);
            put(ARENA_ROLLBACK_COUNT, s.arenaRollbackCount);
            put(ARENA_PURGES, s.arenaPurges);
            put(PAGES_EXTENDED, s.pagesExtended);
            put(PAGES_RETIRE, s.pagesRetire);
            put(PAGE_SEARCHES, s.pageSearches);
            put(PAGE_SEARCHES_COUNT, s.pageSearchesCount);
            put(HEAPS, s.heaps);
            put(THEAPS, s.theaps);
            put(PAGES_OS_ALLOCATED, s.pagesOsAllocated);
            put(PAGES_RECLAIM_ON_ALLOC, s.pagesReclaimOnAlloc);
            put(PAGES_RECLAIM_ON_FREE, s.pagesReclaimOnFree);
            put(PAGES_REABANDON_FULL, s.pagesReabandonFull);
            put(PAGES_UNABANDON_BUSY_WAIT, s.pagesUnabandonBusyWait);
            put(HEAPS_DELETE_WAIT, s.heapsDeleteWait);
            for (Bin bin : s.bins) {
                int index = bin.blockSize == 0 ? SizeClass.HUGE : SizeClass.bin(bin.blockSize);
                put(MALLOC_BINS + index * COUNT_SIZE, bin.bytes);
                put(PAGE_BINS + index * COUNT_SIZE, bin.pages);
            }
            Count[] chunks = {s.chunks.small, s.chunks.other, s.chunks.medium, s.chunks.large, s.chunks.huge, s.chunks.none};
            for (int kind = 0; kind < chunks.length; kind++) put(CHUNK_BINS + kind * COUNT_SIZE, chunks[kind]);
        }

        private void put(int field, long total) { add(address, field, total); }

        private void put(int field, Count count) {
            add(address, field, count.total);
            raisePeak(address, field, count.peak);
            raise(address, field, count.current);
        }
    }
}
