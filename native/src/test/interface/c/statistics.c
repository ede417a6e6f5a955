// Statistics: equal to the truth when nothing runs, never negative, and JSON that others can read.
#include "../check.h"
#include <ctype.h>
#include <time.h>

static bool never_negative(const mi_stats_t* stats) {
  bool good = true;
#define COUNT(field) good = good && stats->field.current >= 0 && stats->field.peak >= stats->field.current && stats->field.total >= 0;
#define COUNTER(field) good = good && stats->field.total >= 0;
#include "../statistics.h"
#undef COUNT
#undef COUNTER
  for (int i = 0; i <= MI_BIN_HUGE; i++) {
    good = good && stats->malloc_bins[i].current >= 0 && stats->malloc_bins[i].peak >= 0 && stats->malloc_bins[i].total >= 0;
    good = good && stats->page_bins[i].current >= 0 && stats->page_bins[i].peak >= 0 && stats->page_bins[i].total >= 0;
  }
  for (int i = 0; i < MI_CBIN_COUNT; i++) good = good && stats->chunk_bins[i].current >= 0;
  return good;
}

// JSON by its grammar (RFC 8259), as far as numbers, texts without escapes, arrays and objects go.
static const char* value(const char* at);

static const char* blank(const char* at) { return at == NULL ? NULL : at + strspn(at, " \t\r\n"); }

static const char* text(const char* at) {
  if (at == NULL || *at != '"') return NULL;
  at += 1 + strcspn(at + 1, "\"\\\n");
  return *at == '"' ? at + 1 : NULL;
}

static const char* members(const char* at, char end, bool named) {
  at = blank(at + 1);
  if (*at == end) return at + 1;
  for (;;) {
    if (named) {
      at = blank(text(at));
      if (at == NULL || *at != ':') return NULL;
      at = blank(at + 1);
    }
    at = blank(value(at));
    if (at == NULL) return NULL;
    if (*at == end) return at + 1;
    if (*at != ',') return NULL;
    at = blank(at + 1);
  }
}

static const char* value(const char* at) {
  if (*at == '{') return members(at, '}', true);
  if (*at == '[') return members(at, ']', false);
  if (*at == '"') return text(at);
  const char* digits = *at == '-' ? at + 1 : at;
  size_t count = strspn(digits, "0123456789");
  if (count == 0 || (count > 1 && *digits == '0')) return NULL;
  return digits + count;
}

static bool is_json(const char* json) {
  const char* end = json == NULL || *json != '{' ? NULL : blank(value(json));
  return end != NULL && *end == 0;
}

/// The number after "name": {"part":
static long long number(const char* json, const char* name, const char* part) {
  char quoted[100];
  snprintf(quoted, sizeof(quoted), "\"%s\":", name);
  const char* at = strstr(json, quoted);
  snprintf(quoted, sizeof(quoted), "\"%s\":", part);
  at = at == NULL ? NULL : strstr(at, quoted);
  return at == NULL ? -1 : atoll(at + strlen(quoted));
}

/// Is there a page for a single block, which is in use, of so many bytes or somewhat more?
static bool has_page(const char* json, unsigned long long bytes) {
  for (const char* at = json; (at = strstr(at, ",1,1,1,")) != NULL; at++) {
    const char* number = at;
    while (number > json && isdigit((unsigned char)number[-1])) number--;
    unsigned long long size = strtoull(number, NULL, 10);
    if (size >= bytes && size < 2 * bytes) return true;
  }
  return false;
}

// A dump of the heap is there, is JSON, and has a page of this size; a file that was there stays. Without a file system there is none.
static void dump(void) {
  static char buffer[4 << 20];
  char name[100];
  snprintf(name, sizeof(name), "dump-%p-%ld", (void*)name, (long)time(NULL));  // several of these tests may run here at a time
  void* block = mi_malloc(1 << 20);
  bool written = mi_heaps_dump_json(name);
  FILE* file = written ? fopen(name, "r") : NULL;
  if (file != NULL) {
    size_t length = fread(buffer, 1, sizeof(buffer) - 1, file);
    buffer[length] = 0;
    fclose(file);
    CHECK(is_json(buffer) && strstr(buffer, "\"complete\": 1}\n") != NULL);
    CHECK(has_page(buffer, 1 << 20));
    CHECK(!mi_heaps_dump_json(name));
    remove(name);
  }
  CHECK(!mi_heaps_dump_json(NULL) && !mi_heaps_dump_json("nowhere/at/all"));
  mi_free(block);
}

