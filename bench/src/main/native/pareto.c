// Sizes and lifetimes with heavy tails: most blocks are small and die young, a few are large or old; a random slot of
// the table is replaced, and slots are chosen in the same unequal way.
// In the manner of alloc-test by Ignatchenko ("Testing Memory Allocators", 2018).
#include "bench.h"

#include <math.h>

enum { slots = 1 << 16, sizes = 4096 };

static uint32_t size_table[sizes], slot_table[sizes];

// A Pareto distribution, cut off at `most`, by the inverse of its distribution function.
static uint32_t pareto(int step, double least, double most, double shape) {
  double u = (step + 0.5) / sizes;
  double value = least / pow(1 - u * (1 - pow(least / most, shape)), 1 / shape);
  return (uint32_t)value;
}

void work(void) {
  for (int i = 0; i < sizes; i++) {
    size_table[i] = pareto(i, 16, 65536, 1.2);
    slot_table[i] = pareto(i, 1, slots, 0.5) - 1;
  }
  void** table = calloc(slots, sizeof(void*));
  uint64_t random = seed(0), sum = 0;
  size_t turns = scaled(40000000);
  for (size_t t = 0; t < turns; t++) {
    uint64_t r = next_random(&random);
    uint32_t base = slot_table[r % sizes];
    void** slot = &table[(base + (r >> 12) % (base + 1)) % slots];
    if (*slot != NULL) sum += checked_free(*slot);
    *slot = marked_malloc(size_table[(r >> 40) % sizes]);
  }
  for (int i = 0; i < slots; i++)
    if (table[i] != NULL) sum += checked_free(table[i]);
  free(table);
  add_to_checksum(sum);
}
