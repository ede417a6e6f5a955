// mimalloc's statistics.
#pragma once
#ifndef MIMALLOC_STATS_H
#define MIMALLOC_STATS_H

#include "mimalloc.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define MI_STAT_VERSION 5  // rises when the layout below changes

/// Something that rises and falls.
typedef struct mi_stat_count_s {
  int64_t total;    // all that ever came
  int64_t peak;     // the most at one time
  int64_t current;  // what is there now
} mi_stat_count_t;

/// Something that only rises.
typedef struct mi_stat_counter_s {
  int64_t total;
} mi_stat_counter_t;

#define MI_BIN_HUGE 73   // the bin of blocks that have a page of their own
#define MI_CBIN_COUNT 6  // small, other, medium, large, huge, none

// What is in use is exact when nothing runs. malloc_normal, malloc_huge and malloc_bins: the total, and the count of
// blocks, may be ahead by some of the blocks that were ready to be given out, never behind; the peak is the most that was in use when
// somebody asked for the statistics. chunk_bins shows this moment only.
typedef struct mi_stats_s {
  size_t size;                                    // sizeof(mi_stats_t)
  size_t version;                                 // MI_STAT_VERSION
  mi_stat_count_t pages;                          // mimalloc pages
  mi_stat_count_t reserved;                       // bytes of address space reserved from the OS
  mi_stat_count_t committed;                      // bytes committed
  mi_stat_counter_t reset;                        // bytes reset (still committed, contents given up)
  mi_stat_counter_t purged;                       // bytes purged
  mi_stat_count_t page_committed;                 // bytes committed inside pages
  mi_stat_count_t pages_abandoned;                // abandoned pages
  mi_stat_count_t threads;                        // threads
  mi_stat_count_t malloc_normal;                  // bytes in blocks up to the large object maximum
  mi_stat_count_t malloc_huge;                    // bytes in singleton pages
  mi_stat_count_t malloc_requested;               // bytes as requested by the program: not kept, always 0
  mi_stat_counter_t mmap_calls;                   // OS allocation calls
  mi_stat_counter_t commit_calls;                 // OS commit calls
  mi_stat_counter_t reset_calls;                  // OS reset calls
  mi_stat_counter_t purge_calls;                  // OS purge calls
  mi_stat_counter_t arena_count;                  // arenas
  mi_stat_counter_t malloc_normal_count;          // blocks up to the large object maximum, ever
  mi_stat_counter_t malloc_huge_count;            // blocks in singleton pages, ever
  mi_stat_counter_t malloc_guarded_count;         // blocks with a guard page
  mi_stat_counter_t arena_rollback_count;         // arena claims that were rolled back
  mi_stat_counter_t arena_purges;                 // purges over an arena
  mi_stat_counter_t pages_extended;               // page extensions
  mi_stat_counter_t pages_retire;                 // pages retired
  mi_stat_counter_t page_searches;                // pages looked at in searches for a fresh page
  mi_stat_counter_t page_searches_count;          // such searches
  mi_stat_count_t segments;                       // v1/v2 only; always 0
  mi_stat_count_t segments_abandoned;             // v1/v2 only; always 0
  mi_stat_count_t segments_cache;                 // v1/v2 only; always 0
  mi_stat_count_t _segments_reserved;             // v1/v2 only; always 0
  mi_stat_count_t heaps;                          // first-class heaps
  mi_stat_count_t theaps;                         // thread-local heaps
  mi_stat_counter_t pages_reclaim_on_alloc;       // abandoned pages reclaimed by an allocation
  mi_stat_counter_t pages_reclaim_on_free;        // abandoned pages reclaimed by a free
  mi_stat_counter_t pages_reabandon_full;         // full pages abandoned again
  mi_stat_counter_t pages_unabandon_busy_wait;    // waits for a page being unabandoned
  mi_stat_counter_t heaps_delete_wait;            // waits in a heap's deletion
  mi_stat_count_t malloc_bins[MI_BIN_HUGE + 1];   // bytes per size bin
  mi_stat_count_t page_bins[MI_BIN_HUGE + 1];     // pages per size bin
  mi_stat_count_t chunk_bins[MI_CBIN_COUNT];      // arena chunks: small, other, medium, large, huge, none
} mi_stats_t;

#if defined(__cplusplus)
#define MI_STATS_ZERO {}
#else
#define MI_STATS_ZERO {0}
#endif

/// Declares a mi_stats_t that is ready for mi_stats_get.
#define mi_stats_t_decl(name)      \
  mi_stats_t name = MI_STATS_ZERO; \
  name.size = sizeof(mi_stats_t);  \
  name.version = MI_STAT_VERSION;

// --- Statistics ---------------------------------------------------------------------------------------------------------

/// The statistics of the current subprocess; stats->size and stats->version must be set (see mi_stats_t_decl).
mi_decl_export bool mi_stats_get(mi_stats_t* stats) mi_attr_noexcept;
/// The statistics of the current subprocess as JSON: in buf, or if that is NULL in a block to be freed by mi_free.
mi_decl_nodiscard mi_decl_export char* mi_stats_get_json(size_t buf_size, char* buf) mi_attr_noexcept;
/// Statistics as JSON.
mi_decl_nodiscard mi_decl_export char* mi_stats_as_json(mi_stats_t* stats, size_t buf_size, char* buf)
    mi_attr_noexcept;
/// The block size of a bin of malloc_bins or page_bins.
mi_decl_nodiscard mi_decl_export size_t mi_stats_get_bin_size(size_t bin) mi_attr_noexcept;
/// The statistics of a heap.
mi_decl_export bool mi_heap_stats_get(mi_heap_t* heap, mi_stats_t* stats) mi_attr_noexcept;
/// The statistics of a heap as JSON.
mi_decl_nodiscard mi_decl_export char* mi_heap_stats_get_json(mi_heap_t* heap, size_t buf_size, char* buf)
    mi_attr_noexcept;
/// Prints the statistics of a heap.
mi_decl_export void mi_heap_stats_print_out(mi_heap_t* heap, mi_output_fun* out, void* arg) mi_attr_noexcept;
/// Adds a heap's statistics to its subprocess' and clears them.
mi_decl_export void mi_heap_stats_merge_to_subproc(mi_heap_t* heap);
/// The statistics of a subprocess with those of its heaps.
mi_decl_export bool mi_subproc_stats_get(mi_subproc_id_t subproc_id, mi_stats_t* stats) mi_attr_noexcept;
/// The statistics of a subprocess without those of its heaps.
mi_decl_export bool mi_subproc_stats_get_exclusive(mi_subproc_id_t subproc_id, mi_stats_t* stats) mi_attr_noexcept;
/// The statistics of a subprocess with those of its heaps, as JSON.
mi_decl_nodiscard mi_decl_export char* mi_subproc_stats_get_json(mi_subproc_id_t subproc_id, size_t buf_size, char*
    buf) mi_attr_noexcept;
/// Prints the statistics of a subprocess with those of its heaps.
mi_decl_export void mi_subproc_stats_print_out(mi_subproc_id_t subproc_id, mi_output_fun* out, void* arg)
    mi_attr_noexcept;
/// Prints the statistics of a subprocess and of each of its heaps.
mi_decl_export void mi_subproc_heap_stats_print_out(mi_subproc_id_t subproc_id, mi_output_fun* out, void* arg)
    mi_attr_noexcept;

#if defined(__cplusplus)
}
#endif
#endif
