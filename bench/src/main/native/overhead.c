// What much memory takes beyond what was asked for: blocks are allocated until as many bytes are alive as VARIANT says,
// and every byte is written. `overheadShare` is what is resident beyond what was asked for, `beyondShare` beyond what the
// blocks offer (malloc_usable_size): without the rounding up to size classes. "metadata" behind the number makes all
// sizes powers of two, which leave nothing over at the end of a page, and switches transparent huge pages off, whose unused
// ends are no data: what is then resident beyond the blocks is the allocator's own data, `metadataShare`. The blocks are
// their own list.
#include "bench.h"

#include <malloc.h>
#include <sys/prctl.h>

void work(void) {
  char* rest;
  size_t bytes = (size_t)strtoull(variant, &rest, 10), asked = 0, offered = 0;
  bool metadata = strcmp(rest, " metadata") == 0;
  if (bytes == 0 || (*rest != 0 && !metadata)) fail("the VARIANT is the number of bytes alive, and metadata or nothing");
  if (metadata) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  uint64_t random = seed(0), sum = 0;
  void** list = NULL;
  free(malloc(1));
  size_t before = resident_bytes();
  while (asked < bytes) {
    uint64_t r = next_random(&random);
    size_t size = metadata ? (size_t)16 << r % 9 : skewed_size(r, 4, 12);
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
  report(metadata ? "metadataShare" : "beyondShare", (resident - (double)offered) / (double)offered);
  if (!metadata) report("overheadShare", (resident - (double)asked) / (double)asked);
  while (list != NULL) {
    void** next = *list;
    if (((unsigned char*)list)[8] != 0x5A) fail("a block was overwritten");
    sum++;
    free(list);
    list = next;
  }
  add_to_checksum(sum);
}
