package dev.mimalloc.core.report;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.HeapPages;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Pages;
import dev.mimalloc.core.thread.ProcessInfo;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;

/**
 * Statistics put together and printed. What is not counted when it happens is derived from the pages; see Statistics.
 */
public final class Report {
    private Report() {}

    /** Fills {@code target}, of {@link Statistics#SIZE} bytes, with a heap's statistics. */
    public static void heap(long heap, long target) {
        ThreadSlot.probeStack();
        Statistics.clear(target);
        Lock.acquire(Subprocess.livesLock(Heap.subprocess(heap)));
        addHeap(heap, target);
        Lock.release(Subprocess.livesLock(Heap.subprocess(heap)));
        Statistics.completeMalloc(target);
        Statistics.keepPeaks(Heap.statistics(heap), target);
    }

    /** Fills {@code target} with a whole subprocess' statistics. */
    public static void subprocess(long subprocess, long target) {
        ThreadSlot.probeStack();
        Statistics.clear(target);
        Statistics.merge(Subprocess.statistics(subprocess), target);
        Lock.acquire(Subprocess.livesLock(subprocess));
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) addHeap(heap, target);
        Lock.release(Subprocess.livesLock(subprocess));
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) addChunks(Subprocess.arena(subprocess, i), target);
        Statistics.completeMalloc(target);
        Statistics.keepPeaks(Subprocess.statistics(subprocess), target);
    }

    /** Adds a heap's statistics to {@code target}, under the lives lock. */
    private static void addHeap(long heap, long target) {
        Statistics.merge(Heap.statistics(heap), target);
        for (long theap = Heap.theaps(heap); theap != 0; theap = Theap.nextInHeap(theap)) {
            Theap.addCounters(theap, target);
        }
        for (long at = HeapPages.next(heap, 0); at >= 0; at = HeapPages.next(heap, at + 1)) {
            addPage(HeapPages.page(heap, at), target);
        }
        long subprocess = Heap.subprocess(heap);
        Lock.acquire(Subprocess.osLock(subprocess));
        for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) addPage(page, target);
        Lock.release(Subprocess.osLock(subprocess));
    }

    private static void addPage(long page, long target) {
        long size = Page.blockSize(page);
        int bin = Statistics.MALLOC_BINS + Page.bin(page) * Statistics.COUNT_SIZE;
        Statistics.raise(target, bin, Config.max(0, Page.live(page)) * size);
        Statistics.raise(target, Statistics.PAGES, 1);
        Statistics.raise(target, Statistics.PAGE_BINS + Page.bin(page) * Statistics.COUNT_SIZE, 1);
        Statistics.raise(target, Statistics.PAGE_COMMITTED, Pages.charge(page));
        if (!Page.isInArena(page)) Statistics.raise(target, Statistics.PAGES_OS_ALLOCATED, 1);
        if (Page.isSingleton(page)) return;
        Statistics.add(target, bin, -Page.unused(page) * size);
        if (Page.isAbandoned(page)) Statistics.raise(target, Statistics.PAGES_ABANDONED, 1);
    }

    /** The bytes of a heap's blocks that somebody has; of all heaps of the main subprocess for 0. A snapshot. */
    public static long live(long heap) {
        if (!Startup.ready()) return 0;
        long subprocess = heap == 0 ? Main.subprocess() : Heap.subprocess(heap);
        long target = Meta.allocate(Statistics.SIZE);
        if (target == 0) return 0;
        if (heap == 0) subprocess(subprocess, target);
        else heap(heap, target);
        long bytes = Statistics.current(target, Statistics.MALLOC_NORMAL) + Statistics.current(target, Statistics.MALLOC_HUGE);
        Meta.free(target, Statistics.SIZE);
        return bytes;
    }

    private static void addChunks(long arena, long target) {
        if (arena == 0) return;
        for (long chunk = 0; chunk < Bitmap.chunkCount(Arena.free(arena)); chunk++) {
            Statistics.increase(target, Statistics.CHUNK_BINS + Arena.chunkKindOf(arena, chunk) * Statistics.COUNT_SIZE, 1);
        }
    }

    @Export("bool mi_stats_get(mi_stats_t* stats)")
    public static boolean statistics(long target) {
        if (!Statistics.fits(target) || !Startup.ready()) return false;
        subprocess(Theap.currentSubprocess(), Statistics.of(target));
        return true;
    }

    @Export("bool mi_subproc_stats_get(mi_subproc_id_t subproc_id, mi_stats_t* stats)")
    public static boolean subprocessStatistics(long subprocess, long target) {
        if (subprocess == 0 || !Statistics.fits(target)) return false;
        subprocess(subprocess, Statistics.of(target));
        return true;
    }

    /** Fills {@code target} with what the subprocess itself counts, without its heaps. */
    @Export("bool mi_subproc_stats_get_exclusive(mi_subproc_id_t subproc_id, mi_stats_t* stats)")
    public static boolean exclusiveStatistics(long subprocess, long target) {
        if (subprocess == 0 || !Statistics.fits(target)) return false;
        Statistics.copyTo(Subprocess.statistics(subprocess), Statistics.of(target));
        Statistics.completeMalloc(Statistics.of(target));
        return true;
    }

    /** Begins the statistics anew: counters at 0, totals and peaks at what there is now. */
    @Export("void mi_stats_reset(void)")
    public static void reset() {
        if (!Startup.ready()) return;
        ThreadSlot.probeStack();
        long reported = Meta.allocate(Statistics.SIZE);
        if (reported == 0) return;
        long subprocess = Theap.currentSubprocess();
        Lock.acquire(Subprocess.livesLock(subprocess));
        Statistics.reset(Subprocess.statistics(subprocess), Subprocess.statistics(subprocess));
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            fill(reported, Statistics.SIZE, 0);
            addHeap(heap, reported);
            Statistics.completeMalloc(reported);
            Statistics.reset(Heap.statistics(heap), reported);
        }
        Lock.release(Subprocess.livesLock(subprocess));
        Meta.free(reported, Statistics.SIZE);
    }

    /** Nothing to do: a heap's statistics are added to its subprocess' whenever these are asked for. */
    @Export("void mi_heap_stats_merge_to_subproc(mi_heap_t* heap)")
    public static void mergeHeap(long heap) {}

    /** Nothing to do: what a thread's theaps have counted is added whenever statistics are asked for. */
    @Export("void mi_stats_merge(void)")
    public static void merge() {}

    @Export("bool mi_heap_stats_get(mi_heap_t* heap, mi_stats_t* stats)")
    public static boolean heapStatistics(long heap, long target) {
        if (heap == 0 || !Statistics.fits(target)) return false;
        heap(heap, Statistics.of(target));
        return true;
    }

    /**
     * Fills {@code struct} with what the current thread's theap has in its pages, and has counted. Whom the blocks have
     * been freed by it does not know.
     */
    @Export("bool mi_theap_stats_get(mi_theap_t* theap, mi_stats_t* stats)")
    public static boolean theapStatistics(long theap, long struct) {
        if (theap == 0 || !Statistics.fits(struct)) return false;
        long target = Statistics.of(struct);
        Statistics.clear(target);
        Theap.addCounters(theap, target);
        Theap.lock(theap);
        for (int index = 1; index < 2 * SizeClass.COUNT; index++) {
            long page = PageQueue.first(Theap.queue(theap, index));
            for (; page != 0; page = Page.next(page)) addPage(page, target);
        }
        Theap.unlock(theap);
        Statistics.completeMalloc(target);
        fill(target + Statistics.FREE_COUNT, 2 * Statistics.COUNTER_SIZE, 0); // and FREED
        Statistics.keepPeaks(target, target);
        return true;
    }

    /** Adds what the current thread's theap has counted to its heap's statistics, and begins anew. */
    @Export("void mi_theap_stats_merge_to_heap(mi_theap_t* theap)")
    public static void mergeTheap(long theap) {
        if (theap == 0) return;
        long lock = Subprocess.livesLock(Theap.subprocess(theap));
        Lock.acquire(lock);
        if (!Theap.isOrphan(theap)) Theap.addCounters(theap, Heap.statistics(Theap.heap(theap)));
        Theap.clearCounters(theap);
        Lock.release(lock);
    }

    @Export("void mi_stats_print_out(mi_output_fun* out, void* arg)")
    public static void printStatistics(long function, long argument) {
        if (Startup.ready()) printSubprocess(Theap.currentSubprocess(), function, argument);
    }

    /**
     * The parameter is an output function in mimalloc's old interface; only that of {@link #printStatistics} counts.
     */
    @Export("void mi_stats_print(void* out)")
    public static void printStatistics(long ignored) { printStatistics(0, 0); }

    @Export("void mi_heap_stats_print_out(mi_heap_t* heap, mi_output_fun* out, void* arg)")
    public static void printHeap(long heap, long function, long argument) {
        if (heap == 0) return;
        long stats = Meta.allocate(Statistics.SIZE);
        if (stats == 0) return;
        heap(heap, stats);
        print(stats, function, argument);
        Meta.free(stats, Statistics.SIZE);
    }

    @Export("void mi_subproc_stats_print_out(mi_subproc_id_t subproc_id, mi_output_fun* out, void* arg)")
    public static void printSubprocess(long subprocess, long function, long argument) {
        if (subprocess == 0) return;
        long stats = Meta.allocate(Statistics.SIZE);
        if (stats == 0) return;
        subprocess(subprocess, stats);
        print(stats, function, argument);
        Meta.free(stats, Statistics.SIZE);
    }

    /**
     * Prints the subprocess' heaps one after the other; heaps that the output function makes meanwhile may be among
     * them or not.
     */
    @Export("void mi_subproc_heap_stats_print_out(mi_subproc_id_t subproc_id, mi_output_fun* out, void* arg)")
    public static void printHeaps(long subprocess, long function, long argument) {
        if (subprocess == 0) return;
        long heap = Heap.nextReferred(subprocess, 0);
        while (heap != 0) {
            printHeap(heap, function, argument);
            // The output function may have ended this heap, and others.
            long next = Heap.nextReferred(subprocess, heap);
            Heap.dropReference(heap);
            heap = next;
        }
    }

    /** Prints the process' statistics: threads have none of their own. */
    @Export("void mi_thread_stats_print_out(mi_output_fun* out, void* arg)")
    public static void printThread(long function, long argument) { printStatistics(function, argument); }

    /** Prints statistics that somebody has. */
    public static void print(long stats, long function, long argument) {
        long printer = Printer.open(function, argument);
        print(printer, stats);
        Printer.close(printer);
    }

    private static void print(long printer, long stats) {
        Printer.text(printer, Text.literal("statistics             peak      total    current\n"));
        bytes(printer, stats, Text.literal("reserved"), Statistics.RESERVED);
        bytes(printer, stats, Text.literal("committed"), Statistics.COMMITTED);
        bytes(printer, stats, Text.literal("in pages"), Statistics.PAGE_COMMITTED);
        bytes(printer, stats, Text.literal("in blocks"), Statistics.MALLOC_NORMAL);
        bytes(printer, stats, Text.literal("in huge blocks"), Statistics.MALLOC_HUGE);
        bytes(printer, stats, Text.literal("allocated"), Statistics.ALLOCATED);
        counter(printer, stats, Text.literal("mallocs"), Statistics.MALLOC_COUNT);
        counter(printer, stats, Text.literal("frees"), Statistics.FREE_COUNT);
        count(printer, stats, Text.literal("pages"), Statistics.PAGES);
        count(printer, stats, Text.literal("abandoned pages"), Statistics.PAGES_ABANDONED);
        count(printer, stats, Text.literal("threads"), Statistics.THREADS);
        count(printer, stats, Text.literal("heaps"), Statistics.HEAPS);
        count(printer, stats, Text.literal("thread-local heaps"), Statistics.THEAPS);
        counter(printer, stats, Text.literal("arenas"), Statistics.ARENA_COUNT);
        counter(printer, stats, Text.literal("OS allocations"), Statistics.MMAP_CALLS);
        counter(printer, stats, Text.literal("commits"), Statistics.COMMIT_CALLS);
        counter(printer, stats, Text.literal("purges"), Statistics.PURGE_CALLS);
        counter(printer, stats, Text.literal("purged KiB"), Statistics.PURGED);
        counter(printer, stats, Text.literal("page extensions"), Statistics.PAGES_EXTENDED);
        counter(printer, stats, Text.literal("pages retired"), Statistics.PAGES_RETIRE);
        counter(printer, stats, Text.literal("page searches"), Statistics.PAGE_SEARCHES_COUNT);
        counter(printer, stats, Text.literal("reclaimed to allocate"), Statistics.PAGES_RECLAIM_ON_ALLOC);
        counter(printer, stats, Text.literal("reclaimed by a free"), Statistics.PAGES_RECLAIM_ON_FREE);
        printProcess(printer);
    }

    private static void bytes(long printer, long stats, long name, int field) {
        Printer.padded(printer, name, 21);
        Printer.bytes(printer, Statistics.peak(stats, field));
        Printer.letter(printer, ' ');
        Printer.bytes(printer, Statistics.total(stats, field));
        Printer.letter(printer, ' ');
        Printer.bytes(printer, Statistics.current(stats, field));
        Printer.letter(printer, '\n');
    }

    private static void count(long printer, long stats, long name, int field) {
        Printer.padded(printer, name, 21);
        Printer.number(printer, Statistics.peak(stats, field), 6);
        Printer.number(printer, Statistics.total(stats, field), 11);
        Printer.number(printer, Statistics.current(stats, field), 11);
        Printer.letter(printer, '\n');
    }

    private static void counter(long printer, long stats, long name, int field) {
        Printer.padded(printer, name, 21);
        Printer.number(printer, Statistics.total(stats, field) >>> (field == Statistics.PURGED ? 10 : 0), 17);
        Printer.letter(printer, '\n');
    }

    private static void printProcess(long printer) {
        long info = ProcessInfo.open();
        if (info == 0) return;
        Printer.labelled(printer, Text.literal("process: elapsed "), ProcessInfo.elapsed(info));
        Printer.labelled(printer, Text.literal(" ms, user "), ProcessInfo.user(info));
        Printer.labelled(printer, Text.literal(" ms, system "), ProcessInfo.system(info));
        Printer.text(printer, Text.literal(" ms, resident "));
        Printer.bytes(printer, ProcessInfo.resident(info));
        Printer.text(printer, Text.literal(", at most "));
        Printer.bytes(printer, ProcessInfo.peak(info));
        Printer.letter(printer, '\n');
        ProcessInfo.close(info);
    }

    @Export("void mi_process_info_print_out(mi_output_fun* out, void* arg)")
    public static void printProcessInfo(long function, long argument) {
        long printer = Printer.open(function, argument);
        printProcess(printer);
        Printer.close(printer);
    }

    @Export("void mi_process_info_print(void)")
    public static void printProcessInfo() { printProcessInfo(0, 0); }

    @Export("void mi_options_print_out(mi_output_fun* out, void* arg)")
    public static void printOptions(long function, long argument) {
        long printer = Printer.open(function, argument);
        Version.print(printer);
        for (int option = 0; option < Options.COUNT; option++) {
            Printer.text(printer, Text.literal("option "));
            Printer.text(printer, Options.name(option));
            Printer.labelled(printer, Text.literal(": "), Options.get(option));
            Printer.text(printer, Options.isSize(option) ? Text.literal(" KiB\n") : Text.literal("\n"));
        }
        Printer.close(printer);
    }

    @Export("void mi_options_print(void)")
    public static void printOptions() { printOptions(0, 0); }
}
