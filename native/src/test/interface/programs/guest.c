// A plugin that has the allocator inside, for host.c.
#include <mimalloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define GUEST __attribute__((visibility("default")))

static void* at_end;  // a block that goes as those of C++'s static objects do

static void end(void) {
  mi_free(at_end);
  mi_free(mi_malloc(100));
}

__attribute__((constructor)) static void begin(void) {
  at_end = mi_malloc(5000);
  atexit(end);
}

static void* fill(void* p, size_t size) {
  if (p == NULL) abort();
  return memset(p, 1, size);
}

static void* elsewhere(void* p) {
  mi_free(p);
  mi_free(fill(mi_malloc(70000), 70000));
  return fill(mi_malloc(3000), 3000);
}

// Allocates and frees in all ways there are.
GUEST void guest_work(void) {
  static const size_t sizes[] = {1, 100, 3000, 40000, 900000, 20 << 20};
  void* blocks[6];
  mi_heap_t* heap = mi_heap_new();
  mi_heap_t* forgotten = mi_heap_new();  // a heap that nobody ends is not a block
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 6; i++) blocks[i] = fill(mi_heap_malloc(i % 3 == 0 ? heap : i % 3 == 1 ? forgotten : mi_heap_main(), sizes[i]), sizes[i]);
    for (int i = 0; i < 6; i++) mi_free(blocks[i]);
  }
  mi_heap_delete(heap);
  mi_free(mi_malloc((size_t)(sizeof(void*) > 4 ? 5120 : 100) << 20));  // straight from the system
  mi_free(mi_malloc_aligned(100, 1 << 20));
  pthread_t thread;
  void* back;
  if (pthread_create(&thread, NULL, elsewhere, mi_malloc(2000)) != 0) abort();
  pthread_join(thread, &back);
  mi_free(back);
}

// More kinds of memory, that take longer.
GUEST void guest_reserve(void) {
  mi_arena_id_t arena;
  if (mi_reserve_os_memory_ex(64 << 20, true, false, true, &arena) != 0) abort();
  mi_heap_t* heap = mi_heap_new_in_arena(arena);
  mi_free(fill(mi_heap_malloc(heap, 100000), 100000));
  if (mi_reserve_os_memory((size_t)(sizeof(void*) > 4 ? 40960 : 200) << 20, false, false) != 0) abort();  // with bookkeeping of its own mappings
  for (int i = 0; i < 100; i++) mi_free(fill(mi_malloc((size_t)(i + 1) << 20), 1000));
  mi_subproc_id_t subprocess = mi_subproc_new();
  mi_subproc_add_current_thread(subprocess);
  mi_free(fill(mi_malloc(1000), 1000));
}

// A block that stays alive.
GUEST void* guest_keep(size_t size) { return fill(mi_malloc(size), size); }
GUEST void guest_free(void* p) { mi_free(p); }
