// A pool of threads that works in phases. Each thread of a phase allocates blocks of powers of two, frees most of them
// in no order, and trades some with the other threads through a shared table, whose blocks outlive the phase; every few
// phases half of that table is freed.
// In the manner of mimalloc's own stress test and of rptest, the benchmark of rpmalloc.
#include "bench.h"

#include <stdatomic.h>

enum { phases = 40, traded = 4000, live = 1500 };

static _Atomic(void*) table[traded];
static int phase;

static size_t power_of_two(uint64_t random) {
  return (size_t)8 << __builtin_ctzll((random >> 20) | (1u << 11)); // 8 bytes to 16 KiB, each half as often
}

static void take_part(int index) {
  uint64_t random = seed(index + phase * 1000);
  void* own[live] = {0};
  size_t turns = scaled(50000000) / phases / (size_t)thread_count();
  for (size_t i = 0; i < turns; i++) {
    uint64_t r = next_random(&random);
    void** slot = &own[r % live];
    if (*slot != NULL) checked_free(*slot);
    *slot = marked_malloc(power_of_two(r));
    if (i % 16 == 0) *slot = atomic_exchange(&table[(r >> 48) % traded], *slot);
  }
  for (int i = 0; i < live; i++)
    if (own[i] != NULL) checked_free(own[i]);
  add_to_checksum(random);
}

static void clear(int step) {
  for (int i = 0; i < traded; i += step) {
    void* block = atomic_exchange(&table[i], NULL);
    if (block != NULL) checked_free(block);
  }
}

void work(void) {
  for (phase = 0; phase < phases; phase++) {
    run_threads(thread_count(), take_part);
    if (phase % 4 == 3) clear(2);
  }
  clear(1);
}
