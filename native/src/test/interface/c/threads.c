// Threads: what one allocates others free, what they leave behind is used again, and a thread may begin anew.
#include "../check.h"
#if HAS_THREADS
#include <pthread.h>

enum { BLOCKS = 20000 };

static void* blocks[BLOCKS];

static void* make(void* unused) {
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = mi_malloc((size_t)(i % 300) + 1);
    memset(blocks[i], i % 251, (size_t)(i % 300) + 1);
  }
  return unused;
}

static void* check_and_free(void* result) {
  bool good = true;
  for (int i = 0; i < BLOCKS; i++) {
    good = good && all_bytes(blocks[i], (size_t)(i % 300) + 1, i % 251);
    mi_free(blocks[i]);
  }
  *(bool*)result = good;
  return NULL;
}

static void in_thread(void* (*work)(void*), void* arg) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, work, arg) == 0 && pthread_join(thread, NULL) == 0);
}

static void* anew(void* unused) {
  mi_thread_init();
  mi_thread_init();
  void* p = mi_malloc(100);
  mi_thread_set_in_threadpool();
  mi_thread_done();
  CHECK(is_block(p, 100));
  mi_thread_done();
  void* q = mi_malloc(200);  // a new life
  CHECK(is_block(q, 200));
  mi_free(p);
  mi_free(q);
  mi_collect_reduce(1 << 20);
  mi_collect_reduce(0);
  return unused;
}

static void* in_a_heap(void* heap) {
  for (int i = 0; i < 5000; i++) {
    void* p = mi_heap_malloc((mi_heap_t*)heap, (size_t)i);
    if (i % 3 != 0) mi_free(p);
  }
  return NULL;
}

// A key's destructor that allocates and frees: the thread's theap may be gone by then.
static pthread_key_t key;
static void at_the_end(void* value) {
  mi_free(value);
  void* p = mi_malloc(500);
  CHECK(is_block(p, 500));
  mi_free(p);
}
static void* with_a_key(void* unused) {
  pthread_setspecific(key, mi_malloc(100));
  return unused;
}

// One that allocates in every round of destructors that there is, the last one too, after which nobody is called any more.
static pthread_key_t round_key;
static char rounds[8];
static void in_each_round(void* value) {
  for (size_t size = 8; size <= 100000; size *= 3) {
    char* p = mi_zalloc(size);
    CHECK(is_block(p, size));
    p = mi_realloc(p, 2 * size);
    CHECK(is_block(p, 2 * size));
    mi_free(p);
  }
  char* left = (char*)value - 1;
  if (left > rounds) pthread_setspecific(round_key, left);
}
static void* until_the_last_round(void* unused) {
  mi_free(mi_malloc(100));
  pthread_setspecific(round_key, rounds + 4);
  return unused;
}

void threads(void) {
  bool good = false;
  make(NULL);
  in_thread(check_and_free, &good);
  CHECK(good);
  in_thread(make, NULL);
  good = false;
  check_and_free(&good);
  CHECK(good);
  in_thread(make, NULL);
  good = false;
  in_thread(check_and_free, &good);
  CHECK(good);
  in_thread(anew, NULL);
  CHECK(pthread_key_create(&key, at_the_end) == 0);
  in_thread(with_a_key, NULL);

  // Many short threads leave nothing behind that grows.
  mi_collect(true);
  mi_stats_t_decl(before);
  mi_stats_t_decl(after);
  for (int i = 0; i < 500; i++) {
    if (i == 50) CHECK(mi_stats_get(&before));
    in_thread(with_a_key, NULL);
  }
  CHECK(mi_stats_get(&after) && after.threads.current == before.threads.current);
  CHECK(after.committed.current <= before.committed.current + (8 << 20));

  CHECK(pthread_key_create(&round_key, in_each_round) == 0);
  for (int i = 0; i < 100; i++) {
    if (i == 10) CHECK(mi_stats_get(&before));
    in_thread(until_the_last_round, NULL);
  }
  CHECK(mi_stats_get(&after) && after.threads.current == before.threads.current);
  CHECK(after.theaps.current == before.theaps.current);

  // One heap, many threads; it ends when they have.
  mi_heap_t* heap = mi_heap_new();
  pthread_t workers[6];
  for (int i = 0; i < 6; i++) CHECK(pthread_create(&workers[i], NULL, in_a_heap, heap) == 0);
  for (int i = 0; i < 6; i++) pthread_join(workers[i], NULL);
  in_a_heap(heap);
  mi_heap_destroy(heap);
  mi_collect(false);
  mi_collect(true);
  mi_process_init();
  void* p = mi_malloc(100);
  CHECK(is_block(p, 100));
  mi_free(p);
  SURVIVES(mi_process_done(); mi_free(mi_malloc(100)));
}
#endif
