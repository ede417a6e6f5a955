// Visits: every area and every block in use exactly once, until the visitor says that it is enough.
#include "../check.h"

typedef struct {
  size_t areas, blocks, bytes;
  size_t stop_at_area, stop_at_block;  // 0 for never
  bool consistent, free_all;
  const mi_heap_t* heap;
  void* seen[5000];
} visit_t;

static bool visitor(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t size, void* arg) {
  visit_t* visit = (visit_t*)arg;
  visit->consistent = visit->consistent && heap == visit->heap && area->block_size > 0 && size == area->block_size &&
                      area->full_block_size >= area->block_size && area->committed <= area->reserved &&
                      area->used * area->full_block_size <= area->committed && area->blocks != NULL;
  if (block == NULL) return ++visit->areas != visit->stop_at_area;
  if (visit->blocks < 5000) visit->seen[visit->blocks] = block;
  visit->bytes += size;
  visit->consistent = visit->consistent && (char*)block >= (char*)area->blocks &&
                      (char*)block + size <= (char*)area->blocks + area->committed;
  if (visit->free_all) mi_free(block);
  return ++visit->blocks != visit->stop_at_block;
}

static visit_t* fresh(const mi_heap_t* heap) {
  static visit_t visit;
  memset(&visit, 0, sizeof(visit));
  visit.consistent = true;
  visit.heap = heap;
  return &visit;
}

static int by_address(const void* a, const void* b) {
  const char *p = *(char* const*)a, *q = *(char* const*)b;
  return (p > q) - (p < q);
}

#if HAS_THREADS
static void* allocate_and_end(void* heap) {
  for (int i = 0; i < 300; i++) memset(mi_heap_malloc((mi_heap_t*)heap, 200), 1, 200);
  return mi_heap_malloc((mi_heap_t*)heap, 4000);
}
#endif

void visit(void) {
  enum { COUNT = 3000 };
  static void* blocks[COUNT];
  mi_heap_t* heap = mi_heap_new();
  visit_t* seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == 0);
  size_t bytes = 0;
  for (int i = 0; i < COUNT; i++) {
    size_t size = i % 100 == 0 ? 300000 : i % 10 == 0 ? 20000 : (size_t)(i % 7) * 40 + 8;
    blocks[i] = mi_heap_malloc(heap, size);
    bytes += mi_usable_size(blocks[i]);
  }
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen));
  CHECK(seen->blocks == COUNT && (is_padded() ? seen->bytes > bytes : seen->bytes == bytes) && seen->areas > 3 && seen->consistent);
  qsort(seen->seen, COUNT, sizeof(void*), by_address);
  qsort(blocks, COUNT, sizeof(void*), by_address);
  CHECK(memcmp(blocks, seen->seen, sizeof(blocks)) == 0);
  size_t areas = seen->areas;
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, false, visitor, seen) && seen->blocks == 0 && seen->areas == areas);
  seen = fresh(heap);
  CHECK(mi_theap_visit_blocks(mi_heap_theap(heap), true, visitor, seen));
  CHECK(seen->blocks > 0 && seen->blocks <= COUNT && seen->consistent);  // full pages may be nobody's
  seen = fresh(heap);
  seen->stop_at_area = 2;
  CHECK(!mi_heap_visit_blocks(heap, false, visitor, seen) && seen->areas == 2);
  seen = fresh(heap);
  seen->stop_at_block = 5;
  CHECK(!mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == 5);
  seen = fresh(heap);
  seen->stop_at_block = 1;
  CHECK(!mi_theap_visit_blocks(mi_heap_theap(heap), true, visitor, seen) && seen->blocks == 1);

  for (int i = 0; i < COUNT; i += 2) mi_free(blocks[i]);
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == COUNT / 2 && seen->consistent);
  // The visitor may free what it is shown.
  seen = fresh(heap);
  seen->free_all = true;
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == COUNT / 2);
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == 0);

  // Inside of a block lies the aligned one that its user knows.
  void* p = mi_heap_malloc_aligned_at(heap, 100, 64, 24);
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == 1);
  CHECK((char*)p >= (char*)seen->seen[0] && (char*)p + 100 <= (char*)seen->seen[0] + seen->bytes);
  mi_free(p);

#if HAS_THREADS
  // What a thread leaves behind when it ends.
  mi_option_enable(mi_option_deprecated_visit_abandoned);
  seen = fresh(heap);
  CHECK(mi_heap_visit_abandoned_blocks(heap, true, visitor, seen) && seen->blocks == 0);
  pthread_t thread;
  void* last = NULL;
  CHECK(pthread_create(&thread, NULL, allocate_and_end, heap) == 0 && pthread_join(thread, &last) == 0 && last != NULL);
  seen = fresh(heap);
  CHECK(mi_heap_visit_abandoned_blocks(heap, true, visitor, seen));
  CHECK(seen->blocks == 301 && seen->consistent);
  seen = fresh(heap);
  seen->stop_at_block = 3;
  CHECK(!mi_heap_visit_abandoned_blocks(heap, true, visitor, seen) && seen->blocks == 3);
  seen = fresh(heap);
  CHECK(mi_heap_visit_blocks(heap, true, visitor, seen) && seen->blocks == 301);
#endif
  mi_heap_destroy(heap);
  SURVIVES(mi_heap_visit_blocks(NULL, true, visitor, fresh(NULL)));
  SURVIVES(mi_heap_visit_abandoned_blocks(NULL, true, visitor, fresh(NULL)));
  SURVIVES(mi_theap_visit_blocks(NULL, true, visitor, fresh(NULL)));
}
