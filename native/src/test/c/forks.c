// Forks while other threads allocate: the children have one thread, allocate, free what the parent made, and fork again.
#include "check.h"
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 40, BLOCKS = 1000 };

static int stop;

static void churn(int rounds) {
  void* blocks[100] = {0};
  for (int i = 0; i < rounds * 100; i++) {
    free(blocks[i % 100]);
    size_t size = (size_t)(i * 131 % 9000);
    blocks[i % 100] = malloc(size);
    CHECK(blocks[i % 100] != NULL);
    memset(blocks[i % 100], 1, size);
  }
  for (int i = 0; i < 100; i++) free(blocks[i]);
}

static void* work(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) churn(3);
  return unused;
}

static void* in_child(void* unused) {
  churn(20);
  return unused;
}

static void wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  void* blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc((size_t)(i * 17 % 4000));
  for (int f = 0; f < FORKS; f++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(20);
      for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
      churn(20);
      pthread_t thread;
      CHECK(pthread_create(&thread, NULL, in_child, NULL) == 0);
      CHECK(pthread_join(thread, NULL) == 0);
      pid_t grandchild = fork();
      if (grandchild == 0) {
        churn(5);
        exit(0);
      }
      wait_for(grandchild);
      exit(0);
    }
    wait_for(child);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
  puts("ok");
  return 0;
}
