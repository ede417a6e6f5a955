// Loads the allocator late, beside the system's: threads that were there before use it, and outlive its handle.
#include "program.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

enum { THREADS = 20, BLOCKS = 2000 };

static void* (*allocate)(size_t);
static void* (*grow)(void*, size_t);
static void (*release)(void*);
static size_t (*usable)(const void*);
static sem_t loaded, used, closed;

static void* wait_and_use(void* argument) {
  uint32_t random = (uint32_t) (uintptr_t) argument + 1;
  char* own[BLOCKS];
  sem_wait(&loaded);
  for (int i = 0; i < BLOCKS; i++) {
    size_t size = random_size(&random);
    own[i] = allocate(size);
    CHECK(own[i] != NULL && usable(own[i]) >= size);
    memset(own[i], i, size);
    if (i % 5 == 0) {
      own[i] = grow(own[i], size * 2);
      CHECK(own[i][0] == (char) i && own[i][size - 1] == (char) i);
    }
    free(malloc(size));
  }
  for (int i = 0; i < BLOCKS; i++) release(own[i]);
  sem_post(&used);
  sem_wait(&closed);
  return NULL;
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  pthread_t threads[THREADS];
  void* before = malloc(1000);
  for (uintptr_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, wait_and_use, (void*) t);
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  for (int names = 0; names < 2; names++) {
    allocate = dlsym(library, names == 0 ? "mi_malloc" : "malloc");
    grow = dlsym(library, names == 0 ? "mi_realloc" : "realloc");
    release = dlsym(library, names == 0 ? "mi_free" : "free");
    usable = dlsym(library, names == 0 ? "mi_usable_size" : "malloc_usable_size");
    CHECK(allocate != NULL && grow != NULL && release != NULL && usable != NULL);
    CHECK(allocate != malloc);
    for (int t = 0; t < THREADS / 2; t++) sem_post(&loaded);
    for (int t = 0; t < THREADS / 2; t++) sem_wait(&used);
  }
  void* after = allocate(1000);
  free(before);
  release(after);
  CHECK(dlclose(library) == 0);
  for (int t = 0; t < THREADS; t++) sem_post(&closed);
  for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  printf("late\n");
  return 0;
}
