// Heap profiles: profilers of the user's, and the built-in one.
#include "../check.h"

// Where profiles are written to files.
#define WRITES_FILES HAS_PROCESSES

enum { COUNT = 100 };
enum { ALONE = 200000 };  // bytes of a block that is in no list
enum { PATH_ROOM = 300 };

// A profiler that knows what is in use.
typedef struct {
  mi_profiler_t base;
  size_t allocated, freed, bytes, wrong, snapshots, rate;
  mi_heap_t* heap;
} counting;

typedef struct { size_t mark, size; void* block; } note;

static size_t on_alloc(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* p, size_t size, size_t rate, uint64_t since, mi_heap_t* heap) {
  counting* c = (counting*)profiler;
  (void)since;
  __atomic_add_fetch(&c->allocated, 1, __ATOMIC_RELAXED);
  __atomic_add_fetch(&c->bytes, size, __ATOMIC_RELAXED);
  if (c->heap != NULL && heap != c->heap) c->wrong++;
  if (rate == 0 || mi_usable_size(p) < size) c->wrong++;
  if (data != NULL) {
    note* n = (note*)(void*)data->user_data;
    if (data->user_data_size != sizeof(note) || n->mark != 0) c->wrong++;
    *n = (note){0xABCD, size, p};
  }
  mi_free(mi_malloc(100));  // what is allocated here is no sample
  return c->rate;
}

static void on_free(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* p, mi_heap_t* heap) {
  counting* c = (counting*)profiler;
  __atomic_add_fetch(&c->freed, 1, __ATOMIC_RELAXED);
  note* n = (note*)(void*)data->user_data;
  if (n->mark != 0xABCD || n->block != p) c->wrong++;
  if (c->heap != NULL && heap != c->heap) c->wrong++;
  __atomic_sub_fetch(&c->bytes, n->size, __ATOMIC_RELAXED);
  mi_free(mi_malloc(1000));
}

static void on_snapshot(mi_profiler_t* profiler) { ((counting*)profiler)->snapshots++; }

static counting profiler_of(mi_heap_t* heap) {
  counting c = {{NULL, sizeof(note), 1, on_alloc, on_free, NULL, on_snapshot}, 0, 0, 0, 0, 0, 0, heap};
  return c;
}

static void own(void) {
  mi_heap_t* heap = mi_heap_new();
  counting c = profiler_of(heap);
  CHECK(!mi_profiler_start(&c.base));
  CHECK(!mi_profiler_start(NULL) && !mi_profiler_stop(NULL) && !mi_profiler_stop(&c.base));
  CHECK(!mi_heap_profile(NULL, &c.base) && !mi_subproc_profile((mi_subproc_id_t){0}, &c.base));
  CHECK(mi_heap_profile(heap, &c.base));
  mi_free(mi_heap_malloc(heap, ALONE));
  CHECK(c.allocated == 0);
  CHECK(mi_profiler_start(&c.base) && !mi_profiler_start(&c.base));
  // At a rate of 1 each allocation is a sample.
  void* blocks[COUNT];
  size_t bytes = 0;
  for (size_t i = 0; i < COUNT; i++) {
    size_t size = i % 4 == 0 ? (i + 1) * 256 : 1 + i * i * 7;
    blocks[i] = i % 4 == 0 ? mi_heap_malloc_aligned(heap, size, 256) : mi_heap_malloc(heap, size);
    bytes += size;
    memset(blocks[i], 1, size);
  }
  CHECK(c.allocated == COUNT && c.freed == 0 && c.bytes == bytes);
  mi_free(mi_malloc(ALONE));
  CHECK(c.allocated == COUNT);
  // A sample tells of no more room than another block does: a program that fills it all would keep samples longer.
  for (size_t size = 1; size < 20000; size += 333) {
    void *plain = mi_malloc(size), *sample = mi_heap_malloc(heap, size);
    CHECK(mi_usable_size(sample) == mi_usable_size(plain));
    mi_free(plain), mi_free(sample);
    c.allocated--, c.freed--;
  }
  // A block that moves is another one.
  blocks[0] = mi_heap_realloc(heap, blocks[0], 100000);
  CHECK(c.allocated == COUNT + 1 && c.freed == 1 && c.bytes == bytes - 256 + 100000);
  for (size_t i = 0; i < COUNT / 2; i++) mi_free(blocks[i]);
  CHECK(c.freed == 1 + COUNT / 2);
  CHECK(mi_profiler_stop(&c.base) && !mi_profiler_stop(&c.base));
  mi_free(mi_heap_malloc(heap, ALONE));
  CHECK(c.allocated == COUNT + 1);
  mi_profiler_snapshot(&c.base);
  mi_profiler_snapshot(NULL);
  CHECK(c.snapshots == 1);
  // The rest goes with its heap.
  mi_heap_destroy(heap);
  CHECK(c.freed == c.allocated && c.bytes == 0 && c.wrong == 0);
}

