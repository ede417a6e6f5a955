// What an operation costs when much is alive: blocks of 16 bytes to 2 KiB are allocated until they have as many bytes
// as VARIANT says, then blocks at random are replaced. The time includes the cache misses on the blocks themselves,
// which are the same for each allocator.
#include "bench.h"

static void* replacement(uint64_t* random) {
  return marked_malloc(skewed_size(next_random(random), 4, 10));
}

void work(void) {
  size_t bytes = (size_t)strtoull(variant, NULL, 10), count = 0, live = 0;
  if (bytes == 0) fail("the VARIANT is the number of bytes alive");
  size_t room = bytes / 16 + 1;
  void** blocks = malloc(room * sizeof(void*)); // what is not written of it is not resident
  uint64_t random = seed(0), sum = 0;
  while (live < bytes) {
    blocks[count] = replacement(&random);
    live += check(blocks[count++]);
  }
  size_t turns = scaled(4000000);
  int64_t start = thread_cpu_nanos();
  for (size_t t = 0; t < turns; t++) {
    void** slot = &blocks[next_random(&random) % count];
    sum += checked_free(*slot);
    *slot = replacement(&random);
  }
  report("nanosPerOperation", (double)(thread_cpu_nanos() - start) / (double)turns);
  report("liveKib", (double)(live / 1024));
  for (size_t i = 0; i < count; i++) sum += checked_free(blocks[i]);
  free(blocks);
  add_to_checksum(sum);
}
