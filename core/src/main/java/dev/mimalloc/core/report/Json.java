package dev.mimalloc.core.report;

import static dev.mimalloc.machine.Memory.getByte;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.thread.ProcessInfo;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Text;

/** Statistics as JSON, in the caller's buffer or in one from malloc. */
public final class Json {
    private static final long SIZE = 32 << 10;

    private Json() {}

    @Export("char* mi_stats_get_json(size_t buf_size, char* buf)")
    public static long statistics(long size, long buffer) {
        return Startup.ready() ? subprocess(Theap.currentSubprocess(), size, buffer) : 0;
    }

    @Export("char* mi_subproc_stats_get_json(mi_subproc_id_t subproc_id, size_t buf_size, char* buf)")
    public static long subprocess(long subprocess, long size, long buffer) {
        long stats = subprocess == 0 ? 0 : Meta.allocate(Statistics.SIZE);
        if (stats == 0) return 0;
        Report.subprocess(subprocess, stats);
        return ended(stats, size, buffer);
    }

    @Export("char* mi_heap_stats_get_json(mi_heap_t* heap, size_t buf_size, char* buf)")
    public static long heap(long heap, long size, long buffer) {
        long stats = heap == 0 ? 0 : Meta.allocate(Statistics.SIZE);
        if (stats == 0) return 0;
        Report.heap(heap, stats);
        return ended(stats, size, buffer);
    }

    private static long ended(long stats, long size, long buffer) {
        long json = written(stats, size, buffer);
        Meta.free(stats, Statistics.SIZE);
        return json;
    }

    /**
     * Writes statistics to {@code buffer}, or to a block of its own when that is 0, which the caller frees.
     *
     * @return the text, or 0 if it did not fit or there is no memory
     */
    @Export("char* mi_stats_as_json(mi_stats_t* stats, size_t buf_size, char* buf)")
    public static long json(long stats, long size, long buffer) {
        return Statistics.fits(stats) ? written(Statistics.of(stats), size, buffer) : 0;
    }

    private static long written(long stats, long size, long buffer) {
        if (buffer != 0 && size <= 0) return 0;
        long text = buffer;
        if (buffer == 0) {
            text = Allocate.malloc(SIZE);
            size = SIZE;
        }
        if (text == 0) return 0;
        long printer = Printer.into(text, size);
        if (printer == 0) return 0;
        write(printer, stats);
        if (Printer.closeBuffer(printer)) return text;
        if (buffer == 0) Free.free(text);
        return 0;
    }

    static void write(long printer, long stats) {
        Printer.labelled(printer, Text.literal("{\n  \"stat_version\": "), Statistics.VERSION);
        Printer.labelled(printer, Text.literal(",\n  \"mimalloc_version\": "), Config.VERSION);
        process(printer);
        fields(printer, stats);
        bins(printer, stats, Text.literal("malloc_bins "), Statistics.MALLOC_BINS, SizeClass.COUNT, true);
        bins(printer, stats, Text.literal("page_bins "), Statistics.PAGE_BINS, SizeClass.COUNT, true);
        bins(printer, stats, Text.literal("chunk_bins "), Statistics.CHUNK_BINS, Statistics.CHUNK_KINDS, false);
        Printer.text(printer, Text.literal("\n}\n"));
    }

    private static void process(long printer) {
        long info = ProcessInfo.open();
        if (info == 0) return;
        Printer.labelled(printer, Text.literal(",\n  \"process\": {\"elapsed_msecs\": "), ProcessInfo.elapsed(info));
        Printer.labelled(printer, Text.literal(", \"user_msecs\": "), ProcessInfo.user(info));
        Printer.labelled(printer, Text.literal(", \"system_msecs\": "), ProcessInfo.system(info));
        Printer.labelled(printer, Text.literal(", \"current_rss\": "), ProcessInfo.resident(info));
        Printer.labelled(printer, Text.literal(", \"peak_rss\": "), ProcessInfo.peak(info));
        Printer.labelled(printer, Text.literal(", \"current_commit\": "), ProcessInfo.committed(info));
        Printer.labelled(printer, Text.literal(", \"peak_commit\": "), ProcessInfo.peakCommit(info));
        Printer.labelled(printer, Text.literal(", \"page_faults\": "), ProcessInfo.faults(info));
        Printer.text(printer, Text.literal("}"));
        ProcessInfo.close(info);
    }

    /** Prints the first of some names, each of which ends with a blank; returns where the next one begins. */
    private static long name(long printer, long names) {
        Printer.text(printer, Text.literal(",\n  \""));
        for (; getByte(names) != ' '; names++) Printer.letter(printer, getByte(names));
        Printer.text(printer, Text.literal("\": "));
        return names + 1;
    }

    /** All fields before the bins, by their names in the order of the struct. */
    private static void fields(long printer, long stats) {
        long names = Text.literal("pages reserved committed reset purged page_committed pages_abandoned threads allocated "
                + "malloc_count free_count freed malloc_requested mmap_calls commit_calls reset_calls purge_calls "
                + "arena_count malloc_guarded_count arena_rollback_count arena_purges pages_extended pages_retire "
                + "page_searches page_searches_count segments segments_abandoned segments_cache _segments_reserved "
                + "heaps theaps pages_os_abandoned pages_os_allocated pages_reclaim_on_alloc pages_reclaim_on_free "
                + "pages_reabandon_full pages_unabandon_busy_wait pages_unown_cas_retry heaps_delete_wait "
                + "pages_stat_updates pages_stat_update_count profile_samples malloc_normal malloc_huge "
                + "malloc_normal_count malloc_huge_count ");
        for (int field = Statistics.PAGES; getByte(names) != 0; field += Statistics.size(field)) {
            names = name(printer, names);
            value(printer, stats, field, 0);
        }
    }

    private static void value(long printer, long stats, int field, long blockSize) {
        boolean count = Statistics.isCount(field);
        Printer.labelled(printer, Text.literal("{\"total\": "), Statistics.total(stats, field));
        if (count) Printer.labelled(printer, Text.literal(", \"peak\": "), Statistics.peak(stats, field));
        if (count) Printer.labelled(printer, Text.literal(", \"current\": "), Statistics.current(stats, field));
        if (blockSize != 0) Printer.labelled(printer, Text.literal(", \"block_size\": "), blockSize);
        Printer.letter(printer, '}');
    }

    private static void bins(long printer, long stats, long name, int field, int count, boolean sizes) {
        name(printer, name);
        for (int bin = 0; bin < count; bin++) {
            Printer.text(printer, bin == 0 ? Text.literal("[\n    ") : Text.literal(",\n    "));
            value(printer, stats, field + bin * Statistics.COUNT_SIZE, sizes ? SizeClass.statisticsBinSize(bin) : 0);
        }
        Printer.text(printer, Text.literal("\n  ]"));
    }
}
