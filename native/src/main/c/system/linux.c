// --- The system: Linux with glibc or musl ----------------------------------------------------------------------------

#include <sys/prctl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

static clockid_t mi_clock(void) { return CLOCK_MONOTONIC_COARSE; }
static int64_t mi_resident_unit(void) { return 1024; }

// Not at an alignment.
static int mi_map_kind(int64_t alignment, int32_t flags) {
  (void)alignment;
  int kind = 0;
  if (flags & (MI_LARGE | MI_HUGE)) kind |= MAP_HUGETLB | (flags & MI_HUGE ? 30 : 21) << 26;  // the size of a page, as a power of two
#if defined(MAP_FIXED_NOREPLACE)  // else the address is a wish
  if (flags & MI_EXACT) kind |= MAP_FIXED_NOREPLACE;
#endif
  return kind;
}

static int mi_map_file(void) { return -1; }

static int mi_advice(int32_t advice) {
  switch (advice) {
    case MI_DROP: return MADV_DONTNEED;
    case MI_DROP_LOCKED: return 24;  // MADV_DONTNEED_LOCKED
    case MI_DROP_LATER: return MADV_FREE;
    case MI_HUGE_PAGES: return MADV_HUGEPAGE;
    case MI_NO_HUGE_PAGES: return MADV_NOHUGEPAGE;
    default: return -1;
  }
}

MI_OS int64_t Os_remap(int64_t a, int64_t size, int64_t new_size, int64_t target) {
  int saved = errno;
  void* p = target == 0 ? mremap(MI_AT(void, a), (size_t)size, (size_t)new_size, 0)
                        : mremap(MI_AT(void, a), (size_t)size, (size_t)new_size, MREMAP_MAYMOVE | MREMAP_FIXED, MI_AT(void, target));
  return mi_answer(p == MAP_FAILED ? -1 : MI_ADDRESS(p), saved);
}

MI_OS int64_t Os_node(void) {
  unsigned processor = 0, node = 0;
  int saved = errno;
  long result = syscall(SYS_getcpu, &processor, &node, NULL);
  return mi_answer(result == 0 ? (int64_t)node : -1, saved);
}

MI_OS int64_t Os_bind(int64_t a, int64_t size, int32_t node) {
  // A word of nodes is enough.
  const long preferred = 1;
  int saved = errno;
  unsigned long mask = 1UL << node % (8 * (int)sizeof(mask));
  return mi_answer(syscall(SYS_mbind, (long)a, (long)size, preferred, &mask, 8 * sizeof(mask) + 1, 0L), saved);
}

MI_OS int64_t Os_disallowHugePages(void) {
  int saved = errno;
  return mi_answer(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), saved);
}

MI_OS int32_t Os_processors(void) {
  unsigned long mask[1024 / sizeof(unsigned long)];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
  int32_t count = 0;
  for (size_t i = 0; bytes > 0 && i < (size_t)bytes / sizeof(unsigned long); i++) count += __builtin_popcountl(mask[i]);
  return count > 0 ? count : 1;
}

static bool mi_random(int64_t* bits) {
#if defined(SYS_getrandom)
  return syscall(SYS_getrandom, bits, sizeof(*bits), 0) == (long)sizeof(*bits);
#else
  return (void)bits, false;
#endif
}

// The kernel's header for futexes is not always there, so these are its numbers.
enum { MI_FUTEX_WAIT_PRIVATE = 128, MI_FUTEX_WAKE_PRIVATE = 129 };

static void mi_wait(uint32_t* word, uint32_t value, int64_t ms) {
  const long time[2] = {(long)(ms / 1000), (long)(ms % 1000 * 1000000)};  // the kernel's own timespec
  syscall(SYS_futex, word, MI_FUTEX_WAIT_PRIVATE, value, ms < 0 ? NULL : time, NULL, 0);
}

