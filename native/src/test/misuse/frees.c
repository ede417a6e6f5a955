// Frees of what was freed before, and of what was never given out.
#include "misuse.h"
#include <alloca.h>
#include <dlfcn.h>
#include <sys/mman.h>

// --- again -----------------------------------------------------------------------------------------------------------------

static struct row others;

static void free_it(void* p) { free(p); }

static void free_it_twice(void* p) {
  free(p);
  MISUSE(free(p));
}

static enum outcome at_once(size_t size, size_t amount) {
  (void)amount;
  free_it_twice(block(size));
  return take(size, NULL, 0);
}

static enum outcome interleaved(size_t size, size_t amount) {
  (void)amount;
  char* a = block(size);
  char* b = malloc(size);
  free(a);
  free(b);
  MISUSE(free(a));
  return take(size, NULL, 0);
}

static enum outcome delayed(size_t size, size_t frees) {
  row_fill(&others, count_of((size_t)64 << 20, size, 8, frees), size);
  char* p = block(size);
  free(p);
  row_free(&others);
  MISUSE(free(p));
  return take(size, NULL, 0);
}

// The block has a new owner by then, where its address is given out again.
static enum outcome after_reuse(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  free(p);
  char* q = take_until(size, p, malloc);
  MISUSE(free(p));
  return take(size, q, q == NULL ? 0 : size);
}

static enum outcome by_another_thread(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  free(p);
  MISUSE(in_thread(free_it, p));
  return take(size, NULL, 0);
}

static enum outcome within_another_thread(size_t size, size_t amount) {
  (void)amount;
  in_thread(free_it_twice, block(size));
  return take(size, NULL, 0);
}

// Who writes to a freed block can wipe out whatever marks it as free.
static enum outcome wiped(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  free(p);
  MISUSE(memset(hide(p), 0, size); free(p));
  return take(size, NULL, 0);
}

static enum outcome realloc_of_freed(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  free(p);
  char* q = NULL;
  MISUSE(q = realloc(p, 2 * size));
  return take(size, q, q == NULL ? 0 : 2 * size);
}

static enum outcome after_realloc(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  char* q = realloc(p, 8 * size);
  if (q == p) return ABSENT;
  MISUSE(free(p));
  return take(size, NULL, 0);
}

static const struct misuse double_free_cases[] = {
    {"double-free-at-once", at_once, every_size, 0},
    {"double-free-interleaved", interleaved, every_size, 0},
    {"double-free-delayed", delayed, every_size, 1000},
    {"double-free-after-reuse", after_reuse, every_size, 0},
    {"double-free-by-another-thread", by_another_thread, every_size, 0},
    {"double-free-in-another-thread", within_another_thread, every_size, 0},
    {"double-free-of-a-wiped-block", wiped, every_size, 0},
    {"realloc-of-a-freed-block", realloc_of_freed, every_size, 0},
    {"free-of-what-realloc-moved", after_realloc, every_size, 0},
};
const struct group double_frees = GROUP("freed twice", double_free_cases);

// --- never given out ---------------------------------------------------------------------------------------------------------

static enum outcome of_null(size_t size, size_t amount) {
  (void)size, (void)amount;
  MISUSE(free(hide(NULL)));
  return take(100, NULL, 0) == PREVENTED ? HARMLESS : MISSED;
}

static enum outcome inside(size_t size, size_t offset) {
  char* p = block(size);
  MISUSE(free(hide(p + offset)));
  return take(size, p, size);
}

static enum outcome in_the_middle(size_t size, size_t amount) {
  (void)amount;
  return inside(size, (size / 2) & ~(size_t)15);
}

// Of some blocks with an alignment users may hold addresses in their middle, so that those could pass for the block.
static enum outcome inside_an_aligned_block(size_t size, size_t alignment) {
  size_t rounded = (size + 63) & ~(size_t)63;
  char* p = aligned_alloc(alignment, rounded);
  MISUSE(free(hide(p + 16)));
  return take(rounded, p, rounded);
}

static enum outcome realloc_inside(size_t size, size_t offset) {
  char* p = block(size);
  char* q = NULL;
  MISUSE(q = realloc(hide(p + offset), 2 * size));
  return q == NULL ? take(size, p, size) : MISSED;
}

static enum outcome foreign(const char* p, size_t size) {
  MISUSE(free(hide(p)));
  return take(64, p, size);
}

