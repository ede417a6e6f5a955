// Theaps: a thread's part of a heap, also as the default of malloc.
#include "../check.h"

enum { BLOCKS = 500 };
static void* blocks[BLOCKS];

static int pages_of(mi_theap_t* theap) {
  mi_stats_t_decl(stats);
  return mi_theap_stats_get(theap, &stats) ? (int)stats.pages.current : -1;
}

static void allocate(mi_theap_t* theap) {
  mi_theap_guarded_set_sample_rate(theap, 0, 0);  // a guarded block has a page of its own, which nobody owns
  for (int i = 0; i < BLOCKS; i++) blocks[i] = memset(mi_theap_malloc(theap, i % 50 == 49 ? 200000 : 1000), i, 1000);
}

static bool are_whole(mi_heap_t* heap) {
  bool whole = true;
  for (int i = 0; i < BLOCKS; i++) whole = whole && all_bytes(blocks[i], 1000, i & 255) && mi_heap_of(blocks[i]) == heap;
  return whole;
}

static bool have_no_owner(void) {
  bool none = true;
  for (int i = 0; i < BLOCKS; i++) none = none && mi_thread_id_of(blocks[i]) == 0;
  return none;
}

static void* look(void* p) { return (void*)mi_thread_id_of(p); }
static void* id_there(void* p) { return (void)p, p = mi_malloc(10), look(p); }

// By this thread itself where there is no other.
static void* in_another_thread(void* (*function)(void*), void* argument) {
#if HAS_THREADS
  pthread_t thread;
  void* result;
  pthread_create(&thread, NULL, function, argument);
  pthread_join(thread, &result);
  return result;
#else
  return function(argument);
#endif
}

static void owners(void) {
  mi_theap_guarded_set_sample_rate(mi_theap_get_default(), 0, 0);
  void* p = mi_malloc(100);
  void* large = mi_malloc(1 << 20);
  size_t mine = mi_thread_id_of(p);
  CHECK(mine != 0 && mi_thread_id_of((char*)p + 50) == mine && mi_thread_id_of(blocks[0] = mi_malloc(3000)) == mine);
  CHECK(in_another_thread(look, p) == (void*)mine);
  CHECK((in_another_thread(id_there, NULL) != (void*)mine) == HAS_THREADS);
  CHECK(mi_thread_id_of(large) == 0 && mi_thread_id_of(NULL) == 0 && mi_thread_id_of(&p) == 0);
  mi_free(p);
  mi_free(large);
  mi_free(blocks[0]);
}

static void* abandon_it(void* theap) { return mi_theap_quiescent_abandon((mi_theap_t*)theap), NULL; }
static void* free_half(void* unused) {
  for (int i = 0; i < BLOCKS; i += 2) mi_free(blocks[i]);
  return unused;
}

static void abandoned(mi_heap_t* heap, mi_theap_t* theap, bool by_another) {
  bool is_main = heap == mi_heap_main();
  for (int round = 0; round < 3; round++) {
    allocate(theap);
    int had = pages_of(theap);
    if (by_another) in_another_thread(abandon_it, theap);
    else mi_theap_quiescent_abandon(theap);
    CHECK(had > 0 && pages_of(theap) == 0 && have_no_owner() && are_whole(heap));
    CHECK(mi_heap_theap(heap) == theap);
    // The theap is used on, and may have its own pages back.
    void* p = mi_theap_malloc(theap, 1000);
    CHECK(is_block(p, 1000) && mi_thread_id_of(p) != 0 && mi_heap_of(p) == heap && are_whole(heap));
    in_another_thread(free_half, NULL);
    for (int i = 1; i < BLOCKS; i += 2) mi_free(blocks[i]);
    mi_free(p);
    mi_theap_collect(theap, true);
    mi_stats_t_decl(stats);
    CHECK(is_main || (mi_heap_stats_get(heap, &stats) && stats.allocated.current == 0));
  }
}

static void ends(mi_heap_t* heap) {
  mi_stats_t_decl(before);
  mi_stats_t_decl(stats);
  mi_theap_t* main = mi_theap_get_default();
  mi_theap_t* theap = mi_heap_theap(heap);
  allocate(theap);
  CHECK(mi_heap_stats_get(heap, &before) && before.theaps.current == 1);
  mi_theap_delete(theap);
  CHECK(have_no_owner() && are_whole(heap));
  CHECK(mi_heap_stats_get(heap, &stats) && stats.theaps.current == 0 && stats.pages.total == before.pages.total);
  CHECK(stats.allocated.current == before.allocated.current && stats.allocated.total == before.allocated.total);
  theap = mi_heap_theap(heap);  // another one
  CHECK(theap != NULL && is_block(mi_theap_malloc(theap, 10), 10));
  in_another_thread(free_half, NULL);
  for (int i = 1; i < BLOCKS; i += 2) mi_free(blocks[i]);
  // The default gives way to the main heap's.
  CHECK(mi_theap_set_default(theap) == main);
  void* p = mi_malloc(100);
  CHECK(mi_heap_of(p) == heap);
  mi_theap_delete(theap);
  CHECK(mi_theap_get_default() == main);
  void* q = mi_malloc(100);
  CHECK(is_block(q, 100) && mi_heap_of(q) == mi_heap_main() && is_block(p, 100));
  // That one stays, and gives up its pages.
  mi_theap_delete(main);
  CHECK(mi_theap_get_default() == main && mi_thread_id_of(q) == 0 && pages_of(main) == 0);
  mi_free(q);
  mi_free(p);
  p = mi_malloc(100);
  CHECK(is_block(p, 100));
  mi_free(p);
}

