// Some threads only allocate, the others only free; batches of blocks go from one to the other through a queue. First
// one producer feeds all other threads, then all other threads feed one consumer.
// In the manner of Lever and Boreham's malloc-test, "malloc() Performance in a Multithreaded Linux Environment" (2000).
#include "bench.h"

enum { batch_size = 120, room = 32 };

typedef struct {
  void* blocks[batch_size];
} batch_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static batch_t* queue[room];
static int first, filled, producing, producers;

static void put(batch_t* batch) {
  pthread_mutex_lock(&lock);
  while (filled == room) pthread_cond_wait(&not_full, &lock);
  queue[(first + filled++) % room] = batch;
  pthread_cond_signal(&not_empty);
  pthread_mutex_unlock(&lock);
}

// NULL when no more will come.
static batch_t* take(void) {
  pthread_mutex_lock(&lock);
  while (filled == 0 && producing > 0) pthread_cond_wait(&not_empty, &lock);
  batch_t* batch = NULL;
  if (filled > 0) {
    batch = queue[first];
    first = (first + 1) % room;
    filled--;
    pthread_cond_signal(&not_full);
  }
  pthread_mutex_unlock(&lock);
  return batch;
}

static void produce(int index) {
  uint64_t random = seed(index);
  size_t batches = scaled(50000) / (size_t)producers;
  for (size_t b = 0; b < batches; b++) {
    batch_t* batch = malloc(sizeof(batch_t));
    for (int i = 0; i < batch_size; i++) batch->blocks[i] = marked_malloc(skewed_size(next_random(&random), 4, 9));
    put(batch);
  }
  pthread_mutex_lock(&lock);
  producing--;
  pthread_cond_broadcast(&not_empty);
  pthread_mutex_unlock(&lock);
}

static void consume(void) {
  uint64_t sum = 0;
  for (batch_t* batch; (batch = take()) != NULL;) {
    for (int i = 0; i < batch_size; i++) sum += checked_free(batch->blocks[i]);
    free(batch);
  }
  add_to_checksum(sum);
}

static void take_part(int index) {
  if (index < producers) produce(index);
  else consume();
}

static void run(int threads, int of_them_producers) {
  producers = producing = of_them_producers;
  run_threads(threads, take_part);
}

void work(void) {
  int threads = thread_count();
  run(threads, 1);
  run(threads, threads - 1);
}
