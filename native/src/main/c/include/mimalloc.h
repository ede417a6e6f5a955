// mimalloc: a memory allocator. This is its C interface; link with libmimalloc or compile mimalloc.c.
//
// Sizes are bytes. A function that allocates returns NULL when there is no memory, and sets errno. All functions may be
// called from any thread at any time, but for those of theaps, which belong to one thread.
#pragma once
#ifndef MIMALLOC_H
#define MIMALLOC_H

#define MI_MALLOC_VERSION 30600  // 3.6.0

// --- How functions are declared ---------------------------------------------------------------------------------------

#if defined(__cplusplus)
#define mi_attr_noexcept noexcept
#else
#define mi_attr_noexcept
#endif

#if defined(__cplusplus) && __cplusplus >= 201703L
#define mi_decl_nodiscard [[nodiscard]]
#elif defined(__GNUC__)
#define mi_decl_nodiscard __attribute__((warn_unused_result))
#else
#define mi_decl_nodiscard
#endif

// On Windows MI_SHARED_LIB says that the functions come from a DLL, and with MI_SHARED_LIB_EXPORT that this is the DLL.
#if defined(_WIN32) && defined(MI_SHARED_LIB) && defined(MI_SHARED_LIB_EXPORT)
#define mi_decl_export __declspec(dllexport)
#elif defined(_WIN32) && defined(MI_SHARED_LIB)
#define mi_decl_export __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define mi_decl_export __attribute__((visibility("default")))
#else
#define mi_decl_export
#endif

#if defined(__GNUC__)
#define mi_attr_malloc __attribute__((malloc))
#define mi_attr_alloc_size(size) __attribute__((alloc_size(size)))
#define mi_attr_alloc_size2(count, size) __attribute__((alloc_size(count, size)))
#define mi_attr_alloc_align(alignment) __attribute__((alloc_align(alignment)))
#else
#define mi_attr_malloc
#define mi_attr_alloc_size(size)
#define mi_attr_alloc_size2(count, size)
#define mi_attr_alloc_align(alignment)
#endif
#define mi_cdecl
#define mi_decl_restrict

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

// --- Types ------------------------------------------------------------------------------------------------------------

/// The largest size for the functions that end with _small.
#define MI_SMALL_WSIZE_MAX (128)
#define MI_SMALL_SIZE_MAX (MI_SMALL_WSIZE_MAX * sizeof(void*))

/// A heap: blocks that can be visited, counted and freed together.
typedef struct mi_heap_s mi_heap_t;
/// A thread's part of a heap.
typedef struct mi_theap_s mi_theap_t;
/// An arena: a large range of memory.
typedef void* mi_arena_id_t;
/// A subprocess: everything that is otherwise global.
typedef struct {
  void* _mi_subproc_id;  // NULL for none
} mi_subproc_id_t;

/// An area of a heap: a page with blocks of one size.
typedef struct mi_heap_area_s {
  void* blocks;            // where its blocks begin
  size_t reserved;         // bytes for blocks
  size_t committed;        // of these, bytes in use so far
  size_t used;             // blocks in use
  size_t block_size;       // bytes of a block that may be used
  size_t full_block_size;  // from one block to the next
  void* reserved1;         // internal
} mi_heap_area_t;

typedef void(mi_cdecl mi_deferred_free_fun)(bool force, unsigned long long heartbeat, void* arg);
typedef void(mi_cdecl mi_output_fun)(const char* msg, void* arg);
typedef void(mi_cdecl mi_error_fun)(int err, void* arg);
typedef bool(mi_cdecl mi_block_visit_fun)(const mi_heap_t* heap, const mi_heap_area_t* area, void* block,
                                          size_t block_size, void* arg);
typedef bool(mi_cdecl mi_heap_visit_fun)(mi_heap_t* heap, void* arg);
typedef bool(mi_cdecl mi_commit_fun_t)(bool commit, void* start, size_t size, bool* is_zero, void* user_arg);

