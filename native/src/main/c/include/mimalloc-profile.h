// mimalloc's heap profiles.
#pragma once
#ifndef MIMALLOC_PROFILE_H
#define MIMALLOC_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mimalloc.h"

#if defined(__cplusplus)
extern "C" {
#endif

// A profiler hears of samples: of one byte in so many that are allocated, each as likely as any other. The functions may
// be called by several threads at once, and may allocate and free; what they allocate is no sample. They are not called
// any more once the profiler is detached and no other thread is in a call of the allocator: then it may go.

/// The most bytes that a profiler may have with each sample.
#define MI_PROFILE_SAMPLE_DATA_MAX_SIZE 1024


typedef struct mi_profiler_s mi_profiler_t;

/// What a profiler keeps with a sample, zero at first. NULL for one that does not hear of frees.
typedef struct mi_profiler_sample_data_s {
  size_t user_data_size;  // the profiler's sample_data_size: so many bytes follow
  void* user_data[1];
} mi_profiler_sample_data_t;

/// A sample was allocated: ptr, of requested_size bytes. One byte in bytes_sample_rate is a sample; bytes_since_last_sample
/// were allocated in the thread's part of the heap since its last one. Returns the rate from now on; 0 leaves it.
typedef size_t(mi_cdecl mi_profiler_on_alloc_fun)(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* ptr, size_t requested_size,
                                                  size_t bytes_sample_rate, uint64_t bytes_since_last_sample, mi_heap_t* heap);
/// A sample grew in place. Not called: a sample never does.
typedef size_t(mi_cdecl mi_profiler_on_realloc_inplace_fun)(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* ptr, size_t old_size,
                                                            mi_heap_t* heap);
/// A sample was freed, or goes with its heap: its memory is not the profiler's to look at. The function must not end the
/// heap, and no function here may leave by longjmp.
typedef void(mi_cdecl mi_profiler_on_free_fun)(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* ptr, mi_heap_t* heap);
/// mi_profiler_snapshot was called.
typedef void(mi_cdecl mi_profiler_on_snapshot_fun)(mi_profiler_t* profiler);

/// A profiler. The struct does not change while it is attached; more fields of the user's may follow.
struct mi_profiler_s {
  void* reserved;              // the allocator's
  size_t sample_data_size;     // bytes that it keeps with each sample
  size_t initial_sample_rate;  // one byte in so many is a sample
  mi_profiler_on_alloc_fun* on_alloc;
  mi_profiler_on_free_fun* on_free;
  mi_profiler_on_realloc_inplace_fun* on_realloc_inplace;
  mi_profiler_on_snapshot_fun* on_snapshot;
};

/// Attaches a profiler to the heaps of the main subprocess, now and later; NULL detaches. False if there is no memory, or
/// sample_data_size is too large.
mi_decl_export bool mi_profile(mi_profiler_t* profiler);
/// The same for a subprocess.
mi_decl_export bool mi_subproc_profile(mi_subproc_id_t subproc_id, mi_profiler_t* profiler);
/// The same for one heap.
mi_decl_export bool mi_heap_profile(mi_heap_t* heap, mi_profiler_t* profiler);
/// No profiler for this heap, also when one is attached to its subprocess.
mi_decl_export void mi_heap_profile_disable(mi_heap_t* heap);

/// Begins to take samples; false if it does already, or the profiler is attached to nothing.
mi_decl_export bool mi_profiler_start(mi_profiler_t* profiler);
/// Takes no more samples; what was sampled stays known. False if none were taken.
mi_decl_export bool mi_profiler_stop(mi_profiler_t* profiler);
/// Writes the profile now; for a profiler of one's own calls on_snapshot.
mi_decl_export void mi_profiler_snapshot(mi_profiler_t* profiler);

/// The built-in profiler, to be attached and started: it writes files that pprof reads, base_file_name.1.pb and so on. If
/// the name ends with .heap they are text, in the format heap_v2 of jeprof. One byte in initial_threshold is a sample, or in
/// 512 KiB for 0. A file that is there already stays, and its number is passed over; one has its name
/// when it is whole. A file is written by mi_profiler_snapshot, and each time so many bytes were allocated, so many more are in
/// use, or so many seconds have gone by, where these are not 0. NULL if there is no memory, or the name has no letter or
/// more than 3999.
mi_decl_export mi_profiler_t* mi_pprof_profiler_new(size_t initial_threshold, const char* base_file_name, size_t alloc_interval_size,
                                                    size_t inuse_interval_size, size_t time_interval_secs);
/// Detaches it, forgets its samples, and gives it back.
mi_decl_export void mi_pprof_profiler_delete(mi_profiler_t* profiler);

#if defined(__cplusplus)
}
#endif
#endif
