// Forks from many threads while all of them allocate. A child has one thread, and goes on.
#include "../check.h"
#if HAS_PROCESSES
#include <pthread.h>

enum { THREADS = 5, FORKS = 12 };

static void* shared[THREADS * FORKS];

static bool churn(size_t rounds) {
  void* blocks[100] = {0};
  bool good = true;
  for (size_t i = 0; i < rounds * 100; i++) {
    mi_free(blocks[i % 100]);
    size_t size = i * 131 % 9000 + (i % 97 == 0 ? 200000 : 0);
    blocks[i % 100] = mi_malloc(size);
    good = good && blocks[i % 100] != NULL;
    if (good) memset(blocks[i % 100], 1, size);
  }
  for (int i = 0; i < 100; i++) mi_free(blocks[i]);
  return good;
}

static void* in_child(void* heap) {
  bool good = churn(5);
  for (int i = 0; i < 100; i++) good = good && mi_heap_malloc((mi_heap_t*)heap, 100) != NULL;
  return good ? heap : NULL;
}

static int child(void) {
  alarm(MI_EMULATED ? 240 : 60);  // rather killed than hung
  if (!churn(10)) return 1;
  for (int i = 0; i < THREADS * FORKS; i++) {
    if (__atomic_load_n(&shared[i], __ATOMIC_ACQUIRE) != NULL) mi_free(shared[i]);
  }
  mi_heap_t* heap = mi_heap_new();
  pthread_t thread;
  void* result = NULL;
  if (pthread_create(&thread, NULL, in_child, heap) != 0 || pthread_join(thread, &result) != 0) return 2;
  mi_heap_destroy(heap);
  mi_collect(true);
  mi_stats_t_decl(stats);
  if (!mi_stats_get(&stats) || stats.threads.current < 1) return 3;
  pid_t grandchild = fork();
  if (grandchild == 0) _exit(churn(3) ? 0 : 1);
  int status = 0;
  waitpid(grandchild, &status, 0);
  return result == NULL || status != 0 ? 4 : 0;
}

static void* work(void* arg) {
  for (int i = 0; i < FORKS; i++) {
    churn(3);
    __atomic_store_n(&shared[(intptr_t)arg * FORKS + i], mi_malloc(100), __ATOMIC_RELEASE);
    mi_heap_t* heap = mi_heap_new();  // takes locks
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(child());
    mi_heap_delete(heap);
    churn(3);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  }
  return NULL;
}

void forks(void) {
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, (void*)i) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < THREADS * FORKS; i++) mi_free(shared[i]);
}
#endif