/// Options, with what they are when nobody sets them. The environment sets an option by MIMALLOC_ and its name in
/// capitals; sizes may end with K, M, G or T.
///
/// destroy_on_exit: at the end of the process, and of a plugin that has the library inside, after all other destructors,
/// all memory goes back to the system, and no block may be used any more; to free one is no harm. Where malloc itself is
/// replaced, libc and others have blocks to the very end: there memory only goes as a whole if no block is alive, and
/// otherwise what is free of it. Without the option a plugin's memory also goes when no block of it is alive.
///
/// purge_thread: one thread, with all signals blocked, gives free memory back in time also if nobody allocates or frees any
/// more. It starts with an early allocation, sleeps until something is due, without an end in a program that has been silent
/// for 12 s, and ends with the library. A child of a fork starts its own. It looks after the main subprocess.
/// mi_purge_thread_start and mi_purge_thread_stop do the same by a call.
///
/// purge_on_pressure: the same thread looks four times a second, on Linux, whether memory is scarce: the process' cgroup of
/// version 2 has all but a sixteenth of memory.high or memory.max, files that it does not use left aside; or tasks have waited for
/// memory for 150 ms within a second. Then all that is free goes back at once, at most every 4 s. mi_purge_thread_stop unsets it.
typedef enum mi_option_e {
  mi_option_show_errors,                          // Prints errors and warnings. (0)
  mi_option_show_stats,                           // Prints statistics when the process ends. (0)
  mi_option_verbose,                              // Prints the options at the start, statistics at the end, errors and warnings. (0)
  mi_option_deprecated_eager_commit,              // No effect any more. (1)
  mi_option_arena_eager_commit,                   // Commits an arena at once: 0 no, 1 yes, 2 by steps of 2 MiB where the system overcommits. (2)
  mi_option_purge_decommits,                      // A purge decommits memory; 0: the system takes it when it needs it, until then it counts as resident. (1)
  mi_option_allow_large_os_pages,                 // Uses OS pages of 2 MiB, which the system must have reserved. (0)
  mi_option_reserve_huge_os_pages,                // OS pages of 1 GiB to reserve at the start. (0)
  mi_option_reserve_huge_os_pages_at,             // The NUMA node of the pages of 1 GiB; -1 for all nodes in equal parts. (-1)
  mi_option_reserve_os_memory,                    // Memory to reserve at the start, in KiB. (0 KiB)
  mi_option_deprecated_segment_cache,             // No effect any more. (0)
  mi_option_deprecated_page_reset,                // No effect any more. (0)
  mi_option_deprecated_abandoned_page_purge,      // No effect any more. (0)
  mi_option_deprecated_segment_reset,             // No effect any more. (0)
  mi_option_deprecated_eager_commit_delay,        // No effect any more. (1)
  mi_option_purge_delay,                          // Milliseconds, once to twice, until free memory goes back to the system; 0 at once, -1 never. (1000)
  mi_option_use_numa_nodes,                       // The number of NUMA nodes to act for; 0 asks the system. (0)
  mi_option_disallow_os_alloc,                    // Takes no memory from the system beyond what was reserved. (0)
  mi_option_os_tag,                               // No effect: the tag of memory from the system, which only macOS has. (100)
  mi_option_max_errors,                           // The most errors that are printed; -1 for all. (32)
  mi_option_max_warnings,                         // The most warnings that are printed; -1 for all. (32)
  mi_option_deprecated_max_segment_reclaim,       // No effect any more. (10)
  mi_option_destroy_on_exit,                      // Frees all memory when the process ends. No effect on the JVM, whose threads run to its very end. (0)
  mi_option_arena_reserve,                        // Addresses that an arena reserves, in KiB; memory is taken only where it is used. (1048576 KiB)
  mi_option_arena_purge_mult,                     // Free memory of arenas waits purge_delay times this number. C mimalloc 3.6 has 4. (1)
  mi_option_deprecated_purge_extend_delay,        // No effect any more. (1)
  mi_option_disallow_arena_alloc,                 // Takes each page straight from the system, not from arenas. (0)
  mi_option_retry_on_oom,                         // No effect: milliseconds to try again when there is no memory, on Windows. (400)
  mi_option_deprecated_visit_abandoned,           // No effect: abandoned blocks can always be visited. (1)
  mi_option_guarded_min,                          // The smallest block that is guarded, in bytes. (0)
  mi_option_guarded_max,                          // The largest block that is guarded, in bytes. (1073741824)
  mi_option_unsafe_guarded_precise,               // A guarded block ends exactly at its guard page, and so may begin at any address. (0)
  mi_option_guarded_sample_rate,                  // Of how many blocks one, on average, ends at a page that cannot be touched; 0 guards none. (0)
  mi_option_guarded_sample_seed,                  // Where the random numbers of each thread begin that choose the guarded blocks; 0 for anywhere. (0)
  mi_option_generic_collect,                      // Allocations that had to look for a page, after which a thread collects its empty pages. (10000)
  mi_option_page_reclaim_on_free,                 // A free takes over an abandoned page: -1 never, 0 if its thread had it, 1 always. C mimalloc 3.6 has 1. (0)
  mi_option_page_full_retain,                     // Full pages of a size that a thread keeps, of small blocks in proportion; -1 for all. (2)
  mi_option_page_max_candidates,                  // Pages that are looked at to find the fullest one. (4)
  mi_option_max_vabits,                           // No effect: addresses of 48 bits are always covered. (0)
  mi_option_pagemap_commit,                       // No effect: each table of the page map is committed as a whole when it is first needed. (0)
  mi_option_page_commit_on_demand,                // No effect: a page is committed as a whole, and backed where it is touched. (0)
  mi_option_page_max_reclaim,                     // A free takes over a page only by a thread with fewer pages of its size; -1 for any number. (-1)
  mi_option_page_cross_thread_max_reclaim,        // A free takes over another thread's page only by a thread with fewer pages of its size. (32)
  mi_option_allow_thp,                            // Transparent huge pages: 0 none in the process, 1 where they pay, 2 for all memory. C mimalloc 3.6 has 2. (1)
  mi_option_arena_purge_min_size,                 // Nothing smaller is purged, in KiB. (0 KiB)
  mi_option_arena_max_object_size,                // Larger blocks come straight from the system, in KiB. (2097152 KiB)
  mi_option_arena_is_numa_local,                  // Ties an arena to the NUMA node of the thread that reserves it; threads of other nodes use it last. (0)
  mi_option_stats_merge_on_collect,               // No effect: what a heap's statistics say always has its theaps' in it. (1)
  mi_option_profile_alloc_interval,               // Bytes allocated from one file of MIMALLOC_PROFILE to the next; 0 for any. No effect on the JVM. (1073741824)
  mi_option_profile_inuse_interval,               // Bytes of growth from one such file to the next; 0 for any. No effect on the JVM. (0)
  mi_option_profile_time_interval,                // Seconds from one such file to the next; 0 for any. No effect on the JVM. (0)
  mi_option_profile_sample_rate,                  // Of how many bytes MIMALLOC_PROFILE samples one, on average; 0 as the default. No effect on the JVM. (524288)
  mi_option_stats_merge_threshold,                // No effect: see stats_merge_on_collect. (524288)
  mi_option_arena_purge_immediate_size,           // Pieces of this size and more are purged when they are free, in KiB. C mimalloc 3.6 has 32 MiB. (1073741824 KiB)
  mi_option_purge_thread,                         // A thread gives free memory back also if nobody calls. No effect on the JVM, which always has one. (0)
  mi_option_guarded_report,                       // A fault at a guarded block is reported with the block's story. No effect on the JVM. (1)
  mi_option_harden,                               // Hardens any build: 1 frees, 2 also overflows, 3 also use after free; 0 as the secure_ options say. (0)
  mi_option_secure_tags,                          // Frees are checked: of the start of a block, once. (0)
  mi_option_secure_shuffle,                       // A page's blocks are given out in random order. (0)
  mi_option_secure_padding,                       // Bytes behind each block show at its free that nobody wrote past its end. (0)
  mi_option_secure_zero,                          // A block is zeroed when it is freed. (0)
  mi_option_secure_reuse,                         // A block is given out again only if nobody has written to it since it was freed. (0)
  mi_option_abort_on_misuse,                      // Ends a C program at misuse: 0 never, 1 always, 2 if hardened, 3 if so and it is more than a free's form. (2)
  mi_option_secure_quarantine,                    // How much that was freed waits before it is given out again, in KiB, for each thread and heap. (0 KiB)
  mi_option_secure_quarantine_large,              // How many addresses of freed large blocks cannot be touched for a while, in KiB, for each thread and heap. (0 KiB)
  mi_option_profile_signal,                       // The number of a signal at which MIMALLOC_PROFILE writes a file; 0 for none. No effect on the JVM. (0)
  mi_option_dump_signal,                          // The number of a signal at which MIMALLOC_DUMP writes a file; 12 is USR2 on Linux. No effect on the JVM. (12)
  mi_option_leaks,                                // Prints at the end which calls' blocks are live: 1 all, else one byte in so many. No effect on the JVM. (0)
  mi_option_purge_on_pressure,                    // All free memory goes back when Linux is short of it, by the purge thread. No effect on the JVM. (0)
  _mi_option_last,
  // former names
  mi_option_eager_region_commit = mi_option_arena_eager_commit,
  mi_option_reset_decommits = mi_option_purge_decommits,
  mi_option_large_os_pages = mi_option_allow_large_os_pages,
  mi_option_reset_delay = mi_option_purge_delay,
  mi_option_limit_os_alloc = mi_option_disallow_os_alloc,
  mi_option_decommit_extend_delay = mi_option_deprecated_purge_extend_delay,
  mi_option_visit_abandoned = mi_option_deprecated_visit_abandoned,
  mi_option_guarded_precise = mi_option_unsafe_guarded_precise,
  mi_option_abandoned_reclaim_on_free = mi_option_page_reclaim_on_free,
  mi_option_minimal_purge_size = mi_option_arena_purge_min_size,
} mi_option_t;

// --- Allocation ---------------------------------------------------------------------------------------------------------

