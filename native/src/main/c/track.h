// --- Track: valgrind and AddressSanitizer ----------------------------------------------------------------------------
//
// Builds with MI_TRACK_VALGRIND or MI_TRACK_ASAN tell these tools which bytes are a user's. All others have nothing of it.
#pragma once

#define Track_isOn() (MI_TRACK_VALGRIND || MI_TRACK_ASAN)
#define Track_redZone() (Track_isOn() ? 16 : 1)  // as wide as valgrind's own

#if (MI_TRACK_VALGRIND || MI_TRACK_ASAN) && MI_SECURE
#error "a build for valgrind or ASan checks frees and overflows by itself: without MI_SECURE"
#endif

#if MI_TRACK_VALGRIND
#include <valgrind/memcheck.h>

// Inside the allocator no access is an error: it follows links through free blocks. A write to what is no user's leaves it
// so, and a read from there gives defined bits.
static int mi_scope_begin(void) {
  VALGRIND_DISABLE_ERROR_REPORTING;
  return 0;
}
static void mi_scope_end(const int* scope) {
  (void)scope;
  VALGRIND_ENABLE_ERROR_REPORTING;
}
#define MI_SCOPE int mi_scope __attribute__((cleanup(mi_scope_end), unused)) = mi_scope_begin()

// What is mapped is no user's yet. So the search for leaks does not take the allocator's own words for a user's pointers.
MI_INLINE void mi_track_mapped(int64_t a, int64_t size) { (void)VALGRIND_MAKE_MEM_NOACCESS(a, size); }
MI_INLINE void mi_track_unmapped(int64_t a, int64_t size) { (void)a, (void)size; }

static void Track_allocated(int64_t p, int64_t size, int32_t zero, int64_t block, int64_t block_size) {
  (void)VALGRIND_MAKE_MEM_NOACCESS(block, block_size);
  VALGRIND_MALLOCLIKE_BLOCK(p, size, 0, zero);
}
static void Track_freed(int64_t p, int64_t block, int64_t block_size) {
  (void)block, (void)block_size;
  VALGRIND_ENABLE_ERROR_REPORTING;  // of an address that cannot be freed
  VALGRIND_FREELIKE_BLOCK(p, 0);
  VALGRIND_DISABLE_ERROR_REPORTING;
}
static void Track_destroyed(int64_t start, int64_t block_size, int64_t blocks) {
  for (int64_t i = 0; i < blocks; i++) VALGRIND_FREELIKE_BLOCK(start + i * block_size, 0);  // one that is free is no error here
  (void)VALGRIND_MAKE_MEM_NOACCESS(start, block_size * blocks);
}

#elif MI_TRACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define MI_SCOPE ((void)0)  // the allocator itself is compiled without ASan

MI_INLINE void mi_track_mapped(int64_t a, int64_t size) { (void)a, (void)size; }
// Whoever gets these addresses next knows nothing of red zones.
MI_INLINE void mi_track_unmapped(int64_t a, int64_t size) { __asan_unpoison_memory_region(MI_AT(void, a), (size_t)size); }

static void Track_allocated(int64_t p, int64_t size, int32_t zero, int64_t block, int64_t block_size) {
  (void)zero;
  int64_t end = p + size;
  __asan_poison_memory_region(MI_AT(void, block), (size_t)(p - block));
  __asan_poison_memory_region(MI_AT(void, end & -8), (size_t)(block + block_size - (end & -8)));
  __asan_unpoison_memory_region(MI_AT(void, p), (size_t)(size == 0 ? 1 : size));  // one that is poisoned is not alive
}
static void Track_freed(int64_t p, int64_t block, int64_t block_size) {
  if (block_size == 0 || __asan_address_is_poisoned(MI_AT(void, p))) {
    static const char text[] = "mimalloc: error: a free of what is free, or where no block begins; what ASan knows of the address:\n";
    Os_write(MI_ADDRESS(text), sizeof(text) - 1);
    void* frame = __builtin_frame_address(0);
    __asan_report_error(__builtin_return_address(0), frame, frame, MI_AT(void, p), 0, 1);
  } else {
    __asan_poison_memory_region(MI_AT(void, block), (size_t)block_size);
  }
}
static void Track_destroyed(int64_t start, int64_t block_size, int64_t blocks) {
  __asan_poison_memory_region(MI_AT(void, start), (size_t)(block_size * blocks));
}

#else
#define MI_SCOPE ((void)0)
MI_INLINE void mi_track_mapped(int64_t a, int64_t size) { (void)a, (void)size; }
MI_INLINE void mi_track_unmapped(int64_t a, int64_t size) { (void)a, (void)size; }
MI_INLINE void Track_allocated(int64_t p, int64_t size, int32_t zero, int64_t block, int64_t block_size) {
  (void)p, (void)size, (void)zero, (void)block, (void)block_size;
}
MI_INLINE void Track_freed(int64_t p, int64_t block, int64_t block_size) { (void)p, (void)block, (void)block_size; }
MI_INLINE void Track_destroyed(int64_t start, int64_t block_size, int64_t blocks) { (void)start, (void)block_size, (void)blocks; }
#endif

// Trace: an arena of ASan's build may hold the only pointer to a block of ASan's own malloc, which is no leak then.
MI_INLINE void Trace_arena(int32_t fresh, int64_t start, int64_t bytes) {
#if MI_TRACK_ASAN
  if (fresh) __lsan_register_root_region(MI_AT(void, start), (size_t)bytes);
  else __lsan_unregister_root_region(MI_AT(void, start), (size_t)bytes);
#endif
  (void)fresh, (void)start, (void)bytes;
}
