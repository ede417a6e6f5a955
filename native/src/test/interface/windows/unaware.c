// A program that knows nothing of mimalloc: run by mimalloc-run, or it loads the DLL in the middle. Which blocks are
// mimalloc's is then asked of the DLL.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static int bad;
static unsigned char (*is_ours)(const void*);
#define CHECK(condition) do { if (!(condition)) { printf("unaware.c:%d: not so: %s\n", __LINE__, #condition); bad++; } } while (0)

static void* function(HMODULE module, const char* name) { return (void*)(UINT_PTR)GetProcAddress(module, name); }
static int ours(const void* p) { return is_ours(p) != 0; }

static DWORD WINAPI churn(void* ignored) {
  for (int i = 0; i < 2000; i++) free(realloc(calloc(1, (size_t)i), (size_t)i * 2 + 1));
  return ignored != NULL;
}

// unaware run|load DLL LATE: is the DLL there already, its path, and that of a DLL that comes later.
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  char* early = malloc(100);
  void* early_aligned = _aligned_malloc(1000, 256);
  strcpy(early, "from the C library");
  HMODULE dll = strcmp(argv[1], "load") == 0 ? LoadLibraryA(argv[2]) : GetModuleHandleA("mimalloc.dll");
  if (dll == NULL) {
    printf("unaware: there is no mimalloc.dll: error %lu\n", (unsigned long)GetLastError());
    return 2;
  }
  is_ours = (unsigned char (*)(const void*))function(dll, "mi_is_in_heap_region");
  CHECK(((unsigned char (*)(void))function(dll, "mi_is_redirected"))() != 0);
  CHECK(ours(early) == (strcmp(argv[1], "run") == 0));
  // A block of the C library's stays one, whatever is done with it.
  CHECK(_msize(early) >= 100);
  early = realloc(early, 5000);
  CHECK(early != NULL && strcmp(early, "from the C library") == 0);
  free(early);
  early_aligned = _aligned_realloc(early_aligned, 3000, 256);
  CHECK(early_aligned != NULL);
  _aligned_free(early_aligned);
  free(NULL);

  char* p = malloc(100);
  CHECK(ours(p) && _msize(p) >= 100);
  CHECK(_expand(p, 90) == p);
  p = realloc(p, 10000);
  CHECK(ours(p));
  p = _recalloc(p, 100, 200);
  CHECK(ours(p) && p[19999] == 0);
  free(p);
  p = calloc(10, 10);
  CHECK(ours(p) && p[99] == 0);
  free(p);
  p = _strdup("a text");
  CHECK(ours(p) && strcmp(p, "a text") == 0);
  free(p);
  wchar_t* wide = _wcsdup(L"wide");
  CHECK(ours(wide) && wcscmp(wide, L"wide") == 0);
  free(wide);
  p = _aligned_malloc(100, 4096);
  CHECK(ours(p) && (UINT_PTR)p % 4096 == 0);
  p = _aligned_realloc(p, 200, 4096);
  CHECK(ours(p) && (UINT_PTR)p % 4096 == 0);
  _aligned_free(p);
  p = _aligned_offset_malloc(100, 64, 8);
  CHECK(ours(p) && ((UINT_PTR)p + 8) % 64 == 0);
  _aligned_free(p);
  // What the C library allocates inside and gives away is its own, and free knows.
  p = _fullpath(NULL, "name", 0);
  CHECK(p != NULL && !ours(p));
  free(p);
  // A module that comes later, and a function that is looked up.
  HMODULE late = LoadLibraryA(argv[3]);
  CHECK(late != NULL);
  if (late != NULL) {
    void* (*get)(size_t) = (void* (*)(size_t))function(late, "late_get");
    void (*put)(void*) = (void (*)(void*))function(late, "late_put");
    p = get(100);
    CHECK(ours(p));
    free(p);
    put(malloc(100));
    FreeLibrary(late);
  }
  void* (*found)(size_t) = (void* (*)(size_t))function(GetModuleHandleA("ucrtbase.dll"), "malloc");
  void (*found_free)(void*) = (void (*)(void*))function(GetModuleHandleA("ucrtbase.dll"), "free");
  if (found != NULL && found_free != NULL) {
    p = found(100);
    CHECK(ours(p));
    found_free(p);
  }
  HANDLE threads[4];
  for (int i = 0; i < 4; i++) threads[i] = CreateThread(NULL, 0, churn, NULL, 0, NULL);
  for (int i = 0; i < 4; i++) WaitForSingleObject(threads[i], INFINITE);
  // Who has our functions in its tables keeps the DLL.
  if (strcmp(argv[1], "load") == 0) FreeLibrary(dll);
  p = malloc(100);
  CHECK(ours(p));
  free(p);
  if (bad == 0) puts("ok");
  return bad;
}
