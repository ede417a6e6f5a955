// A DLL that has the allocator inside, for host.c.
#include <mimalloc.h>
#include <stdlib.h>
#include <string.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define GUEST __declspec(dllexport)

static void* at_end;  // a block that goes as those of C++'s static objects do

static void end(void) {
  mi_free(at_end);
  mi_free(mi_malloc(100));
}

__attribute__((constructor)) static void begin(void) {
  at_end = mi_malloc(5000);
  atexit(end);
}

static void* fill(void* p, size_t size) {
  if (p == NULL) abort();
  return memset(p, 1, size);
}

static DWORD WINAPI elsewhere(void* p) {
  mi_free(p);
  mi_free(fill(mi_malloc(70000), 70000));
  mi_free(fill(mi_malloc(3000), 3000));
  return 0;
}

GUEST void guest_work(void) {
  static const size_t sizes[] = {1, 100, 3000, 40000, 900000, 20 << 20};
  void* blocks[6];
  mi_heap_t* heap = mi_heap_new();
  mi_heap_t* forgotten = mi_heap_new();  // a heap that nobody ends is not a block
  for (int i = 0; i < 6; i++) blocks[i] = fill(mi_heap_malloc(i % 3 == 0 ? heap : i % 3 == 1 ? forgotten : mi_heap_main(), sizes[i]), sizes[i]);
  for (int i = 0; i < 6; i++) mi_free(blocks[i]);
  mi_heap_delete(heap);
  mi_free(mi_malloc_aligned(100, 1 << 20));
  HANDLE thread = CreateThread(NULL, 0, elsewhere, mi_malloc(2000), 0, NULL);
  if (thread == NULL) abort();
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

GUEST void* guest_keep(size_t size) { return fill(mi_malloc(size), size); }
GUEST void guest_free(void* p) { mi_free(p); }
