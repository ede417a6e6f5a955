// The process has as many mappings as the system lets it have: malloc still comes back, with memory that was mapped.
#include "program.h"
#include <sys/mman.h>

int main(void) {
  const size_t page = 4096, most = 1 << 21, block = 1 << 20;
  for (int i = 0; i < 8; i++) memset(malloc(block), i, block); // so much that huge pages are worth the while
  char* pages = mmap(NULL, most * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(pages != MAP_FAILED);
  size_t next = 1;
  while (next < most && mprotect(pages + next * page, page, PROT_NONE) == 0) next += 2;
  for (int i = 0; i < 16; i++) {
    char* memory = malloc(block);
    CHECK(memory != NULL);
    memset(memory, i, block);
    free(memory);
  }
  puts("mappings");
  return 0;
}
