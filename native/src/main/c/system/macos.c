// --- The system: macOS -------------------------------------------------------------------------------------------------

#include <sys/random.h>

static clockid_t mi_clock(void) { return CLOCK_MONOTONIC; }
static int64_t mi_resident_unit(void) { return 1; }

static int mi_map_kind(int32_t flags) { return flags & (MI_LARGE | MI_HUGE) ? -1 : 0; }  // the address of an exact mapping is a wish

// MADV_DONTNEED keeps what was written here, so memory that must be zero again is mapped anew.
static int mi_advice(int32_t advice) { return advice == MI_DROP_LATER ? MADV_FREE : -1; }

static bool mi_random(int64_t* bits) { return getentropy(bits, sizeof(*bits)) == 0; }

MI_OS int64_t Os_remap(int64_t a, int64_t size, int64_t new_size, int64_t target) {
  return (void)a, (void)size, (void)new_size, (void)target, MI_UNSUPPORTED;
}

MI_OS int64_t Os_node(void) { return MI_UNSUPPORTED; }
MI_OS int64_t Os_bind(int64_t a, int64_t size, int32_t node) { return (void)a, (void)size, (void)node, MI_UNSUPPORTED; }
MI_OS int64_t Os_disallowHugePages(void) { return MI_UNSUPPORTED; }
MI_OS int32_t Os_isAlone(void) { return false; }

MI_OS int32_t Os_processors(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int32_t)count : 1;
}

// Nobody can be woken here: whoever waits looks again after a moment.
static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  const struct timespec moment = {0, (ms < 0 || ms > 100 ? 100 : ms) * 1000000};
  if (__atomic_load_n(word, __ATOMIC_RELAXED) == value) nanosleep(&moment, NULL);
}

static void mi_wake(uint32_t* word) { (void)word; }

static void mi_name_thread(const char* name) { (void)name; }
static const char* mi_fault_kind(const void* context) { return (void)context, "access"; }
static bool mi_is_part_of_program(void) { return true; }

MI_INLINE int64_t ThreadSlot_id(void) {
  static __thread _Alignas(16) char self[16] __attribute__((tls_model("initial-exec")));
  return MI_ADDRESS(self);
}
