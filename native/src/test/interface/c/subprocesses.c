// Subprocesses: threads in one of their own, with its own heaps; and the visit of a subprocess' heaps.
#include "../check.h"
#if HAS_THREADS
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

static bool is_same(mi_subproc_id_t a, mi_subproc_id_t b) { return a._mi_subproc_id == b._mi_subproc_id; }

static void* live(void* arg) {
  mi_subproc_id_t subprocess = {arg};
  mi_subproc_add_current_thread(subprocess);
  CHECK(is_same(mi_subproc_current(), subprocess) && !is_same(subprocess, mi_subproc_main()));
  void* p = mi_malloc(1000);
  CHECK(is_block(p, 1000) && mi_heap_of(p) == mi_heap_main());
  mi_heap_t* heap = mi_heap_new();
  void* q = mi_heap_malloc(heap, 50000);
  CHECK(is_block(q, 50000) && mi_heap_contains(heap, q));
  heaps_t heaps = {.count = 0};
  CHECK(mi_subproc_visit_heaps(subprocess, on_heap, &heaps));
  CHECK(heaps.count == 2 && has(&heaps, heap) && has(&heaps, mi_heap_main()));
  mi_stats_t_decl(stats);
  CHECK(mi_subproc_stats_get(subprocess, &stats) && stats.threads.current == 1);
  CHECK(stats.malloc_normal.current + stats.malloc_huge.current > 50000);  // a guarded block has a page to itself
  int64_t bytes = stats.malloc_normal.current;
  CHECK(mi_stats_get(&stats) && stats.malloc_normal.current == bytes);  // of one's own subprocess
  mi_heap_delete(heap);
  CHECK(is_block(q, 50000));
  for (int i = 0; i < 1000; i++) memset(mi_malloc(3000), 1, 3000);  // left behind
  return p;
}

static int errors[200], error_count;

static void on_error(int code, void* arg) {
  (void)arg;
  if (error_count < 200) errors[error_count++] = code;
}

typedef struct { mi_heap_t *main, *heap; mi_arena_id_t arena; } foreign_t;

/// In a subprocess of its own: heaps and arenas of the main one are refused.
static void* abroad(void* arg) {
  foreign_t* foreign = arg;
  mi_subproc_id_t subprocess = mi_subproc_new();
  mi_subproc_add_current_thread(subprocess);
  mi_register_error(on_error, NULL);
  mi_heap_t* heaps[] = {foreign->heap, foreign->main};
  for (int i = 0; i < 2; i++) {
    error_count = 0;
    CHECK(mi_heap_malloc(heaps[i], 100) == NULL && error_count > 0 && errors[0] == EINVAL);
    CHECK(mi_heap_zalloc(heaps[i], 100000) == NULL && mi_heap_theap(heaps[i]) == NULL);
    CHECK(mi_heap_malloc_aligned(heaps[i], 100, 256) == NULL);
    void* mine = mi_malloc(10);
    CHECK(mi_heap_realloc(heaps[i], mine, 100000) == NULL);
    mi_heap_collect(heaps[i], true);
    mi_free(mine);
  }
  error_count = 0;
  CHECK(mi_heap_new_in_arena(foreign->arena) == NULL && error_count == 1 && errors[0] == EINVAL);
  mi_register_error(NULL, NULL);
  mi_heap_t* heap = mi_heap_new();
  void* p = mi_heap_malloc(heap, 1000);
  CHECK(is_block(p, 1000) && mi_heap_of(p) == heap);
  mi_free(p);
  mi_heap_delete(heap);
  return subprocess._mi_subproc_id;
}

static void others_heaps(void) {
  foreign_t foreign = {.main = mi_heap_main(), .heap = mi_heap_new()};
  CHECK(mi_reserve_os_memory_ex(32 << 20, true, false, true, &foreign.arena) == 0);
  void* p = mi_heap_malloc(foreign.heap, 100);
  for (int i = 0; i < 10; i++) {
    pthread_t thread;
    mi_subproc_id_t subprocess = {NULL};
    CHECK(pthread_create(&thread, NULL, abroad, &foreign) == 0 && pthread_join(thread, &subprocess._mi_subproc_id) == 0);
    mi_subproc_destroy(subprocess);
  }
  CHECK(is_block(p, 100));
  mi_heap_destroy(foreign.heap);
}

