// What the compiler sees: versions, offsets, sizes, the values of enumerations, and the type of every function.
#include "../check.h"

// Declared once more: a type that differs from the header's is an error.
#define FUNCTION(result, name, parameters, exceptions) extern result name parameters;
#include "../functions.h"
#undef FUNCTION

#define AT(type, field, offset) CHECK(offsetof(type, field) == (offset))
#define OPTION(value, name) CHECK((int)mi_option_##name == (value))

static void options_by_number(void) {
  OPTION(0, show_errors);
  OPTION(1, show_stats);
  OPTION(2, verbose);
  OPTION(3, deprecated_eager_commit);
  OPTION(4, arena_eager_commit);
  OPTION(5, purge_decommits);
  OPTION(6, allow_large_os_pages);
  OPTION(7, reserve_huge_os_pages);
  OPTION(8, reserve_huge_os_pages_at);
  OPTION(9, reserve_os_memory);
  OPTION(10, deprecated_segment_cache);
  OPTION(11, deprecated_page_reset);
  OPTION(12, deprecated_abandoned_page_purge);
  OPTION(13, deprecated_segment_reset);
  OPTION(14, deprecated_eager_commit_delay);
  OPTION(15, purge_delay);
  OPTION(16, use_numa_nodes);
  OPTION(17, disallow_os_alloc);
  OPTION(18, os_tag);
  OPTION(19, max_errors);
  OPTION(20, max_warnings);
  OPTION(21, deprecated_max_segment_reclaim);
  OPTION(22, destroy_on_exit);
  OPTION(23, arena_reserve);
  OPTION(24, arena_purge_mult);
  OPTION(25, deprecated_purge_extend_delay);
  OPTION(26, disallow_arena_alloc);
  OPTION(27, retry_on_oom);
  OPTION(28, deprecated_visit_abandoned);
  OPTION(29, guarded_min);
  OPTION(30, guarded_max);
  OPTION(31, unsafe_guarded_precise);
  OPTION(32, guarded_sample_rate);
  OPTION(33, guarded_sample_seed);
  OPTION(34, generic_collect);
  OPTION(35, page_reclaim_on_free);
  OPTION(36, page_full_retain);
  OPTION(37, page_max_candidates);
  OPTION(38, max_vabits);
  OPTION(39, pagemap_commit);
  OPTION(40, page_commit_on_demand);
  OPTION(41, page_max_reclaim);
  OPTION(42, page_cross_thread_max_reclaim);
  OPTION(43, allow_thp);
  OPTION(44, arena_purge_min_size);
  OPTION(45, arena_max_object_size);
  OPTION(46, arena_is_numa_local);
  OPTION(47, stats_merge_on_collect);
  OPTION(48, profile_alloc_interval);
  OPTION(49, profile_inuse_interval);
  OPTION(50, profile_time_interval);
  OPTION(51, profile_sample_rate);
  OPTION(52, stats_merge_threshold);
  OPTION(53, arena_purge_immediate_size);
  OPTION(54, purge_thread);
  OPTION(55, guarded_report);
  OPTION(56, harden);
  OPTION(57, secure_tags);
  OPTION(58, secure_shuffle);
  OPTION(59, secure_padding);
  OPTION(60, secure_zero);
  OPTION(61, secure_reuse);
  OPTION(62, abort_on_misuse);
  OPTION(63, secure_quarantine);
  OPTION(64, secure_quarantine_large);
  OPTION(66, dump_signal);
  OPTION(67, leaks);
  OPTION(68, purge_on_pressure);
  CHECK((int)_mi_option_last == 69);
  OPTION(4, eager_region_commit);
  OPTION(5, reset_decommits);
  OPTION(6, large_os_pages);
  OPTION(15, reset_delay);
  OPTION(17, limit_os_alloc);
  OPTION(25, decommit_extend_delay);
  OPTION(28, visit_abandoned);
  OPTION(31, guarded_precise);
  OPTION(35, abandoned_reclaim_on_free);
  OPTION(44, minimal_purge_size);
}

