// mimalloc's statistics.
#pragma once
#ifndef MIMALLOC_STATS_H
#define MIMALLOC_STATS_H

#include "mimalloc.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define MI_STAT_VERSION 6  // rises when the layout below changes

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

#define MI_BIN_HUGE 73  // the bin of blocks that have a page of their own

/// What the chunks of an arena are kept for.
typedef enum mi_chunkbin_e {
  MI_CBIN_SMALL,   // pages of one slice
  MI_CBIN_OTHER,   // pages of other sizes
  MI_CBIN_MEDIUM,  // pages of 8 slices
  MI_CBIN_LARGE,   // pages of 64 slices: there are none here
  MI_CBIN_HUGE,    // blocks of more slices than a chunk has
  MI_CBIN_NONE,    // free
  MI_CBIN_COUNT
} mi_chunkbin_t;

// What is in use is exact when nothing runs. allocated, malloc_normal, malloc_huge and malloc_bins: the total, and the count of
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
  mi_stat_count_t allocated;                      // bytes in blocks
  mi_stat_counter_t malloc_count;                 // blocks that were given out, ever
  mi_stat_counter_t free_count;                   // of these, blocks that were freed
  mi_stat_counter_t freed;                        // bytes of blocks that were freed
  mi_stat_counter_t malloc_requested;             // bytes that were asked for: in a debug build, otherwise 0
  mi_stat_counter_t mmap_calls;                   // OS allocation calls
  mi_stat_counter_t commit_calls;                 // OS commit calls
  mi_stat_counter_t reset_calls;                  // OS reset calls
  mi_stat_counter_t purge_calls;                  // OS purge calls
  mi_stat_counter_t arena_count;                  // arenas
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
  mi_stat_count_t pages_os_abandoned;             // always 0: there is no list of such pages here
  mi_stat_count_t pages_os_allocated;             // pages outside of arenas; the total is not kept
  mi_stat_counter_t pages_reclaim_on_alloc;       // abandoned pages reclaimed by an allocation
  mi_stat_counter_t pages_reclaim_on_free;        // abandoned pages reclaimed by a free
  mi_stat_counter_t pages_reabandon_full;         // full pages abandoned again
  mi_stat_counter_t pages_unabandon_busy_wait;    // waits for a page being unabandoned
  mi_stat_counter_t pages_unown_cas_retry;        // always 0: not counted
  mi_stat_counter_t heaps_delete_wait;            // always 0: the end of a heap waits for nobody
  mi_stat_counter_t pages_stat_updates;           // always 0: there are none here
  mi_stat_counter_t pages_stat_update_count;      // always 0: there are none here
  mi_stat_counter_t profile_samples;              // allocations that a profiler has heard of
  mi_stat_count_t malloc_normal;                  // deprecated: bytes in blocks up to the large object maximum
  mi_stat_count_t malloc_huge;                    // deprecated: bytes in singleton pages
  mi_stat_counter_t malloc_normal_count;          // deprecated: blocks up to the large object maximum, ever
  mi_stat_counter_t malloc_huge_count;            // deprecated: blocks in singleton pages, ever
  mi_stat_count_t _stat_reserved[4];              // for later versions
  mi_stat_counter_t _stat_counter_reserved[4];    // for later versions
  mi_stat_count_t malloc_bins[MI_BIN_HUGE + 1];   // bytes per size bin
  mi_stat_count_t page_bins[MI_BIN_HUGE + 1];     // pages per size bin
  mi_stat_count_t chunk_bins[MI_CBIN_COUNT];      // arena chunks: small, other, medium, large, huge, none
} mi_stats_t;