enum { VISITED = 50 };
static mi_heap_t* visited[VISITED];

/// Ends the heap that it is shown, and some that it has not been shown yet; also makes one.
static bool ends_heaps(mi_heap_t* heap, void* arg) {
  heaps_t* heaps = (heaps_t*)arg;
  int at = -1;
  for (int i = 0; i < VISITED; i++) if (visited[i] == heap) at = i;
  if (at < 0) return true;
  mi_free(mi_heap_malloc(heap, 10));  // it is alive
  heaps->count++;
  // The latest heap comes first: end this one, and every second one behind it.
  visited[at] = NULL;
  if (at % 2 == 0) mi_heap_destroy(heap);
  else mi_heap_delete(heap);
  if (at > 0) {
    mi_heap_destroy(visited[at - 1]);
    visited[at - 1] = NULL;
  }
  mi_heap_delete(mi_heap_new());
  return true;
}

static int ending;
static void* ends_others(void* arg) {
  (void)arg;
  while (__atomic_load_n(&ending, __ATOMIC_RELAXED) == 0) {
    mi_heap_t* heaps[20];
    for (int i = 0; i < 20; i++) {
      heaps[i] = mi_heap_new();
      mi_free(mi_heap_malloc(heaps[i], 100));
    }
    for (int i = 0; i < 20; i++) i % 2 == 0 ? mi_heap_destroy(heaps[i]) : mi_heap_delete(heaps[i]);
  }
  return NULL;
}

static bool looks(mi_heap_t* heap, void* arg) {
  mi_stats_t_decl(stats);
  return mi_heap_stats_get(heap, &stats) && arg == NULL;
}

static void heaps_end_while_visited(void) {
  for (int i = 0; i < VISITED; i++) visited[i] = mi_heap_new();
  heaps_t heaps = {.count = 0};
  CHECK(mi_subproc_visit_heaps(mi_subproc_main(), ends_heaps, &heaps));
  CHECK(heaps.count == VISITED / 2);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, ends_others, NULL) == 0);
  bool all = true;
  for (int i = 0; i < 300; i++) all = all && mi_subproc_visit_heaps(mi_subproc_main(), looks, NULL);
  CHECK(all);
  __atomic_store_n(&ending, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
}

void subprocesses(void) {
  heaps_end_while_visited();
  others_heaps();
  CHECK(mi_subproc_main()._mi_subproc_id != NULL && is_same(mi_subproc_current(), mi_subproc_main()));
  void* mine = mi_malloc(100);
  mi_heap_t* main = mi_heap_of(mine);
  for (int i = 0; i < 20; i++) {
    mi_subproc_id_t subprocess = mi_subproc_new();
    CHECK(subprocess._mi_subproc_id != NULL && !is_same(subprocess, mi_subproc_main()));
    pthread_t thread;
    void* left = NULL;
    CHECK(pthread_create(&thread, NULL, live, subprocess._mi_subproc_id) == 0 && pthread_join(thread, &left) == 0);
    CHECK(left != NULL && mi_heap_of(left) != main);
    mi_free(left);  // a block of another subprocess
    mi_subproc_destroy(subprocess);
    CHECK(is_block(mine, 100) && is_same(mi_subproc_current(), mi_subproc_main()));
  }
  mi_free(mine);
  mi_stats_t_decl(stats);
  CHECK(mi_stats_get(&stats) && stats.threads.current >= 1);
  // One that nobody ever was in.
  mi_subproc_destroy(mi_subproc_new());
  const mi_subproc_id_t none = {NULL};
  SURVIVES(mi_subproc_destroy(none));
  SURVIVES(mi_subproc_destroy(mi_subproc_main()); mi_free(mi_malloc(10)));
  SURVIVES(mi_subproc_add_current_thread(none); mi_free(mi_malloc(10)));
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
#endif
