// Buffers that grow: some by half of their size, as vectors do, some by a line at a time, as a careless reader does; a
// hundred at once, so that they are in each other's way. In the end each is shrunk to fit, and a new one begins.
// The part of realloc in Gloger's t-test1 (ptmalloc), by itself.
#include "bench.h"

enum { buffers = 100 };

typedef struct {
  uint32_t* words;
  size_t count, capacity, limit;
} buffer_t;

static uint64_t finish(buffer_t* buffer) {
  uint32_t* words = realloc(buffer->words, buffer->count * sizeof(uint32_t));
  for (size_t i = 0; i < buffer->count; i += 61)
    if (words[i] != (uint32_t)(i * 2654435761u)) fail("realloc lost what was in the block");
  uint64_t sum = buffer->count;
  free(words);
  return sum;
}

void work(void) {
  static buffer_t all[buffers];
  uint64_t random = seed(0), sum = 0;
  size_t turns = scaled(6000000);
  for (size_t t = 0; t < turns; t++) {
    uint64_t r = next_random(&random);
    buffer_t* buffer = &all[r % buffers];
    if (buffer->words == NULL) {
      buffer->limit = (size_t)1 << (6 + (r >> 32) % 14);
      buffer->count = buffer->capacity = 0;
    }
    size_t more = 8 + (r >> 48) % 24;
    if (buffer->count + more > buffer->capacity) {
      size_t grown = r % 4 == 0 ? buffer->capacity + more : buffer->capacity * 3 / 2 + more;
      buffer->words = realloc(buffer->words, grown * sizeof(uint32_t));
      if (buffer->words == NULL) fail("out of memory");
      buffer->capacity = grown;
    }
    for (size_t i = 0; i < more; i++, buffer->count++)
      buffer->words[buffer->count] = (uint32_t)(buffer->count * 2654435761u);
    if (buffer->count >= buffer->limit) {
      sum += finish(buffer);
      buffer->words = NULL;
    }
  }
  for (int i = 0; i < buffers; i++)
    if (all[i].words != NULL) sum += finish(&all[i]);
  add_to_checksum(sum);
}