/// A block of at least size bytes, or NULL with errno set to ENOMEM. Size 0 gives a block, too.
mi_decl_nodiscard mi_decl_export void* mi_malloc(size_t size) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1);
/// Like mi_malloc, of zero bytes.
mi_decl_nodiscard mi_decl_export void* mi_zalloc(size_t size) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1);
/// A zeroed block for count elements of size bytes; NULL when their product overflows.
mi_decl_nodiscard mi_decl_export void* mi_calloc(size_t count, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size2(1, 2);
/// Like mi_calloc, but not zeroed.
mi_decl_nodiscard mi_decl_export void* mi_mallocn(size_t count, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size2(1, 2);
/// Gives the block newsize bytes, elsewhere if need be; p is left as it is when that fails. NULL for p allocates.
mi_decl_nodiscard mi_decl_export void* mi_realloc(void* p, size_t newsize) mi_attr_noexcept mi_attr_alloc_size(2);
/// Like mi_realloc, to count elements of size bytes.
mi_decl_nodiscard mi_decl_export void* mi_reallocn(void* p, size_t count, size_t size) mi_attr_noexcept
    mi_attr_alloc_size2(2, 3);
/// Like mi_realloc, but frees p when it fails.
mi_decl_nodiscard mi_decl_export void* mi_reallocf(void* p, size_t newsize) mi_attr_noexcept mi_attr_alloc_size(2);
/// Like mi_realloc, and the bytes beyond the old size are zero. The block must have been allocated zeroed. A block keeps no
/// smaller size than it was allocated with: what a call cuts off and a later one adds again has the old contents.
mi_decl_nodiscard mi_decl_export void* mi_rezalloc(void* p, size_t newsize) mi_attr_noexcept mi_attr_alloc_size(2);
/// Like mi_rezalloc, to newcount elements of size bytes.
mi_decl_nodiscard mi_decl_export void* mi_recalloc(void* p, size_t newcount, size_t size) mi_attr_noexcept
    mi_attr_alloc_size2(2, 3);
/// Gives the block newsize bytes where it lies: p, or NULL when it has no room for them.
mi_decl_nodiscard mi_decl_export void* mi_expand(void* p, size_t newsize) mi_attr_noexcept mi_attr_alloc_size(2);
/// Frees a block, from any thread. NULL is nothing to free.
mi_decl_export void mi_free(void* p) mi_attr_noexcept;
/// mi_malloc for sizes up to MI_SMALL_SIZE_MAX.
mi_decl_nodiscard mi_decl_export void* mi_malloc_small(size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(1);
/// mi_zalloc for sizes up to MI_SMALL_SIZE_MAX.
mi_decl_nodiscard mi_decl_export void* mi_zalloc_small(size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(1);
/// mi_free for a block of mi_malloc_small or mi_zalloc_small.
mi_decl_export void mi_free_small(void* p) mi_attr_noexcept;
/// mi_free_small, where p is not NULL.
mi_decl_export void mi_free_small_nonnull(void* p) mi_attr_noexcept;
/// mi_free_small for a block in a page of the current thread's.
mi_decl_export void mi_free_small_local(void* p) mi_attr_noexcept;
/// mi_free_small_local, where p is not NULL.
mi_decl_export void mi_free_small_local_nonnull(void* p) mi_attr_noexcept;
/// The id of the thread that owns the page of p just now, the same for all of its pages; 0 if no thread does, as of large blocks.
mi_decl_nodiscard mi_decl_export size_t mi_thread_id_of(const void* p) mi_attr_noexcept;
/// mi_free where the size asked for is known.
mi_decl_export void mi_free_size(void* p, size_t size) mi_attr_noexcept;
/// mi_free where the size and alignment asked for are known.
mi_decl_export void mi_free_size_aligned(void* p, size_t size, size_t alignment) mi_attr_noexcept;
/// mi_free where the alignment asked for is known.
mi_decl_export void mi_free_aligned(void* p, size_t alignment) mi_attr_noexcept;
/// How many bytes of the block may be used: at least what was asked for. 0 for NULL.
mi_decl_nodiscard mi_decl_export size_t mi_usable_size(const void* p) mi_attr_noexcept;
/// The usable size that a block for size bytes would have.
mi_decl_nodiscard mi_decl_export size_t mi_good_size(size_t size) mi_attr_noexcept;
/// A copy of the text; NULL for NULL.
mi_decl_nodiscard mi_decl_export char* mi_strdup(const char* s) mi_attr_noexcept mi_attr_malloc;
/// A copy of the text's first n bytes at most, with a zero after them.
mi_decl_nodiscard mi_decl_export char* mi_strndup(const char* s, size_t n) mi_attr_noexcept mi_attr_malloc;
/// The canonical absolute path of a file, as the C library's realpath, in a block of mi_malloc if resolved_name is
/// NULL.
mi_decl_nodiscard mi_decl_export char* mi_realpath(const char* fname, char* resolved_name) mi_attr_noexcept;

// --- Aligned: to a power of two; offset is how far into the block the aligned place lies --------------------------------

/// A block whose address is a multiple of alignment.
mi_decl_nodiscard mi_decl_export void* mi_malloc_aligned(size_t size, size_t alignment) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// A block whose address plus offset is a multiple of alignment.
mi_decl_nodiscard mi_decl_export void* mi_malloc_aligned_at(size_t size, size_t alignment, size_t offset)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1);
/// mi_malloc_aligned, zeroed.
mi_decl_nodiscard mi_decl_export void* mi_zalloc_aligned(size_t size, size_t alignment) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// mi_malloc_aligned_at, zeroed.
mi_decl_nodiscard mi_decl_export void* mi_zalloc_aligned_at(size_t size, size_t alignment, size_t offset)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1);
/// mi_calloc, aligned.
mi_decl_nodiscard mi_decl_export void* mi_calloc_aligned(size_t count, size_t size, size_t alignment) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size2(1, 2) mi_attr_alloc_align(3);
/// mi_calloc, aligned at an offset.
mi_decl_nodiscard mi_decl_export void* mi_calloc_aligned_at(size_t count, size_t size, size_t alignment, size_t
    offset) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size2(1, 2);
/// mi_realloc to an aligned block.
mi_decl_nodiscard mi_decl_export void* mi_realloc_aligned(void* p, size_t newsize, size_t alignment) mi_attr_noexcept
    mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_realloc to a block aligned at an offset.
mi_decl_nodiscard mi_decl_export void* mi_realloc_aligned_at(void* p, size_t newsize, size_t alignment, size_t offset)
    mi_attr_noexcept mi_attr_alloc_size(2);
/// mi_rezalloc to an aligned block.
mi_decl_nodiscard mi_decl_export void* mi_rezalloc_aligned(void* p, size_t newsize, size_t alignment) mi_attr_noexcept
    mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_rezalloc to a block aligned at an offset.
mi_decl_nodiscard mi_decl_export void* mi_rezalloc_aligned_at(void* p, size_t newsize, size_t alignment, size_t
    offset) mi_attr_noexcept mi_attr_alloc_size(2);
/// mi_recalloc to an aligned block.
mi_decl_nodiscard mi_decl_export void* mi_recalloc_aligned(void* p, size_t newcount, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_alloc_size2(2, 3) mi_attr_alloc_align(4);
/// mi_recalloc to a block aligned at an offset.
mi_decl_nodiscard mi_decl_export void* mi_recalloc_aligned_at(void* p, size_t newcount, size_t size, size_t alignment,
    size_t offset) mi_attr_noexcept mi_attr_alloc_size2(2, 3);

// --- Allocation that tells the size of the blocks -----------------------------------------------------------------------

/// mi_malloc; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_umalloc(size_t size, size_t* block_size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(1);
/// mi_calloc; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_ucalloc(size_t count, size_t size, size_t* block_size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size2(1, 2);
/// mi_realloc; the sizes of the old and of the new block are stored.
mi_decl_nodiscard mi_decl_export void* mi_urealloc(void* p, size_t newsize, size_t* block_size_pre, size_t*
    block_size_post) mi_attr_noexcept mi_attr_alloc_size(2);
/// mi_free; the block's size is stored in *block_size.
mi_decl_export void mi_ufree(void* p, size_t* block_size) mi_attr_noexcept;
/// mi_malloc_aligned; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_umalloc_aligned(size_t size, size_t alignment, size_t* block_size)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// mi_zalloc_aligned; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_uzalloc_aligned(size_t size, size_t alignment, size_t* block_size)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// mi_malloc_small; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_umalloc_small(size_t size, size_t* block_size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(1);
/// mi_zalloc_small; the block's size is stored in *block_size.
mi_decl_nodiscard mi_decl_export void* mi_uzalloc_small(size_t size, size_t* block_size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(1);

// --- Heaps: any thread may allocate in a heap and free its blocks -------------------------------------------------------

/// A new heap, or NULL.
mi_decl_nodiscard mi_decl_export mi_heap_t* mi_heap_new(void);
/// NULL: there are no heaps of this kind. The error function hears of ENOSYS.
mi_decl_nodiscard mi_decl_export mi_heap_t* mi_heap_new_qsbr(void);
/// A new heap that takes its memory from one arena only.
mi_decl_nodiscard mi_decl_export mi_heap_t* mi_heap_new_in_arena(mi_arena_id_t arena_id);
/// Ends a heap; the blocks that are still in use go over to the main heap.
mi_decl_export void mi_heap_delete(mi_heap_t* heap);
/// Ends a heap and frees all of its blocks at once.
mi_decl_export void mi_heap_destroy(mi_heap_t* heap);
/// Makes the heap prefer memory of a NUMA node; -1 for any.
mi_decl_export void mi_heap_set_numa_affinity(mi_heap_t* heap, int numa_node);
/// In a debug build, the first preserve bytes of the heap's blocks are not filled when they are allocated and freed; but the first
/// 16 of a free block are the allocator's. The number can only be raised, best before the first block.
mi_decl_export void mi_heap_set_debug_fill_preserve(mi_heap_t* heap, size_t preserve);
/// Frees what the heap holds without need; force also gives it back to the OS at once.
mi_decl_export void mi_heap_collect(mi_heap_t* heap, bool force);
/// The main heap, where mi_malloc allocates.
mi_decl_nodiscard mi_decl_export mi_heap_t* mi_heap_main(void);
/// The heap of a block; NULL when p is none of ours.
mi_decl_nodiscard mi_decl_export mi_heap_t* mi_heap_of(const void* p);
/// Does p point into a block of the heap?
mi_decl_nodiscard mi_decl_export bool mi_heap_contains(const mi_heap_t* heap, const void* p);
/// Does p point into a block of any heap?
mi_decl_nodiscard mi_decl_export bool mi_any_heap_contains(const void* p);
/// mi_malloc in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_malloc(mi_heap_t* theap, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2);
/// mi_zalloc in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_zalloc(mi_heap_t* heap, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2);
/// mi_calloc in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_calloc(mi_heap_t* heap, size_t count, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size2(2, 3);
/// mi_mallocn in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_mallocn(mi_heap_t* heap, size_t count, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size2(2, 3);
/// mi_malloc_small in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_malloc_small(mi_heap_t* heap, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(2);
/// mi_zalloc_small in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_zalloc_small(mi_heap_t* heap, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(2);
/// mi_realloc; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_realloc(mi_heap_t* heap, void* p, size_t newsize) mi_attr_noexcept
    mi_attr_alloc_size(3);
/// mi_reallocn; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_reallocn(mi_heap_t* heap, void* p, size_t count, size_t size)
    mi_attr_noexcept mi_attr_alloc_size2(3, 4);
/// mi_reallocf; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_reallocf(mi_heap_t* theap, void* p, size_t newsize) mi_attr_noexcept
    mi_attr_alloc_size(3);
/// mi_rezalloc; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_rezalloc(mi_heap_t* heap, void* p, size_t newsize) mi_attr_noexcept
    mi_attr_alloc_size(3);
/// mi_recalloc; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_recalloc(mi_heap_t* heap, void* p, size_t newcount, size_t size)
    mi_attr_noexcept mi_attr_alloc_size2(3, 4);
/// mi_strdup in a heap.
mi_decl_nodiscard mi_decl_export char* mi_heap_strdup(mi_heap_t* heap, const char* s) mi_attr_noexcept mi_attr_malloc;
/// mi_strndup in a heap.
mi_decl_nodiscard mi_decl_export char* mi_heap_strndup(mi_heap_t* heap, const char* s, size_t n) mi_attr_noexcept
    mi_attr_malloc;
/// mi_realpath in a heap.
mi_decl_nodiscard mi_decl_export char* mi_heap_realpath(mi_heap_t* heap, const char* fname, char* resolved_name)
    mi_attr_noexcept;
/// mi_malloc_aligned in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_malloc_aligned(mi_heap_t* heap, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_malloc_aligned_at in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_malloc_aligned_at(mi_heap_t* heap, size_t size, size_t alignment,
    size_t offset) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2);
/// mi_zalloc_aligned in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_zalloc_aligned(mi_heap_t* heap, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_zalloc_aligned_at in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_zalloc_aligned_at(mi_heap_t* heap, size_t size, size_t alignment,
    size_t offset) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2);
