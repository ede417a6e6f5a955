// What is freed is zeroed where the environment asks for that: large blocks, and the ends that they give up as they
// shrink. Memory that the OS may take back, but need not, is no exception.
#include <mimalloc.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKS = 8, LEFT = 'x' };

// How many of the words of fresh blocks are what was left in freed ones.
static size_t left(size_t size) {
  uint64_t word, other;
  memset(&other, LEFT, sizeof(other));
  size_t found = 0;
  for (int i = 0; i < 8 * BLOCKS; i++) {
    const char* p = mi_malloc(size);
    for (size_t at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
      memcpy(&word, p + at, sizeof(word));
      found += word == other;
    }
  }
  return found;
}

int main(void) {
  static const size_t sizes[] = {100, 5000, 70000, 150000, 600000, 3 << 20};
  int failures = 0;
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    for (int shrinks = 0; shrinks < 2; shrinks++) {
      void* all[BLOCKS];
      for (int b = 0; b < BLOCKS; b++) all[b] = memset(mi_malloc(sizes[i]), LEFT, sizes[i]);
      for (int b = 0; b < BLOCKS; b++) {
        if (!shrinks) mi_free(all[b]);
        else all[b] = mi_realloc(all[b], sizes[i] / 5);
      }
      size_t words = left(sizes[i] / 2);
      if (words == 0) continue;
      printf("%s %zu: %zu words of it were seen\n", shrinks ? "shrunk from" : "freed", sizes[i], words);
      failures++;
    }
  }
  if (failures == 0) puts("ok");
  return failures != 0;
}
