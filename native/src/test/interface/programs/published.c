// What C mimalloc's own header and library, and these, have to agree on: compiled with either header, run with either library.
// WORDS: the library has what the inline functions for constant sizes call, which C mimalloc's shared one does not export.
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int failures;
#define IS_WIDE (sizeof(void*) > 4)  // with 32 bits defaults are other ones
#define CHECK(condition) \
  if (!(condition)) failures++, printf("published.c:%d: not so: %s\n", __LINE__, #condition)

static void statistics(void) {
  mi_stats_t_decl(before);
  mi_stats_t_decl(stats);
  CHECK(sizeof(mi_stats_t) == 4464 + 2 * sizeof(size_t) && stats.size == sizeof(mi_stats_t) && stats.version == 6);
  mi_heap_t* heap = mi_heap_new();
  mi_free(mi_malloc(100));
  CHECK(mi_stats_get(&before) && before.reserved.current > 0 && before.committed.current > 0 && before.arena_count.total > 0);
  for (int i = 0; i < 1000; i++) memset(mi_heap_malloc(heap, 1000), 1, 1000);
  CHECK(mi_stats_get(&stats) && stats.heaps.current >= 1 && stats.pages.current > before.pages.current);
  CHECK(mi_heap_stats_get(heap, &stats) && stats.pages.current > 0);
  size_t offset = 2 * sizeof(size_t);
#define MI_STAT_COUNT(field) CHECK(offsetof(mi_stats_t, field) == offset); offset += sizeof(mi_stat_count_t);
#define MI_STAT_COUNTER(field) CHECK(offsetof(mi_stats_t, field) == offset); offset += sizeof(mi_stat_counter_t);
  MI_STAT_FIELDS()
  CHECK(offset == offsetof(mi_stats_t, _stat_reserved));
  stats.version--;
  CHECK(!mi_stats_get(&stats));
  char* json = mi_stats_get_json(0, NULL);
  CHECK(json != NULL && strstr(json, "\"malloc_bins\"") != NULL);
  mi_free(json);
  mi_heap_destroy(heap);
}

static void options(void) {
  CHECK((int)mi_option_stats_merge_on_collect == 47 && (int)mi_option_arena_purge_immediate_size == 53);
  CHECK(mi_option_get(mi_option_purge_delay) == 1000 && mi_option_get(mi_option_profile_sample_rate) == 512 << 10);
  CHECK(mi_option_get_size(mi_option_arena_reserve) == (size_t)(IS_WIDE ? 1024 : 64) << 20);
  mi_option_set(mi_option_arena_purge_min_size, 256);
  CHECK(mi_option_get_size(mi_option_minimal_purge_size) == 256 << 10);
}

static void theaps(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_theap_t* theap = mi_heap_theap(heap);
  char* p = memset(mi_theap_malloc(theap, 100), 1, 100);
  CHECK(mi_thread_id_of(p) != 0 && mi_heap_of(p) == heap);
  mi_theap_quiescent_abandon(theap);
  CHECK(mi_thread_id_of(p) == 0 && p[99] == 1);
  p = mi_theap_rezalloc(theap, mi_theap_zalloc_aligned(theap, 100, 64), 1000);
  CHECK(p[0] == 0 && p[999] == 0);
  mi_theap_set_default(theap);
  mi_theap_delete(theap);
  CHECK(mi_theap_get_default() != theap && mi_heap_of(p) == heap);
  mi_free(p);
  p = mi_malloc(100);
  CHECK(mi_heap_of(p) == mi_heap_main() && mi_cfree(p) && !mi_cfree(NULL));
  mi_heap_set_debug_fill_preserve(heap, 16);
  mi_heap_delete(heap);
  mi_arenas_purge();
  CHECK(mi_arena_max_object_size() >= (IS_WIDE ? 100 : 16) << 20);
}

static bool count(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t size, void* arg) {
  if (block != NULL) *(size_t*)arg += heap != NULL && area->block_size >= 200 && size >= 200;
  return true;
}

static void types(void) {
  struct thing { double x, y; };
  mi_heap_t* heap = mi_heap_new();
  struct thing* thing = mi_heap_zalloc_tp(struct thing, heap);
  CHECK(thing->x == 0 && mi_heap_of(thing) == heap);
  thing = mi_heap_recalloc_tp(struct thing, heap, thing, 20);
  CHECK(thing[19].y == 0);
  mi_free(thing);
  mi_free_size(mi_reallocn_tp(struct thing, NULL, 10), sizeof(struct thing) * 10);
  for (int i = 0; i < 50; i++) CHECK(mi_heap_malloc(heap, 200) != NULL);
  size_t blocks = 0;
  CHECK(mi_heap_visit_blocks(heap, true, count, &blocks) && blocks == 50);
  mi_heap_destroy(heap);
#if WORDS
  thing = mi_malloc_tp(struct thing);
  thing->x = 1;
  mi_free_tp(struct thing, thing);
  char* p = mi_zalloc_csize(100000);
  CHECK(p[99999] == 0);
  mi_free_csize_aligned_nonnull(p, 100000, 16);
#endif
}

int main(void) {
  CHECK(mi_version() == MI_MALLOC_VERSION && MI_MALLOC_VERSION == 30600);
  statistics();
  options();
  theaps();
  types();
  printf("published: %d failed\n", failures);
  return failures != 0;
}
