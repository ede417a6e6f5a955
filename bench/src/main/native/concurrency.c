// What an operation costs when VARIANT threads share the work: each replaces blocks of its own at random, and trades
// every sixteenth with another thread.
#include "bench.h"

#include <stdatomic.h>

enum { slots = 1000, traded = 256 };

static _Atomic(void*) table[traded];
static int threads;
static _Atomic int64_t cpu_nanos;

static size_t turns(void) {
  return scaled(16000000) / (size_t)threads;
}

static void take_part(int index) {
  uint64_t random = seed(index);
  void* own[slots];
  for (int i = 0; i < slots; i++) own[i] = marked_malloc(skewed_size(next_random(&random), 4, 9));
  int64_t start = thread_cpu_nanos();
  for (size_t t = 0; t < turns(); t++) {
    uint64_t r = next_random(&random);
    void** slot = &own[r % slots];
    if (*slot != NULL) checked_free(*slot);
    *slot = marked_malloc(skewed_size(r >> 8, 4, 9));
    if (t % 16 == 0) *slot = atomic_exchange(&table[(r >> 48) % traded], *slot);
  }
  atomic_fetch_add(&cpu_nanos, thread_cpu_nanos() - start);
  for (int i = 0; i < slots; i++)
    if (own[i] != NULL) checked_free(own[i]);
  add_to_checksum(random);
}

void work(void) {
  threads = atoi(variant);
  if (threads <= 0) fail("the VARIANT is the number of threads");
  int64_t start = wall_nanos();
  run_threads(threads, take_part);
  double operations = (double)turns() * threads;
  report("nanosPerOperation", (double)cpu_nanos / operations);
  report("wallNanosPerOperation", (double)(wall_nanos() - start) / operations);
  for (int i = 0; i < traded; i++)
    if (table[i] != NULL) checked_free(table[i]);
}