/// mi_calloc_aligned in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_calloc_aligned(mi_heap_t* heap, size_t count, size_t size, size_t
    alignment) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size2(2, 3) mi_attr_alloc_align(4);
/// mi_calloc_aligned_at in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_calloc_aligned_at(mi_heap_t* heap, size_t count, size_t size, size_t
    alignment, size_t offset) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size2(2, 3);
/// mi_realloc_aligned; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_realloc_aligned(mi_heap_t* heap, void* p, size_t newsize, size_t
    alignment) mi_attr_noexcept mi_attr_alloc_size(3) mi_attr_alloc_align(4);
/// mi_realloc_aligned_at; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_realloc_aligned_at(mi_heap_t* heap, void* p, size_t newsize, size_t
    alignment, size_t offset) mi_attr_noexcept mi_attr_alloc_size(3);
/// mi_rezalloc_aligned; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_rezalloc_aligned(mi_heap_t* heap, void* p, size_t newsize, size_t
    alignment) mi_attr_noexcept mi_attr_alloc_size(3) mi_attr_alloc_align(4);
/// mi_rezalloc_aligned_at; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_rezalloc_aligned_at(mi_heap_t* heap, void* p, size_t newsize, size_t
    alignment, size_t offset) mi_attr_noexcept mi_attr_alloc_size(3);
/// mi_recalloc_aligned; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_recalloc_aligned(mi_heap_t* heap, void* p, size_t newcount, size_t
    size, size_t alignment) mi_attr_noexcept mi_attr_alloc_size2(3, 4) mi_attr_alloc_align(5);
/// mi_recalloc_aligned_at; a block that has to move moves into the heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_recalloc_aligned_at(mi_heap_t* heap, void* p, size_t newcount, size_t
    size, size_t alignment, size_t offset) mi_attr_noexcept mi_attr_alloc_size2(3, 4);

// --- Theaps: a thread's own part of a heap; only that thread may use it -------------------------------------------------
//
// In a destructor of thread-specific data that runs after the library's own a thread has no theap any more: the first three
// give NULL, as there may be no other round of destructors that would give it back. mi_malloc and mi_heap_malloc serve there.

/// The current thread's theap of a heap.
mi_decl_nodiscard mi_decl_export mi_theap_t* mi_heap_theap(mi_heap_t* heap);
/// Makes mi_malloc in this thread allocate in the theap; returns the one before.
mi_decl_export mi_theap_t* mi_theap_set_default(mi_theap_t* theap);
/// The theap in which mi_malloc allocates in this thread.
mi_decl_nodiscard mi_decl_export mi_theap_t* mi_theap_get_default(void);
/// Frees what the theap holds without need.
mi_decl_export void mi_theap_collect(mi_theap_t* theap, bool force) mi_attr_noexcept;
/// mi_malloc in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_malloc(mi_theap_t* theap, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2);
/// mi_zalloc in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_zalloc(mi_theap_t* theap, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2);
/// mi_calloc in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_calloc(mi_theap_t* theap, size_t count, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size2(2, 3);
/// mi_malloc_small in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_malloc_small(mi_theap_t* theap, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(2);
/// mi_zalloc_small in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_zalloc_small(mi_theap_t* theap, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(2);
/// mi_malloc_aligned in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_malloc_aligned(mi_theap_t* theap, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_zalloc_aligned in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_zalloc_aligned(mi_theap_t* theap, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(2) mi_attr_alloc_align(3);
/// mi_realloc; a block that has to move moves into the theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_realloc(mi_theap_t* theap, void* p, size_t newsize) mi_attr_noexcept
    mi_attr_alloc_size(3);
/// mi_rezalloc; a block that has to move moves into the theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_rezalloc(mi_theap_t* theap, void* p, size_t newsize) mi_attr_noexcept
    mi_attr_alloc_size(3);
/// Ends a theap of the current thread, neither its heap nor its blocks: its pages are for any thread of the heap to find. When it
/// was the thread's default, that is the main heap's theap again. The main heap's theap stays, without pages; so does any
/// theap inside of a function that the allocator calls.
mi_decl_export void mi_theap_delete(mi_theap_t* theap) mi_attr_noexcept;
/// Gives up all pages of a theap, for any thread of the heap to find; it can be used on. Either it is the current thread's, or its
/// thread is in no call of the allocator's; and neither theap nor heap may end meanwhile.
mi_decl_export void mi_theap_quiescent_abandon(mi_theap_t* theap) mi_attr_noexcept;
/// In a guarded build: puts one in sample_rate blocks before a guard page; 0 for none.
mi_decl_export void mi_theap_guarded_set_sample_rate(mi_theap_t* theap, size_t sample_rate, size_t seed);
/// In a guarded build: considers blocks from min to max bytes.
mi_decl_export void mi_theap_guarded_set_size_bound(mi_theap_t* theap, size_t min, size_t max);

