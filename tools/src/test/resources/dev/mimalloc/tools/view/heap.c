// A heap whose parts are known. Says "ready", works as long as its input has lines, and ends with it.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 40000, LARGE = 10, MIB = 1 << 20 };

static void* small[SMALL];
static void* large[LARGE];
static void* thread_has[300];
static pthread_barrier_t here, end;

static void* touched(size_t size) { return memset(malloc(size), 1, size); }

static void* other(void* stays) {
  for (int i = 0; i < 300; i++) thread_has[i] = touched(5000);
  if (stays != NULL) pthread_barrier_wait(&here), pthread_barrier_wait(&end);
  return NULL;
}

int main(void) {
  pthread_t ended, staying;
  pthread_barrier_init(&here, NULL, 2);
  pthread_barrier_init(&end, NULL, 2);
  pthread_create(&ended, NULL, other, NULL);
  pthread_join(ended, NULL);
  pthread_create(&staying, NULL, other, &staying);
  pthread_barrier_wait(&here);
  for (int i = 0; i < SMALL; i++) small[i] = touched(1000);
  for (int i = 0; i < SMALL; i += 2) free(small[i]), small[i] = NULL;
  char* partly = malloc(64 * MIB);
  memset(partly, 1, 16 * MIB);
  for (int i = 0; i < LARGE; i++) large[i] = touched(8 * MIB);
  puts("ready");
  fflush(stdout);
  for (int i = 0; i < 3; i++) free(large[i]), large[i] = NULL;
  puts("freed");
  fflush(stdout);
  char line[100];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    for (int i = 0; i < 100000; i++) free(malloc(100 + i % 900));
    puts("worked");
    fflush(stdout);
  }
  pthread_barrier_wait(&end);
  pthread_join(staying, NULL);
  return partly[0] == 1 ? 0 : 1;
}
