// What the workloads share. A workload defines `work`, does a fixed amount of it (the same on every allocator), frees
// all that it allocated and returns; `main` in bench.c then writes what it found as one line of JSON.
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

void work(void);

// The word after the scale on the command line, "" when there is none: which of its variants a workload is to be.
extern const char* variant;

// What is `full` at scale 1, and at least 1.
size_t scaled(size_t full);

// As many threads as there are processors, and at least four: an allocator must also do well with more threads than
// those.
int thread_count(void);

// Runs `body` with 0 to count - 1 in a thread each, and waits for all.
void run_threads(int count, void (*body)(int index));

// Adds a figure to the line of JSON.
void report(const char* name, double value);

// Adds to the checksum in that line, which must not depend on the allocator. Any thread may.
void add_to_checksum(uint64_t value);

// Ends the process: the allocator broke its promise.
void fail(const char* what) __attribute__((noreturn));

int64_t wall_nanos(void);
int64_t thread_cpu_nanos(void);
size_t resident_bytes(void);

#ifdef __cplusplus
}
#endif

// A generator after Marsaglia: quick, and the same sequence everywhere. The state must not be 0.
static inline uint64_t next_random(uint64_t* state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static inline uint64_t seed(int index) {
  return 0x9E3779B97F4A7C15u * (uint64_t)(index + 1);
}

// Most are small, some are not: a power of two at random, and a size at random below it. At least 8.
static inline size_t skewed_size(uint64_t random, int least_log2, int most_log2) {
  int steps = most_log2 - least_log2;
  int log2 = least_log2 + __builtin_ctzll((random >> 40) | (1ull << steps));
  return ((size_t)1 << log2) + (random & (((size_t)1 << log2) - 1));
}

static inline uint64_t block_key(const void* block) {
  return (uint64_t)(uintptr_t)block * 0xD6E8FEB86659FD93u;
}

// A marked block knows its size and its address, in its first word and, from 16 bytes on, in its last one. Two blocks
// that overlap, or one that was moved without its content, are found when they are checked.
static inline void mark(void* block, size_t size) {
  if (block == NULL) fail("out of memory");
  uint64_t word = block_key(block) ^ size;
  memcpy(block, &word, 8);
  if (size >= 16) memcpy((char*)block + size - 8, &word, 8);
}

// Checks a marked block and returns its size.
static inline size_t check(const void* block) {
  uint64_t word, last;
  memcpy(&word, block, 8);
  size_t size = word ^ block_key(block);
  if (size < 8 || size >> 40 != 0) fail("a block was overwritten at its start");
  if (size >= 16) {
    memcpy(&last, (const char*)block + size - 8, 8);
    if (last != word) fail("a block was overwritten at its end");
  }
  return size;
}

static inline void* marked_malloc(size_t size) {
  void* block = malloc(size);
  mark(block, size);
  return block;
}

static inline size_t checked_free(void* block) {
  size_t size = check(block);
  free(block);
  return size;
}

#endif