// --- Visiting: a visitor that returns false stops the visit, which then returns false -----------------------------------

/// Calls the visitor for each area of a heap (with block NULL) and, if asked, for each block in use.
mi_decl_export bool mi_heap_visit_blocks(mi_heap_t* heap, bool visit_blocks, mi_block_visit_fun* visitor, void* arg);
/// Calls the visitor as mi_heap_visit_blocks does, for the areas that threads left behind when they ended.
mi_decl_export bool mi_heap_visit_abandoned_blocks(mi_heap_t* heap, bool visit_blocks, mi_block_visit_fun* visitor,
    void* arg);
/// Calls the visitor as mi_heap_visit_blocks does, for the areas of one theap.
mi_decl_export bool mi_theap_visit_blocks(const mi_theap_t* theap, bool visit_blocks, mi_block_visit_fun* visitor,
    void* arg);
/// Calls the visitor for each heap of a subprocess.
mi_decl_export bool mi_subproc_visit_heaps(mi_subproc_id_t subproc, mi_heap_visit_fun* visitor, void* arg);
/// Does p point into a block of the current thread's default theap?
mi_decl_nodiscard mi_decl_export bool mi_check_owned(const void* p);
/// Does p point into memory that mimalloc manages?
mi_decl_nodiscard mi_decl_export bool mi_is_in_heap_region(const void* p) mi_attr_noexcept;
/// Is the page of p, a block of the heap and this thread, used to less than perc_threshold percent?
mi_decl_nodiscard mi_decl_export bool mi_unsafe_heap_page_is_under_utilized(mi_heap_t* heap, void* p, size_t
    perc_threshold) mi_attr_noexcept;

// --- Threads and the process: all of it happens by itself where the system tells when a thread begins and ends ----------

/// Starts the allocator; the first allocation does so, too.
mi_decl_export void mi_process_init(void) mi_attr_noexcept;
/// Ends the allocator's work at the process' end: prints what the options ask for.
mi_decl_export void mi_process_done(void) mi_attr_noexcept;
/// Gives the current thread its theap; its first allocation does so, too.
mi_decl_export void mi_thread_init(void) mi_attr_noexcept;
/// Takes the current thread's theap away; its blocks live on.
mi_decl_export void mi_thread_done(void) mi_attr_noexcept;
/// Tells that the current thread lives in a pool, as one of many that run short tasks.
mi_decl_export void mi_thread_set_in_threadpool(void) mi_attr_noexcept;
/// Frees what the current thread holds without need; force also gives it back to the OS at once.
mi_decl_export void mi_collect(bool force) mi_attr_noexcept;
/// Collects as with force, and gives up pages of the current thread until the others have no more than
/// target_thread_owned bytes; other threads may use the room in those that were given up. Memory inside pages in use, of any
/// thread, goes back as well wherever no block lives.
mi_decl_export void mi_collect_reduce(size_t target_thread_owned) mi_attr_noexcept;
/// Starts the thread of option purge_thread now, and sets the option. True if it runs, also if it did before; false where
/// there are no threads, where the system refuses one, and before the library is loaded.
mi_decl_export bool mi_purge_thread_start(void) mi_attr_noexcept;
/// Ends that thread, waits for its end, and clears the option. True if there is none any more; false in a function that the
/// thread itself calls.
mi_decl_export bool mi_purge_thread_stop(void) mi_attr_noexcept;
/// The version: 30600 stands for 3.6.0.
mi_decl_export int mi_version(void) mi_attr_noexcept;
/// Are malloc and free redirected to this library (on Windows)?
mi_decl_nodiscard mi_decl_export bool mi_is_redirected(void) mi_attr_noexcept;

// --- Functions of the user's --------------------------------------------------------------------------------------------

/// A function that is called now and then while memory is allocated, to free what was put off.
mi_decl_export void mi_register_deferred_free(mi_deferred_free_fun* deferred_free, void* arg) mi_attr_noexcept;
/// Where messages go instead of stderr; NULL for stderr again.
mi_decl_export void mi_register_output(mi_output_fun* out, void* arg) mi_attr_noexcept;
/// What is called when there is an error such as EINVAL; NULL for nothing.
mi_decl_export void mi_register_error(mi_error_fun* fun, void* arg);

// --- Messages -----------------------------------------------------------------------------------------------------------

/// Prints the options.
mi_decl_export void mi_options_print(void) mi_attr_noexcept;
/// Prints the options to a function.
mi_decl_export void mi_options_print_out(mi_output_fun* out, void* arg) mi_attr_noexcept;
/// Prints the process' times and memory.
mi_decl_export void mi_process_info_print(void) mi_attr_noexcept;
/// Prints the process' times and memory to a function.
mi_decl_export void mi_process_info_print_out(mi_output_fun* out, void* arg) mi_attr_noexcept;
/// The process' times and memory; any pointer may be NULL.
mi_decl_export void mi_process_info(size_t* elapsed_msecs, size_t* user_msecs, size_t* system_msecs, size_t*
    current_rss, size_t* peak_rss, size_t* current_commit, size_t* peak_commit, size_t* page_faults) mi_attr_noexcept;
/// Prints the arenas.
mi_decl_export void mi_arenas_print(void) mi_attr_noexcept;
/// Prints the arenas.
mi_decl_export void mi_debug_show_arenas(void) mi_attr_noexcept;
/// Prints the statistics of the current subprocess; out is ignored.
mi_decl_export void mi_stats_print(void* out) mi_attr_noexcept;
/// Prints the statistics of the current subprocess to a function.
mi_decl_export void mi_stats_print_out(mi_output_fun* out, void* arg) mi_attr_noexcept;
/// Prints the statistics of the current thread to a function.
mi_decl_export void mi_thread_stats_print_out(mi_output_fun* out, void* arg) mi_attr_noexcept;
/// Resets the statistics.
mi_decl_export void mi_stats_reset(void) mi_attr_noexcept;
/// Adds the current thread's statistics to those of its subprocess.
mi_decl_export void mi_stats_merge(void) mi_attr_noexcept;

// --- Arenas: large ranges of memory that pages are taken from; the functions that return int return 0 or an errno -------

/// Reserves size bytes of OS memory for allocation.
mi_decl_export int mi_reserve_os_memory(size_t size, bool commit, bool allow_large) mi_attr_noexcept;
/// mi_reserve_os_memory, with the new arena's id; an exclusive arena serves only the heaps that were made in it.
mi_decl_export int mi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large, bool exclusive, mi_arena_id_t*
    arena_id) mi_attr_noexcept;
/// Hands over a range of memory for allocation, for ever.
mi_decl_export bool mi_manage_os_memory(void* start, size_t size, bool is_committed, bool is_pinned, bool is_zero, int
    numa_node) mi_attr_noexcept;
/// mi_manage_os_memory, with the new arena's id; an exclusive arena serves only the heaps that were made in it.
mi_decl_export bool mi_manage_os_memory_ex(void* start, size_t size, bool is_committed, bool is_pinned, bool is_zero,
    int numa_node, bool exclusive, mi_arena_id_t* arena_id) mi_attr_noexcept;
/// mi_manage_os_memory_ex, with a function that commits and decommits the range's memory.
mi_decl_export bool mi_manage_memory(void* start, size_t size, bool is_committed, bool is_pinned, bool is_zero, int
    numa_node, bool exclusive, mi_commit_fun_t* commit_fun, void* commit_fun_arg, mi_arena_id_t* arena_id)
    mi_attr_noexcept;
/// Reserves 1 GiB OS pages evenly over the NUMA nodes, within a time.
mi_decl_export int mi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes, size_t timeout_msecs)
    mi_attr_noexcept;
/// Reserves 1 GiB OS pages at a NUMA node, within a time.
mi_decl_export int mi_reserve_huge_os_pages_at(size_t pages, int numa_node, size_t timeout_msecs) mi_attr_noexcept;
/// mi_reserve_huge_os_pages_at, with the new arena's id; an exclusive arena serves only the heaps that were made in it.
mi_decl_export int mi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_msecs, bool exclusive,
    mi_arena_id_t* arena_id) mi_attr_noexcept;