static void json(mi_heap_t* heap) {
  char* own = mi_stats_get_json(0, NULL);
  CHECK(is_json(own) && mi_any_heap_contains(own));
#define COUNT(field) CHECK(number(own, #field, "total") >= 0 && number(own, #field, "current") >= 0);
#define COUNTER(field) CHECK(number(own, #field, "total") >= 0);
#include "../statistics.h"
#undef COUNT
#undef COUNTER
  CHECK(strstr(own, "malloc_bins") != NULL && strstr(own, "page_bins") != NULL && strstr(own, "chunk_bins") != NULL);
  mi_free(own);
  static char buffer[1 << 16];
  CHECK(mi_stats_get_json(sizeof(buffer), buffer) == buffer && is_json(buffer));
  CHECK(mi_heap_stats_get_json(heap, sizeof(buffer), buffer) == buffer && is_json(buffer));
  CHECK(number(buffer, "malloc_normal", "current") > 0);
  CHECK(mi_subproc_stats_get_json(mi_subproc_main(), sizeof(buffer), buffer) == buffer && is_json(buffer));
  own = mi_heap_stats_get_json(heap, 0, NULL);
  CHECK(is_json(own));
  mi_free(own);
  own = mi_subproc_stats_get_json(mi_subproc_main(), 0, NULL);
  CHECK(is_json(own));
  mi_free(own);
  mi_stats_t_decl(stats);
  stats.pages.current = 4711;
  CHECK(mi_stats_as_json(&stats, sizeof(buffer), buffer) == buffer && is_json(buffer));
  CHECK(number(buffer, "pages", "current") == 4711);
  // Each name has its own field's value.
  int64_t next = 1000;
#define COUNT(field) stats.field.total = next++, stats.field.peak = next++, stats.field.current = next++;
#define COUNTER(field) stats.field.total = next++;
#include "../statistics.h"
#undef COUNT
#undef COUNTER
  CHECK(mi_stats_as_json(&stats, sizeof(buffer), buffer) == buffer && is_json(buffer));
  next = 1000;
#define COUNT(field) CHECK(number(buffer, #field, "total") == next && number(buffer, #field, "peak") == next + 1 && number(buffer, #field, "current") == next + 2); next += 3;
#define COUNTER(field) CHECK(number(buffer, #field, "total") == next); next++;
#include "../statistics.h"
#undef COUNT
#undef COUNTER
  CHECK(mi_stats_as_json(NULL, sizeof(buffer), buffer) == NULL);
  // A buffer that is too small is not written beyond its end.
  memset(buffer, 'x', sizeof(buffer));
  char* answer = mi_stats_get_json(100, buffer);
  CHECK((answer == NULL || answer == buffer) && all_bytes(buffer + 100, 1000, 'x'));
}

