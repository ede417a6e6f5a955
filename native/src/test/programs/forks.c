// Forks while threads allocate: each child finds a heap that works, frees what its parent made, starts a thread, and forks.
#include "program.h"
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

static void wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void make(void** blocks, uint32_t* random, uint32_t seed) {
  for (int i = 0; i < BLOCKS; i++) blocks[i] = block_new(random_size(random), seed);
}

static void drop(void** blocks) {
  for (int i = 0; i < BLOCKS; i++) block_free(blocks[i]);
}

int main(void) {
  pthread_t threads[THREADS];
  uint32_t random = 99;
  alarm(120);
  for (uintptr_t t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, churn, (void*) t) == 0);
  void* kept[BLOCKS];  // every child frees these, and the parent in the end
  make(kept, &random, 0);
  int good = 0;
  for (int f = 0; f < FORKS; f++) {
    void* own[BLOCKS];
    make(own, &random, (uint32_t) f);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(20);
      drop(own);
      drop(kept);
      work(NULL);
      if (f % 3 == 0) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
      }
      if (f % 10 == 0) {
        pid_t grandchild = fork();
        CHECK(grandchild >= 0);
        if (grandchild == 0) { work(NULL); exit(0); }
        wait_for(grandchild);
      }
      exit(0);
    }
    drop(own);
    wait_for(child);
    good++;
  }
  stop = 1;
  for (int t = 0; t < THREADS; t++) CHECK(pthread_join(threads[t], NULL) == 0);
  drop(kept);
  printf("forks %d\n", good);
  puts("ok");
  return 0;
}
