// The module's memory, where there is nothing but the module: what a page or node calls.
#include "memory.h"
#include <mimalloc.h>

void* malloc(size_t size);  // there is no stdlib.h
void free(void* p);

void* take_pages(size_t count) {
  size_t page = __builtin_wasm_memory_grow(0, count);
  return page == (size_t)-1 ? NULL : (void*)(page << 16);
}

__attribute__((export_name("run"))) int run(void) { return test_memory(); }

__attribute__((export_name("allocate"))) void* allocate(size_t size) { return malloc(size); }
__attribute__((export_name("release"))) void release(void* p) { free(p); }
