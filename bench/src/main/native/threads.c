// Threads that come and go: each lives for some hundred allocations, frees what its predecessor left for it and leaves
// some blocks to its successor.
// In the manner of Gloger's t-test1 (ptmalloc), which starts a new thread for each turn.
#include "bench.h"

enum { allocations = 300, left = 30 };

static void** legacies;
static int generation;

static void live(int index) {
  uint64_t random = seed(index + generation * 1000), sum = 0;
  void** legacy = &legacies[index * left];
  void* own[allocations];
  for (int i = 0; i < allocations; i++) own[i] = marked_malloc(skewed_size(next_random(&random), 4, 11));
  for (int i = 0; i < left; i++) {
    if (legacy[i] != NULL) sum += checked_free(legacy[i]);
    legacy[i] = own[i * 10];
    own[i * 10] = NULL;
  }
  for (int i = 0; i < allocations; i++)
    if (own[i] != NULL) sum += checked_free(own[i]);
  add_to_checksum(sum);
}

void work(void) {
  int threads = thread_count();
  legacies = calloc((size_t)threads * left, sizeof(void*));
  int generations = (int)(scaled(40000) / (size_t)threads) + 1;
  for (generation = 0; generation < generations; generation++) run_threads(threads, live);
  for (int i = 0; i < threads * left; i++)
    if (legacies[i] != NULL) add_to_checksum(checked_free(legacies[i]));
  free(legacies);
}