/// Deprecated: mi_reserve_huge_os_pages_interleave.
mi_decl_export int mi_reserve_huge_os_pages(size_t pages, double max_secs, size_t* pages_reserved) mi_attr_noexcept;
/// Gives all free memory of the current subprocess' arenas back to the OS at once.
mi_decl_export void mi_arenas_purge(void) mi_attr_noexcept;
/// The size of the largest block that comes from an arena; larger ones are the OS'.
mi_decl_nodiscard mi_decl_export size_t mi_arena_max_object_size(void);
/// The range of an arena: where it starts, and its size.
mi_decl_nodiscard mi_decl_export void* mi_arena_area(mi_arena_id_t arena_id, size_t* size);
/// Does p point into the arena?
mi_decl_nodiscard mi_decl_export bool mi_arena_contains(mi_arena_id_t arena_id, const void* p);
/// The alignment that memory for mi_manage_os_memory should have.
mi_decl_nodiscard mi_decl_export size_t mi_arena_min_alignment(void);
/// The least size of memory for mi_manage_os_memory.
mi_decl_nodiscard mi_decl_export size_t mi_arena_min_size(void);

// --- Subprocesses: heaps and arenas of different ones never meet, though threads may free each other's blocks -----------

/// The subprocess that a process begins with.
mi_decl_nodiscard mi_decl_export mi_subproc_id_t mi_subproc_main(void);
/// The current thread's subprocess.
mi_decl_nodiscard mi_decl_export mi_subproc_id_t mi_subproc_current(void);
/// A new subprocess, or none. Its heaps and arenas are only for threads that were put into it: for others a heap has no memory
/// (EINVAL).
mi_decl_nodiscard mi_decl_export mi_subproc_id_t mi_subproc_new(void);
/// Ends a subprocess and frees all of its memory; no thread may be in it.
mi_decl_export void mi_subproc_destroy(mi_subproc_id_t subproc);
/// Puts the current thread, which must not have allocated yet, into a subprocess.
mi_decl_export void mi_subproc_add_current_thread(mi_subproc_id_t subproc);

// --- Options: see mi_option_t -------------------------------------------------------------------------------------------

/// Is an option not 0?
mi_decl_export bool mi_option_is_enabled(mi_option_t option);
/// Sets an option to 1.
mi_decl_export void mi_option_enable(mi_option_t option);
/// Sets an option to 0.
mi_decl_export void mi_option_disable(mi_option_t option);
/// Sets an option to 1 or 0.
mi_decl_export void mi_option_set_enabled(mi_option_t option, bool enable);
/// Sets an option to 1 or 0, unless the user or the environment has set it.
mi_decl_export void mi_option_set_enabled_default(mi_option_t option, bool enable);
/// The value of an option.
mi_decl_export long mi_option_get(mi_option_t option);
/// The value of an option, at least min and at most max.
mi_decl_export long mi_option_get_clamp(mi_option_t option, long min, long max);
/// The value in bytes of an option that is a size (these are set in KiB).
mi_decl_export size_t mi_option_get_size(mi_option_t option);
/// Sets an option.
mi_decl_export void mi_option_set(mi_option_t option, long value);
/// Sets an option, unless the user or the environment has set it.
mi_decl_export void mi_option_set_default(mi_option_t option, long value);

// --- The names of other C libraries -------------------------------------------------------------------------------------

