// Many short threads, one after the other: their ends are noticed, however they are made, and what they had is used again.
// Before all that nothing is freed, in a constructor that comes before the library's own.
#include "short-threads.h"
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 100000 };

static bool is_nothing_free;
static void* kept;

__attribute__((constructor(101))) static void free_nothing(void) {
  mi_free(NULL);
  is_nothing_free = mi_usable_size(NULL) == 0;
  mi_free(NULL);
}

static void work(void) {
  void* p = mi_malloc(BYTES);
  memset(p, 1, BYTES);
  mi_free(p);
  for (int i = 0; i < 100; i++) mi_free(mi_malloc((size_t)i * 20));
  kept = mi_malloc(50);
}

static long long committed(void) {
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  return stats.committed.current;
}

static long long alive(void) {
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  return stats.threads.current;
}

int main(void) {
  if (!is_nothing_free) return 4;
  long long before = 0;
  for (int i = 0; i < THREADS; i++) {
    if (!run_thread(i, work)) return 2;
    mi_free(kept);
    if (i == 20) before = committed();
  }
  if (committed() > before + (16 << 20)) {  // a thread that is not noticed keeps 128 KiB
    printf("committed %lld bytes after 20 threads, %lld after %d\n", before, committed(), THREADS);
    return 1;
  }
  if (alive() > 1 + LASTING) {
    printf("%lld threads are thought to be alive\n", alive());
    return 1;
  }
  puts("ok");
  return 0;
}
