// What an operation costs, and what a heap takes, when VARIANT first-class heaps are in use: each block comes from one
// of them at random. Only mimalloc's interface has such heaps; on a library without it nothing is reported.
#define _GNU_SOURCE
#include "bench.h"

#include <dlfcn.h>

typedef struct {
  void* (*create)(void);
  void (*destroy)(void*);
  void* (*allocate)(void*, size_t);
} interface_t;

static void* function(const char* name) {
  return dlsym(RTLD_DEFAULT, name);
}

void work(void) {
  int heaps = atoi(variant), slots = heaps * 8;
  if (heaps <= 0) fail("the VARIANT is the number of heaps");
  interface_t mi;
  *(void**)&mi.create = function("mi_heap_new");
  *(void**)&mi.destroy = function("mi_heap_destroy");
  *(void**)&mi.allocate = function("mi_heap_malloc");
  if (mi.create == NULL || mi.destroy == NULL || mi.allocate == NULL) return;

  void** heap = malloc((size_t)heaps * sizeof(void*));
  void** blocks = calloc((size_t)slots, sizeof(void*));
  memset(heap, 0xFF, (size_t)heaps * sizeof(void*)); // resident before the first look at the memory
  memset(blocks, 0, (size_t)slots * sizeof(void*));
  size_t resident = resident_bytes();
  int64_t start = thread_cpu_nanos();
  for (int i = 0; i < heaps; i++)
    if ((heap[i] = mi.create()) == NULL) fail("no heap to be had");
  report("createNanos", (double)(thread_cpu_nanos() - start) / heaps);
  for (int i = 0; i < slots; i++) mark(blocks[i] = mi.allocate(heap[i % heaps], 64), 64);
  report("kibPerHeap", ((double)resident_bytes() - (double)resident) / 1024 / heaps);

  uint64_t random = seed(0);
  size_t turns = scaled(4000000);
  start = thread_cpu_nanos();
  for (size_t t = 0; t < turns; t++) {
    uint64_t r = next_random(&random);
    int slot = (int)(r % (uint64_t)slots);
    checked_free(blocks[slot]);
    mark(blocks[slot] = mi.allocate(heap[slot % heaps], 64), 64);
  }
  report("nanosPerOperation", (double)(thread_cpu_nanos() - start) / (double)turns);

  for (int i = 0; i < slots; i++) check(blocks[i]);
  for (int i = 0; i < heaps; i++) mi.destroy(heap[i]);
  free(heap);
  free(blocks);
}
