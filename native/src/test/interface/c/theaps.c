// Theaps: a thread's part of a heap, also as the default of malloc.
#include "../check.h"

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
}
