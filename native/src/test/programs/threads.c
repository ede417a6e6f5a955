// Hundreds of threads at once that pass blocks around a ring, then thousands of short ones that leave blocks behind. Each has
// a key whose destructor allocates, perhaps after the allocator has given the thread up.
#include "program.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

enum { RING = 400, ROUNDS = 30, SHORT = 10000, AT_ONCE = 40 };

static _Atomic(void*) mailbox[RING];
static pthread_barrier_t start;
static pthread_key_t key;
static void* left[SHORT];

static void at_end(void* value) {
  block_free(value);
  void* p = block_new(5000, 1);
  block_free(block_new(40, 2));
  block_free(p);
}

static void* pass_on(void* argument) {
  uint32_t me = (uint32_t) (uintptr_t) argument, random = me * 2654435761u + 1;
  void* own[64] = {0};
  pthread_setspecific(key, block_new(100, me));
  pthread_barrier_wait(&start);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < 64; i++) {
      block_free(own[i]);
      own[i] = block_new(random_size(&random), me);
    }
    for (int i = 0; i < 64; i += 4) {
      block_free(atomic_exchange(&mailbox[(me + 1) % RING], own[i]));
      own[i] = atomic_exchange(&mailbox[me], NULL);
    }
  }
  for (int i = 0; i < 64; i++) block_free(own[i]);
  return block_new(64, me);
}

static void* leave_one(void* argument) {
  uintptr_t me = (uintptr_t) argument;
  uint32_t random = (uint32_t) me + 1;
  void* own[20];
  pthread_setspecific(key, block_new(100, (uint32_t) me));
  for (int i = 0; i < 20; i++) own[i] = block_new(random_size(&random), (uint32_t) me);
  for (int i = 1; i < 20; i++) block_free(own[i]);
  left[me] = own[0];
  return block_new(64, (uint32_t) me);
}

static void join(pthread_t thread) {
  void* last = NULL;
  CHECK(pthread_join(thread, &last) == 0 && last != NULL);
  block_free(last);
}

int main(void) {
  pthread_t threads[RING];
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + 16384);
  pthread_barrier_init(&start, NULL, RING);
  CHECK(pthread_key_create(&key, at_end) == 0);
  for (uintptr_t i = 0; i < RING; i++) CHECK(pthread_create(&threads[i], &small, pass_on, (void*) i) == 0);
  for (int i = 0; i < RING; i++) join(threads[i]);
  for (int i = 0; i < RING; i++) block_free(mailbox[i]);
  printf("ring of %d\n", RING);

  long before = peak_kib();
  for (uintptr_t i = 0; i < SHORT; i += AT_ONCE) {
    for (uintptr_t k = 0; k < AT_ONCE; k++) CHECK(pthread_create(&threads[k], &small, leave_one, (void*) (i + k)) == 0);
    for (int k = 0; k < AT_ONCE; k++) join(threads[k]);
    if (i >= 1000) for (uintptr_t k = i - 1000; k < i - 1000 + AT_ONCE; k++) { block_free(left[k]); left[k] = NULL; }
  }
  for (int i = 0; i < SHORT; i++) block_free(left[i]);
  printf("short threads %d\n", SHORT);
  CHECK(peak_kib() < before + 100 * 1024);
  puts("ok");
  return 0;
}
