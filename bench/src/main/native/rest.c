// What stays resident when a program falls silent. VARIANT is the number of threads that have a burst each and then wait, or
// "holes": one thread that frees all but one block in 64, everywhere. Nobody allocates or frees from then on.
#include "bench.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_OF = 4, HOLES_OF = 64 };

static pthread_barrier_t ready, go_on;
static int threads;
static size_t live;        // bytes of the OS pages that live blocks lie in
static size_t at_rest[3];  // what the process has after 0.1, 1 and 10 s
static size_t before;

static void wait_until(int64_t start, double seconds) {
  while ((double)(wall_nanos() - start) < seconds * 1e9) nanosleep(&(struct timespec){0, 5000000}, NULL);
}

static void watch(void) {
  const double seconds[] = {0.1, 1, 10};
  int64_t start = wall_nanos();
  for (int i = 0; i < 3; i++) {
    wait_until(start, seconds[i]);
    at_rest[i] = resident_bytes();
  }
}

static int compare(const void* a, const void* b) {
  uintptr_t x = *(const uintptr_t*)a, y = *(const uintptr_t*)b;
  return (x > y) - (x < y);
}

// The bytes of the OS pages that blocks lie in. What this takes does not come from the allocator.
static size_t pages_of(void** blocks, size_t count) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), length = 0, bytes = count * 8 * sizeof(uintptr_t), pages = 0;
  uintptr_t* all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    if (blocks[i] == NULL) continue;
    uintptr_t end = ((uintptr_t)blocks[i] + check(blocks[i]) - 1) / page;
    for (uintptr_t at = (uintptr_t)blocks[i] / page; at <= end; at++) all[length++] = at;
  }
  qsort(all, length, sizeof(uintptr_t), compare);
  for (size_t i = 0; i < length; i++) pages += i == 0 || all[i] != all[i - 1];
  munmap(all, bytes);
  return pages * page;
}

static void burst(int index) {
  uint64_t random = seed(index);
  size_t count = scaled(360000);
  void** blocks = calloc(count, sizeof(void*));
  if (blocks == NULL) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    size_t size = skewed_size(next_random(&random), 4, 13);
    blocks[i] = marked_malloc(size);
    memset((char*)blocks[i] + 8, 1, size - 16);
  }
  // What lives on was allocated last, as in a cache that fills while the burst goes on.
  for (size_t i = 0; i < count - count / KEPT_OF; i++) {
    checked_free(blocks[i]);
    blocks[i] = NULL;
  }
  __atomic_add_fetch(&live, pages_of(blocks, count) + count * sizeof(void*), __ATOMIC_RELAXED);
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&go_on);
  for (size_t i = 0; i < count; i++) {
    if (blocks[i] != NULL) checked_free(blocks[i]);
  }
  free(blocks);
}

static void take_part(int index) {
  if (index < threads) {
    burst(index);
    return;
  }
  pthread_barrier_wait(&ready);
  watch();
  pthread_barrier_wait(&go_on);
}

static void leave_holes(void) {
  const size_t sizes[] = {512, 1024, 2048, 5000, 20000};
  size_t rounds = scaled(18000), count = rounds * 10;
  void** blocks = calloc(count, sizeof(void*));
  if (blocks == NULL) fail("out of memory");
  for (size_t s = 0, i = 0; s < 5; s++) {
    for (size_t r = 0; r < rounds * 2; r++, i++) {
      blocks[i] = marked_malloc(sizes[s]);
      memset((char*)blocks[i] + 8, 1, sizes[s] - 16);
    }
  }
  for (size_t i = 0; i < count; i++) {
    if (i % HOLES_OF == HOLES_OF / 2) continue;
    checked_free(blocks[i]);
    blocks[i] = NULL;
  }
  live = pages_of(blocks, count) + count * sizeof(void*);
  watch();
  for (size_t i = 0; i < count; i++) {
    if (blocks[i] != NULL) checked_free(blocks[i]);
  }
  free(blocks);
}

void work(void) {
  free(malloc(64));
  before = resident_bytes();
  threads = atoi(variant);
  if (strcmp(variant, "holes") == 0) {
    leave_holes();
  } else {
    if (threads <= 0) fail("the VARIANT is the number of threads, or holes");
    pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&go_on, NULL, (unsigned)threads + 1);
    run_threads(threads + 1, take_part);
  }
  const char* const names[] = {"restAt100ms", "restAt1s", "restAt10s"};
  for (int i = 0; i < 3; i++) report(names[i], ((double)at_rest[i] - (double)before) / (double)live);
}