static enum outcome on_the_stack(size_t size, size_t amount) {
  (void)size, (void)amount;
  _Alignas(16) char buffer[256] = {0};
  return foreign(hide(buffer), sizeof buffer);
}

static enum outcome by_alloca(size_t size, size_t amount) {
  (void)size, (void)amount;
  char* p = alloca(256);
  memset(p, 0, 256);
  return foreign(p, 256);
}

static enum outcome is_static(size_t size, size_t amount) {
  (void)size, (void)amount;
  static _Alignas(16) char buffer[256];
  return foreign(hide(buffer), sizeof buffer);
}

static enum outcome a_function(size_t size, size_t amount) {
  (void)size, (void)amount;
  return foreign(hide((void*)(uintptr_t)take), 1);
}

static char* mapped(void) {
  char* p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) fail("no mapping");
  return p;
}

static enum outcome of_mapped(size_t size, size_t offset) {
  (void)size;
  return foreign(mapped() + offset, 65536);
}

static enum outcome of_unmapped(size_t size, size_t amount) {
  (void)size, (void)amount;
  char* p = mapped();
  munmap(p, 1 << 20);
  return foreign(p, 1 << 20);
}

static enum outcome at_address(size_t size, size_t address) {
  (void)size;
  return foreign((char*)address, 64);
}

// As far from a block as an arena is large, or nearly so.
static enum outcome far_from_a_block(size_t size, size_t distance) {
  (void)size;
  return foreign(block(100) + distance, 64);
}

static enum outcome realloc_on_the_stack(size_t size, size_t amount) {
  (void)size, (void)amount;
  _Alignas(16) char buffer[256] = {0};
  char* p = NULL;
  MISUSE(p = realloc(hide(buffer), 512));
  return p == NULL ? take(64, buffer, sizeof buffer) : MISSED;
}

static enum outcome of_a_destroyed_heap(size_t size, size_t amount) {
  (void)amount;
  void* (*heap_new)(void) = (void* (*)(void))dlsym(RTLD_DEFAULT, "mi_heap_new");
  void* (*heap_malloc)(void*, size_t) = (void* (*)(void*, size_t))dlsym(RTLD_DEFAULT, "mi_heap_malloc");
  void (*heap_destroy)(void*) = (void (*)(void*))dlsym(RTLD_DEFAULT, "mi_heap_destroy");
  if (heap_new == NULL || heap_malloc == NULL || heap_destroy == NULL) return ABSENT;
  void* heap = heap_new();
  char* p = heap_malloc(heap, size);
  memset(p, 1, size);
  heap_destroy(heap);
  MISUSE(free(p));
  return take(size, NULL, 0);
}

static const struct misuse wrong_free_cases[] = {
    {"free-NULL", of_null, NULL, 0},
    {"free-inside-at-16", inside, every_size, 16},
    {"free-inside-at-8", inside, every_size, 8},
    {"free-inside-at-1", inside, every_size, 1},
    {"free-in-the-middle", in_the_middle, every_size, 0},
    {"free-inside-a-block-aligned-to-64", inside_an_aligned_block, every_size, 64},
    {"free-inside-a-block-aligned-to-1MiB", inside_an_aligned_block, every_size, 1 << 20},
    {"realloc-inside-at-16", realloc_inside, every_size, 16},
    {"free-of-the-stack", on_the_stack, NULL, 0},
    {"free-of-alloca", by_alloca, NULL, 0},
    {"free-of-static-memory", is_static, NULL, 0},
    {"free-of-a-function", a_function, NULL, 0},
    {"free-of-mapped-memory", of_mapped, NULL, 0},
    {"free-inside-mapped-memory", of_mapped, NULL, 4112},
    {"free-of-unmapped-memory", of_unmapped, NULL, 0},
    {"free-never-mapped", at_address, NULL, 0x123456789000},
    {"free-near-NULL", at_address, NULL, 16},
    {"free-of-letters", at_address, NULL, 0x4141414141414141},
    {"free-of-minus-4096", at_address, NULL, (size_t)-4096},
    {"free-far-from-a-block", far_from_a_block, NULL, (size_t)512 << 20},
    {"realloc-of-the-stack", realloc_on_the_stack, NULL, 0},
    {"free-of-a-destroyed-heap", of_a_destroyed_heap, every_size, 0},
};
const struct group wrong_frees = GROUP("freed, but never given out", wrong_free_cases);
