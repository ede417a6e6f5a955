// Everything that mimalloc-override.h renames is mimalloc's in this file.
#include <mimalloc-override.h>
#include <stdio.h>
#include <string.h>

static int bad;

static void ours(void* p) {
  if (!mi_any_heap_contains(p)) bad++;
  free(p);
}

int main(void) {
  void* p = malloc(10);
  p = realloc(p, 100);
  ours(p);
  ours(calloc(10, 10));
  ours(strdup("text"));
  ours(strndup("text", 2));
  ours(realpath("/", NULL));
  ours(reallocf(NULL, 10));
  ours(reallocarray(NULL, 10, 10));
  ours(memalign(64, 64));
  ours(aligned_alloc(64, 64));
  ours(valloc(10));
  ours(pvalloc(10));
  if (posix_memalign(&p, 64, 10) != 0) bad++;
  if (malloc_usable_size(p) < 10 || malloc_size(p) < 10 || malloc_good_size(10) < 10) bad++;
  cfree(p);
  free_sized(malloc(10), 10);
  free_aligned_sized(aligned_alloc(64, 128), 64, 128);
  p = _aligned_malloc(100, 256);
  p = _aligned_realloc(p, 200, 256);
  if (_aligned_msize(p, 256, 0) < 200) bad++;
  _aligned_free(p);
  ours(_aligned_offset_malloc(100, 64, 8));
  ours(_recalloc(NULL, 10, 10));
  printf("%d\n", bad);
  return bad;
}
