// Options: their defaults, by call, and by the environment of another process.
#include "../check.h"
#include <limits.h>

static const struct { const char* name; long value; } options_as_they_are[] = {
    {"SHOW_ERRORS", 0}, {"SHOW_STATS", 0}, {"VERBOSE", 0}, {"DEPRECATED_EAGER_COMMIT", 1}, {"ARENA_EAGER_COMMIT", 2},
    {"PURGE_DECOMMITS", 1}, {"ALLOW_LARGE_OS_PAGES", 0}, {"RESERVE_HUGE_OS_PAGES", 0}, {"RESERVE_HUGE_OS_PAGES_AT", -1},
    {"RESERVE_OS_MEMORY", 0}, {"DEPRECATED_SEGMENT_CACHE", 0}, {"DEPRECATED_PAGE_RESET", 0},
    {"DEPRECATED_ABANDONED_PAGE_PURGE", 0}, {"DEPRECATED_SEGMENT_RESET", 0}, {"DEPRECATED_EAGER_COMMIT_DELAY", 1},
    {"PURGE_DELAY", PURGE_DELAY}, {"USE_NUMA_NODES", 0}, {"DISALLOW_OS_ALLOC", 0}, {"OS_TAG", 100}, {"MAX_ERRORS", 32},
    {"MAX_WARNINGS", 32}, {"DEPRECATED_MAX_SEGMENT_RECLAIM", 10}, {"DESTROY_ON_EXIT", 0}, {"ARENA_RESERVE", ARENA_RESERVE},
    {"ARENA_PURGE_MULT", 1}, {"DEPRECATED_PURGE_EXTEND_DELAY", 1}, {"DISALLOW_ARENA_ALLOC", 0}, {"RETRY_ON_OOM", 400},
    {"DEPRECATED_VISIT_ABANDONED", 1}, {"GUARDED_MIN", 0}, {"GUARDED_MAX", 1073741824}, {"UNSAFE_GUARDED_PRECISE", 0},
    {"GUARDED_SAMPLE_RATE", 0}, {"GUARDED_SAMPLE_SEED", 0}, {"GENERIC_COLLECT", 10000}, {"PAGE_RECLAIM_ON_FREE", 0},
    {"PAGE_FULL_RETAIN", 2}, {"PAGE_MAX_CANDIDATES", 4}, {"MAX_VABITS", 0}, {"PAGEMAP_COMMIT", 0},
    {"PAGE_COMMIT_ON_DEMAND", 0}, {"PAGE_MAX_RECLAIM", -1}, {"PAGE_CROSS_THREAD_MAX_RECLAIM", 32}, {"ALLOW_THP", 1},
    {"ARENA_PURGE_MIN_SIZE", 0}, {"ARENA_MAX_OBJECT_SIZE", ARENA_MAX_OBJECT}, {"ARENA_IS_NUMA_LOCAL", 0}, {"STATS_MERGE_ON_COLLECT", 1},
    {"PROFILE_ALLOC_INTERVAL", 1 << 30}, {"PROFILE_INUSE_INTERVAL", 0}, {"PROFILE_TIME_INTERVAL", 0}, {"PROFILE_SAMPLE_RATE", 524288},
    {"STATS_MERGE_THRESHOLD", 524288}, {"ARENA_PURGE_IMMEDIATE_SIZE", 1 << 30}, {"PURGE_THREAD", 0}, {"GUARDED_REPORT", 1},
    {"HARDEN", 0}, {"SECURE_TAGS", 0}, {"SECURE_SHUFFLE", 0}, {"SECURE_PADDING", 0}, {"SECURE_ZERO", 0},
    {"SECURE_REUSE", 0}, {"ABORT_ON_MISUSE", 2}, {"SECURE_QUARANTINE", 0}, {"SECURE_QUARANTINE_LARGE", 0}, {"PROFILE_SIGNAL", 0},
    {"DUMP_SIGNAL", 12}, {"LEAKS", 0}, {"PURGE_ON_PRESSURE", 0}};