static void truth(void) {
  mi_heap_t* heap = mi_heap_new();
  static void* blocks[2000];
  int64_t bytes = 0, huge = 0;
  for (int i = 0; i < 2000; i++) {
    bool is_huge = i % 500 == 0;
    blocks[i] = mi_heap_malloc(heap, is_huge ? 9 << 20 : (size_t)i * 3);
    *(is_huge ? &huge : &bytes) += (int64_t)block_size(blocks[i]);
  }
  mi_stats_t_decl(stats);
  CHECK(mi_heap_stats_get(heap, &stats) && never_negative(&stats));
  CHECK(stats.size == sizeof(mi_stats_t) && stats.version == MI_STAT_VERSION);
  CHECK(stats.malloc_normal.current == bytes);
  CHECK(stats.malloc_huge.current == huge);
  CHECK(stats.allocated.current == bytes + huge && stats.allocated.total == stats.malloc_normal.total + stats.malloc_huge.total);
  CHECK(stats.malloc_count.total == stats.malloc_normal_count.total + stats.malloc_huge_count.total);
  CHECK(stats.malloc_count.total - stats.free_count.total == 2000);
  CHECK(stats.freed.total == stats.allocated.total - stats.allocated.current);
  CHECK(stats.pages.current > 0);
  int64_t in_bins = 0, pages = 0;
  for (int i = 0; i <= MI_BIN_HUGE; i++) in_bins += stats.malloc_bins[i].current, pages += stats.page_bins[i].current;
  CHECK(in_bins == bytes + huge);
  CHECK(pages == stats.pages.current);
  dump();
  json(heap);
  for (int i = 0; i < 2000; i += 2) bytes -= i % 500 == 0 ? 0 : (int64_t)block_size(blocks[i]), mi_free(blocks[i]);
  CHECK(mi_heap_stats_get(heap, &stats) && stats.malloc_normal.current == bytes && stats.malloc_huge.current == 0);
  CHECK(stats.malloc_count.total - stats.free_count.total == 1000 && stats.allocated.current == bytes);
  CHECK(stats.freed.total == stats.allocated.total - bytes && stats.allocated.peak >= bytes + huge);
  for (int i = 1; i < 2000; i += 2) mi_free(blocks[i]);
  mi_heap_collect(heap, true);
  CHECK(mi_heap_stats_get(heap, &stats) && stats.malloc_normal.current == 0 && stats.pages.current == 0);
  CHECK(never_negative(&stats));
  mi_heap_stats_merge_to_subproc(heap);
  mi_heap_destroy(heap);
}

static void totals(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_stats_t_decl(stats);
  int64_t bytes = 0;
  static void* blocks[3000];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3000; i++) {
      blocks[i] = mi_heap_malloc(heap, (size_t)i);
      bytes += (int64_t)block_size(blocks[i]);
    }
    void* huge = mi_heap_malloc(heap, 9 << 20);
    CHECK(mi_heap_stats_get(heap, &stats));
    CHECK(stats.malloc_normal.total >= stats.malloc_normal.current);
    CHECK(stats.malloc_normal.peak == stats.malloc_normal.current);
    for (int i = 0; i < 3000; i++) mi_free(blocks[i]);
    mi_free(huge);
  }
  // All pages are gone. What was left of their lists is counted where only a walk could have told.
  mi_heap_collect(heap, true);
  CHECK(mi_heap_stats_get(heap, &stats) && stats.pages.current == 0);
  CHECK(stats.malloc_normal.total >= bytes && stats.malloc_normal.total <= bytes + bytes / 4);
  CHECK(stats.malloc_normal_count.total >= 9000);
  CHECK(stats.malloc_count.total >= 9003 && stats.free_count.total == stats.malloc_count.total);
  CHECK(stats.allocated.current == 0 && stats.freed.total == stats.allocated.total && stats.allocated.peak >= bytes / 3 + (9 << 20));
  CHECK(stats.malloc_normal.current == 0 && stats.malloc_normal.peak == bytes / 3);
  CHECK(stats.malloc_huge_count.total == 3 && stats.malloc_huge.total == 3 * stats.malloc_huge.peak);
  mi_stats_t_decl(before);
  CHECK(mi_stats_get(&before) && before.malloc_normal.total >= bytes);
  mi_heap_destroy(heap);
  CHECK(mi_stats_get(&stats) && stats.malloc_normal.total == before.malloc_normal.total);
  CHECK(stats.malloc_normal.peak >= bytes / 3 && stats.malloc_huge_count.total == before.malloc_huge_count.total);

  // A heap's blocks move to the main heap, and their history with them; one that is gone counts in the whole.
  heap = mi_heap_new();
  for (int i = 0; i < 3000; i++) blocks[i] = mi_heap_malloc(heap, 40000);
  CHECK(mi_stats_get(&before));
  mi_heap_delete(heap);
  CHECK(mi_stats_get(&stats) && stats.malloc_normal.total == before.malloc_normal.total);
  for (int i = 0; i < 3000; i++) mi_free(blocks[i]);
  mi_collect(true);
  CHECK(mi_stats_get(&stats) && never_negative(&stats));
  CHECK(mi_heap_stats_get(mi_heap_main(), &stats) && never_negative(&stats));
  CHECK(stats.malloc_normal.total >= 3000 * 40000);
}

