// The library on a system whose calls can be made to fail: the calls of libc that the machine makes lead here first. The
// contract of the system's policy calls what begins with t_; each call there must leave errno alone.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// As in FaultyOs.
enum { MAP, UNMAP, PROTECT, ADVISE, REMAP, BIND, READ_FILE, WRITE, KINDS };
enum { MISPLACED = 0, NORMAL_PAGES = -1, KEPT = 77, SHORT = 3 };
static int64_t first[KINDS], times[KINDS], errors[KINDS], calls[KINDS], lost;
static char written[1 << 16];
static size_t length;

static bool is_hit(int kind) {
  int64_t n = ++calls[kind];
  return n >= first[kind] && n < first[kind] + times[kind];
}

static bool fails(int kind) {
  if (!is_hit(kind)) return false;
  errno = (int)errors[kind];
  return true;
}

static void* faulty_mmap(void* wish, size_t size, int access, int flags, int file, off_t offset) {
  if (is_hit(MAP)) {
    if (errors[MAP] == NORMAL_PAGES) {
      flags &= ~(MAP_HUGETLB | 63 << MAP_HUGE_SHIFT);
    } else if (errors[MAP] == MISPLACED) {
      // At an odd page.
      size_t page = (size_t)sysconf(_SC_PAGESIZE);
      char* p = mmap(NULL, size + page, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      bool odd = ((uintptr_t)p & page) != 0;
      munmap(odd ? p + size : p, page);
      return odd ? p : p + page;
    } else {
      errno = (int)errors[MAP];
      return MAP_FAILED;
    }
  }
  return mmap(wish, size, access, flags, file, offset);
}

static int faulty_munmap(void* p, size_t size) { return fails(UNMAP) ? -1 : munmap(p, size); }
static int faulty_mprotect(void* p, size_t size, int access) { return fails(PROTECT) ? -1 : mprotect(p, size, access); }
static int faulty_madvise(void* p, size_t size, int advice) { return fails(ADVISE) ? -1 : madvise(p, size, advice); }
static void* faulty_mremap(void* p, size_t size, size_t larger, int flags, ...) {
  if (fails(REMAP)) return MAP_FAILED;
  va_list rest;
  va_start(rest, flags);
  void* target = (flags & MREMAP_FIXED) != 0 ? va_arg(rest, void*) : NULL;
  va_end(rest);
  return mremap(p, size, larger, flags, target);
}
static int faulty_open(const char* path, int flags, ...) { return fails(READ_FILE) ? -1 : open(path, flags); }  // none is made

static long faulty_syscall(long number, long a, long b, long c, const void* d, long e, long f) {
  if (number == SYS_mbind && fails(BIND)) return -1;
  return syscall(number, a, b, c, d, e, f);
}

// Takes a few bytes only.
static ssize_t faulty_write(int file, const void* text, size_t size) {
  (void)file;
  if (fails(WRITE)) return -1;
  if (size > SHORT) size = SHORT;
  memcpy(written + length, text, size);
  length += size;
  return (ssize_t)size;
}

#define mmap faulty_mmap
#define munmap faulty_munmap
#define mprotect faulty_mprotect
#define madvise faulty_madvise
#define mremap faulty_mremap
#define open faulty_open
#define write(file, text, size) faulty_write(file, text, size)
#define syscall(number, ...) FAULTY_SYSCALL(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define FAULTY_SYSCALL(number, a, b, c, d, e, f, ...) \
  (number == SYS_mbind ? faulty_syscall(number, (long)(a), (long)(b), (long)(c), (const void*)(d), (long)(e), (long)(f)) \
                       : (syscall)(number, a, b, c, d, e, f))
#include "mimalloc.c"

#define T(name, parameters, call) \
  __attribute__((visibility("default"))) int64_t t_##name parameters { \
    errno = KEPT; \
    int64_t result = call; \
    if (errno != KEPT) lost++; \
    return result; \
  }

T(fail, (int64_t kind, int64_t from, int64_t count, int64_t error),
  (first[kind] = from, times[kind] = count, errors[kind] = error, calls[kind] = 0))
T(calls, (int64_t kind), calls[kind])
T(errnosLost, (void), lost)
T(map, (int64_t size, int64_t alignment, int64_t flags), OsMemory_map(size, alignment, (int32_t)flags))
T(mapHuge, (int64_t size, int64_t node), OsMemory_mapHuge(size, (int32_t)node))
T(mapAt, (int64_t a, int64_t size), OsMemory_mapAt(a, size))
T(unmap, (int64_t a, int64_t size), OsMemory_unmap(a, size))
T(release, (int64_t a, int64_t size), (OsMemory_release(a, size), 0))
T(remap, (int64_t a, int64_t size, int64_t larger, int64_t target), Os_remap(a, size, larger, target) > 0)
T(realloc, (int64_t block, int64_t size), (int64_t)mi_realloc((void*)block, (size_t)size))
T(free, (int64_t block), (mi_free((void*)block), 0))
T(commit, (int64_t a, int64_t size), OsMemory_commit(a, size))
T(decommit, (int64_t a, int64_t size), OsMemory_decommit(a, size))
T(discard, (int64_t a, int64_t size), OsMemory_discard(a, size))
T(reset, (int64_t a, int64_t size), OsMemory_reset(a, size))
T(allowHugePages, (int64_t a, int64_t size, int64_t allow), OsMemory_allowHugePages(a, size, (int32_t)allow))
T(nodes, (int64_t list), OsConfig_nodesOf(list))
T(overcommits, (void), OsConfig_overcommits())
T(forgetOvercommits, (void), (Root_setOvercommitsRelaxed(0), 0))
T(resident, (void), OsConfig_resident())
T(takeWritten, (int64_t buffer), (memcpy((void*)buffer, written, length + 1), memset(written, 0, length), length = 0, 0))

static int64_t print(int64_t text) {
  int64_t printer = Printer_open(0, 0);
  Printer_text(printer, text);
  Printer_close(printer);
  return 0;
}
T(print, (int64_t text), print(text))
