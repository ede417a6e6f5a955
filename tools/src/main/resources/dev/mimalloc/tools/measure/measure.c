// Runs one program and writes what it took: wall ns, user us, system us, peak resident KiB, minor faults,
// major faults, exit status.
//   measure RESULT PRELOAD PROGRAM ARG...          (PRELOAD "" is the system's allocator)
// A tiny process of its own, because a child's peak counts from its parent's size at the fork: measured from
// a JVM every program would look as large as the JVM. The children that a program waits for are counted in.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
static const char* const preloadName = "DYLD_INSERT_LIBRARIES";
static const long peakUnit = 1024;  // ru_maxrss is in bytes there
#else
static const char* const preloadName = "LD_PRELOAD";
static const long peakUnit = 1;
#endif

static long long nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micros(struct timeval t) {
  return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int count, char** arguments) {
  if (count < 4) return 125;
  long long start = nanos();
  pid_t child = fork();
  if (child == 0) {
    if (arguments[2][0] != 0) setenv(preloadName, arguments[2], 1);
    execvp(arguments[3], arguments + 3);
    perror(arguments[3]);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child) return 126;
  long long wall = nanos() - start;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  FILE* result = fopen(arguments[1], "w");
  if (result == NULL) return 126;
  fprintf(result, "%lld %lld %lld %ld %ld %ld %d\n", wall, micros(usage.ru_utime), micros(usage.ru_stime),
      usage.ru_maxrss / peakUnit, usage.ru_minflt, usage.ru_majflt, code);
  return fclose(result) == 0 ? 0 : 126;
}
