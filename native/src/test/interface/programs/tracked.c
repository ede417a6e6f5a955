// Ways to misuse memory that valgrind or ASan find with a library that is built for them, by a word as argument; and
// "clean", which does what is allowed, and what they must not complain of.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mimalloc.h"

static volatile char sink;
static char* volatile kept;

static char* block(size_t size) {
  kept = (char*)mi_malloc(size);
  return kept;
}

static void overflow(void) { block(100)[100] = 1; }
static void large_overflow(void) { block(300000)[300000] = 1; }
static void underflow(void) {
  char* a = block(48);
  char* b = block(48);  // behind a, or before it
  kept = a < b ? b : a;
  kept[-1] = 1;
}
static void use_after_free(void) {
  char* p = block(100);
  p[50] = 1;
  mi_free(p);
  sink = p[50];
}
static void use_after_free_large(void) {
  char* p = block(300000);
  mi_free(p);
  sink = p[299999];
}
static void use_after_realloc(void) {
  char* p = block(100);
  kept = (char*)mi_realloc(p, 90);
  sink = p[50];
}
static void past_realloc(void) {
  kept = (char*)mi_realloc(block(100), 90);
  kept[90] = 1;
}
static void past_aligned(void) {
  kept = (char*)mi_malloc_aligned(100, 64);
  kept[100] = 1;
}
static void past_aligned_at(void) {
  kept = (char*)mi_malloc_aligned_at(100, 64, 8);
  kept[100] = 1;
}
static void past_usable(void) {
  char* p = block(100);
  p[mi_usable_size(p)] = 1;
}
static void use_after_destroy(void) {
  mi_heap_t* heap = mi_heap_new();
  char* p = (char*)mi_heap_malloc(heap, 100);
  kept = p;
  mi_heap_destroy(heap);
  sink = p[50];
}
static void uninitialised(void) {
  char* p = block(100);
  if (p[7] == 1) puts("one");
}
static void uninitialised_end(void) {
  char* p = (char*)mi_zalloc(10);
  p = (char*)mi_realloc(p, 1000);
  kept = p;
  if (p[999] == 1) puts("one");
}
static void double_free(void) {
  char* p = block(100);
  mi_free(p);
  mi_free(p);
}
static void double_free_large(void) {
  char* p = block(300000);
  mi_free(p);
  mi_free(p);
}
static void free_inside(void) { mi_free(block(100) + 16); }
static void free_static(void) {
  static char memory[64];
  mi_free(memory);
}
static void leak(void) {
  block(1000);
  block(1001);
  block(300000);
  kept = NULL;
}

static void clean(void) {
  static const size_t sizes[] = {0, 1, 8, 9, 24, 100, 1000, 5000, 100000, 3 << 20};
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      size_t size = sizes[i];
      char* p = (char*)mi_malloc(size);
      memset(p, 1, mi_usable_size(p));
      char* z = (char*)mi_calloc(1, size);
      for (size_t at = 0; at < size; at++) if (z[at] != 0) abort();
      p = (char*)mi_realloc(p, size + 50);
      for (size_t at = 0; at < size; at++) if (p[at] != 1) abort();
      z = (char*)mi_rezalloc(z, size * 2 + 1);
      for (size_t at = 0; at < size * 2 + 1; at++) if (z[at] != 0) abort();
      char* a = (char*)mi_zalloc_aligned(size, 256);
      char* at8 = (char*)mi_zalloc_aligned_at(size, 256, 8);
      if (size != 0 && a[size - 1] + at8[size - 1] != 0) abort();
      memset(at8, 1, size);
      at8 = (char*)mi_realloc_aligned_at(at8, size + 100, 256, 8);
      if (size != 0 && at8[size - 1] != 1) abort();
      char* s = mi_strdup("a text");
      if (strcmp(s, "a text") != 0) abort();
      mi_free(p);
      mi_free(z);
      mi_free(a);
      mi_free(at8);
      mi_free(s);
    }
    mi_heap_t* heap = mi_heap_new();
    for (int i = 0; i < 1000; i++) memset(mi_heap_malloc(heap, 1 + (size_t)i), 1, 1 + (size_t)i);
    mi_heap_destroy(heap);
    mi_collect(true);
  }
}

int main(int argc, char** argv) {
  static const struct { const char* name; void (*run)(void); } cases[] = {
      {"overflow", overflow}, {"large-overflow", large_overflow}, {"underflow", underflow},
      {"use-after-free", use_after_free}, {"use-after-free-large", use_after_free_large},
      {"use-after-realloc", use_after_realloc}, {"past-realloc", past_realloc},
      {"past-aligned", past_aligned}, {"past-aligned-at", past_aligned_at}, {"past-usable", past_usable},
      {"use-after-destroy", use_after_destroy}, {"uninitialised", uninitialised}, {"uninitialised-end", uninitialised_end},
      {"double-free", double_free}, {"double-free-large", double_free_large},
      {"free-inside", free_inside}, {"free-static", free_static}, {"leak", leak}, {"clean", clean}};
  for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
    if (strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run();
      puts("ok");
      return 0;
    }
  }
  fprintf(stderr, "usage: tracked CASE\n");
  return 2;
}
