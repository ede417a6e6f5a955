// What a thread costs that has allocated and now waits: the memory that VARIANT such threads add to the process, their
// stacks included, and the time from the start of a thread to its end.
#include "bench.h"

static pthread_barrier_t ready, go_on;

static void wait_with_a_block(int index) {
  void* block = marked_malloc(64 + (size_t)index % 64);
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&go_on);
  checked_free(block);
}

static void come_and_go(int index) {
  checked_free(marked_malloc(64 + (size_t)index % 64));
}

static size_t resident_when_ready;
static int threads;

static void take_part(int index) {
  if (index < threads) {
    wait_with_a_block(index);
    return;
  }
  pthread_barrier_wait(&ready);
  resident_when_ready = resident_bytes();
  pthread_barrier_wait(&go_on);
}

void work(void) {
  threads = atoi(variant);
  if (threads <= 0) fail("the VARIANT is the number of threads");
  free(malloc(64));
  size_t before = resident_bytes();
  pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
  pthread_barrier_init(&go_on, NULL, (unsigned)threads + 1);
  run_threads(threads + 1, take_part);
  report("kibPerThread", ((double)resident_when_ready - (double)before) / 1024 / threads);
  size_t turns = scaled(20000);
  int64_t start = wall_nanos();
  for (size_t t = 0; t < turns; t++) run_threads(1, come_and_go);
  report("nanosPerThread", (double)(wall_nanos() - start) / (double)turns);
}