/// mi_free for any address: does nothing, and returns false, if p is none of ours.
mi_decl_export bool mi_cfree(void* p) mi_attr_noexcept;
/// mi_expand.
mi_decl_nodiscard mi_decl_export void* mi__expand(void* p, size_t newsize) mi_attr_noexcept mi_attr_alloc_size(2);
/// mi_usable_size.
mi_decl_nodiscard mi_decl_export size_t mi_malloc_size(const void* p) mi_attr_noexcept;
/// mi_good_size.
mi_decl_nodiscard mi_decl_export size_t mi_malloc_good_size(size_t size) mi_attr_noexcept;
/// mi_usable_size.
mi_decl_nodiscard mi_decl_export size_t mi_malloc_usable_size(const void* p) mi_attr_noexcept;
/// As POSIX has it: returns 0 and stores the block in *p, or returns EINVAL or ENOMEM.
mi_decl_export int mi_posix_memalign(void** p, size_t alignment, size_t size);
/// mi_malloc_aligned.
mi_decl_nodiscard mi_decl_export void* mi_memalign(size_t alignment, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2) mi_attr_alloc_align(1);
/// A block aligned to the OS' page size.
mi_decl_nodiscard mi_decl_export void* mi_valloc(size_t size) mi_attr_noexcept mi_attr_malloc mi_attr_alloc_size(1);
/// A block aligned to the OS' page size, its size rounded up to whole OS pages.
mi_decl_nodiscard mi_decl_export void* mi_pvalloc(size_t size) mi_attr_noexcept mi_attr_malloc;
/// As C11 has it: mi_malloc_aligned.
mi_decl_nodiscard mi_decl_export void* mi_aligned_alloc(size_t alignment, size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(2) mi_attr_alloc_align(1);
/// mi_reallocn, with errno set when it fails.
mi_decl_nodiscard mi_decl_export void* mi_reallocarray(void* p, size_t count, size_t size) mi_attr_noexcept
    mi_attr_alloc_size2(2, 3);
/// As NetBSD has it: ptrp is the address of a pointer; returns 0 or an errno.
mi_decl_export int mi_reallocarr(void* ptrp, size_t count, size_t size) mi_attr_noexcept;
/// mi_recalloc_aligned.
mi_decl_nodiscard mi_decl_export void* mi_aligned_recalloc(void* p, size_t newcount, size_t size, size_t alignment)
    mi_attr_noexcept mi_attr_alloc_size2(2, 3) mi_attr_alloc_align(4);
/// mi_recalloc_aligned_at.
mi_decl_nodiscard mi_decl_export void* mi_aligned_offset_recalloc(void* p, size_t newcount, size_t size, size_t
    alignment, size_t offset) mi_attr_noexcept mi_attr_alloc_size2(2, 3);
/// A copy of an environment variable in *buf and its size in *size; returns 0 or an errno.
mi_decl_export int mi_dupenv_s(char** buf, size_t* size, const char* name) mi_attr_noexcept;
/// For wide names, which variables have on Windows only: stores NULL in *buf and 0 in *size, and returns EINVAL.
mi_decl_export int mi_wdupenv_s(wchar_t** buf, size_t* size, const wchar_t* name) mi_attr_noexcept;
/// A copy of a wide text.
mi_decl_nodiscard mi_decl_export wchar_t* mi_wcsdup(const wchar_t* s) mi_attr_noexcept mi_attr_malloc;
/// A copy of a multi-byte text.
mi_decl_nodiscard mi_decl_export unsigned char* mi_mbsdup(const unsigned char* s) mi_attr_noexcept mi_attr_malloc;

// --- C++: what operator new does; without memory they call the new handler, then throw std::bad_alloc or return NULL ----

/// operator new.
mi_decl_nodiscard mi_decl_export void* mi_new(size_t size) mi_attr_malloc mi_attr_alloc_size(1);
/// operator new with an alignment.
mi_decl_nodiscard mi_decl_export void* mi_new_aligned(size_t size, size_t alignment) mi_attr_malloc
    mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// operator new(std::nothrow): NULL when there is no memory.
mi_decl_nodiscard mi_decl_export void* mi_new_nothrow(size_t size) mi_attr_noexcept mi_attr_malloc
    mi_attr_alloc_size(1);
/// operator new(std::nothrow) with an alignment.
mi_decl_nodiscard mi_decl_export void* mi_new_aligned_nothrow(size_t size, size_t alignment) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(1) mi_attr_alloc_align(2);
/// operator new for count elements of size bytes.
mi_decl_nodiscard mi_decl_export void* mi_new_n(size_t count, size_t size) mi_attr_malloc mi_attr_alloc_size2(1, 2);
/// mi_realloc that throws.
mi_decl_nodiscard mi_decl_export void* mi_new_realloc(void* p, size_t newsize) mi_attr_alloc_size(2);
/// mi_reallocn that throws.
mi_decl_nodiscard mi_decl_export void* mi_new_reallocn(void* p, size_t newcount, size_t size) mi_attr_alloc_size2(2,
    3);
/// operator new in a heap.
mi_decl_nodiscard mi_decl_export void* mi_heap_alloc_new(mi_heap_t* heap, size_t size) mi_attr_malloc
    mi_attr_alloc_size(2);
/// operator new in a heap for count elements of size bytes.
mi_decl_nodiscard mi_decl_export void* mi_heap_alloc_new_n(mi_heap_t* heap, size_t count, size_t size) mi_attr_malloc
    mi_attr_alloc_size2(2, 3);

/// operator new in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_alloc_new(mi_theap_t* theap, size_t size) mi_attr_malloc
    mi_attr_alloc_size(2);
/// operator new in a theap for count elements of size bytes.
mi_decl_nodiscard mi_decl_export void* mi_theap_alloc_new_n(mi_theap_t* theap, size_t count, size_t size) mi_attr_malloc
    mi_attr_alloc_size2(2, 3);
/// operator new(std::nothrow) in a theap.
mi_decl_nodiscard mi_decl_export void* mi_theap_alloc_new_nothrow(mi_theap_t* theap, size_t size) mi_attr_noexcept
    mi_attr_malloc mi_attr_alloc_size(2);

// --- Sizes that are constant where the function is called: the compiler chooses, and nothing is left of the choice -------------

/// mi_malloc_small for a size in words of sizeof(size_t).
mi_decl_nodiscard mi_decl_export void* mi_wmalloc_small(size_t wsize) mi_attr_noexcept mi_attr_malloc;
/// mi_zalloc_small for a size in words.
mi_decl_nodiscard mi_decl_export void* mi_wzalloc_small(size_t wsize) mi_attr_noexcept mi_attr_malloc;
/// mi_theap_malloc_small for a size in words.
mi_decl_nodiscard mi_decl_export void* mi_theap_wmalloc_small(mi_theap_t* theap, size_t wsize) mi_attr_noexcept mi_attr_malloc;
/// mi_theap_zalloc_small for a size in words.
mi_decl_nodiscard mi_decl_export void* mi_theap_wzalloc_small(mi_theap_t* theap, size_t wsize) mi_attr_noexcept mi_attr_malloc;

/// A size in words, rounded up.
static inline size_t mi_wsize_from_size(size_t size) mi_attr_noexcept {
  return size / sizeof(size_t) + (size % sizeof(size_t) != 0);
}
/// mi_malloc.
static inline void* mi_malloc_csize(size_t size) mi_attr_noexcept {
  return size > MI_SMALL_SIZE_MAX ? mi_malloc(size) : mi_wmalloc_small(mi_wsize_from_size(size));
}
/// mi_zalloc.
static inline void* mi_zalloc_csize(size_t size) mi_attr_noexcept {
  return size > MI_SMALL_SIZE_MAX ? mi_zalloc(size) : mi_wzalloc_small(mi_wsize_from_size(size));
}
/// mi_theap_malloc.
static inline void* mi_theap_malloc_csize(mi_theap_t* theap, size_t size) mi_attr_noexcept {
  return size > MI_SMALL_SIZE_MAX ? mi_theap_malloc(theap, size) : mi_theap_wmalloc_small(theap, mi_wsize_from_size(size));
}
/// mi_theap_zalloc.
static inline void* mi_theap_zalloc_csize(mi_theap_t* theap, size_t size) mi_attr_noexcept {
  return size > MI_SMALL_SIZE_MAX ? mi_theap_zalloc(theap, size) : mi_theap_wzalloc_small(theap, mi_wsize_from_size(size));
}
/// mi_free for a block that was allocated with this size.
static inline void mi_free_csize(void* p, size_t size) mi_attr_noexcept {
  size > MI_SMALL_SIZE_MAX ? mi_free(p) : mi_free_small(p);
}
/// mi_free_csize, where p is not NULL.
static inline void mi_free_csize_nonnull(void* p, size_t size) mi_attr_noexcept {
  size > MI_SMALL_SIZE_MAX ? mi_free(p) : mi_free_small_nonnull(p);
}
/// mi_free for a block that was allocated with this size and alignment.
static inline void mi_free_csize_aligned(void* p, size_t size, size_t aligned) mi_attr_noexcept {
  aligned > size ? mi_free(p) : mi_free_csize(p, size);
}
/// mi_free_csize_aligned, where p is not NULL.
static inline void mi_free_csize_aligned_nonnull(void* p, size_t size, size_t aligned) mi_attr_noexcept {
  aligned > size ? mi_free(p) : mi_free_csize_nonnull(p, size);
}

#if defined(__cplusplus)
}
#endif

// --- Allocation by type: tp, which comes first, is the type, hp a heap --------------------------------------------------------

#define mi_malloc_tp(tp) ((tp*)mi_malloc_csize(sizeof(tp)))
#define mi_zalloc_tp(tp) ((tp*)mi_zalloc_csize(sizeof(tp)))
#define mi_free_tp(tp, p) (mi_free_csize(p, sizeof(tp)))
#define mi_calloc_tp(tp, n) ((tp*)mi_calloc(n, sizeof(tp)))
#define mi_mallocn_tp(tp, n) ((tp*)mi_mallocn(n, sizeof(tp)))
#define mi_reallocn_tp(tp, p, n) ((tp*)mi_reallocn(p, n, sizeof(tp)))
#define mi_recalloc_tp(tp, p, n) ((tp*)mi_recalloc(p, n, sizeof(tp)))

#define mi_heap_malloc_tp(tp, hp) ((tp*)mi_heap_malloc(hp, sizeof(tp)))
#define mi_heap_zalloc_tp(tp, hp) ((tp*)mi_heap_zalloc(hp, sizeof(tp)))
#define mi_heap_calloc_tp(tp, hp, n) ((tp*)mi_heap_calloc(hp, n, sizeof(tp)))
#define mi_heap_mallocn_tp(tp, hp, n) ((tp*)mi_heap_mallocn(hp, n, sizeof(tp)))
#define mi_heap_reallocn_tp(tp, hp, p, n) ((tp*)mi_heap_reallocn(hp, p, n, sizeof(tp)))
#define mi_heap_recalloc_tp(tp, hp, p, n) ((tp*)mi_heap_recalloc(hp, p, n, sizeof(tp)))

#if defined(__cplusplus)

#define MI_HAS_HEAP_STL_ALLOCATOR 1

// --- Allocators for C++'s containers ------------------------------------------------------------------------------------

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

/// What the allocators below have in common: the types, and objects of any alignment.
template <class T>
struct mi_stl_allocator_common_ {
  typedef T value_type;
  typedef std::size_t size_type;
  typedef std::ptrdiff_t difference_type;
  typedef value_type& reference;
  typedef value_type const& const_reference;
  typedef value_type* pointer;
  typedef value_type const* const_pointer;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  size_type max_size() const noexcept { return static_cast<size_type>(PTRDIFF_MAX) / sizeof(value_type); }
  pointer address(reference x) const { return std::addressof(x); }
  const_pointer address(const_reference x) const { return std::addressof(x); }
  template <class U, class... Args>
  void construct(U* p, Args&&... args) { ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...); }
  template <class U>
  void destroy(U* p) noexcept { p->~U(); }

 protected:
  /// What every block is aligned to that is large enough.
  static constexpr bool is_wide = alignof(T) > 16;

  [[noreturn]] static void no_memory() {
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    std::abort();
#endif
  }
};

/// Allocates in the current thread's default heap, as operator new does. All of them are equal.
template <class T>
struct mi_stl_allocator : public mi_stl_allocator_common_<T> {
  using typename mi_stl_allocator_common_<T>::size_type;
  using is_always_equal = std::true_type;
  template <class U>
  struct rebind { typedef mi_stl_allocator<U> other; };

