// Forks while threads allocate: each child finds a heap that works, frees what its parent made, and starts a thread.
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { THREADS = 4, FORKS = 150, BLOCKS = 200 };

static atomic_bool stop;

static void* churn(void* argument) {
  uint32_t random = (uint32_t) (uintptr_t) argument + 1;
  void* own[BLOCKS] = {0};
  while (!stop) {
    int i = (int) (random_next(&random) % BLOCKS);
    block_free(own[i]);
    own[i] = block_new(random_size(&random), random);
  }
  for (int i = 0; i < BLOCKS; i++) block_free(own[i]);
  return NULL;
}

static void* work(void* argument) {
  uint32_t random = (uint32_t) (uintptr_t) argument + 7;
  for (int i = 0; i < 500; i++) {
    void* one = block_new(random_size(&random), 1);
    void* other = block_new(random_size(&random), 2);
    block_free(one);
    block_free(other);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  uint32_t random = 99;
  alarm(120);
  for (uintptr_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, churn, (void*) t);
  int good = 0;
  for (int f = 0; f < FORKS; f++) {
    void* own[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) own[i] = block_new(random_size(&random), (uint32_t) f);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(20);
      for (int i = 0; i < BLOCKS; i++) block_free(own[i]);
      work(NULL);
      if (f % 3 == 0) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
        pthread_join(thread, NULL);
      }
      if (f % 10 == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) { work(NULL); exit(0); }
        int status;
        CHECK(waitpid(grandchild, &status, 0) == grandchild && status == 0);
      }
      exit(0);
    }
    for (int i = 0; i < BLOCKS; i++) block_free(own[i]);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    good++;
  }
  stop = 1;
  for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  printf("forks %d\n", good);
  return 0;
}