static void mi_wake(uint32_t* word) { syscall(SYS_futex, word, MI_FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

static void mi_name_thread(const char* name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#if defined(__GLIBC__)
extern char __libc_single_threaded __attribute__((weak));  // old versions have none
MI_OS int32_t Os_isAlone(void) { return &__libc_single_threaded != NULL && __libc_single_threaded; }
#else
MI_OS int32_t Os_isAlone(void) { return false; }
#endif

MI_OS int32_t Os_isPrivileged(void) { return getauxval(AT_SECURE) != 0; }

static const char* mi_fault_kind(const void* context) {
#if defined(__x86_64__)
  return (((const ucontext_t*)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0 ? "write" : "read";
#else
  return (void)context, "access";
#endif
}

#if !defined(MI_HAS_THREAD_KEY) && !MI_WORD_IS_ID
// A multiple of 16, as flags lie below it. glibc's thread control block is one on x86-64; musl's is a multiple of 8 only.
MI_INLINE int64_t ThreadSlot_id(void) {
#if defined(__x86_64__)
  int64_t id;
  __asm__("movq %%fs:0, %0" : "=r"(id));  // the block begins with its own address
#if !defined(__GLIBC__)
  id &= -16;
#endif
  return id;
#else
  return MI_ADDRESS(__builtin_thread_pointer()) & -16;
#endif
}
#endif

#if defined(__GLIBC__)
#include <link.h>
#include <string.h>
#pragma weak _r_debug
extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

enum { MI_OBJECTS_MAX = 2048 };  // with more of them we say that we are a part of the program, which is always safe

// The next one behind (or the first, for NULL) of an object's texts with a tag, such as the names of what it needs.
static const char* mi_object_text(const struct link_map* object, ElfW(Sxword) tag, const ElfW(Dyn)** at) {
  const char* texts = NULL;
  for (const ElfW(Dyn)* d = object->l_ld; d != NULL && d->d_tag != DT_NULL; d++) {
    // Not everywhere the loader has made an address of it.
    if (d->d_tag == DT_STRTAB) texts = (const char*)(d->d_un.d_ptr < object->l_addr ? d->d_un.d_ptr + object->l_addr : d->d_un.d_ptr);
  }
  const ElfW(Dyn)* d = *at == NULL ? object->l_ld : *at + 1;
  while (texts != NULL && d->d_tag != DT_NULL && d->d_tag != tag) d++;
  if (texts == NULL || d->d_tag == DT_NULL) return NULL;
  *at = d;
  return texts + d->d_un.d_val;
}

static bool mi_object_is(const struct link_map* object, const char* name) {
  const char* file = strrchr(object->l_name, '/');
  if (strcmp(object->l_name, name) == 0 || (file != NULL && strcmp(file + 1, name) == 0)) return true;
  const ElfW(Dyn)* at = NULL;
  const char* own = object->l_ld == NULL ? NULL : mi_object_text(object, DT_SONAME, &at);
  return own != NULL && strcmp(own, name) == 0;
}

// Is this object the program, or one that it was started with: one that it needs, or that one of these needs, or that was
// preloaded? In the loader's list the program comes first, then what is preloaded, then what the program itself needs.
static bool mi_is_part_of_program(void) {
  static unsigned char initial[MI_OBJECTS_MAX];
  if (&_r_debug == NULL || _DYNAMIC == NULL) return true;
  for (const ElfW(Dyn)* d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
    if (d->d_tag == DT_FLAGS_1 && (d->d_un.d_val & DF_1_NODELETE) != 0) return true;  // linked to stay, as libmimalloc.so is
  }
  int count = 0, self = -1, known = 1;
  for (struct link_map* object = _r_debug.r_map; object != NULL; object = object->l_next) {
    if (object->l_ld == _DYNAMIC) self = count;
    if (++count > MI_OBJECTS_MAX) return true;
  }
  if (self < 0) return false;  // in a name space of its own
  for (int before = 0; before != known;) {
    before = known;
    int user = 0;
    for (struct link_map* object = _r_debug.r_map; object != NULL; object = object->l_next, user++) {
      if (user != 0 && initial[user] != 1) continue;
      initial[user] = 2;  // needs no second look
      const ElfW(Dyn)* at = NULL;
      for (const char* name; object->l_ld != NULL && (name = mi_object_text(object, DT_NEEDED, &at)) != NULL;) {
        int index = 0;
        struct link_map* needed = _r_debug.r_map;
        while (needed != NULL && !mi_object_is(needed, name)) needed = needed->l_next, index++;
        for (int i = user == 0 ? 0 : index; needed != NULL && i <= index; i++) {
          if (initial[i] == 0) initial[i] = 1, known++;
        }
      }
      if (initial[self] != 0) return true;
    }
  }
  return false;
}
#else
// musl never unloads an object.
static bool mi_is_part_of_program(void) { return true; }
#endif
