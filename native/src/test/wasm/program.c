// The module's memory, in a program with a C library; and, where malloc is replaced, who serves the library's own calls.
#include "memory.h"
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void* take_pages(size_t count) {
  void* p = sbrk((intptr_t)(count << 16));
  return p == (void*)-1 ? NULL : p;
}

#if defined(REPLACED)
#define OURS(...)                                          \
  do {                                                     \
    void* p_ = (__VA_ARGS__);                              \
    if (p_ != NULL && mi_any_heap_contains(p_)) free(p_);  \
    else printf("not ours: %s\n", #__VA_ARGS__), bad++;    \
  } while (0)

static void* printed(void) {
  char* text = NULL;
  return asprintf(&text, "%d", 17) == 2 ? text : NULL;
}

static void* line(void) {
  char* text = NULL;
  size_t size = 0;
  FILE* file = open_memstream(&text, &size);
  if (file == NULL) return NULL;
  fprintf(file, "%s", "a line");
  fclose(file);
  return text;
}

static int replaced(void) {
  int bad = 0;
  void* p = NULL;
  OURS(malloc(10));
  OURS(calloc(10, 10));
  OURS(realloc(malloc(10), 100000));
  OURS(aligned_alloc(64, 640));
  OURS(posix_memalign(&p, 4096, 10) == 0 ? p : NULL);
  OURS(strdup("a text"));
  OURS(strndup("a text", 3));
  OURS(printed());
  OURS(line());
  return bad;
}
#else
static int replaced(void) { return 0; }
#endif

int main(void) {
  int bad = replaced(), line = test_memory();
  if (line != 0) printf("memory.c:%d: not so\n", line);
  else if (bad == 0) printf("memory: ok\n");
  return bad != 0 || line != 0;
}
