// Holes: OS pages without a live block go back from inside pages that are in use, of the calling thread, of one that is
// silent and of one that is not, and their blocks can be had again.
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include "process.h"

enum { MIB = 1 << 20, ALIVE = 64, TOTAL = 48 * MIB, SLACK = 6 * MIB, WORKERS = 3, SLOTS = 4096 };

static long in_memory(void) {
#if defined(__SANITIZE_THREAD__)
  return 0;  // most is the tool's
#else
  return resident();
#endif
}

static long page_size;

// Blocks of one size, of which each 64th stays: the first and last words of a block say where it is.
typedef struct {
  size_t size;
  long count;
  char** blocks;
} set;

static void mark(char* p, size_t size) {
  uintptr_t address = (uintptr_t)p;
  memset(p, 1, size);
  memcpy(p, &address, sizeof(address));
  memcpy(p + size - sizeof(address), &address, sizeof(address));
}

static void check(const char* p, size_t size) {
  uintptr_t address = (uintptr_t)p;
  if (memcmp(p, &address, sizeof(address)) != 0 || memcmp(p + size - sizeof(address), &address, sizeof(address)) != 0)
    fail("a live block was lost", (long)size, 0);
}

static void make(set* s) {
  for (long i = 0; i < s->count; i++) mark(s->blocks[i] = mi_malloc(s->size), s->size);
}

static void thin(set* s) {
  for (long i = 0; i < s->count; i++) {
    if (i % ALIVE == ALIVE / 2) continue;
    mi_free(s->blocks[i]);
    s->blocks[i] = NULL;
  }
}

// The bytes of the OS pages that live blocks lie in.
static long needed(const set* s) {
  long bytes = 0, last = -1;
  for (long i = 0; i < s->count; i++) {
    if (s->blocks[i] == NULL) continue;
    long first = (long)((uintptr_t)s->blocks[i] / (uintptr_t)page_size);
    long end = (long)(((uintptr_t)s->blocks[i] + s->size - 1) / (uintptr_t)page_size);
    bytes += (end - first + (first != last)) * page_size;
    last = end;
  }
  return bytes;
}

static void check_and_free(set* s) {
  for (long i = 0; i < s->count; i++) {
    if (s->blocks[i] != NULL) check(s->blocks[i], s->size);
    mi_free(s->blocks[i]);
  }
}

// All that was freed can be had again, as other blocks than those that live.
static void fill_again(set* s) {
  for (long i = 0; i < s->count; i++) {
    if (s->blocks[i] != NULL) check(s->blocks[i], s->size);
    else mark(s->blocks[i] = mi_malloc(s->size), s->size);
  }
}

static void await(const char* what, long most) {
  for (int i = 0; in_memory() > most; i++) {
    if (i == 3000) fail(what, in_memory(), most);
    nanosleep(&(struct timespec){0, 20000000}, NULL);
  }
}

static pthread_barrier_t barrier;

static void* silent(void* arg) {
  set* s = arg;
  make(s);
  thin(s);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  fill_again(s);
  check_and_free(s);
  return NULL;
}

static void* silent_maker(void* arg) {
  make(arg);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  fill_again(arg);
  check_and_free(arg);
  return NULL;
}

enum { OWN_REDUCED, OWN_TRIMMED, SILENT, FREED_BY_OTHERS, BY_THREAD, KINDS };
static const char* const kinds[] = {"reduced", "trimmed", "of a silent thread", "freed by others", "by the purge thread"};

// Of a thread that goes on, the first block of a list stays, and its OS page: in two pages of 16.
static void run(size_t size, int kind) {
  set s = {size, TOTAL / (long)size, calloc((size_t)TOTAL / size, sizeof(char*))};
  memset(s.blocks, 0, (size_t)s.count * sizeof(char*));
  mi_collect(true);
  mi_collect_reduce(0);
  long before = in_memory();
  pthread_t thread;
  if (kind == OWN_REDUCED || kind == OWN_TRIMMED) {
    make(&s);
    thin(&s);
  } else {
    pthread_create(&thread, NULL, kind == FREED_BY_OTHERS ? silent_maker : silent, &s);
    pthread_barrier_wait(&barrier);
    if (kind == FREED_BY_OTHERS) thin(&s);
  }
  if (kind == BY_THREAD) mi_purge_thread_start();
  else mi_collect_reduce(kind == OWN_REDUCED ? 0 : SIZE_MAX);
  long most = before + (kind == OWN_REDUCED ? needed(&s) / 2 * 3 : 2 * needed(&s) + TOTAL / 12) + SLACK;
  if (kind == BY_THREAD) await(kinds[kind], most);
  printf("%zu bytes, %s: %ld KiB for %ld\n", size, kinds[kind], (in_memory() - before) >> 10, needed(&s) >> 10);
  if (in_memory() > most) fail(kinds[kind], (long)size, (in_memory() - before) >> 10);
  if (kind == BY_THREAD) mi_purge_thread_stop();
  if (kind == OWN_REDUCED || kind == OWN_TRIMMED) {
    fill_again(&s);
    check_and_free(&s);
  } else {
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
  }
  free(s.blocks);
}

