// What a free costs when another thread allocated the block, beside what it costs when the own one did. Two threads
// take turns: one allocates a batch, and half of it is freed by itself, half by the other. Only the frees are timed, by
// the clock of the thread that does them. One of the patterns of Lever and Boreham's malloc-test, taken apart.
#include "bench.h"

enum { batch = 40000 };

static void* blocks[batch];
static pthread_barrier_t turn;
static int64_t remote_nanos, local_nanos;
static uint64_t freed;

static int64_t free_half(int from) {
  int64_t start = thread_cpu_nanos();
  for (int i = from; i < batch; i += 2) {
    freed += check(blocks[i]);
    free(blocks[i]);
  }
  return thread_cpu_nanos() - start;
}

// Between two barriers only one of the two threads works.
static void take_part(int index) {
  uint64_t random = seed(index);
  size_t rounds = scaled(400);
  for (size_t r = 0; r < rounds; r++) {
    if (index == 0) {
      for (int i = 0; i < batch; i++) blocks[i] = marked_malloc(skewed_size(next_random(&random), 4, 8));
      local_nanos += free_half(0);
    }
    pthread_barrier_wait(&turn);
    if (index == 1) remote_nanos += free_half(1);
    pthread_barrier_wait(&turn);
  }
}

void work(void) {
  pthread_barrier_init(&turn, NULL, 2);
  run_threads(2, take_part);
  pthread_barrier_destroy(&turn);
  double frees = (double)scaled(400) * batch / 2;
  report("remoteFreeNanos", (double)remote_nanos / frees);
  report("localFreeNanos", (double)local_nanos / frees);
  add_to_checksum(freed);
}