static void rates(void) {
  mi_heap_t* heap = mi_heap_new();
  counting c = profiler_of(heap);
  c.rate = 10000;
  CHECK(mi_heap_profile(heap, &c.base) && mi_profiler_start(&c.base));
  for (int i = 0; i < 100000; i++) mi_free(mi_heap_malloc(heap, 1000));
  // One in ten, after the first one; this far from it comes once in 10^15 runs.
  CHECK(c.allocated > 8500 && c.allocated < 10700);
  // Detached, it hears nothing any more; nor of what it has.
  void* p;
  size_t before = c.freed;
  do p = mi_heap_malloc(heap, 1000); while (c.allocated == c.freed || c.allocated - c.freed < 5);
  CHECK(mi_heap_profile(heap, NULL));
  mi_free(p);
  mi_heap_destroy(heap);
  CHECK(c.freed == before && c.wrong == 0);
}

static void attached(void) {
  mi_heap_t *old = mi_heap_new(), *never = mi_heap_new();
  counting c = profiler_of(NULL);
  mi_heap_profile_disable(never);
  mi_heap_profile_disable(NULL);
  c.base.sample_data_size = MI_PROFILE_SAMPLE_DATA_MAX_SIZE + 1;
  CHECK(!mi_profile(&c.base));
  c.base.sample_data_size = sizeof(note);
  CHECK(mi_profile(&c.base) && mi_profiler_start(&c.base));
  mi_heap_t* later = mi_heap_new();
  mi_free(mi_malloc(ALONE));
  mi_free(mi_heap_malloc(old, ALONE));
  mi_free(mi_heap_malloc(later, ALONE));
  CHECK(c.allocated == 3);
  mi_free(mi_heap_malloc(never, ALONE));
  CHECK(c.allocated == 3 && c.freed == 3);
  CHECK(mi_profile(NULL) && !mi_profiler_stop(&c.base));
  mi_free(mi_malloc(ALONE));
  CHECK(c.allocated == 3 && c.wrong == 0);
  // One that does not want to know of frees keeps nothing.
  c.base.on_free = NULL;
  CHECK(mi_profile(&c.base) && mi_profiler_start(&c.base));
  mi_free(mi_malloc(ALONE));
  CHECK(c.allocated == 4 && c.freed == 3);
  CHECK(mi_profile(NULL) && c.wrong == 0);
  mi_heap_delete(old), mi_heap_delete(never), mi_heap_delete(later);
}

static size_t elsewhere;

static size_t on_alloc_elsewhere(mi_profiler_t* profiler, mi_profiler_sample_data_t* data, void* p, size_t size, size_t rate, uint64_t since, mi_heap_t* heap) {
  (void)profiler, (void)data, (void)p, (void)size, (void)rate, (void)since, (void)heap;
  elsewhere++;
  return 0;
}

// A struct whose heap has ended may be another profiler's.
static void again(void) {
  mi_heap_t* heap = mi_heap_new();
  counting c = profiler_of(heap);
  CHECK(mi_heap_profile(heap, &c.base) && mi_profiler_start(&c.base));
  mi_free(mi_heap_malloc(heap, ALONE));
  mi_heap_destroy(heap);
  heap = mi_heap_new();
  c.base.on_alloc = on_alloc_elsewhere;
  c.base.on_free = NULL;
  CHECK(mi_heap_profile(heap, &c.base) && mi_profiler_start(&c.base));
  mi_free(mi_heap_malloc(heap, ALONE));
  CHECK(c.allocated == 1 && elsewhere == 1 && c.wrong == 0);
  CHECK(mi_heap_profile(heap, NULL));
  // As many bytes as there can be to a sample: there is none.
  c.base.initial_sample_rate = (size_t)-1;
  CHECK(mi_heap_profile(heap, &c.base) && mi_profiler_start(&c.base));
  for (int i = 0; i < COUNT; i++) mi_free(mi_heap_malloc(heap, ALONE));
  CHECK(elsewhere == 1);
  mi_heap_destroy(heap);
}

