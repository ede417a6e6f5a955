package dev.mimalloc.tests;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/** The layout of the C interface's {@code mi_stats_t}, up to the bins: a count is three words, a counter one. */
final class StatisticsStruct {
    private static final long VERSION = 6;
    private static final String FIELDS = """
        pages+ reserved+ committed+ reset purged page_committed+ pages_abandoned+ threads+ allocated+ malloc_count
        free_count freed malloc_requested mmap_calls commit_calls reset_calls purge_calls arena_count
        malloc_guarded_count arena_rollback_count arena_purges pages_extended pages_retire page_searches
        page_searches_count segments+ segments_abandoned+ segments_cache+ _segments_reserved+ heaps+ theaps+
        pages_os_abandoned+ pages_os_allocated+ pages_reclaim_on_alloc pages_reclaim_on_free pages_reabandon_full
        pages_unabandon_busy_wait pages_unown_cas_retry heaps_delete_wait pages_stat_updates pages_stat_update_count
        profile_samples malloc_normal+ malloc_huge+ malloc_normal_count malloc_huge_count""";
    private static final Map<String, Long> OFFSETS = new TreeMap<>();
    private static final Map<String, Boolean> COUNTS = new TreeMap<>();

    /** The whole struct: size and version, the fields, 4 unused of each kind, 74 bins of blocks and of pages, 6 of chunks. */
    private static final long SIZE;

    static {
        long offset = 16;
        for (String field : FIELDS.split("\\s+", -1)) {
            boolean count = field.endsWith("+");
            String name = count ? field.substring(0, field.length() - 1) : field;
            OFFSETS.put(name, offset);
            COUNTS.put(name, count);
            offset += count ? 24 : 8;
        }
        SIZE = offset + 4 * 24 + 4 * 8 + (74 + 74 + 6) * 24;
    }

    /** A field of the struct that {@code fill} writes to an address. */
    static Allocator.Figure read(LongPredicate fill, String name) {
        try (var arena = Arena.ofConfined()) {
            long stats = arena.allocate(SIZE, 8).address();
            Raw.putLong(stats, SIZE);
            Raw.putLong(stats + 8, VERSION);
            if (!fill.test(stats)) throw new AssertionError("the allocator refuses its own struct");
            long at = stats + OFFSETS.get(name);
            if (!COUNTS.get(name)) return new Allocator.Figure(Raw.getLong(at), 0, 0);
            return new Allocator.Figure(Raw.getLong(at), Raw.getLong(at + 8), Raw.getLong(at + 16));
        }
    }

    private StatisticsStruct() {}
}
