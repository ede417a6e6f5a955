// Subprocesses: threads in one of their own, with its own heaps; and the visit of a subprocess' heaps.
#include "../check.h"
#include <pthread.h>

typedef struct { mi_heap_t* heaps[100]; int count, stop_at; } heaps_t;

static bool on_heap(mi_heap_t* heap, void* arg) {
  heaps_t* heaps = (heaps_t*)arg;
  if (heaps->count < 100) heaps->heaps[heaps->count] = heap;
  return ++heaps->count != heaps->stop_at;
}

static bool has(const heaps_t* heaps, const mi_heap_t* heap) {
  int found = 0;
  for (int i = 0; i < heaps->count && i < 100; i++) found += heaps->heaps[i] == heap;
  return found == 1;
}

static void* live(void* arg) {
  mi_subproc_id_t subprocess = arg;
  mi_subproc_add_current_thread(subprocess);
  CHECK(mi_subproc_current() == subprocess && subprocess != mi_subproc_main());
  void* p = mi_malloc(1000);
  CHECK(is_block(p, 1000) && mi_heap_of(p) == mi_heap_main());
  mi_heap_t* heap = mi_heap_new();
  void* q = mi_heap_malloc(heap, 50000);
  CHECK(is_block(q, 50000) && mi_heap_contains(heap, q));
  heaps_t heaps = {.count = 0};
  CHECK(mi_subproc_visit_heaps(subprocess, on_heap, &heaps));
  CHECK(heaps.count == 2 && has(&heaps, heap) && has(&heaps, mi_heap_main()));
  mi_stats_t_decl(stats);
  CHECK(mi_subproc_stats_get(subprocess, &stats) && stats.threads.current == 1 && stats.malloc_normal.current > 50000);
  int64_t bytes = stats.malloc_normal.current;
  CHECK(mi_stats_get(&stats) && stats.malloc_normal.current == bytes);  // of one's own subprocess
  mi_heap_delete(heap);
  CHECK(is_block(q, 50000));
  for (int i = 0; i < 1000; i++) memset(mi_malloc(3000), 1, 3000);  // left behind
  return p;
}

void subprocesses(void) {
  CHECK(mi_subproc_main() != NULL && mi_subproc_current() == mi_subproc_main());
  void* mine = mi_malloc(100);
  mi_heap_t* main = mi_heap_of(mine);
  for (int i = 0; i < 20; i++) {
    mi_subproc_id_t subprocess = mi_subproc_new();
    CHECK(subprocess != NULL && subprocess != mi_subproc_main());
    pthread_t thread;
    void* left = NULL;
    CHECK(pthread_create(&thread, NULL, live, subprocess) == 0 && pthread_join(thread, &left) == 0);
    CHECK(left != NULL && mi_heap_of(left) != main);
    mi_free(left);  // a block of another subprocess
    mi_subproc_destroy(subprocess);
    CHECK(is_block(mine, 100) && mi_subproc_current() == mi_subproc_main());
  }
  mi_free(mine);
  mi_stats_t_decl(stats);
  CHECK(mi_stats_get(&stats) && stats.threads.current >= 1);
  // One that nobody ever was in.
  mi_subproc_destroy(mi_subproc_new());
  SURVIVES(mi_subproc_destroy(NULL));
  SURVIVES(mi_subproc_destroy(mi_subproc_main()); mi_free(mi_malloc(10)));
  SURVIVES(mi_subproc_add_current_thread(NULL); mi_free(mi_malloc(10)));
  SURVIVES(mi_subproc_add_current_thread(mi_subproc_main()); mi_free(mi_malloc(10)));

  mi_heap_t *a = mi_heap_new(), *b = mi_heap_new();
  heaps_t heaps = {.count = 0};
  CHECK(mi_subproc_visit_heaps(mi_subproc_main(), on_heap, &heaps));
  CHECK(has(&heaps, a) && has(&heaps, b) && has(&heaps, mi_heap_main()));
  int count = heaps.count;
  heaps = (heaps_t){.stop_at = 2};
  CHECK(!mi_subproc_visit_heaps(mi_subproc_main(), on_heap, &heaps) && heaps.count == 2);
  mi_heap_delete(a);
  mi_heap_destroy(b);
  heaps = (heaps_t){.count = 0};
  CHECK(mi_subproc_visit_heaps(mi_subproc_main(), on_heap, &heaps) && heaps.count == count - 2 && !has(&heaps, a));
}