// Regions of 2 MiB that the system may make one huge page of, and of which a part is in memory. In its own time it would join
// what is there with zeros.
static long broken_regions(void) {
  enum { REGION = 2 * MIB };
  static unsigned char in[REGION / 4096];
  char line[512];
  unsigned long begin = 0, end = 0, from, to;
  long broken = 0;
  FILE* maps = fopen("/proc/self/smaps", "r");
  while (fgets(line, sizeof(line), maps) != NULL) {
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) begin = from, end = to;
    if (strncmp(line, "VmFlags:", 8) != 0 || strstr(line, " hg") == NULL) continue;
    for (uintptr_t at = (begin + REGION - 1) & -(uintptr_t)REGION; at + REGION <= end; at += REGION) {
      long there = 0, pages = REGION / page_size;
      if (mincore((void*)at, REGION, in) != 0) fail("mincore", (long)at, 0);
      for (long i = 0; i < pages; i++) there += in[i] & 1;
      broken += there > 0 && there < pages;
    }
  }
  fclose(maps);
  return broken;
}

static bool has_huge_pages(void) {
  char text[64];
  if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0) return false;
  read_file("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text));
  return strstr(text, "[never]") == NULL;
}

// One call sees all pages of a thread that has very many of a size, and what it leaves of huge pages stays as it is.
static void run_long(void) {
  enum { LARGE = 6 * TOTAL };
  set s = {256, LARGE / 256, calloc(LARGE / 256, sizeof(char*))};
  memset(s.blocks, 0, (size_t)s.count * sizeof(char*));
  mi_collect(true);
  mi_collect_reduce(0);
  long before = in_memory(), most;
  make(&s);
  thin(&s);
  mi_collect_reduce(SIZE_MAX);
  most = before + needed(&s) / 2 * 3 + SLACK;
  printf("a long queue: %ld KiB for %ld\n", (in_memory() - before) >> 10, needed(&s) >> 10);
  if (in_memory() > most) fail("a long queue", (in_memory() - before) >> 10, needed(&s) >> 10);
#if !defined(__SANITIZE_THREAD__)
  if (has_huge_pages() && broken_regions() > LARGE / (2 * MIB) / 4) fail("huge pages come back", broken_regions(), 0);
#endif
  fill_again(&s);
  check_and_free(&s);
  free(s.blocks);
}

// Threads that allocate, free each other's blocks and check them, while holes are made all the time.
static char* slots[SLOTS];
static int over;

static void* work(void* arg) {
  uint64_t x = (uint64_t)(uintptr_t)arg * 2654435761u + 1;
  for (int i = 0; i < 400000; i++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    size_t size = 64 + (size_t)((x >> 40) % 8 * (x >> 50) % 3000);
    char* p = NULL;
    if ((x >> 33) % 16 < (i / 20000 % 2 == 0 ? 12 : 3)) {
      p = mi_malloc(size + 24);
      mark(p + 8, size);
      memcpy(p, &size, sizeof(size));
    }
    char* old = __atomic_exchange_n(&slots[(x >> 20) % SLOTS], p, __ATOMIC_ACQ_REL);
    if (old == NULL) continue;
    memcpy(&size, old, sizeof(size));
    check(old + 8, size);
    mi_free(old);
  }
  return arg;
}

static void* punch(void* ignored) {
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) mi_collect_reduce(SIZE_MAX);
  return ignored;
}

static void storm(void) {
  pthread_t threads[WORKERS], puncher;
  pthread_create(&puncher, NULL, punch, NULL);
  for (long i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, work, (void*)(i + 1));
  for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  pthread_join(puncher, NULL);
  mi_stats_t_decl(stats);
  if (!mi_stats_get(&stats) || stats.purged.total == 0) fail("nothing was purged", 0, 0);
  for (int i = 0; i < SLOTS; i++) mi_free(slots[i]);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  page_size = sysconf(_SC_PAGESIZE);
  pthread_barrier_init(&barrier, NULL, 2);
  const size_t sizes[] = {64, 256, 1024, 1280, 4096, 5000, 20000, 60000};
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      if (kind != BY_THREAD || i % 3 == 2) run(sizes[i], kind);
    }
  }
  run_long();
  storm();
  puts("ok");
  return 0;
}
