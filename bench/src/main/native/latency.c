// How long single calls take, in a steady state: each call of malloc and of free is timed by itself. The same calls are
// made five times, in processes that are copies of one another, and of each call's five times the least counts: what an
// allocator does at a call it does each time, but a timer's interrupt is hardly ever at the same call again. The figures
// are the percentiles of those up to the maximum, in nanoseconds, less what reading the clock takes; and those of the
// first of the five, "once", with all interruptions.
#include "bench.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static uint64_t ticks(void) {
  unsigned processor;
  return __rdtscp(&processor); // waits until the call before it is done
}
#else
static uint64_t ticks(void) { return (uint64_t)wall_nanos(); }
#endif

// 64 buckets for each power of two: a bucket is 1.6% wide at most.
enum { sub_buckets = 64, buckets = 64 * sub_buckets, live = 50000, replays = 5 };

typedef struct {
  const char* name;
  uint64_t count[buckets], total, most;
} histogram_t;

// What the processes share: the ticks of each call, the first time and at the least.
typedef struct {
  uint32_t *once, *least;
  size_t called;
} calls_t;

static calls_t mallocs, frees;
static int replay;
static uint64_t clock_ticks;

static int bucket(uint64_t value) {
  if (value < sub_buckets) return (int)value;
  int shift = 63 - __builtin_clzll(value) - 6;
  return (shift + 1) * sub_buckets + (int)(value >> shift) - sub_buckets;
}

static uint64_t bucket_value(int index) {
  if (index < sub_buckets) return (uint64_t)index;
  int shift = index / sub_buckets - 1;
  return (uint64_t)(index % sub_buckets + sub_buckets) << shift;
}

static void count(histogram_t* histogram, uint64_t took) {
  took = took > clock_ticks ? took - clock_ticks : 0;
  histogram->count[bucket(took)]++;
  histogram->total++;
  if (took > histogram->most) histogram->most = took;
}

static uint64_t percentile(const histogram_t* histogram, double share) {
  uint64_t rank = (uint64_t)(share * (double)histogram->total), seen = 0;
  for (int i = 0; i < buckets; i++)
    if ((seen += histogram->count[i]) > rank) return bucket_value(i);
  return histogram->most;
}

// To a tenth of a nanosecond: as many ticks are the same time, whatever a tick was measured to be.
static void report_ticks(const char* name, uint64_t ticks, double nanos_per_tick) {
  report(name, (double)(int64_t)((double)ticks * nanos_per_tick * 10 + 0.5) / 10);
}

static void report_histogram(const histogram_t* histogram, double nanos_per_tick) {
  static const struct {
    const char* name;
    double share;
  } percentiles[] = {{"P50", .5}, {"P90", .9}, {"P99", .99}, {"P99.9", .999}, {"P99.99", .9999}, {"P99.999", .99999}};
  char name[64];
  for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
    snprintf(name, sizeof name, "%s%s", histogram->name, percentiles[i].name);
    report_ticks(name, percentile(histogram, percentiles[i].share), nanos_per_tick);
  }
  snprintf(name, sizeof name, "%sMax", histogram->name);
  report_ticks(name, histogram->most, nanos_per_tick);
}

static void report_calls(const char* name, const uint32_t* ticks, size_t calls, double nanos_per_tick) {
  static histogram_t histogram;
  memset(&histogram, 0, sizeof histogram);
  histogram.name = name;
  for (size_t i = 0; i < calls; i++) count(&histogram, ticks[i]);
  report_histogram(&histogram, nanos_per_tick);
}

static void* shared(size_t size) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("no shared memory");
  return memory;
}

static void share(calls_t* calls, size_t most) {
  calls->once = shared(most * sizeof(uint32_t));
  calls->least = shared(most * sizeof(uint32_t));
}

static void keep(calls_t* calls, uint64_t took) {
  uint32_t t = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
  size_t call = calls->called++;
  if (replay == 0) calls->once[call] = t;
  if (replay == 0 || t < calls->least[call]) calls->least[call] = t;
}

static void* timed_malloc(size_t size, bool counted) {
  uint64_t start = ticks();
  void* block = malloc(size);
  uint64_t end = ticks();
  if (counted) keep(&mallocs, end - start);
  mark(block, size);
  return block;
}

static void timed_free(void* block, bool counted) {
  check(block);
  uint64_t start = ticks();
  free(block);
  uint64_t end = ticks();
  if (counted) keep(&frees, end - start);
}

static uint64_t play(size_t turns, size_t warm_up) {
  static void* blocks[live];
  uint64_t random = seed(0);
  for (int i = 0; i < live; i++) blocks[i] = timed_malloc(skewed_size(next_random(&random), 4, 12), false);
  for (size_t t = 0; t < turns; t++) {
    uint64_t r = next_random(&random);
    void** slot = &blocks[r % live];
    timed_free(*slot, t >= warm_up);
    *slot = timed_malloc(skewed_size(next_random(&random), 4, 12), t >= warm_up);
  }
  for (int i = 0; i < live; i++) timed_free(blocks[i], false);
  return random;
}

void work(void) {
  clock_ticks = UINT64_MAX;
  uint64_t step = UINT64_MAX; // some clocks do not tell times below 10 ns apart
  for (int i = 0; i < 100000; i++) {
    uint64_t start = ticks(), took = ticks() - start;
    if (took < clock_ticks) clock_ticks = took;
    if (took > 0 && took < step) step = took;
  }
  size_t turns = scaled(3000000), warm_up = turns / 4, calls = turns - warm_up;
  uint64_t* sum = shared(sizeof *sum);
  share(&mallocs, calls);
  share(&frees, calls);
  int64_t start = wall_nanos();
  uint64_t start_ticks = ticks();
  for (replay = 0; replay < replays; replay++) {
    pid_t child = fork();
    if (child == 0) {
      *sum += play(turns, warm_up);
      _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) fail("a replay has failed");
  }
  double nanos_per_tick = (double)(wall_nanos() - start) / (double)(ticks() - start_ticks);
  report("clockNanos", (double)step * nanos_per_tick);
  report_calls("malloc", mallocs.least, calls, nanos_per_tick);
  report_calls("free", frees.least, calls, nanos_per_tick);
  report_calls("mallocOnce", mallocs.once, calls, nanos_per_tick);
  report_calls("freeOnce", frees.once, calls, nanos_per_tick);
  add_to_checksum(*sum);
}