#if HAS_PROCESSES
/// option NAME=VALUE NUMBER: the environment is in place by now; prints the option's value, and its size.
int answer_option(int argc, char** argv) {
  if (argc != 3) return 2;
  mi_option_t option = (mi_option_t)atoi(argv[2]);
  void* p = mi_malloc(3 << 20);
  if (p != NULL) memset(p, 1, 3 << 20);  // an option may forbid it
  mi_free(p);
  mi_collect(true);
  printf("%ld %zu %d\n", mi_option_get(option), mi_option_get_size(option), mi_option_is_enabled(option));
  return 0;
}

static struct { long value; size_t size; int enabled; char warning[1000]; } answer;

/// What another process with this in its environment has for the option.
static bool ask(const char* setting, mi_option_t option) {
  char number[20], text[2000] = "";
  snprintf(number, sizeof(number), "%d", (int)option);
  fflush(NULL);
  int status = run_again("option", number, setting, text, sizeof(text));
  const char* line = text;  // warnings may come first
  answer.warning[0] = 0;
  if (strncmp(text, "mimalloc", 8) == 0 && (line = strchr(text, '\n')) != NULL) {
    snprintf(answer.warning, sizeof(answer.warning), "%.*s", (int)(line - text), text);
    line++;
  }
  return status == 0 && line != NULL && sscanf(line, "%ld %zu %d", &answer.value, &answer.size, &answer.enabled) == 3;
}