static mi_theap_t* called;
static void in_a_call(bool force, unsigned long long heartbeat, void* arg) {
  (void)force, (void)heartbeat, (void)arg;
  mi_theap_delete(called);
}

static void inside_of_a_call(mi_heap_t* heap) {
  called = mi_heap_theap(heap);
  mi_register_deferred_free(in_a_call, NULL);
  for (int i = 0; i < BLOCKS; i++) blocks[i] = mi_theap_malloc(called, 5000);
  mi_register_deferred_free(NULL, NULL);
  CHECK(mi_heap_theap(heap) == called);  // the call went on with it
  for (int i = 0; i < BLOCKS; i++) mi_free(blocks[i]);
}

static void given_up(void) {
  mi_heap_t* heap = mi_heap_new();
  abandoned(heap, mi_heap_theap(heap), false);
  abandoned(heap, mi_heap_theap(heap), true);
  abandoned(mi_heap_main(), mi_heap_theap(mi_heap_main()), false);
  ends(heap);
  inside_of_a_call(heap);
  SURVIVES(mi_theap_delete(NULL));
  SURVIVES(mi_theap_quiescent_abandon(NULL));
  // A heap ends whose theap was given up, or has gone.
  mi_theap_t* theap = mi_heap_theap(heap);
  allocate(theap);
  mi_theap_quiescent_abandon(theap);
  mi_heap_delete(heap);
  CHECK(are_whole(mi_heap_main()));
  for (int i = 0; i < BLOCKS; i++) mi_free(blocks[i]);
  heap = mi_heap_new();
  allocate(mi_heap_theap(heap));
  mi_theap_delete(mi_heap_theap(heap));
  mi_heap_destroy(heap);
}

static void words(mi_theap_t* theap, mi_heap_t* heap) {
  CHECK(mi_wsize_from_size(0) == 0 && mi_wsize_from_size(1) == 1 && mi_wsize_from_size(sizeof(size_t)) == 1);
  CHECK(mi_wsize_from_size(sizeof(size_t) + 1) == 2 && mi_wsize_from_size(MI_SMALL_SIZE_MAX) == MI_SMALL_WSIZE_MAX);
  CHECK(mi_wsize_from_size(SIZE_MAX) == SIZE_MAX / sizeof(size_t) + 1);
  static const size_t sizes[] = {0, 1, 100, MI_SMALL_SIZE_MAX, MI_SMALL_SIZE_MAX + 1, 5000, 200000};
  bool good = true;
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    size_t size = sizes[i];
    void* p = mi_malloc_csize(size);
    good = is_block(p, size) && good;
    mi_free_csize(p, size);
    soil(size);
    p = mi_zalloc_csize(size);
    good = is_zero_block(p, size) && good;
    mi_free_csize_nonnull(p, size);
    p = mi_theap_malloc_csize(theap, size);
    good = is_block(p, size) && mi_heap_of(p) == heap && good;
    mi_free_csize_aligned(p, size, 8);
    p = mi_theap_zalloc_csize(theap, size);
    good = is_zero_block(p, size) && mi_heap_of(p) == heap && good;
    mi_free_csize_aligned_nonnull(p, size, 4096);
  }
  CHECK(good);
  CHECK_ERRNO(ENOMEM, mi_malloc_csize(TOO_MUCH) == NULL);
  SURVIVES(mi_free_csize(NULL, 10); mi_free_csize(NULL, 10000); mi_free_csize_aligned(NULL, 10, 16));
  void* p = mi_wmalloc_small(3);
  CHECK(is_block(p, 3 * sizeof(size_t)));
  mi_free_small(p);
  p = mi_wzalloc_small(MI_SMALL_WSIZE_MAX);
  CHECK(is_zero_block(p, MI_SMALL_SIZE_MAX));
  mi_free_small_nonnull(p);
  p = mi_theap_wmalloc_small(theap, 3);
  CHECK(is_block(p, 3 * sizeof(size_t)) && mi_heap_of(p) == heap);
  mi_free_small_local(p);
  p = mi_theap_wzalloc_small(theap, 3);
  CHECK(is_zero_block(p, 3 * sizeof(size_t)) && mi_heap_of(p) == heap);
  mi_free_small_local_nonnull(p);
  SURVIVES(mi_free_small_local(NULL));
  struct point { double x, y; };
  struct point* point = mi_malloc_tp(struct point);
  CHECK(is_block(point, sizeof(struct point)));
  mi_free_tp(struct point, point);
  point = mi_heap_calloc_tp(struct point, heap, 3);
  CHECK(is_zero_block(point, 3 * sizeof(struct point)) && mi_heap_of(point) == heap);
  mi_free(mi_heap_reallocn_tp(struct point, heap, point, 4));
}

