// Batches of blocks of one size, then of the next: all are allocated, then all are freed, the youngest first ("lifo")
// or the oldest first ("fifo"); a part of each batch stays until the next one is done.
// In the manner of sh6bench (MicroQuill, SmartHeap).
#include "bench.h"

enum { batch = 6000, kept = 600 };

void work(void) {
  bool lifo = strcmp(variant, "lifo") == 0;
  static void* blocks[batch];
  static void* survivors[kept];
  uint64_t sum = 0;
  size_t rounds = scaled(6000);
  for (size_t r = 0; r < rounds; r++) {
    size_t size = 8 + (r * 7 % 125) * 8;
    for (int i = 0; i < batch; i++) blocks[i] = marked_malloc(size);
    for (int i = 0; i < kept; i++) {
      if (survivors[i] != NULL) sum += checked_free(survivors[i]);
      survivors[i] = blocks[i * 10];
      blocks[i * 10] = NULL;
    }
    for (int i = 0; i < batch; i++) {
      void* block = blocks[lifo ? batch - 1 - i : i];
      if (block != NULL) sum += checked_free(block);
    }
  }
  for (int i = 0; i < kept; i++) sum += checked_free(survivors[i]);
  add_to_checksum(sum);
}