// What a theap counts: its own, until that is its heap's.
static void of_theap(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_theap_t* theap = mi_heap_theap(heap);
  static void* blocks[1000];
  int64_t bytes = 0;
  for (int i = 0; i < 1000; i++) bytes += (int64_t)block_size(blocks[i] = mi_theap_malloc(theap, 1000));
  mi_stats_t_decl(stats);
  CHECK(mi_theap_stats_get(theap, &stats) && never_negative(&stats));
  CHECK(stats.malloc_normal.current == bytes && stats.malloc_normal.peak == bytes && stats.malloc_normal.total >= bytes);
  CHECK(stats.allocated.current == bytes && stats.malloc_count.total >= 1000 && stats.pages.current > 0);
  CHECK(stats.free_count.total == 0 && stats.freed.total == 0);
  int64_t total = stats.malloc_normal.total, pages = stats.pages.total, extended = stats.pages_extended.total;
  CHECK(extended > 0);
  mi_theap_stats_merge_to_heap(theap);
  CHECK(mi_theap_stats_get(theap, &stats) && stats.malloc_normal.current == bytes && stats.malloc_normal.total == bytes);
  CHECK(stats.pages_extended.total == 0 && never_negative(&stats));
  CHECK(mi_heap_stats_get(heap, &stats) && stats.malloc_normal.total == total && stats.pages.total == pages);
  CHECK(stats.pages_extended.total == extended && stats.malloc_normal.current == bytes);
  mi_theap_stats_merge_to_heap(theap);  // nothing twice
  CHECK(mi_heap_stats_get(heap, &stats) && stats.malloc_normal.total == total);
  for (int i = 0; i < 1000; i++) mi_free(blocks[i]);
  mi_theap_collect(theap, true);
  CHECK(mi_theap_stats_get(theap, &stats) && stats.malloc_normal.current == 0 && stats.pages.current == 0);
  CHECK(!mi_theap_stats_get(NULL, &stats) && !mi_theap_stats_get(theap, NULL));
  stats.version = MI_STAT_VERSION - 1;
  CHECK(!mi_theap_stats_get(theap, &stats));
  SURVIVES(mi_theap_stats_merge_to_heap(NULL));
  mi_heap_destroy(heap);
}

static void reset(void) {
  void* p = mi_malloc(1000);
  mi_stats_t_decl(stats);
  mi_stats_reset();
  CHECK(mi_stats_get(&stats) && never_negative(&stats));
  CHECK(stats.pages_extended.total == 0 && stats.malloc_huge_count.total == 0);
  CHECK(stats.malloc_normal.total >= stats.malloc_normal.current && stats.pages.total == stats.pages.current);
  CHECK(stats.malloc_normal.peak == stats.malloc_normal.current && stats.pages.peak == stats.pages.current);
  mi_free(p);
  mi_collect(true);
  CHECK(mi_stats_get(&stats) && never_negative(&stats));
}

// What a thread gives up is abandoned, and can be freed and found again.
static void reduce(void) {
  mi_collect_reduce(0);
  mi_stats_t_decl(before);
  mi_stats_t_decl(stats);
  CHECK(mi_stats_get(&before));
  static void* blocks[1000];
  for (int i = 0; i < 1000; i++) blocks[i] = mi_malloc(1000);
  mi_collect_reduce((size_t)1 << 30);
  CHECK(mi_stats_get(&stats) && stats.pages_abandoned.current <= before.pages_abandoned.current);
  mi_collect_reduce(1 << 19);
  CHECK(mi_stats_get(&stats) && stats.pages_abandoned.current > before.pages_abandoned.current);
  int64_t some = stats.pages_abandoned.current;
  mi_collect_reduce(0);
  CHECK(mi_stats_get(&stats) && stats.pages_abandoned.current > some);
  CHECK(stats.malloc_normal.current >= before.malloc_normal.current + 1000 * 1000);
  for (int i = 0; i < 1000; i++) mi_free(blocks[i]);
  mi_collect(true);
  CHECK(mi_stats_get(&stats) && stats.malloc_normal.current == before.malloc_normal.current && never_negative(&stats));
}