static void areas(void) {
  AT(mi_heap_area_t, blocks, 0);
  AT(mi_heap_area_t, reserved, sizeof(void*));
  AT(mi_heap_area_t, committed, 2 * sizeof(void*));
  AT(mi_heap_area_t, used, 3 * sizeof(void*));
  AT(mi_heap_area_t, block_size, 4 * sizeof(void*));
  AT(mi_heap_area_t, full_block_size, 5 * sizeof(void*));
  AT(mi_heap_area_t, reserved1, 6 * sizeof(void*));
  CHECK(sizeof(mi_heap_area_t) == 7 * sizeof(void*));
}

static void stats(void) {
  CHECK(sizeof(mi_stat_count_t) == 24 && sizeof(mi_stat_counter_t) == 8);
  AT(mi_stat_count_t, total, 0);
  AT(mi_stat_count_t, peak, 8);
  AT(mi_stat_count_t, current, 16);
  // In the order of the interface: each field begins where the one before ends.
  size_t offset = 2 * sizeof(size_t);
  AT(mi_stats_t, size, 0);
  AT(mi_stats_t, version, sizeof(size_t));
#define COUNT(field) CHECK(offsetof(mi_stats_t, field) == offset); offset += sizeof(mi_stat_count_t);
#define COUNTER(field) CHECK(offsetof(mi_stats_t, field) == offset); offset += sizeof(mi_stat_counter_t);
#include "../statistics.h"
#undef COUNT
#undef COUNTER
  size_t listed = 2 * sizeof(size_t);
#define MI_STAT_COUNT(field) CHECK(offsetof(mi_stats_t, field) == listed); listed += sizeof(mi_stat_count_t);
#define MI_STAT_COUNTER(field) CHECK(offsetof(mi_stats_t, field) == listed); listed += sizeof(mi_stat_counter_t);
  MI_STAT_FIELDS()
#undef MI_STAT_COUNT
#undef MI_STAT_COUNTER
  CHECK(listed == offset);
  AT(mi_stats_t, _stat_reserved, offset);
  AT(mi_stats_t, _stat_counter_reserved, offset + 4 * 24);
  offset += 4 * 24 + 4 * 8;
  AT(mi_stats_t, malloc_bins, offset);
  AT(mi_stats_t, page_bins, offset + 74 * 24);
  AT(mi_stats_t, chunk_bins, offset + 2 * 74 * 24);
  CHECK(sizeof(mi_stats_t) == offset + (2 * 74 + 6) * 24);
  CHECK(MI_STAT_VERSION == 6);
  mi_stats_t_decl(declared);
  CHECK(declared.size == sizeof(mi_stats_t) && declared.version == MI_STAT_VERSION && declared.pages.total == 0);
  declared.size = declared.version = 0;
  declared.pages.total = 1;
  mi_stats_header_init(&declared);
  CHECK(declared.size == sizeof(mi_stats_t) && declared.version == MI_STAT_VERSION && declared.pages.total == 1);
  mi_stats_init(&declared);
  CHECK(declared.size == sizeof(mi_stats_t) && declared.version == MI_STAT_VERSION && declared.pages.total == 0);
  CHECK(MI_CBIN_SMALL == 0 && MI_CBIN_OTHER == 1 && MI_CBIN_MEDIUM == 2 && MI_CBIN_LARGE == 3 && MI_CBIN_HUGE == 4);
  CHECK(MI_CBIN_NONE == 5 && MI_CBIN_COUNT == 6);
}

void layout(void) {
  CHECK(MI_MALLOC_VERSION == 30600 && mi_version() == 30600);
  CHECK(MI_SMALL_WSIZE_MAX == 128 && MI_SMALL_SIZE_MAX == 128 * sizeof(void*));
  CHECK(sizeof(mi_arena_id_t) == sizeof(void*) && sizeof(mi_subproc_id_t) == sizeof(void*));
  options_by_number();
  areas();
  stats();
  int functions = 0;
#define FUNCTION(result, name, parameters, exceptions) functions += (void (*)(void))name != NULL;
#include "../functions.h"
  CHECK(functions == 223);
}
