// Loads and unloads a library that is linked with mimalloc, again and again. Threads that used it end when it is gone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20 };

static void* library;
static sem_t used, unloaded;

static void fail(const char* what) {
  fprintf(stderr, "loader: %s: %s\n", what, dlerror());
  _Exit(1);
}

static void* function(const char* name) {
  void* f = dlsym(library, name);
  if (f == NULL) fail(name);
  return f;
}

static void* use(void* number) {
  void* (*work)(int);
  int (*release)(void*);
  *(void**)&work = function("plugin_work");
  *(void**)&release = function("plugin_free");
  for (int i = 0; i < 10; i++) {
    if (!release(work((int)(long)number + i))) fail("a block is not mimalloc's");
  }
  sem_post(&used);
  sem_wait(&unloaded);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sem_init(&used, 0, 0);
  sem_init(&unloaded, 0, 0);
  for (long round = 0; round < ROUNDS; round++) {
    library = dlopen(argv[1], RTLD_NOW | (round % 2 == 0 ? RTLD_LOCAL : RTLD_GLOBAL));
    if (library == NULL) fail("dlopen");
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, use, (void*)(round * 100 + i));
    for (int i = 0; i < 3; i++) sem_wait(&used);
    if (dlclose(library) != 0) fail("dlclose");
    for (int i = 0; i < 3; i++) sem_post(&unloaded);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  }
  puts("ok");
  return 0;
}