#if WRITES_FILES
static size_t file_size(const char* name) {
  FILE* file = fopen(name, "rb");
  if (file == NULL) return 0;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  fclose(file);
  return size;
}

static void built_in(void) {
  char folder[PATH_ROOM], base[PATH_ROOM + 20], name[PATH_ROOM + 20];
  snprintf(folder, sizeof(folder), "%s/mimalloc-profile-XXXXXX", A_PLACE);
  CHECK(mkdtemp(folder) != NULL);
  snprintf(base, sizeof(base), "%s/p.heap", folder);
  CHECK(mi_pprof_profiler_new(0, NULL, 0, 0, 0) == NULL && mi_pprof_profiler_new(0, "", 0, 0, 0) == NULL);
  static char endless[5000];
  memset(endless, 'x', sizeof(endless) - 1);
  CHECK(mi_pprof_profiler_new(0, endless, 0, 0, 0) == NULL);
  mi_pprof_profiler_delete(NULL);
  for (int round = 0; round < 3; round++) {
    mi_profiler_t* profiler = mi_pprof_profiler_new(1, base, round == 1 ? 50000 : 0, round == 2 ? 50000 : 0, 0);
    mi_heap_t* heap = mi_heap_new();
    CHECK(profiler != NULL && mi_heap_profile(heap, profiler) && mi_profiler_start(profiler));
    void* kept[COUNT];
    for (int i = 0; i < COUNT; i++) {
      kept[i] = mi_heap_malloc(heap, 1024);
      mi_free(mi_heap_malloc(heap, 2048));
    }
    int least = round == 0 ? 0 : round == 1 ? 5 : 1;  // of 300 KB, or of 100 KB that stay
    if (least == 0) mi_profiler_snapshot(profiler);
    snprintf(name, sizeof(name), "%s/p.1.heap", folder);
    FILE* file = fopen(name, "r");
    CHECK(file != NULL);
    unsigned long long live = 0, live_bytes = 0, all = 0, all_bytes = 0, rate = 0;
    CHECK(file != NULL && fscanf(file, "heap profile: %llu: %llu [%llu: %llu] @ heap_v2/%llu", &live, &live_bytes, &all, &all_bytes, &rate) == 5);
    if (file != NULL) fclose(file);
    CHECK(rate == 1 && live_bytes <= all_bytes && (round != 0 || (live == COUNT && live_bytes >= COUNT * 1024 && all == 2 * COUNT && all_bytes >= COUNT * 3072)));
    for (int i = 1; i <= 20; i++) {
      snprintf(name, sizeof(name), "%s/p.%d.heap", folder, i);
      if (i <= least) CHECK(file_size(name) > 100);
      unlink(name);
    }
    for (int i = 0; i < COUNT / 2; i++) mi_free(kept[i]);
    // With live samples; the next round has the same struct, and they do not count there.
    mi_pprof_profiler_delete(profiler);
    mi_heap_destroy(heap);
  }
  // A large block grows in its place, and its sample with it.
  mi_profiler_t* growing = mi_pprof_profiler_new(1000, base, 0, 0, 0);
  mi_heap_t* heap = mi_heap_new();
  CHECK(mi_heap_profile(heap, growing) && mi_profiler_start(growing));
  void* large = NULL;
  size_t size = 0;
  while (size < (size_t)24 << 20) {
    size += 1 << 20;
    large = mi_heap_realloc(heap, large, size);
    memset(large, 1, size);
  }
  for (int i = 1; i <= 2; i++) {
    mi_profiler_snapshot(growing);
    snprintf(name, sizeof(name), "%s/p.%d.heap", folder, i);
    FILE* file = fopen(name, "r");
    unsigned long long live = 0, live_bytes = 0;
    CHECK(file != NULL && fscanf(file, "heap profile: %llu: %llu", &live, &live_bytes) == 2);
    if (file != NULL) fclose(file);
    CHECK(i == 1 ? live == 1 && live_bytes >= size && live_bytes <= 2 * size : live == 0 && live_bytes == 0);
    unlink(name);
    mi_free(large);
    large = NULL;
  }
  mi_pprof_profiler_delete(growing);
  mi_heap_delete(heap);
  // A file that is there is somebody's.
  snprintf(name, sizeof(name), "%s/p.1.heap", folder);
  fclose(fopen(name, "w"));
  mi_profiler_t* second = mi_pprof_profiler_new(0, base, 0, 0, 0);
  mi_profiler_snapshot(second);
  CHECK(file_size(name) == 0 && unlink(name) == 0);
  snprintf(name, sizeof(name), "%s/p.2.heap", folder);
  CHECK(file_size(name) > 0 && unlink(name) == 0);
  mi_pprof_profiler_delete(second);
  // What one sample cannot stand for is no fault: a sample of a rate beyond all memory.
  mi_heap_t* rare = mi_heap_new();
  counting often = profiler_of(rare);
  CHECK(mi_heap_profile(rare, &often.base) && mi_profiler_start(&often.base));
  for (int i = 0; i < COUNT; i++) mi_free(mi_heap_malloc(rare, 64));
  second = mi_pprof_profiler_new(SIZE_MAX / 2, base, 0, 0, 0);
  CHECK(mi_heap_profile(rare, second) && mi_profiler_start(second));
  for (int i = 0; i < COUNT; i++) mi_free(mi_heap_malloc(rare, 64));
  mi_pprof_profiler_delete(second);
  mi_heap_destroy(rare);
  // A file that cannot be written is told of, and nothing else happens.
  mi_profiler_t* lost = mi_pprof_profiler_new(1, "/nowhere/at/all", 0, 0, 0);
  CHECK(lost != NULL && mi_profile(lost) && mi_profiler_start(lost));
  mi_profiler_snapshot(lost);
  mi_pprof_profiler_delete(lost);
  CHECK(rmdir(folder) == 0);
}
#endif

