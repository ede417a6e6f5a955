// A process with as many mappings as it may have: munmap is refused. free leaves errno alone, gives the memory back, and
// the addresses serve again.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE ((size_t)3 << 30)
enum { BLOCKS = 5, TOUCHED = 30 << 20, ROUNDS = 50, MAPPINGS = 70000 };

#define CHECK(condition) do { if (!(condition)) { printf("refused.c:%d: not so: %s\n", __LINE__, #condition); return 1; } } while (0)

static void pages(long* all, long* resident) {
  char text[128] = "", *end;
  int file = open("/proc/self/statm", O_RDONLY);
  if (read(file, text, sizeof(text) - 1) <= 0) abort();
  close(file);
  *all = strtol(text, &end, 10) * sysconf(_SC_PAGESIZE);
  *resident = strtol(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  const long page = sysconf(_SC_PAGESIZE);
  char* base = mmap(NULL, (size_t)(2 * MAPPINGS * page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char* blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = mi_malloc(SIZE);
    if (blocks[i] == NULL) return puts("ok: there is no room here"), 0;
    memset(blocks[i], 1, TOUCHED);
  }
  mi_free(mi_malloc(100));
  long all, resident, all_after, resident_after;
  pages(&all, &resident);
  long count = 0;
  while (count < MAPPINGS && mprotect(base + 2 * count * page, (size_t)page, PROT_READ) == 0) count++;
  if (count == MAPPINGS) return puts("ok: there is no limit here"), 0;
  // Those in the middle: each in the same mapping as its neighbours.
  for (int i = 1; i < BLOCKS - 1; i++) {
    errno = 0;
    mi_free(blocks[i]);
    CHECK(errno == 0);
  }
  pages(&all_after, &resident_after);
  CHECK(resident_after < resident - 3 * (TOUCHED - (1 << 20)));
  // Again and again, in sizes that leave a rest: nothing is lost, and what is to be zero is.
  for (int round = 0; round < ROUNDS; round++) {
    errno = 0;
    char* p = mi_zalloc(SIZE - (size_t)(round % 3) * (100 << 20));
    CHECK(p != NULL && p[0] == 0 && p[TOUCHED - 1] == 0);
    memset(p, 2, TOUCHED);
    mi_free(p);
    CHECK(errno == 0);
  }
  pages(&all_after, &resident_after);
  CHECK(all_after < all + (1L << 30));
  CHECK(resident_after < resident - 3 * (TOUCHED - (1 << 20)));
  // When there is room for mappings again the addresses go, too.
  munmap(base, (size_t)(2 * MAPPINGS * page));
  mi_free(blocks[0]);
  mi_free(blocks[BLOCKS - 1]);
  for (int round = 0; round < ROUNDS; round++) mi_free(mi_malloc(SIZE + (100 << 20)));
  pages(&all_after, &resident_after);
  CHECK(all_after < all - 2 * MAPPINGS * page - 4 * (3L << 30));
  puts("ok");
  return 0;
}
