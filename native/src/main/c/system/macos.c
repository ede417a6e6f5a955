// --- The system: macOS -------------------------------------------------------------------------------------------------
//
// Written from its headers, and linked; nobody has run it yet.

#include <mach/vm_statistics.h>
#include <sys/ucontext.h>

static clockid_t mi_clock(void) { return CLOCK_MONOTONIC_RAW_APPROX; }
static int64_t mi_resident_unit(void) { return 1; }

// The address of an exact mapping is a wish.
static int mi_map_kind(int64_t alignment, int32_t flags) { return (void)alignment, flags & (MI_LARGE | MI_HUGE) ? -1 : 0; }
// As 100, which C mimalloc has, too, `vmmap` names our memory.
static int mi_map_file(void) { return VM_MAKE_TAG(100); }

// What pthread's own locks wait by. The library exports it, and no header declares it.
extern int __ulock_wait(uint32_t operation, void* word, uint64_t value, uint32_t microseconds);
extern int __ulock_wake(uint32_t operation, void* word, uint64_t value);
enum { MI_COMPARE_AND_WAIT = 1, MI_WAIT_FOR_EVER = 0, MI_WAIT_MAX = 1000000 };

static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  uint32_t time = ms < 0 ? MI_WAIT_FOR_EVER : ms < MI_WAIT_MAX / 1000 ? (uint32_t)ms * 1000 : MI_WAIT_MAX;
  __ulock_wait(MI_COMPARE_AND_WAIT, word, value, time);
}

static void mi_wake(uint32_t* word) { __ulock_wake(MI_COMPARE_AND_WAIT, word, 0); }

static void mi_name_thread(const char* name) { pthread_setname_np(name); }
static bool mi_is_part_of_program(void) { return true; }

static const char* mi_fault_kind(const void* context) {
#if defined(__x86_64__)
  return (((const ucontext_t*)context)->uc_mcontext->__es.__err & 2) != 0 ? "write" : "read";
#elif defined(__aarch64__)
  return (((const ucontext_t*)context)->uc_mcontext->__es.__esr & 1 << 6) != 0 ? "write" : "read";
#else
  return (void)context, "access";
#endif
}
