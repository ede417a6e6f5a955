// Allocates by functions of known names, and prints of each how many blocks it has allocated, how large they are, and how
// many of them are still there.
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALONE __attribute__((noinline, noclone))
#define MADE(p) __asm__ volatile("" : "+r"(p) : : "memory")

enum { MOST = 70000 };
static void* kept[MOST];
static size_t count;

// Those that are samples have more room than the others.
static void print(const char* name, size_t from) {
  size_t size = malloc_usable_size(kept[from]);
  for (size_t i = from; i < count; i++) {
    if (malloc_usable_size(kept[i]) < size) size = malloc_usable_size(kept[i]);
  }
  printf("%s %zu %zu %zu\n", name, count - from, size, count - from);
}

static ALONE void known_small(int n) {
  for (int i = 0; i < n; i++) {
    void* p = malloc(40);
    MADE(p);
    kept[count++] = p;
  }
}
static ALONE void known_medium(int n) {
  for (int i = 0; i < n; i++) {
    void* p = calloc(1, 3000);
    MADE(p);
    kept[count++] = p;
  }
}
static ALONE void known_large(int n) {
  for (int i = 0; i < n; i++) {
    void* p = malloc(200000);
    MADE(p);
    kept[count++] = p;
  }
}
static ALONE void known_grown(int n) {
  for (int i = 0; i < n; i++) {
    void* p = malloc(100);
    MADE(p);
    p = realloc(p, 2000);
    MADE(p);
    kept[count++] = p;
  }
}
static ALONE void known_aligned(int n) {
  for (int i = 0; i < n; i++) {
    void* p = aligned_alloc(512, 1024);
    MADE(p);
    kept[count++] = p;
  }
}
static ALONE void known_freed(int n) {
  for (int i = 0; i < n; i++) {
    void* p = malloc(1500);
    MADE(p);
    free(p);
  }
}
static void* of_thread(void* n) {
  known_freed((int)(long)n);
  return NULL;
}

int main(int argc, char** argv) {
  struct { const char* name; void (*function)(int); int n; } rows[] = {
    {"known_small", known_small, 50000}, {"known_medium", known_medium, 2000}, {"known_large", known_large, 100},
    {"known_grown", known_grown, 3000}, {"known_aligned", known_aligned, 5000},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    size_t from = count;
    rows[i].function(rows[i].n);
    print(rows[i].name, from);
  }
  pthread_t thread;
  pthread_create(&thread, NULL, of_thread, (void*)5000L);
  pthread_join(thread, NULL);
  size_t size = malloc_usable_size(kept[count] = malloc(1500));
  printf("known_freed 5000 %zu 0\n", size);
  fflush(stdout);
  if (argc > 1 && strcmp(argv[1], "wait") == 0) getchar();
  return 0;
}
