// Blocks of 5 to 25 MiB, twenty at a time, one after the other replaced, each page of them written once: shows whether
// an allocator keeps the memory of large blocks for a while or returns it and takes it anew each time.
// In the manner of malloc-large of mimalloc-bench.
#include "bench.h"

enum { live = 20, page = 4096 };

void work(void) {
  static char* blocks[live];
  static size_t sizes[live];
  uint64_t random = seed(0), sum = 0;
  size_t turns = scaled(400);
  for (size_t t = 0; t < turns + live; t++) {
    size_t slot = t % live;
    if (blocks[slot] != NULL) {
      for (size_t at = 0; at < sizes[slot]; at += 16 * page)
        if (blocks[slot][at] != (char)(at / page + slot)) fail("a large block was overwritten");
      free(blocks[slot]);
      blocks[slot] = NULL;
      sum += sizes[slot];
    }
    if (t >= turns) continue;
    size_t size = sizes[slot] = ((size_t)5 << 20) + next_random(&random) % ((size_t)20 << 20);
    blocks[slot] = malloc(size);
    if (blocks[slot] == NULL) fail("out of memory");
    for (size_t at = 0; at < size; at += page) blocks[slot][at] = (char)(at / page + slot);
  }
  add_to_checksum(sum);
}
