// False sharing. "thrash": each thread allocates a small object, writes it many times, frees it: an allocator that puts
// the objects of two threads into one cache line makes them fight for it. "scratch": the objects were allocated by one
// thread next to each other and handed out; each thread frees its own, and must not get its neighbour's cache line
// back.
// After Berger, McKinley, Blumofe and Wilson, "Hoard: A Scalable Memory Allocator" (2000).
#include "bench.h"

enum { object = 16, writes = 5000 };

static char** handed_out;

static uint64_t write_often(char* block, int index) {
  for (int i = 0; i < writes; i++)
    for (int b = 0; b < object; b++) *(volatile char*)(block + b) = (char)(block[b] + index + 1);
  uint64_t sum = 0;
  for (int b = 0; b < object; b++) sum += (unsigned char)block[b];
  if ((unsigned char)block[0] != (unsigned char)(writes * (index + 1))) fail("another thread wrote into the block");
  return sum;
}

static void take_part(int index) {
  uint64_t sum = 0;
  if (handed_out != NULL) {
    memset(handed_out[index], 0, object);
    sum += write_often(handed_out[index], index);
    free(handed_out[index]);
  }
  size_t turns = scaled(30000) / (size_t)thread_count();
  for (size_t i = 0; i < turns; i++) {
    char* block = malloc(object);
    memset(block, 0, object);
    sum += write_often(block, index);
    free(block);
  }
  add_to_checksum(sum);
}

void work(void) {
  int threads = thread_count();
  if (strcmp(variant, "scratch") == 0) {
    handed_out = malloc((size_t)threads * sizeof(char*));
    for (int i = 0; i < threads; i++) handed_out[i] = malloc(object);
  }
  run_threads(threads, take_part);
  free(handed_out);
}
