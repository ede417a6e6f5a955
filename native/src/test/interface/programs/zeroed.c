// What is freed is zeroed where the environment asks for that: large blocks, the ends that they give up as they
// shrink, and blocks of a heap that is destroyed. Memory that the OS may take back, but need not, is no exception.
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
    for (int way = 0; way < 3; way++) {
      void* all[BLOCKS];
      mi_heap_t* heap = way == 2 ? mi_heap_new() : mi_heap_main();
      for (int b = 0; b < BLOCKS; b++) all[b] = memset(mi_heap_malloc(heap, sizes[i]), LEFT, sizes[i]);
      for (int b = 0; b < BLOCKS; b++) {
        if (way == 0) mi_free_size_aligned(all[b], sizes[i], 0);  // 0 says nothing of the alignment
        else if (way == 1) all[b] = mi_realloc(all[b], sizes[i] / 5);
      }
      if (way == 2) mi_heap_destroy(heap);
      size_t words = left(sizes[i] / 2);
      if (words == 0) continue;
      printf("%s %zu: %zu words of it were seen\n", way == 2 ? "destroyed" : way == 1 ? "shrunk from" : "freed", sizes[i], words);
      failures++;
    }
  }
  if (failures == 0) puts("ok");
  return failures != 0;
}
