// Threads of POSIX.
#include "../programs/short-threads.h"
#include <pthread.h>
#include <stddef.h>

const int THREADS = 1000, LASTING = 0;

static void* start(void* work) {
  (*(void (**)(void))work)();
  return NULL;
}

bool run_thread(int number, void (*work)(void)) {
  (void)number;
  pthread_t thread;
  return pthread_create(&thread, NULL, start, &work) == 0 && pthread_join(thread, NULL) == 0;
}
