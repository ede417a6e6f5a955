// What the test programs share: a check that says where it failed, and blocks that know their contents.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      _Exit(1); \
    } \
  } while (0)

// A block of at least 16 bytes: its size, a seed, then bytes that follow from both; 8-byte aligned at least.
static inline void* block_new(size_t size, uint32_t seed) {
  uint32_t* block = (uint32_t*) malloc(size);
  CHECK(block != NULL && ((uintptr_t) block & 7) == 0 && size >= 16);
  block[0] = (uint32_t) size;
  block[1] = seed;
  memset(block + 2, (int) (seed * 31 + size) & 0xFF, size - 8);
  return block;
}

static inline void block_check(void* p) {
  uint32_t* block = (uint32_t*) p;
  unsigned char fill = (unsigned char) (block[1] * 31 + block[0]), *bytes = (unsigned char*) p;
  CHECK(bytes[8] == fill && bytes[block[0] - 1] == fill && memcmp(bytes + 8, bytes + 9, block[0] - 9) == 0);
}

static inline void block_free(void* p) {
  if (p == NULL) return;
  block_check(p);
  free(p);
}

static inline uint32_t random_next(uint32_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  return *state ^= *state << 5;
}

// Mostly small, now and then up to 256 KiB.
static inline size_t random_size(uint32_t* state) {
  uint32_t r = random_next(state);
  return 16 + (r >> 8) % (r % 256 == 0 ? 262144 : r % 16 == 0 ? 8192 : 512);
}

// Peak resident memory in KiB.
static inline long peak_kib(void) {
  char line[256];
  long peak = -1;
  FILE* status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) sscanf(line, "VmHWM: %ld", &peak);
  fclose(status);
  return peak;
}
