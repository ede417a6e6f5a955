// What much memory takes beyond what was asked for: blocks are allocated until VARIANT bytes are alive, and every byte
// is written. `metadataShare` is what is resident beyond what the blocks offer (malloc_usable_size); `overheadShare` is
// what is resident beyond what was asked for, so that it includes the rounding up to size classes. The blocks are their
// own list.
#include "bench.h"

#include <malloc.h>

void work(void) {
  size_t bytes = (size_t)strtoull(variant, NULL, 10), asked = 0, offered = 0;
  if (bytes == 0) fail("the VARIANT is the number of bytes alive");
  uint64_t random = seed(0), sum = 0;
  void** list = NULL;
  free(malloc(1));
  size_t before = resident_bytes();
  while (asked < bytes) {
    size_t size = skewed_size(next_random(&random), 4, 12);
    void** block = malloc(size);
    if (block == NULL) fail("out of memory");
    size_t usable = malloc_usable_size(block);
    memset(block, 0x5A, usable);
    *block = list;
    list = block;
    asked += size;
    offered += usable;
  }
  double resident = (double)resident_bytes() - (double)before;
  report("metadataShare", (resident - (double)offered) / (double)offered);
  report("overheadShare", (resident - (double)asked) / (double)asked);
  while (list != NULL) {
    void** next = *list;
    if (((unsigned char*)list)[8] != 0x5A) fail("a block was overwritten");
    sum++;
    free(list);
    list = next;
  }
  add_to_checksum(sum);
}
