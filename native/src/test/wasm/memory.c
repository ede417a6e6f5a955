// What only a WebAssembly module can say: its memory grows and never shrinks, so what was freed must be used again. Nothing
// here needs a C library.
#include "memory.h"
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stdbool.h>
#include <stdint.h>

enum { MIB = 1 << 20, PAGE = 1 << 16 };
#define IS(...) if (!(__VA_ARGS__)) return __LINE__

static size_t memory(void) { return __builtin_wasm_memory_size(0); }  // in pages

static void fill(void* p, size_t size, int value) { __builtin_memset(p, value, size); }

static bool is_filled(const void* p, size_t size, int value) {
  const unsigned char* bytes = p;
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != (unsigned char)value) return false;
  }
  return true;
}

static uint32_t state = 1;

static uint32_t any(uint32_t below) {
  state = state * 1664525 + 1013904223;
  return (state >> 8) % below;
}

// A program that allocates little has a small memory. First of all: the others need much.
static int little(void) {
  size_t before = memory();
  void* blocks[100];
  for (size_t i = 0; i < 100; i++) IS((blocks[i] = mi_malloc(i * 50)) != NULL);
  for (size_t i = 0; i < 100; i++) mi_free(blocks[i]);
  IS(memory() - before <= 3 * MIB / PAGE);
  return 0;
}

// Large blocks that come and go take the place of those before, and a zeroed one is zero.
static int again(void) {
  for (size_t size = 100; size <= 64 * MIB; size *= 3) {
    size_t most = 0;
    for (int i = 0; i < 30; i++) {
      char* p = mi_zalloc(size);
      IS(p != NULL && is_filled(p, size, 0));
      fill(p, size, 0xA5);
      mi_free(p);
      if (i == 1) most = memory();
      IS(most == 0 || memory() == most);
    }
  }
  return 0;
}

// Neighbours that are free make one: nothing is lost in pieces.
static int joined(void) {
  void* blocks[20];
  for (int i = 0; i < 20; i++) IS((blocks[i] = mi_malloc(5 * MIB)) != NULL);
  size_t before = memory();
  for (int i = 0; i < 20; i += 2) mi_free(blocks[i]);
  for (int i = 1; i < 20; i += 2) mi_free(blocks[i]);
  void* p = mi_malloc(90 * MIB);
  IS(p != NULL && memory() == before);
  mi_free(p);
  return 0;
}

// The end of the memory is where a block grows without a copy. What is behind it is not always its own.
static int grown(void) {
  size_t before = memory();
  char* p = mi_malloc(8 * MIB);
  IS(p != NULL);
  for (size_t size = 8 * MIB; size < 128 * MIB; size += MIB) {
    fill(p + size - MIB, MIB, (int)(size / MIB));
    p = mi_realloc(p, size + MIB);
    IS(p != NULL);
  }
  for (size_t size = 8 * MIB; size < 128 * MIB; size += MIB) IS(is_filled(p + size - MIB, MIB, (int)(size / MIB)));
  IS((memory() - before) * PAGE <= 3 * 128 * MIB);  // it may move, but the places it had are used again
  char* behind = mi_malloc(6 * MIB);
  fill(behind, 6 * MIB, 0x77);
  p = mi_realloc(p, 160 * MIB);
  IS(p != NULL && is_filled(behind, 6 * MIB, 0x77) && is_filled(p + 100 * MIB - MIB, MIB, 100));
  mi_free(p);
  mi_free(behind);
  return 0;
}

// Sizes and alignments at random, with one byte in each page of a block as its mark.
static int mixed(void) {
  enum { COUNT = 200 };
  static struct { char* p; size_t size; } blocks[COUNT];
  for (int i = 0; i < 20000; i++) {
    uint32_t which = any(COUNT);
    char* p = blocks[which].p;
    for (size_t at = 0; p != NULL && at < blocks[which].size; at += 4096) IS(p[at] == (char)which);
    mi_free(p);
    size_t size = any(10) == 0 ? any(4 * MIB) + 1 : any(3000) + 1, alignment = (size_t)1 << any(any(20) == 0 ? 23 : 8);
    p = any(2) ? mi_zalloc_aligned(size, alignment) : mi_malloc_aligned(size, alignment);
    IS(p != NULL && (uintptr_t)p % alignment == 0);
    for (size_t at = 0; at < size; at += 4096) p[at] = (char)which;
    blocks[which].p = p;
    blocks[which].size = size;
  }
  for (int i = 0; i < COUNT; i++) mi_free(blocks[i].p);
  return 0;
}

// Others may make the memory grow, too, between two of our own.
static int others(void) {
  char* mine[8];
  for (int i = 0; i < 8; i++) {
    char* p = take_pages(3);
    IS(p != NULL);
    fill(p, 3 * PAGE, 0x33);
    IS((mine[i] = mi_malloc(9 * MIB)) != NULL);
    fill(mine[i], 9 * MIB, 0x44);
    IS(is_filled(p, 3 * PAGE, 0x33));
  }
  for (int i = 0; i < 8; i++) mi_free(mine[i]);
  return 0;
}

// Without more memory there is an answer, and everything goes on.
static int exhausted(void) {
  IS(mi_malloc((size_t)PTRDIFF_MAX + 1) == NULL && mi_malloc(SIZE_MAX) == NULL);
  static void* blocks[1000];
  int count = 0;
  while (count < 1000 && (blocks[count] = mi_malloc(16 * MIB)) != NULL) count++;
  IS(count > 0 && count < 1000);
  void* p = mi_malloc(100);  // there is a little left
  IS(p != NULL);
  mi_free(p);
  for (int i = 0; i < count; i++) mi_free(blocks[i]);
  size_t most = memory();
  p = mi_malloc(500 * MIB);
  IS(p != NULL && memory() == most);
  mi_free(p);
  return 0;
}

// Nothing is given back, and the statistics do not say that it was.
static int told(void) {
  mi_collect(true);
  mi_stats_t_decl(stats);
  IS(mi_stats_get(&stats) && stats.purged.total == 0 && stats.reset.total == 0);
  size_t resident = 0, peak = 0;
  mi_process_info(NULL, NULL, NULL, &resident, &peak, NULL, NULL, NULL);
  IS(resident == memory() * PAGE && peak == resident);
  return 0;
}

int test_memory(void) {
  int (*const tests[])(void) = {little, joined, again, grown, mixed, others, exhausted, told};
  for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
    int line = tests[i]();
    if (line != 0) return line;
  }
  return 0;
}
