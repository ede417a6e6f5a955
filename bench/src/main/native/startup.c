// How long an empty program takes from its start to its end:  startup ROUNDS LIBRARY... In each round /bin/true is run
// with each of the libraries preloaded ("" is none), in turns. A line for each run: the round, the number of the
// library, the nanoseconds (-1: it failed). By itself, not on bench.c, since the programs that it starts are the ones
// to measure.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static long long nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long run(const char* library) {
  char preload[4200];
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
  char* environment[] = {preload, NULL};
  char* arguments[] = {"/bin/true", NULL};
  pid_t child;
  int status;
  long long start = nanos();
  if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, library[0] == 0 ? environment + 1 : environment) != 0 ||
      waitpid(child, &status, 0) != child)
    return -1;
  long long took = nanos() - start;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? took : -1;
}

int main(int count, char** arguments) {
  int rounds = count > 1 ? atoi(arguments[1]) : 0;
  if (rounds <= 0 || count < 3) {
    fprintf(stderr, "usage: startup ROUNDS LIBRARY...\n");
    return 2;
  }
  for (int round = -5; round < rounds; round++) // the first ones fill the caches
    for (int i = 2; i < count; i++) {
      // Each round begins with another library.
      int library = 2 + (i - 2 + round + count) % (count - 2);
      long long took = run(arguments[library]);
      if (round >= 0) printf("%d %d %lld\n", round, library - 2, took);
    }
  return 0;
}
