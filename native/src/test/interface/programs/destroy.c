// Option destroy_on_exit in a program that has the library inside: at the end nothing is mapped any more.
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mappings.h"

static long before;
static void* kept;

// The first object's destructor of the earliest priority is the last one of all: after the library's.
__attribute__((destructor(101))) static void last(void) {
  long after = mappings();
  if (after > before) {
    printf("mappings %ld, %ld\n", before, after);
    fflush(stdout);
    _exit(1);
  }
  // What libraries still do at their ends.
  mi_free(kept);
  if (mi_usable_size(kept) != 0) _exit(2);
  void* p = mi_malloc(1000);
  if (p == NULL) _exit(3);
  memset(p, 1, 1000);
  mi_free(p);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  mi_option_set(mi_option_show_errors, 0);
  mi_option_set(mi_option_destroy_on_exit, 1);
  void* libc = malloc(300000);  // so that the heap of libc has its mapping
  free(libc);
  before = mappings();
  kept = mi_malloc(100);
  void* large = mi_malloc((size_t)(sizeof(void*) > 4 ? 3072 : 100) << 20);
  void* other = mi_heap_malloc(mi_heap_new(), 100000);
  if (kept == NULL || large == NULL || other == NULL || mappings() <= before) return 4;
  puts("ok");
  return 0;
}
