// The library is opened by name while the program runs, used by threads, and closed before they end.
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static void* (*mi_malloc)(size_t);
static void (*mi_free)(void*);
static pthread_barrier_t closed;

static void* work(void* unused) {
  void* blocks[1000];
  for (int i = 0; i < 1000; i++) {
    blocks[i] = mi_malloc((size_t)(i * 13));
    CHECK(blocks[i] != NULL);
    memset(blocks[i], 7, (size_t)(i * 13));
  }
  for (int i = 0; i < 1000; i += 2) mi_free(blocks[i]);
  pthread_barrier_wait(&closed);
  pthread_barrier_wait(&closed);
  return unused;
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  *(void**)&mi_malloc = dlsym(library, "mi_malloc");
  *(void**)&mi_free = dlsym(library, "mi_free");
  CHECK(mi_malloc != NULL && mi_free != NULL);
  pthread_barrier_init(&closed, NULL, 9);
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  pthread_barrier_wait(&closed);
  CHECK(dlclose(library) == 0);
  pthread_barrier_wait(&closed);
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  puts("ok");
  return 0;
}