#if HAS_THREADS
static void* churn(void* unused) {
  void* blocks[200] = {0};
  for (size_t i = 0; i < 100000; i++) {
    void** block = &blocks[i * 31 % 200];
    mi_free(*block);
    *block = mi_malloc(i * 131 % 5000);
  }
  for (int i = 0; i < 200; i++) mi_free(blocks[i]);
  return unused;
}

static void with_threads(void) {
  mi_stats_t_decl(before);
  mi_stats_t_decl(stats);
  CHECK(mi_stats_get(&before) && never_negative(&before));
  pthread_t threads[4];
  bool good = true;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, churn, NULL);
  for (int i = 0; i < 50; i++) good = mi_stats_get(&stats) && never_negative(&stats) && good;
  CHECK(good);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK(mi_stats_get(&stats) && never_negative(&stats));
  CHECK(stats.threads.current == before.threads.current && stats.threads.total == before.threads.total + 4);
  CHECK(stats.theaps.current == before.theaps.current);
  CHECK(stats.malloc_normal.current <= before.malloc_normal.current);
  CHECK(stats.committed.current <= stats.reserved.current);
  mi_stats_merge();
  mi_stats_reset();
  CHECK(mi_stats_get(&stats) && never_negative(&stats) && stats.threads.current == before.threads.current);
}
#endif

void statistics(void) {
  truth();
  totals();
  of_theap();
  reset();
  reduce();
#if HAS_THREADS
  with_threads();
#endif
  mi_stats_t_decl(stats);
  CHECK(mi_subproc_stats_get(mi_subproc_main(), &stats) && stats.reserved.current > 0);
  CHECK(mi_subproc_stats_get_exclusive(mi_subproc_main(), &stats) && stats.reserved.current > 0);
  CHECK(mi_heap_stats_get(mi_heap_main(), &stats) && never_negative(&stats));
  CHECK(!mi_stats_get(NULL));
  CHECK(!mi_heap_stats_get(mi_heap_main(), NULL));
  CHECK(!mi_subproc_stats_get(mi_subproc_main(), NULL));
  CHECK(!mi_subproc_stats_get_exclusive(mi_subproc_main(), NULL));
  stats.size = sizeof(stats) - 8;  // of another version
  CHECK(!mi_stats_get(&stats) && !mi_heap_stats_get(mi_heap_main(), &stats));
  stats.size = sizeof(stats);
  stats.version = MI_STAT_VERSION - 1;
  CHECK(!mi_stats_get(&stats));
  SURVIVES(mi_heap_stats_print_out(NULL, NULL, NULL));
  SURVIVES(mi_heap_stats_merge_to_subproc(NULL));
  size_t last = 0;
  bool rises = true;
  for (size_t bin = 1; bin < MI_BIN_HUGE; bin++) {
    rises = rises && mi_stats_get_bin_size(bin) > last;
    last = mi_stats_get_bin_size(bin);
  }
  CHECK(rises && mi_stats_get_bin_size(1) == 8);
  CHECK(mi_stats_get_bin_size(MI_BIN_HUGE + 1) == 0);

  size_t elapsed, user, system, rss, peak_rss, commit, peak_commit, faults = ~(size_t)0;
  mi_process_info(&elapsed, &user, &system, &rss, &peak_rss, &commit, &peak_commit, &faults);
  CHECK(elapsed < 1000000 && user < 1000000 && system < 1000000);
  CHECK(rss > 100000 && peak_rss >= rss / 2);
  CHECK(commit > 0 && peak_commit >= commit && faults != ~(size_t)0);
  mi_process_info(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}