#define ASK(setting, option, expected)                            \
  CHECK(ask("MIMALLOC_" setting, mi_option_##option));            \
  CHECK(answer.value == (long)(expected))  /* of 32 bits on some systems */

static void by_environment(void) {
  ASK("UNRELATED=1", purge_delay, 1000);
  ASK("PURGE_DELAY=17", purge_delay, 17);
  CHECK(answer.enabled == 1 && answer.size == 17);
  ASK("PURGE_DELAY=-1", purge_delay, -1);
  CHECK(answer.enabled == 1 && answer.size == 0);
  CHECK(ask("mimalloc_purge_delay=18", mi_option_purge_delay) && answer.value == 18);
  ASK("PURGE_DELAY=0", purge_delay, 0);
  CHECK(answer.enabled == 0);
  ASK("ALLOW_THP=off", allow_thp, 0);
  ASK("ALLOW_THP=OFF", allow_thp, 0);
  ASK("ALLOW_THP=no", allow_thp, 0);
  ASK("ALLOW_THP=false", allow_thp, 0);
  ASK("ALLOW_THP=2", allow_thp, 2);
  ASK("STATS_MERGE_ON_COLLECT=on", stats_merge_on_collect, 1);
  ASK("STATS_MERGE_ON_COLLECT=yes", stats_merge_on_collect, 1);
  ASK("STATS_MERGE_ON_COLLECT=True", stats_merge_on_collect, 1);
  ASK("STATS_MERGE_ON_COLLECT=1", stats_merge_on_collect, 1);
  ASK("STATS_MERGE_ON_COLLECT=", stats_merge_on_collect, 1);
  // Sizes: bytes without a suffix, kept in KiB.
  ASK("ARENA_RESERVE=64M", arena_reserve, 64 << 10);
  CHECK(answer.size == 64 << 20);
  ASK("ARENA_RESERVE=512K", arena_reserve, 512);
  ASK("ARENA_RESERVE=2G", arena_reserve, 2 << 20);
  if (IS_WIDE && !MI_EMULATED) {
    ASK("ARENA_RESERVE=1T", arena_reserve, 1L << 30);
  }
  ASK("ARENA_RESERVE=64MiB", arena_reserve, 64 << 10);
  ASK("ARENA_RESERVE=64MB", arena_reserve, 64 << 10);
  ASK("ARENA_RESERVE=64m", arena_reserve, 64 << 10);
  ASK("ARENA_RESERVE=33554432", arena_reserve, 32 << 10);
  ASK("ARENA_RESERVE=33554433", arena_reserve, (32 << 10) + 1);
  ASK("ARENA_PURGE_MIN_SIZE=256K", arena_purge_min_size, 256);
  ASK("ARENA_MAX_OBJECT_SIZE=1G", arena_max_object_size, 1 << 20);
  ASK("RESERVE_OS_MEMORY=8M", reserve_os_memory, 8 << 10);
  ASK("ARENA_PURGE_IMMEDIATE_SIZE=32M", arena_purge_immediate_size, 32 << 10);
  // Numbers of bytes, kept as such.
  ASK("PROFILE_SAMPLE_RATE=64K", profile_sample_rate, 64 << 10);
  CHECK(answer.size == 64 << 10);
  ASK("PROFILE_ALLOC_INTERVAL=512MiB", profile_alloc_interval, 1L << 29);
  ASK("PROFILE_INUSE_INTERVAL=1000", profile_inuse_interval, 1000);
  ASK("STATS_MERGE_THRESHOLD=1M", stats_merge_threshold, 1 << 20);
  // Former names.
  ASK("EAGER_REGION_COMMIT=0", arena_eager_commit, 0);
  ASK("RESET_DECOMMITS=0", purge_decommits, 0);
  ASK("LARGE_OS_PAGES=1", allow_large_os_pages, 1);
  ASK("RESET_DELAY=99", purge_delay, 99);
  ASK("LIMIT_OS_ALLOC=1", disallow_os_alloc, 1);
  ASK("DECOMMIT_EXTEND_DELAY=5", deprecated_purge_extend_delay, 5);
  ASK("ABANDONED_RECLAIM_ON_FREE=-1", page_reclaim_on_free, -1);
  ASK("VISIT_ABANDONED=0", deprecated_visit_abandoned, 0);
  ASK("GUARDED_PRECISE=1", unsafe_guarded_precise, 1);
  ASK("MINIMAL_PURGE_SIZE=256K", arena_purge_min_size, 256);
  // What makes no sense leaves the default, and is told.
  ASK("PURGE_DELAY=soon", purge_delay, 1000);
  CHECK(strstr(answer.warning, "PURGE_DELAY") != NULL);
  ASK("PURGE_DELAY=10x", purge_delay, 1000);
  ASK("ARENA_RESERVE=4Q", arena_reserve, ARENA_RESERVE);
  ASK("PURGE_DELAY=99999999999999999999999", purge_delay, 1000);
  // So is what is beyond an option's limits, and a name that there is not; the value is kept as it was given.
  ASK("PURGE_DELAY=-5", purge_delay, -5);
  CHECK(strstr(answer.warning, "MIMALLOC_PURGE_DELAY") != NULL);
  ASK("USE_NUMA_NODES=999999999", use_numa_nodes, 999999999);
  CHECK(strstr(answer.warning, "MIMALLOC_USE_NUMA_NODES") != NULL);
  ASK("PURGE_DELAY=9223372036854775807", purge_delay, LONG_MAX);  // also where a long has 32 bits
  CHECK(strcmp(answer.warning, "") == 0);
  ASK("PURGE_DELY=5", purge_delay, 1000);
  CHECK(strstr(answer.warning, "MIMALLOC_PURGE_DELY") != NULL);
  ASK("SHOW_ERRORS=1", show_errors, 1);
  ASK("MAX_ERRORS=-1", max_errors, -1);
  // The rest by their current names, each with a value of its own.
  int read = 0;
  for (int i = mi_option_deprecated_eager_commit; i < _mi_option_last; i++) {
    bool size = i == mi_option_reserve_os_memory || i == mi_option_arena_reserve || i == mi_option_arena_purge_min_size || i == mi_option_arena_purge_immediate_size ||
                i == mi_option_arena_max_object_size || i == mi_option_secure_quarantine || i == mi_option_secure_quarantine_large;
    // What is told of leaks comes before the answer.
    if (i == mi_option_reserve_huge_os_pages || i == mi_option_leaks || size) continue;
    char setting[100];
    snprintf(setting, sizeof(setting), "MIMALLOC_%s=%d", options_as_they_are[i].name, 3);
    if (ask(setting, (mi_option_t)i) && answer.value == 3) read++;
    else fprintf(stderr, "%s is not read\n", setting);
  }
  CHECK(read == _mi_option_last - 12);
}
#endif

void options(void) {
#if HAS_PROCESSES
  for (int i = 0; i < _mi_option_last; i++) {
    CHECK(ask("NOTHING=1", (mi_option_t)i));
    if (answer.value != options_as_they_are[i].value) fprintf(stderr, "MIMALLOC_%s is %ld\n", options_as_they_are[i].name, answer.value);
    CHECK(answer.value == options_as_they_are[i].value);
  }
#else
  for (int i = 0; i < _mi_option_last; i++) {
    if (i == mi_option_abort_on_misuse) continue;  // main has set that
    long value = mi_option_get((mi_option_t)i);
    if (value != options_as_they_are[i].value) fprintf(stderr, "MIMALLOC_%s is %ld\n", options_as_they_are[i].name, value);
    CHECK(value == options_as_they_are[i].value);
  }
#endif
  for (int i = 0; i < _mi_option_last; i++) {
    mi_option_t option = (mi_option_t)i;
    long before = mi_option_get(option);
    mi_option_set(option, 21);
    CHECK(mi_option_get(option) == 21 && mi_option_is_enabled(option));
    mi_option_set_default(option, 22);
    CHECK(mi_option_get(option) == 21);  // what was set stays
    mi_option_set_enabled_default(option, false);
    CHECK(mi_option_get(option) == 21);
    mi_option_disable(option);
    CHECK(mi_option_get(option) == 0 && !mi_option_is_enabled(option));
    mi_option_enable(option);
    CHECK(mi_option_get(option) == 1);
    mi_option_set_enabled(option, false);
    CHECK(mi_option_get(option) == 0);
    mi_option_set_enabled(option, true);
    CHECK(mi_option_get(option) == 1);
    mi_option_set(option, before);
  }
  CHECK(mi_option_get_clamp(mi_option_purge_delay, 0, 10) == (PURGE_DELAY < 0 ? 0 : 10));
  CHECK(mi_option_get_clamp(mi_option_purge_delay, 5000, 10000) == 5000);
  CHECK(mi_option_get_clamp(mi_option_purge_delay, -1, 10000) == PURGE_DELAY);
  CHECK(mi_option_get_size(mi_option_arena_reserve) == (size_t)ARENA_RESERVE << 10);
  CHECK(mi_option_get_size(mi_option_purge_delay) == (PURGE_DELAY < 0 ? 0 : PURGE_DELAY));
  mi_option_set(mi_option_purge_delay, -1);
  CHECK(mi_option_get_size(mi_option_purge_delay) == 0);
  mi_option_set(mi_option_purge_delay, PURGE_DELAY);
  // Options that there are not.
  const int none[] = {-1, _mi_option_last, 1000000};
  for (int i = 0; i < 3; i++) {
    mi_option_t option = (mi_option_t)none[i];
    mi_option_set(option, 5);
    mi_option_set_default(option, 5);
    mi_option_enable(option);
    CHECK(mi_option_get(option) == 0 && !mi_option_is_enabled(option) && mi_option_get_size(option) == 0);
  }
  // No value can do harm.
  const long absurd[] = {0, -1, LONG_MIN, LONG_MAX, LONG_MAX - 1, LONG_MAX / 2 + 1, LONG_MIN / 2};
  for (int i = 0; i < _mi_option_last; i++) {
    mi_option_t option = (mi_option_t)i;
    if (i <= mi_option_verbose || i == mi_option_disallow_os_alloc || i == mi_option_disallow_arena_alloc || i == mi_option_destroy_on_exit) continue;
    long before = mi_option_get(option);
    for (int j = 0; j < 7; j++) {
      mi_option_set(option, absurd[j]);
      CHECK(mi_option_get(option) == absurd[j]);
      mi_heap_t* heap = mi_heap_new();
      void* blocks[30];
      int had = 0;
      for (int k = 0; k < 30; k++) had += (blocks[k] = mi_heap_malloc(heap, k % 3 == 0 ? 10 : k % 3 == 1 ? 3000 : 300000)) != NULL;
      CHECK(had == 30);
      for (int k = 0; k < 30; k++) mi_free(blocks[k]);
      mi_collect(true);
      if (option == mi_option_use_numa_nodes) {
        // There may be no such page; but that is soon found out.
        int error = mi_reserve_huge_os_pages_interleave(1, 0, 1000);
        CHECK(error == 0 || error == ENOMEM);
      }
      mi_heap_destroy(heap);
    }
    mi_option_set(option, before);
  }
#if HAS_PROCESSES
  // A default gives way to what is set, also later.
  int status = 0;
  STATUS_OF(status, mi_option_set_default(mi_option_os_tag, 101));
  CHECK(status == 0);
  by_environment();
#endif
}
