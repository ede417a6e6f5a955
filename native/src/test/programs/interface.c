// The header as a C program uses it: heaps, visits, options, statistics, callbacks. Also compiled as C++.
#include "program.h"
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <string.h>

static size_t visited, visited_bytes;

static bool visit(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t size, void* arg) {
  CHECK(heap != NULL && area != NULL && arg == &visited);
  CHECK(area->block_size > 0 && area->full_block_size >= area->block_size && area->committed <= area->reserved);
  if (block != NULL) {
    visited++;
    visited_bytes += size;
    CHECK((char*)block >= (char*)area->blocks && (char*)block < (char*)area->blocks + area->committed);
  }
  return true;
}

static char printed[100000];

static void print(const char* text, void* arg) {
  CHECK(arg == printed && strlen(printed) + strlen(text) < sizeof(printed));
  strcat(printed, text);
}

static int errors;

static void note_error(int code, void* arg) {
  CHECK(arg == &errors && code != 0);
  errors++;
}

struct thing {
  int a;
  double b;
};

int main(void) {
  CHECK(mi_version() == MI_MALLOC_VERSION);
  struct thing* thing = mi_malloc_tp(struct thing);
  thing->b = 1;
  mi_free(thing);
  thing = mi_calloc_tp(struct thing, 10);
  thing = mi_recalloc_tp(struct thing, thing, 100);
  CHECK(thing[99].a == 0);
  mi_free(thing);
  CHECK(mi_usable_size(NULL) == 0);

  mi_heap_t* heap = mi_heap_new();
  CHECK(heap != NULL && heap != mi_heap_main());
  void* blocks[100];
  for (int i = 0; i < 100; i++) CHECK((blocks[i] = mi_heap_malloc(heap, 100)) != NULL);
  CHECK(mi_heap_contains(heap, blocks[7]) && mi_heap_of(blocks[7]) == heap && !mi_heap_contains(mi_heap_main(), blocks[7]));
  CHECK(mi_heap_visit_blocks(heap, true, visit, &visited) && visited == 100 && visited_bytes >= 100 * 100);
  for (int i = 0; i < 50; i++) mi_free(blocks[i]);
  visited = 0;
  CHECK(mi_heap_visit_blocks(heap, true, visit, &visited) && visited == 50);
  mi_heap_destroy(heap);
  heap = mi_heap_new();
  char* survivor = mi_heap_strdup(heap, "survivor");
  mi_heap_delete(heap);
  CHECK(strcmp(survivor, "survivor") == 0 && mi_heap_of(survivor) == mi_heap_main());
  mi_free(survivor);

  long delay = mi_option_get(mi_option_purge_delay);
  mi_option_set(mi_option_purge_delay, 17);
  CHECK(mi_option_get(mi_option_purge_delay) == 17 && mi_option_is_enabled(mi_option_purge_delay));
  CHECK(mi_option_get_clamp(mi_option_purge_delay, -20, -10) == -10);
  mi_option_set(mi_option_purge_delay, delay);

  mi_stats_t_decl(stats);
  CHECK(mi_stats_get(&stats) && stats.pages.current > 0 && stats.reserved.current >= stats.committed.peak / 2);
  CHECK(mi_stats_get_bin_size(1) == 8);
  mi_stats_print_out(print, printed);
  CHECK(strlen(printed) > 100);
  size_t elapsed, rss;
  mi_process_info(&elapsed, NULL, NULL, &rss, NULL, NULL, NULL, NULL);
  CHECK(rss > 100000);

  char* path = mi_realpath("/./usr/..", NULL);
  CHECK(path != NULL && strcmp(path, "/") == 0);
  mi_free(path);
  mi_register_error(note_error, &errors);
  CHECK(mi_malloc((size_t)PTRDIFF_MAX + 10) == NULL && errors == 1);
  mi_collect(true);
  puts("ok");
  return 0;
}
