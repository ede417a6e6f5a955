// Memory of a process that locks all of it: what is reserved is not locked, and what cannot be given back is not taken for
// zero.
#include "../check.h"
#if HAS_PROCESSES
#include <sys/mman.h>
#include <sys/resource.h>

enum { MIB = 1 << 20 };

static long resident(void) {
  long size = 0, pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &size, &pages) != 2) pages = -1;
  if (file != NULL) fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static bool all_zero(const char* p, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (p[i] != 0) return false;
  return true;
}

/// 0 when all is well, 100 when the system does not let us lock.
static int lock(int flags) {
  enum { blocks = 100, size = 500000 };
  mi_free(mi_malloc(100000));
  if (mlockall(flags) != 0) return 100;
  if (resident() > 100 * MIB) return 1;
  static char* p[blocks];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < blocks; i++) {
      p[i] = (char*)(round == 0 ? mi_malloc(size) : mi_calloc(1, size));
      if (p[i] == NULL || (round != 0 && !all_zero(p[i], size))) return 2;
      memset(p[i], 0xAA, size);
    }
    if (resident() > 200 * MIB) return 3;
    for (int i = 0; i < blocks; i++) mi_free(p[i]);
    mi_collect(true);
  }
  char* grown = (char*)mi_malloc(MIB);
  memset(grown, 5, MIB);
  grown = (char*)mi_realloc(grown, 20 * MIB);
  if (grown == NULL || grown[MIB - 1] != 5 || resident() > 300 * MIB) return 4;
  mi_free(grown);
  return 0;
}

static void locks(int flags) {
  int status = 0;
  STATUS_OF(status, _exit(lock(flags)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 100) return;
  CHECK(status == 0);
}

/// A buffer that grows needs no more than itself, also where the system counts what is promised.
static int grow(void) {
  const size_t most = (size_t)256 * MIB;
  mi_free(mi_malloc(5 * MIB));
  struct rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = most + most / 2;
  setrlimit(RLIMIT_DATA, &limit);
  size_t size = MIB;
  char* p = (char*)mi_malloc(size);
  while (size < most) {
    size += size / 20;
    p = (char*)mi_realloc(p, size);
    if (p == NULL) return 1;
    p[size - 1] = 1;
  }
  // And what is refused is, cleanly.
  if (mi_malloc(most) != NULL || mi_realloc(p, 2 * most) != NULL || p[size - 1] != 1) return 2;
  mi_free(p);
  p = (char*)mi_malloc(most);
  if (p == NULL) return 3;
  mi_free(p);
  return 0;
}

/// Memory that is promised already serves again, also when the system promises no more.
static int reuse(void) {
  enum { blocks = 64, size = 100000 };
  static char* p[blocks];
  for (int i = 0; i < blocks; i++) {
    if ((p[i] = (char*)mi_malloc(size)) == NULL) return 1;
    memset(p[i], 1, size);
  }
  struct rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = MIB;  // less than there is
  setrlimit(RLIMIT_DATA, &limit);
  size_t more = 0;
  while (mi_malloc(size) != NULL)
    if (++more == 1000) return 2;
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < blocks; i++) mi_free(p[i]);
    for (int i = 0; i < blocks; i++) {
      if ((p[i] = (char*)mi_zalloc(size)) == NULL) return 3;
      if (!all_zero(p[i], size)) return 4;
      memset(p[i], 1, size);
    }
    if (mi_malloc((size_t)100 * MIB) != NULL) return 5;
  }
  return 0;
}

/// With little address space an arena leaves room for what the program maps itself.
static int share(void) {
  static const int limits[] = {12, 17, 33, 100, 1100, 1500};  // MiB beyond what there is
  int failed = 0;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    int status = 0;
    STATUS_OF(status, {
      long pages = 0;
      FILE* file = fopen("/proc/self/statm", "r");
      if (file == NULL || fscanf(file, "%ld", &pages) != 1) _exit(1);
      struct rlimit limit;
      getrlimit(RLIMIT_AS, &limit);
      limit.rlim_cur = (rlim_t)pages * 4096 + (rlim_t)limits[i] * MIB;
      setrlimit(RLIMIT_AS, &limit);
      if (mi_malloc(100) == NULL || mi_zalloc(100000) == NULL) _exit(2);
      size_t quarter = (size_t)limits[i] * MIB / 4;
      void* own = mmap(NULL, quarter, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      _exit(own == MAP_FAILED ? 3 : 0);
    });
    if (status != 0) failed = status;
  }
  return failed;
}

void locked(void) {
  CHECK(share() == 0);
  if (MI_EMULATED) return;
  locks(MCL_CURRENT);
  locks(MCL_FUTURE);
  locks(MCL_CURRENT | MCL_FUTURE);
  int status = 0;
  STATUS_OF(status, _exit(grow()));
  CHECK(status == 0);
  // A page that is freed beyond the limit is lost where it has a guard, which the system does not make memory again.
  STATUS_OF(status, _exit(MI_SECURE < 5 ? reuse() : 0));
  CHECK(status == 0);
}
#endif
