// The frame around each workload:  PROGRAM SCALE [VARIANT]
// Runs it, lets the allocator settle, and writes one line of JSON: the checksum, what is still resident, how long
// settling took (which is not the workload's time), whose malloc it was, and the workload's own figures.
#define _GNU_SOURCE
#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

const char* variant = "";

static double scale = 1;
static _Atomic uint64_t checksum;
static char figures[4096];
static size_t figures_length;

size_t scaled(size_t full) {
  double size = (double)full * scale;
  return size < 1 ? 1 : (size_t)size;
}

int thread_count(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  return processors < 4 ? 4 : (int)processors;
}

typedef struct {
  pthread_t thread;
  int index;
  void (*body)(int);
} job_t;

static void* run_job(void* argument) {
  job_t* job = argument;
  job->body(job->index);
  return NULL;
}

void run_threads(int count, void (*body)(int index)) {
  job_t* jobs = malloc((size_t)count * sizeof(job_t));
  if (jobs == NULL) fail("out of memory");
  for (int i = 0; i < count; i++) {
    jobs[i].index = i;
    jobs[i].body = body;
    if (pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) != 0) fail("no thread to be had");
  }
  for (int i = 0; i < count; i++) pthread_join(jobs[i].thread, NULL);
  free(jobs);
}

void report(const char* name, double value) {
  int length = snprintf(figures + figures_length, sizeof figures - figures_length, ",\"%s\":%.9g", name, value);
  figures_length += (size_t)length;
  if (figures_length >= sizeof figures) fail("too many figures");
}

void add_to_checksum(uint64_t value) {
  atomic_fetch_add_explicit(&checksum, value, memory_order_relaxed);
}

void fail(const char* what) {
  fprintf(stderr, "%s\n", what);
  _exit(3);
}

static int64_t nanos(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t wall_nanos(void) { return nanos(CLOCK_MONOTONIC); }

int64_t thread_cpu_nanos(void) { return nanos(CLOCK_THREAD_CPUTIME_ID); }

size_t resident_bytes(void) {
  char text[256]; // read without stdio, which would allocate
  int file = open("/proc/self/statm", O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length <= 0) fail("no /proc/self/statm");
  close(file);
  text[length] = 0;
  unsigned long long size, resident;
  if (sscanf(text, "%llu %llu", &size, &resident) != 2) fail("/proc/self/statm cannot be read");
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

// Allocators give memory back some time after it was freed, and many only when they are called again. So: a tenth of a
// second, and a few calls of each size class.
static void settle(void) {
  struct timespec pause = {0, 100000000};
  nanosleep(&pause, NULL);
  for (int turn = 0; turn < 200; turn++)
    for (size_t size = 8; size <= 65536; size *= 2) {
      void* volatile block = malloc(size);
      free(block);
    }
}

int main(int count, char** arguments) {
  static char output[8192];
  setvbuf(stdout, output, _IOFBF, sizeof output);
  if (count > 1) scale = atof(arguments[1]);
  if (count > 2) variant = arguments[2];
  if (!(scale > 0)) fail("usage: PROGRAM SCALE [VARIANT], where scale 1 is a second or two");
  work();
  int64_t start = wall_nanos();
  settle();
  size_t resident = resident_bytes();
  int64_t settled = wall_nanos() - start;
  Dl_info library = {0};
  if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library) == 0) library.dli_fname = "";
  printf("{\"checksum\":\"%016llx\",\"rssAfterKib\":%zu,\"settleNanos\":%lld,\"allocator\":\"%s\"%s}\n",
      (unsigned long long)checksum, resident / 1024, (long long)settled, library.dli_fname, figures);
  return 0;
}
