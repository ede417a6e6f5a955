// --- The system: FreeBSD, NetBSD, OpenBSD -------------------------------------------------------------------------------
//
// Written from their headers, and linked; nobody has run it yet.

#if defined(__FreeBSD__)
#include <sys/types.h>
#include <sys/umtx.h>
#elif defined(__OpenBSD__)
#include <sys/futex.h>
#elif defined(__NetBSD__)
#include <sys/syscall.h>
#endif

static clockid_t mi_clock(void) { return CLOCK_MONOTONIC; }
static int64_t mi_resident_unit(void) { return 1024; }

// The kernels take large pages by themselves where they fit, and the address of an exact mapping is a wish.
static int mi_map_kind(int64_t alignment, int32_t flags) {
  if (flags & (MI_LARGE | MI_HUGE)) return -1;
#if defined(MAP_ALIGNED)  // which is given as a power of two
  return alignment > Os_pageSize() && (flags & MI_REPLACE) == 0 ? MAP_ALIGNED(Bits_trailingZeros(alignment)) : 0;
#else
  return (void)alignment, 0;
#endif
}

static int mi_map_file(void) { return -1; }

#if defined(__FreeBSD__)
static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  _umtx_op(word, UMTX_OP_WAIT_UINT_PRIVATE, value, ms < 0 ? NULL : (void*)sizeof(time), ms < 0 ? NULL : &time);
}
static void mi_wake(uint32_t* word) { _umtx_op(word, UMTX_OP_WAKE_PRIVATE, 1, NULL, NULL); }
#elif defined(__OpenBSD__)
static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  futex(word, FUTEX_WAIT_PRIVATE, (int)value, ms < 0 ? NULL : &time, NULL);
}
static void mi_wake(uint32_t* word) { futex(word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL); }
#else
// Nobody can be woken: whoever waits looks again after a moment.
static void mi_doze(uint32_t* word, uint32_t value, int64_t ms) {
  const struct timespec moment = {0, (ms < 0 || ms > 100 ? 100 : (long)ms) * 1000000};
  if (__atomic_load_n(word, __ATOMIC_RELAXED) == value) nanosleep(&moment, NULL);
}
#if defined(SYS___futex)
// NetBSD's is Linux's, from version 10 on; libc has no function for it. An older kernel has none.
enum { MI_FUTEX_WAIT = 0, MI_FUTEX_WAKE = 1, MI_FUTEX_PRIVATE = 128 };

static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  int failed = (int)syscall(SYS___futex, word, MI_FUTEX_WAIT | MI_FUTEX_PRIVATE, (int)value, ms < 0 ? NULL : &time, NULL, 0, 0);
  if (failed != 0 && errno == ENOSYS) mi_doze(word, value, ms);
}
static void mi_wake(uint32_t* word) { syscall(SYS___futex, word, MI_FUTEX_WAKE | MI_FUTEX_PRIVATE, 1, NULL, NULL, 0, 0); }
#else
static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) { mi_doze(word, value, ms); }
static void mi_wake(uint32_t* word) { (void)word; }
#endif
#endif

static void mi_name_thread(const char* name) { (void)name; }
static const char* mi_fault_kind(const void* context) { return (void)context, "access"; }
static bool mi_is_part_of_program(void) { return true; }
