// Heaps: allocation in them, whose block is whose, and their ends.
#include "../check.h"
#include <limits.h>

static void on_error(int code, void* arg) { *(int*)arg = code; }

static void allocation(mi_heap_t* heap) {
  void* p = mi_heap_malloc(heap, 100);
  CHECK(is_block(p, 100) && mi_heap_contains(heap, p));
  soil(100);
  p = mi_heap_zalloc(heap, 100);
  CHECK(is_zero_block(p, 100) && mi_heap_contains(heap, p));
  p = mi_heap_calloc(heap, 10, 1000);
  CHECK(is_zero_block(p, 10000) && mi_heap_contains(heap, p));
  p = mi_heap_mallocn(heap, 10, 1000);
  CHECK(is_block(p, 10000) && mi_heap_contains(heap, p));
  p = mi_heap_malloc_small(heap, 64);
  CHECK(is_block(p, 64) && mi_heap_contains(heap, p));
  p = mi_heap_zalloc_small(heap, 64);
  CHECK(is_zero_block(p, 64) && mi_heap_contains(heap, p));
  p = mi_heap_malloc(heap, 10 << 20);
  CHECK(is_block(p, 10 << 20) && mi_heap_contains(heap, p));
  mi_free(p);
  p = mi_heap_malloc(heap, 0);
  CHECK(p != NULL && mi_heap_contains(heap, p));
  CHECK_ERRNO(ENOMEM, mi_heap_malloc(heap, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_malloc(heap, A_LOT) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_zalloc(heap, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_calloc(heap, MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_mallocn(heap, MANY, 8) == NULL);
}

static void reallocation(mi_heap_t* heap) {
  char* p = (char*)mi_heap_realloc(heap, NULL, 100);
  CHECK(is_block(p, 100) && mi_heap_contains(heap, p));
  p = (char*)mi_heap_realloc(heap, p, 5000);
  CHECK(p != NULL && all_bytes(p, 100, 0xA5) && mi_heap_contains(heap, p));
  p = (char*)mi_heap_reallocn(heap, p, 100, 100);
  CHECK(p != NULL && all_bytes(p, 100, 0xA5) && mi_usable_size(p) >= 10000);
  CHECK_ERRNO(ENOMEM, mi_heap_realloc(heap, p, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_reallocn(heap, p, MANY, 8) == NULL);
  p = (char*)mi_heap_reallocf(heap, p, 20000);
  CHECK(p != NULL && all_bytes(p, 100, 0xA5) && mi_heap_contains(heap, p));
  CHECK_ERRNO(ENOMEM, mi_heap_reallocf(heap, p, TOO_MUCH) == NULL);
  p = (char*)mi_heap_rezalloc(heap, NULL, 100);
  CHECK(is_zero(p, 100));
  p = (char*)mi_heap_rezalloc(heap, p, 9000);
  CHECK(is_zero(p, 9000) && mi_heap_contains(heap, p));
  p = (char*)mi_heap_recalloc(heap, p, 100, 300);
  CHECK(is_zero(p, 30000) && mi_heap_contains(heap, p));
  CHECK_ERRNO(ENOMEM, mi_heap_rezalloc(heap, p, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_heap_recalloc(heap, p, MANY, 8) == NULL);
  p = (char*)mi_malloc(100);
  memset(p, 6, 100);
  p = (char*)mi_heap_realloc(heap, p, 50000);  // moves into the heap
  CHECK(p != NULL && all_bytes(p, 100, 6) && mi_heap_contains(heap, p));
}

static void copies(mi_heap_t* heap) {
  char* p = mi_heap_strdup(heap, "hello");
  CHECK(p != NULL && strcmp(p, "hello") == 0 && mi_heap_contains(heap, p));
  p = mi_heap_strndup(heap, "hello", 2);
  CHECK(p != NULL && strcmp(p, "he") == 0 && mi_heap_contains(heap, p));
  CHECK(mi_heap_strdup(heap, NULL) == NULL && mi_heap_strndup(heap, NULL, 2) == NULL);
  p = mi_heap_realpath(heap, A_FOLDER, NULL);
  CHECK(p != NULL && strcmp(p, THE_FOLDER) == 0 && mi_heap_contains(heap, p));
  char buffer[PATH_MAX];
  CHECK(mi_heap_realpath(heap, A_FOLDER, buffer) == buffer);
  CHECK_ERRNO(NO_PATH_ERROR, mi_heap_realpath(heap, NO_PATH, NULL) == NULL);
}

static void whose(mi_heap_t* heap) {
  int local = 0;
  void *mine = mi_heap_malloc(heap, 100), *others = mi_malloc(100), *large = mi_heap_malloc(heap, 40 << 20);
  CHECK(mi_heap_of(mine) == heap && mi_heap_of(large) == heap && mi_heap_of(others) == mi_heap_main());
  CHECK(mi_heap_contains(heap, mine) && !mi_heap_contains(heap, others));
  CHECK(mi_heap_contains(mi_heap_main(), others) && !mi_heap_contains(mi_heap_main(), mine));
  CHECK(mi_heap_contains(heap, large) && mi_heap_contains(heap, (char*)mine + 50));
  CHECK(mi_any_heap_contains(mine) && mi_any_heap_contains(others) && mi_any_heap_contains(large));
  CHECK(mi_is_in_heap_region(mine) && mi_is_in_heap_region(others) && mi_check_owned(others));
  CHECK(!mi_any_heap_contains(&local) && !mi_is_in_heap_region(&local) && !mi_check_owned(&local));
  CHECK(!mi_heap_contains(heap, &local) && mi_heap_of(&local) == NULL);
  CHECK(!mi_any_heap_contains(NULL) && !mi_is_in_heap_region(NULL) && !mi_check_owned(NULL));
  CHECK(!mi_heap_contains(heap, NULL) && mi_heap_of(NULL) == NULL);
  CHECK(!mi_any_heap_contains((void*)1) && !mi_any_heap_contains((void*)~(uintptr_t)0));
  CHECK(mi_heap_of((void*)~(uintptr_t)0xFFFF) == NULL);
  mi_free(others);
  mi_free(large);
}

static void ends(void) {
  mi_heap_t* heap = mi_heap_new();
  char* small = mi_heap_strdup(heap, "survivor");
  char* large = (char*)mi_heap_zalloc(heap, 20 << 20);
  mi_heap_delete(heap);
  CHECK(strcmp(small, "survivor") == 0 && is_zero(large, 20 << 20));
  CHECK(mi_heap_of(small) == mi_heap_main() && mi_heap_of(large) == mi_heap_main());
  small = (char*)mi_realloc(small, 1000);
  CHECK(strcmp(small, "survivor") == 0);
  mi_free(small);
  mi_free(large);

  // A heap that is destroyed gives its memory to others: this would be 6 GiB, and these machines are small.
  mi_stats_t_decl(before);
  mi_stats_t_decl(after);
  CHECK(mi_stats_get(&before));
  for (int i = 0; i < 200; i++) {
    heap = mi_heap_new();
    for (int j = 0; j < 1000; j++) memset(mi_heap_malloc(heap, 3000), 1, 3000);
    memset(mi_heap_malloc(heap, 27 << 20), 1, 4096);
    mi_heap_destroy(heap);
  }
  CHECK(mi_stats_get(&after));
  CHECK(after.heaps.current == before.heaps.current);
  CHECK(after.malloc_normal.current + after.malloc_huge.current <= before.malloc_normal.current + before.malloc_huge.current);
  CHECK(after.reserved.current <= before.reserved.current + ((int64_t)2 << 30));

  // Nothing happens to the main heap, nor to no heap.
  void* p = mi_malloc(100);
  mi_heap_delete(mi_heap_main());
  mi_heap_destroy(mi_heap_main());
  CHECK(mi_heap_of(p) == mi_heap_main() && is_block(p, 100));
  mi_free(p);
  int error = 0;
  mi_register_error(on_error, &error);
  CHECK(mi_heap_new_qsbr() == NULL && error == ENOSYS);
  mi_register_error(NULL, NULL);
  SURVIVES(mi_heap_set_debug_fill_preserve(NULL, 10));
  SURVIVES(mi_heap_delete(NULL));
  SURVIVES(mi_heap_destroy(NULL));
  SURVIVES(mi_heap_collect(NULL, true));
  SURVIVES(mi_heap_set_numa_affinity(NULL, 0));
  CHECK(!mi_heap_contains(NULL, &p));
}

void heaps(void) {
  mi_heap_t* heap = mi_heap_new();
  CHECK(heap != NULL && mi_heap_main() != NULL && heap != mi_heap_main() && mi_heap_main() == mi_heap_main());
  allocation(heap);
  reallocation(heap);
  copies(heap);
  whose(heap);
  mi_heap_set_numa_affinity(heap, 0);
  void* p = mi_heap_malloc(heap, 100000);
  CHECK(is_block(p, 100000));
  mi_heap_set_numa_affinity(heap, -1);
  mi_heap_set_numa_affinity(heap, 12345);
  p = mi_heap_malloc(heap, 200000);
  CHECK(is_block(p, 200000));
  mi_heap_collect(heap, false);
  mi_heap_collect(heap, true);
  CHECK(is_block(p, 200000));
  mi_heap_destroy(heap);
  // As before, in the main heap.
  allocation(mi_heap_main());
  p = mi_heap_malloc(mi_heap_main(), 10);
  CHECK(mi_heap_of(p) == mi_heap_main());
  mi_free(p);
  ends();

  // A page with one of many blocks in use is used little, a full one is not.
  heap = mi_heap_new();
  void* blocks[1000];
  for (int i = 0; i < 1000; i++) blocks[i] = mi_heap_malloc(heap, 1000);
  for (int i = 1; i < 1000; i++) mi_free(blocks[i]);
  CHECK(mi_unsafe_heap_page_is_under_utilized(heap, blocks[0], 50));
  CHECK(!mi_unsafe_heap_page_is_under_utilized(heap, NULL, 50));
  CHECK(!mi_unsafe_heap_page_is_under_utilized(mi_heap_main(), blocks[0], 50));
  for (int i = 1; i < 1000; i++) blocks[i] = mi_heap_malloc(heap, 1000);
  CHECK(!mi_unsafe_heap_page_is_under_utilized(heap, blocks[500], 10));
  mi_heap_destroy(heap);
}