/// The fields of mi_stats_t up to its arrays, in their order: for a program that has MI_STAT_COUNT and MI_STAT_COUNTER say what of each.
#define MI_STAT_FIELDS()                                                                                                     \
  MI_STAT_COUNT(pages) MI_STAT_COUNT(reserved) MI_STAT_COUNT(committed) MI_STAT_COUNTER(reset) MI_STAT_COUNTER(purged)       \
  MI_STAT_COUNT(page_committed) MI_STAT_COUNT(pages_abandoned) MI_STAT_COUNT(threads) MI_STAT_COUNT(allocated)               \
  MI_STAT_COUNTER(malloc_count) MI_STAT_COUNTER(free_count) MI_STAT_COUNTER(freed) MI_STAT_COUNTER(malloc_requested)         \
  MI_STAT_COUNTER(mmap_calls) MI_STAT_COUNTER(commit_calls) MI_STAT_COUNTER(reset_calls) MI_STAT_COUNTER(purge_calls)        \
  MI_STAT_COUNTER(arena_count) MI_STAT_COUNTER(malloc_guarded_count) MI_STAT_COUNTER(arena_rollback_count)                   \
  MI_STAT_COUNTER(arena_purges) MI_STAT_COUNTER(pages_extended) MI_STAT_COUNTER(pages_retire) MI_STAT_COUNTER(page_searches) \
  MI_STAT_COUNTER(page_searches_count) MI_STAT_COUNT(segments) MI_STAT_COUNT(segments_abandoned)                             \
  MI_STAT_COUNT(segments_cache) MI_STAT_COUNT(_segments_reserved) MI_STAT_COUNT(heaps) MI_STAT_COUNT(theaps)                 \
  MI_STAT_COUNT(pages_os_abandoned) MI_STAT_COUNT(pages_os_allocated) MI_STAT_COUNTER(pages_reclaim_on_alloc)                \
  MI_STAT_COUNTER(pages_reclaim_on_free) MI_STAT_COUNTER(pages_reabandon_full) MI_STAT_COUNTER(pages_unabandon_busy_wait)    \
  MI_STAT_COUNTER(pages_unown_cas_retry) MI_STAT_COUNTER(heaps_delete_wait) MI_STAT_COUNTER(pages_stat_updates)              \
  MI_STAT_COUNTER(pages_stat_update_count) MI_STAT_COUNTER(profile_samples) MI_STAT_COUNT(malloc_normal)                     \
  MI_STAT_COUNT(malloc_huge) MI_STAT_COUNTER(malloc_normal_count) MI_STAT_COUNTER(malloc_huge_count)

/// Says which version of the struct this is, as mi_stats_get wants to know.
static inline void mi_stats_header_init(mi_stats_t* stats) {
  stats->size = sizeof(*stats);
  stats->version = MI_STAT_VERSION;
}

/// Makes a struct ready for mi_stats_get, all zero.
static inline void mi_stats_init(mi_stats_t* stats) {
#if defined(__cplusplus)
  *stats = mi_stats_t();
#else
  *stats = (mi_stats_t){0};
#endif
  mi_stats_header_init(stats);
}

/// Declares a mi_stats_t that is ready for mi_stats_get.
#define mi_stats_t_decl(name) \
  mi_stats_t name;            \
  mi_stats_init(&name);

// --- Statistics ---------------------------------------------------------------------------------------------------------

/// The statistics of the current subprocess; stats->size and stats->version must be set (see mi_stats_t_decl).
mi_decl_export bool mi_stats_get(mi_stats_t* stats) mi_attr_noexcept;
/// The statistics of the current subprocess as JSON: in buf, or if that is NULL in a block to be freed by mi_free.
mi_decl_nodiscard mi_decl_export char* mi_stats_get_json(size_t buf_size, char* buf) mi_attr_noexcept;
/// Statistics as JSON.
mi_decl_nodiscard mi_decl_export char* mi_stats_as_json(mi_stats_t* stats, size_t buf_size, char* buf)
    mi_attr_noexcept;
/// Writes what is where to a new file, as JSON: arenas and the pages in them, what is free, and what of it is in memory. False if
/// the file is there already or cannot be written. Nothing is allocated for it and nobody is waited for: other threads go on, and
/// what they change meanwhile may be shown as it was before or after. docs/pictures.md has the format, and what draws it.
mi_decl_export bool mi_heaps_dump_json(const char* file_name) mi_attr_noexcept;
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
/// What the current thread's theap has counted, and has in its pages. What has become of large blocks, which no thread owns, and
/// of pages that it gave up, it does not know: free_count and freed are 0.
mi_decl_export bool mi_theap_stats_get(mi_theap_t* theap, mi_stats_t* stats) mi_attr_noexcept;
/// Adds what the current thread's theap has counted to its heap's statistics, and begins anew. A heap's statistics have it in
/// them in any case.
mi_decl_export void mi_theap_stats_merge_to_heap(mi_theap_t* theap) mi_attr_noexcept;
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
