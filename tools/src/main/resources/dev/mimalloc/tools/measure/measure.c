// Runs one program and writes what it took: wall ns, user us, system us, peak resident KiB, minor faults,
// major faults, exit status.
//   measure RESULT PRELOAD KIB PROCESSORS PROGRAM ARG...      (PRELOAD "" is the system's allocator)
// So much memory is used and freed right before, so that each program finds it at hand: a hypervisor takes back what
// the guest does not use, and then the next to want it waits, up to 2 ms for a huge page.
// With PROCESSORS "ONE" all runs are on the same processor, where the system can do that: of the processors of a virtual
// machine one may be much slower than another, as others' machines run there. The last one, as the first has the interrupts.
// A tiny process of its own, because a child's peak counts from its parent's size at the fork: measured from
// a JVM every program would look as large as the JVM. The children that a program waits for are counted in.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

// In a child, as it would count for the peak.
static void bringMemory(size_t bytes) {
#ifdef MADV_HUGEPAGE
  size_t most = (size_t)sysconf(_SC_AVPHYS_PAGES) / 2 * (size_t)sysconf(_SC_PAGESIZE);
  if (bytes > most) bytes = most;
  pid_t child = fork();
  if (child > 0) waitpid(child, NULL, 0);
  if (child != 0) return;
  char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) _exit(0);
  madvise(memory, bytes, MADV_HUGEPAGE);
  for (size_t at = 0; at < bytes; at += 4096) *(volatile char*)(memory + at) = 1;
  _exit(0);
#else
  (void)bytes;
#endif
}

static void stayOnOneProcessor(void) {
#ifdef __linux__
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return; // there are more than a set has room for
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &allowed)) last--;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  sched_setaffinity(0, sizeof one, &one);
#endif
}

int main(int count, char** arguments) {
  if (count < 6) return 125;
  bringMemory((size_t)atoll(arguments[3]) << 10);
  long long start = nanos();
  pid_t child = fork();
  if (child == 0) {
    if (arguments[2][0] != 0) setenv(preloadName, arguments[2], 1);
    if (strcmp(arguments[4], "ONE") == 0) stayOnOneProcessor();
    execvp(arguments[5], arguments + 5);
    perror(arguments[5]);
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
