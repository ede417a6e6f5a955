// A server whose workers come and go: each serves a table of sessions, closing one at random and opening another; after
// a while it ends, and a new thread takes the table over. So blocks are freed far from where they were allocated.
// After Larson and Krishnan, "Memory Allocation for Long-Running Server Applications" (1998).
#include "bench.h"

enum { sessions = 5000, shifts = 50 };

typedef struct {
  uint64_t random, sum;
  int shift;
  void* slots[sessions];
} desk_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int serving;

static void start(desk_t* desk);

static void* serve(void* argument) {
  desk_t* desk = argument;
  size_t requests = scaled(80000000) / shifts / (size_t)thread_count();
  for (size_t i = 0; i < requests; i++) {
    uint64_t random = next_random(&desk->random);
    void** slot = &desk->slots[random % sessions];
    desk->sum += checked_free(*slot);
    *slot = marked_malloc(10 + (random >> 32) % 490);
  }
  if (++desk->shift < shifts) {
    start(desk);
  } else {
    pthread_mutex_lock(&lock);
    serving--;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void start(desk_t* desk) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve, desk) != 0) fail("no thread to be had");
  pthread_detach(thread);
}

void work(void) {
  serving = thread_count();
  int count = serving;
  desk_t** desks = malloc((size_t)count * sizeof(desk_t*));
  for (int d = 0; d < count; d++) {
    desk_t* desk = desks[d] = calloc(1, sizeof(desk_t));
    desk->random = seed(d);
    for (int i = 0; i < sessions; i++) desk->slots[i] = marked_malloc(10 + next_random(&desk->random) % 490);
  }
  for (int d = 0; d < count; d++) start(desks[d]);
  pthread_mutex_lock(&lock);
  while (serving > 0) pthread_cond_wait(&ended, &lock);
  pthread_mutex_unlock(&lock);
  for (int d = 0; d < count; d++) {
    for (int i = 0; i < sessions; i++) desks[d]->sum += checked_free(desks[d]->slots[i]);
    add_to_checksum(desks[d]->sum);
    free(desks[d]);
  }
  free(desks);
}