void theaps(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_theap_t* main = mi_heap_theap(mi_heap_main());
  mi_theap_t* theap = mi_heap_theap(heap);
  CHECK(main != NULL && theap != NULL && main != theap);
  CHECK(mi_heap_theap(heap) == theap && mi_theap_get_default() == main);
  void* p = mi_theap_malloc(theap, 100);
  CHECK(is_block(p, 100) && mi_heap_of(p) == heap);
  soil(100);
  p = mi_theap_zalloc(theap, 100);
  CHECK(is_zero_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_calloc(theap, 100, 100);
  CHECK(is_zero_block(p, 10000) && mi_heap_of(p) == heap);
  p = mi_theap_malloc_small(theap, 100);
  CHECK(is_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_zalloc_small(theap, 100);
  CHECK(is_zero_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_malloc_aligned(theap, 100, 2048);
  CHECK(is_aligned(p, 2048) && is_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_realloc(theap, p, 10000);
  CHECK(is_block(p, 10000) && mi_heap_of(p) == heap);
  p = mi_theap_realloc(theap, NULL, 10);
  CHECK(is_block(p, 10) && mi_heap_of(p) == heap);
  soil(100);
  p = mi_theap_zalloc_aligned(theap, 100, 256);
  CHECK(is_aligned(p, 256) && is_zero_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_zalloc(theap, 30);
  memset(p, 7, 30);
  p = mi_theap_rezalloc(theap, p, 5000);
  CHECK(all_bytes(p, 30, 7) && all_bytes((char*)p + 30, 4970, 0) && mi_heap_of(p) == heap);
  p = mi_theap_alloc_new(theap, 100);
  CHECK(is_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_theap_alloc_new_n(theap, 10, 100);
  CHECK(is_block(p, 1000) && mi_heap_of(p) == heap);
  p = mi_theap_alloc_new_nothrow(theap, 100000);
  CHECK(is_block(p, 100000) && mi_heap_of(p) == heap);
  CHECK(mi_theap_alloc_new_nothrow(theap, TOO_MUCH) == NULL);
  CHECK_ERRNO(EINVAL, mi_theap_zalloc_aligned(theap, 10, opaque(3)) == NULL);
  CHECK_ERRNO(ENOMEM, mi_theap_rezalloc(theap, p, TOO_MUCH) == NULL);
  words(theap, heap);
  CHECK_ERRNO(ENOMEM, mi_theap_malloc(theap, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_theap_zalloc(theap, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_theap_calloc(theap, MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_theap_realloc(theap, p, TOO_MUCH) == NULL);
  CHECK(mi_theap_malloc_aligned(theap, 10, opaque(3)) == NULL);
  CHECK(mi_theap_malloc_aligned(theap, TOO_MUCH, 64) == NULL);

  CHECK(mi_theap_set_default(theap) == main && mi_theap_get_default() == theap);
  p = mi_malloc(100);
  CHECK(is_block(p, 100) && mi_heap_of(p) == heap);
  p = mi_zalloc(100000);
  CHECK(is_zero_block(p, 100000) && mi_heap_of(p) == heap);
  p = mi_calloc(3, 50);
  CHECK(is_zero_block(p, 150) && mi_heap_of(p) == heap);
  p = mi_malloc_aligned(100, 4096);
  CHECK(is_aligned(p, 4096) && mi_heap_of(p) == heap);
  p = mi_realloc(p, 100000);
  CHECK(is_block(p, 100000) && mi_heap_of(p) == heap);
  p = mi_strdup("here");
  CHECK(mi_heap_of(p) == heap);
  p = mi_heap_malloc(mi_heap_main(), 100);
  CHECK(mi_heap_of(p) == mi_heap_main());
  mi_free(p);
  CHECK(mi_theap_set_default(main) == theap && mi_theap_get_default() == main);
  p = mi_malloc(100);
  CHECK(mi_heap_of(p) == mi_heap_main());
  mi_free(p);

  mi_theap_guarded_set_sample_rate(theap, 100, 1);
  mi_theap_guarded_set_size_bound(theap, 10, 1000);
  mi_theap_guarded_set_sample_rate(theap, 0, 0);
  mi_theap_collect(theap, false);
  mi_theap_collect(theap, true);
  p = mi_theap_malloc(theap, 100);
  CHECK(is_block(p, 100));
  SURVIVES(mi_theap_collect(NULL, true));
  SURVIVES(CHECK(mi_theap_set_default(NULL) != NULL); mi_free(mi_malloc(10)));
  // A heap may end whose theap is the default: the thread goes on with the main heap.
  mi_theap_set_default(theap);
  p = mi_malloc(77);
  mi_heap_delete(heap);
  CHECK(is_block(p, 77));
  mi_free(p);
  p = mi_malloc(78);
  CHECK(is_block(p, 78) && mi_heap_of(p) == mi_heap_main());
  mi_free(p);
  mi_theap_set_default(main);
  CHECK(mi_theap_get_default() == main);
  owners();
  given_up();
}