  mi_stl_allocator() noexcept = default;
  mi_stl_allocator(const mi_stl_allocator&) noexcept = default;
  mi_stl_allocator& operator=(const mi_stl_allocator&) noexcept = default;
  template <class U>
  mi_stl_allocator(const mi_stl_allocator<U>&) noexcept {}
  mi_stl_allocator select_on_container_copy_construction() const { return *this; }

  mi_decl_nodiscard T* allocate(size_type count) {
    if (!this->is_wide) return static_cast<T*>(mi_new_n(count, sizeof(T)));
    if (count > this->max_size()) this->no_memory();
    return static_cast<T*>(mi_new_aligned(count * sizeof(T), alignof(T)));
  }
  mi_decl_nodiscard T* allocate(size_type count, const void*) { return allocate(count); }
  void deallocate(T* p, size_type) { mi_free(p); }
};

template <class T, class U>
bool operator==(const mi_stl_allocator<T>&, const mi_stl_allocator<U>&) noexcept { return true; }
template <class T, class U>
bool operator!=(const mi_stl_allocator<T>&, const mi_stl_allocator<U>&) noexcept { return false; }

/// What the allocators in a heap have in common: copies share the heap, and the last of them ends it.
template <class T, bool destroys>
struct mi_heap_stl_allocator_common_ : public mi_stl_allocator_common_<T> {
  using typename mi_stl_allocator_common_<T>::size_type;
  using is_always_equal = std::false_type;

  /// In a heap of the caller's, which is not ended.
  mi_heap_stl_allocator_common_(mi_heap_t* given) : heap(given, [](mi_heap_t*) {}) {}
  template <class U>
  mi_heap_stl_allocator_common_(const mi_heap_stl_allocator_common_<U, destroys>& other) noexcept : heap(other.heap) {}

  mi_decl_nodiscard T* allocate(size_type count) {
    if (!this->is_wide) return static_cast<T*>(mi_heap_alloc_new_n(heap.get(), count, sizeof(T)));
    if (count > this->max_size()) this->no_memory();
    for (;;) {
      void* p = mi_heap_malloc_aligned(heap.get(), count * sizeof(T), alignof(T));
      if (p != nullptr) return static_cast<T*>(p);
      std::new_handler handler = std::get_new_handler();
      if (handler == nullptr) this->no_memory();
      handler();
    }
  }
  mi_decl_nodiscard T* allocate(size_type count, const void*) { return allocate(count); }
  /// A heap that will be destroyed frees all its blocks at once.
  void deallocate(T* p, size_type) {
    if (!destroys) mi_free(p);
  }
  void collect(bool force) { mi_heap_collect(heap.get(), force); }
  template <class U>
  bool is_equal(const mi_heap_stl_allocator_common_<U, destroys>& other) const noexcept { return heap == other.heap; }

 protected:
  std::shared_ptr<mi_heap_t> heap;
  template <class U, bool b>
  friend struct mi_heap_stl_allocator_common_;

  mi_heap_stl_allocator_common_() {
    mi_heap_t* created = mi_heap_new();
    if (created == nullptr) this->no_memory();
    heap.reset(created, destroys ? mi_heap_destroy : mi_heap_delete);
  }
};

/// Allocates in a heap of its own, or in a given one. Its own is deleted with the last copy of the allocator.
template <class T>
struct mi_heap_stl_allocator : public mi_heap_stl_allocator_common_<T, false> {
  template <class U>
  struct rebind { typedef mi_heap_stl_allocator<U> other; };
  mi_heap_stl_allocator() = default;
  mi_heap_stl_allocator(mi_heap_t* given) : mi_heap_stl_allocator_common_<T, false>(given) {}
  template <class U>
  mi_heap_stl_allocator(const mi_heap_stl_allocator<U>& other) noexcept : mi_heap_stl_allocator_common_<T, false>(other) {}
  mi_heap_stl_allocator select_on_container_copy_construction() const { return *this; }
};

template <class T, class U>
bool operator==(const mi_heap_stl_allocator<T>& a, const mi_heap_stl_allocator<U>& b) noexcept { return a.is_equal(b); }
template <class T, class U>
bool operator!=(const mi_heap_stl_allocator<T>& a, const mi_heap_stl_allocator<U>& b) noexcept { return !a.is_equal(b); }

/// Allocates in a heap of its own, or in a given one, and never frees: its own heap is destroyed, with all blocks in it,
/// with the last copy of the allocator.
template <class T>
struct mi_heap_destroy_stl_allocator : public mi_heap_stl_allocator_common_<T, true> {
  template <class U>
  struct rebind { typedef mi_heap_destroy_stl_allocator<U> other; };
  mi_heap_destroy_stl_allocator() = default;
  mi_heap_destroy_stl_allocator(mi_heap_t* given) : mi_heap_stl_allocator_common_<T, true>(given) {}
  template <class U>
  mi_heap_destroy_stl_allocator(const mi_heap_destroy_stl_allocator<U>& other) noexcept
      : mi_heap_stl_allocator_common_<T, true>(other) {}
  mi_heap_destroy_stl_allocator select_on_container_copy_construction() const { return *this; }
};

template <class T, class U>
bool operator==(const mi_heap_destroy_stl_allocator<T>& a, const mi_heap_destroy_stl_allocator<U>& b) noexcept {
  return a.is_equal(b);
}
template <class T, class U>
bool operator!=(const mi_heap_destroy_stl_allocator<T>& a, const mi_heap_destroy_stl_allocator<U>& b) noexcept {
  return !a.is_equal(b);
}

// --- Memory resources, for the containers of std::pmr -------------------------------------------------------------------

#if __cplusplus >= 201703L && __has_include(<memory_resource>)
#include <memory_resource>

/// Allocates in the current thread's default heap; any one may free what another has allocated.
class mi_memory_resource : public std::pmr::memory_resource {
 public:
  /// One that lives for ever, as for std::pmr::set_default_resource.
  static mi_memory_resource* instance() noexcept {
    alignas(mi_memory_resource) static unsigned char memory[sizeof(mi_memory_resource)];
    static mi_memory_resource* const one = ::new (static_cast<void*>(memory)) mi_memory_resource;
    return one;
  }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return mi_new_aligned(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    mi_free_size_aligned(p, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
#if defined(__cpp_rtti)
    return dynamic_cast<const mi_memory_resource*>(&other) != nullptr;
#else
    return this == &other;
#endif
  }
};

/// Allocates in a heap of its own, which is destroyed with it together with all blocks in it; or in a given heap, which
/// stays.
class mi_heap_memory_resource : public std::pmr::memory_resource {
 public:
  mi_heap_memory_resource() : heap_(mi_heap_new()), owns_(true) {
    if (heap_ == nullptr) no_memory();
  }
  explicit mi_heap_memory_resource(mi_heap_t* given) noexcept : heap_(given), owns_(false) {}
  mi_heap_memory_resource(const mi_heap_memory_resource&) = delete;
  mi_heap_memory_resource& operator=(const mi_heap_memory_resource&) = delete;
  ~mi_heap_memory_resource() override {
    if (owns_) mi_heap_destroy(heap_);
  }
  mi_heap_t* heap() const noexcept { return heap_; }

 private:
  mi_heap_t* heap_;
  bool owns_;

  [[noreturn]] static void no_memory() {
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    std::abort();
#endif
  }
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    for (;;) {
      void* p = mi_heap_malloc_aligned(heap_, bytes, alignment);
      if (p != nullptr) return p;
      std::new_handler handler = std::get_new_handler();
      if (handler == nullptr) no_memory();
      handler();
    }
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    mi_free_size_aligned(p, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
#if defined(__cpp_rtti)
    const mi_heap_memory_resource* o = dynamic_cast<const mi_heap_memory_resource*>(&other);
    return o != nullptr && o->heap_ == heap_;
#else
    return this == &other;
#endif
  }
};
#endif
#endif

#endif
