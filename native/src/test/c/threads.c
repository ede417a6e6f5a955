// Hundreds of threads: blocks that others free, keys whose destructors allocate, and threads that end holding blocks.
#include "check.h"
#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { THREADS = 300, AT_ONCE = 30, BLOCKS = 400, SLOTS = 4096 };

static void* slots[SLOTS];  // blocks on their way from one thread to another
static pthread_key_t key;

static unsigned next(unsigned* seed) { return *seed = *seed * 1664525 + 1013904223, *seed >> 8; }

static void* make(size_t size) {
  unsigned char* p = malloc(size);
  CHECK(p != NULL);
  memset(p, (int)(size & 0xff), size);
  if (size >= sizeof(size_t)) memcpy(p, &size, sizeof(size_t));
  return p;
}

static void drop(void* p) {
  if (p == NULL) return;
  size_t size;
  memcpy(&size, p, sizeof(size));
  for (size_t i = sizeof(size_t); i < size; i++) CHECK(((unsigned char*)p)[i] == (size & 0xff));
  free(p);
}

// Runs after the thread's own function, perhaps after the allocator has given the thread up.
static void at_end(void* value) {
  drop(value);
  void* p = make(5000);
  drop(make(40));
  drop(p);
}

static void* work(void* argument) {
  unsigned seed = (unsigned)(uintptr_t)argument;
  pthread_setspecific(key, make(100));
  for (int i = 0; i < BLOCKS; i++) {
    size_t size = 8 + next(&seed) % (next(&seed) % 50 == 0 ? 300000 : 2000);
    void* old = __atomic_exchange_n(&slots[next(&seed) % SLOTS], make(size), __ATOMIC_ACQ_REL);
    drop(old);
  }
  return make(64);
}

int main(void) {
  CHECK(pthread_key_create(&key, at_end) == 0);
  pthread_t threads[AT_ONCE];
  for (uintptr_t t = 0; t < THREADS; t++) {
    void* last = NULL;
    if (t >= AT_ONCE) {
      CHECK(pthread_join(threads[t % AT_ONCE], &last) == 0);
      drop(last);
    }
    CHECK(pthread_create(&threads[t % AT_ONCE], NULL, work, (void*)(t + 1)) == 0);
  }
  for (int t = 0; t < AT_ONCE; t++) {
    void* last = NULL;
    CHECK(pthread_join(threads[t], &last) == 0);
    drop(last);
  }
  for (int i = 0; i < SLOTS; i++) drop(slots[i]);
  puts("ok");
  return 0;
}