#if HAS_THREADS
static bool ends;

static void* allocate(void* heap) {
  void* kept[64] = {0};
  for (unsigned i = 0; !__atomic_load_n(&ends, __ATOMIC_RELAXED); i++) {
    void** slot = &kept[i * 7 % 64];
    mi_free(*slot);
    *slot = mi_heap_malloc(heap, 16 + i % 3000);
  }
  for (int i = 0; i < 64; i++) mi_free(kept[i]);
  return NULL;
}

// Profilers come and go while threads allocate.
static void changing(void) {
  mi_heap_t* heap = mi_heap_new();
  pthread_t threads[3];
  ends = false;
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, allocate, heap);
  static counting c[2];  // each serves once: a thread may still be in one of its functions
  for (int round = 0; round < 100; round++) {
    mi_profiler_t* built_in = mi_pprof_profiler_new(100, "/nowhere/at/all", 0, 0, 0);
    mi_profiler_t* profiler = round < 2 ? &c[round].base : built_in;
    if (round < 2) c[round] = profiler_of(heap);
    CHECK(mi_heap_profile(heap, profiler) && mi_profiler_start(profiler));
    for (int i = 0; i < 100; i++) mi_free(mi_heap_malloc(heap, 1000));
    if (round % 5 == 0) mi_heap_profile(heap, NULL);
    mi_pprof_profiler_delete(built_in);
#if WRITES_FILES
    // What others count just now is no later profiler's.
    char name[PATH_ROOM + 40], line[80] = "";
    snprintf(name, sizeof(name), "%s/mimalloc-profile-%d.heap", A_PLACE, (int)getpid());
    built_in = mi_pprof_profiler_new(100, name, 0, 0, 0);
    mi_profiler_snapshot(built_in);
    mi_pprof_profiler_delete(built_in);
    snprintf(name, sizeof(name), "%s/mimalloc-profile-%d.1.heap", A_PLACE, (int)getpid());
    FILE* file = fopen(name, "r");
    CHECK(file != NULL);
    if (file != NULL) {
      CHECK(fgets(line, sizeof(line), file) != NULL);
      fclose(file);
    }
    unlink(name);
    CHECK(strncmp(line, "heap profile: 0: 0 [0: 0]", 25) == 0);
#endif
  }
  __atomic_store_n(&ends, true, __ATOMIC_RELAXED);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  mi_heap_destroy(heap);
}
#endif

void profile(void) {
  if (!mi_profile(NULL)) {  // the library has none
    CHECK(mi_pprof_profiler_new(0, "name", 0, 0, 0) == NULL);
    return;
  }
  own();
  rates();
  attached();
  again();
#if WRITES_FILES
  built_in();
#endif
#if HAS_THREADS
  changing();
#endif
}
