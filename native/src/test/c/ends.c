// Allocates before main and after exit: constructors, atexit handlers and destructors, with threads still running.
#include "check.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static char* early;
static char* late;

__attribute__((constructor(101))) static void before(void) {
  early = strdup("before main");
  free(malloc(100000));
}

static void at_exit(void) {
  CHECK(strcmp(early, "before main") == 0);
  free(early);
  late = strdup("after main");
}

__attribute__((destructor(101))) static void after(void) {
  CHECK(strcmp(late, "after main") == 0);
  late = realloc(late, 10000);
  free(late);
  free(malloc(3000000));
  CHECK(write(STDOUT_FILENO, "ok\n", 3) == 3);
}

static void* work(void* unused) {
  for (;;) free(malloc(1000));
  return unused;
}

int main(void) {
  atexit(at_exit);
  pthread_t thread;
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
  usleep(20000);
  return 0;
}
