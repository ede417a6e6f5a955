// The names of C23 and of glibc around malloc, in a program whose malloc is replaced: they are about ours.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mimalloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

// In no header yet.
extern void free_sized(void* p, size_t size);
extern void free_aligned_sized(void* p, size_t alignment, size_t size);
extern size_t memalignment(const void* p);

#define CHECK(condition) do { if (!(condition)) { printf("asked.c:%d: not so: %s\n", __LINE__, #condition); bad++; } } while (0)
static int bad;

static void sized(void) {
  void* p = malloc(100);
  CHECK(mi_any_heap_contains(p));
  free_sized(p, 100);
  CHECK(malloc(100) != NULL);
  p = aligned_alloc(4096, 8192);
  CHECK(mi_any_heap_contains(p) && memalignment(p) >= 4096);
  free_aligned_sized(p, 4096, 8192);
  free_sized(NULL, 10);
  free_aligned_sized(NULL, 8, 10);
  CHECK(memalignment(NULL) == 0 && memalignment((void*)(uintptr_t)0x7000) == 0x1000);
  CHECK(memalignment((void*)(uintptr_t)0x7001) == 1);
}

#if defined(__GLIBC__)
enum { COUNT = 3000, SIZE = 60000 };

static long resident(void) {
  char text[128] = "";
  int file = open("/proc/self/statm", O_RDONLY);
  if (read(file, text, sizeof(text) - 1) <= 0) abort();
  close(file);
  return strtol(strchr(text, ' '), NULL, 10) * sysconf(_SC_PAGESIZE);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void glibc(void) {
  static void* blocks[COUNT];
#if __GLIBC_PREREQ(2, 33)
  struct mallinfo2 before = mallinfo2();
#endif
  for (int i = 0; i < COUNT; i++) blocks[i] = memset(malloc(SIZE), 1, SIZE);
  void* large = malloc(100 << 20);
#if __GLIBC_PREREQ(2, 33)
  struct mallinfo2 info = mallinfo2();
  size_t used = info.uordblks + info.hblkhd - before.uordblks - before.hblkhd;
  CHECK(used >= (size_t)COUNT * SIZE + (100 << 20) && used < (size_t)COUNT * SIZE * 5 / 4 + (100 << 20));
  CHECK(info.hblks >= 1 && info.hblkhd >= 100 << 20 && info.arena == info.uordblks + info.fordblks);
#endif
  struct mallinfo narrow = mallinfo();
  CHECK(narrow.uordblks > 0 && narrow.hblks >= 1);
  free(large);
  long most = resident();  // with an emulator's own
  for (int i = 0; i < COUNT; i++) if (i % 500 != 0) free(blocks[i]);
  long full = resident();
  errno = 77;
  CHECK(malloc_trim(0) == 1 && errno == 77);
  CHECK(resident() < full - (20 << 20) && resident() < most - (150 << 20));  // of 180
  CHECK(malloc_trim(0) == 0);
  CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1 && mallopt(M_ARENA_MAX, 2) == 1 && mallopt(12345, 1) == 0);
  char* text = NULL;
  size_t length = 0;
  FILE* file = open_memstream(&text, &length);
  CHECK(malloc_info(0, file) == 0 && malloc_info(1, file) == EINVAL);
  fclose(file);
  CHECK(strncmp(text, "<malloc version=\"1\">", 20) == 0 && strstr(text, "</malloc>") != NULL && strstr(text, "<system ") != NULL);
  free(text);
  fflush(stderr);
  int pipes[2], standard = dup(2);
  CHECK(pipe(pipes) == 0);
  dup2(pipes[1], 2);
  malloc_stats();
  dup2(standard, 2);
  close(pipes[1]);
  static char said[1 << 16];
  CHECK(read(pipes[0], said, sizeof(said) - 1) > 0 && strstr(said, "committed") != NULL);
}
#endif

int main(void) {
  sized();
#if defined(__GLIBC__)
  glibc();
#endif
  if (bad == 0) puts("ok");
  return bad;
}
