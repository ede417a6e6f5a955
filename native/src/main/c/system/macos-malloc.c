// --- malloc and its relatives on macOS -------------------------------------------------------------------------------
//
// An image cannot define malloc for others there. A library that is inserted at the start, or that the program is linked
// with, names in a section of its own which functions the loader is to bind elsewhere instead of which. And everything that
// allocates by zones, as Apple's own frameworks do, asks for the default zone: it is ours from the library's load on. A
// block that the system's malloc has given out before is given back to it.
//
// Written from its headers, and linked; nobody has run it yet.
#if defined(MI_MALLOC_OVERRIDE)

#include <mach/mach_init.h>
#include <malloc/malloc.h>

// Inside this image, malloc and its relatives are the system's.
static bool mi_is_ours(const void* p) { return mi_is_in_heap_region(p); }

static void mi_macos_free(void* p) {
  if (p == NULL || mi_is_ours(p)) mi_free(p);
  else free(p);
}

static void* mi_macos_realloc(void* p, size_t size) { return p == NULL || mi_is_ours(p) ? mi_realloc(p, size) : realloc(p, size); }
static void* mi_macos_reallocf(void* p, size_t size) { return p == NULL || mi_is_ours(p) ? mi_reallocf(p, size) : reallocf(p, size); }
static size_t mi_macos_size(const void* p) { return p == NULL || mi_is_ours(p) ? mi_usable_size(p) : malloc_size(p); }

typedef struct { const void *replacement, *replaced; } mi_interposed;
#define MI_INTERPOSED(replacement, replaced) {(const void*)(replacement), (const void*)(replaced)}
__attribute__((used, section("__DATA,__interpose"))) static const mi_interposed mi_interposed_functions[] = {
    MI_INTERPOSED(mi_malloc, malloc),
    MI_INTERPOSED(mi_calloc, calloc),
    MI_INTERPOSED(mi_macos_realloc, realloc),
    MI_INTERPOSED(mi_macos_reallocf, reallocf),
    MI_INTERPOSED(mi_macos_free, free),
    MI_INTERPOSED(mi_macos_size, malloc_size),
    MI_INTERPOSED(mi_good_size, malloc_good_size),
    MI_INTERPOSED(mi_aligned_alloc, aligned_alloc),
    MI_INTERPOSED(mi_posix_memalign, posix_memalign),
    MI_INTERPOSED(mi_valloc, valloc),
    MI_INTERPOSED(mi_strdup, strdup),
    MI_INTERPOSED(mi_strndup, strndup),
    MI_INTERPOSED(mi_realpath, realpath),
};

// --- The zone

static size_t mi_zone_size(malloc_zone_t* zone, const void* p) { return (void)zone, mi_is_ours(p) ? mi_usable_size(p) : 0; }
static void* mi_zone_malloc(malloc_zone_t* zone, size_t size) { return (void)zone, mi_malloc(size); }
static void* mi_zone_calloc(malloc_zone_t* zone, size_t count, size_t size) { return (void)zone, mi_calloc(count, size); }
static void* mi_zone_valloc(malloc_zone_t* zone, size_t size) { return (void)zone, mi_valloc(size); }
static void mi_zone_free(malloc_zone_t* zone, void* p) { (void)zone, mi_macos_free(p); }
static void* mi_zone_realloc(malloc_zone_t* zone, void* p, size_t size) { return (void)zone, mi_macos_realloc(p, size); }
static void* mi_zone_memalign(malloc_zone_t* zone, size_t alignment, size_t size) { return (void)zone, mi_memalign(alignment, size); }
static void mi_zone_free_size(malloc_zone_t* zone, void* p, size_t size) { (void)zone, (void)size, mi_macos_free(p); }
static boolean_t mi_zone_has(malloc_zone_t* zone, void* p) { return (void)zone, mi_is_ours(p); }
static void mi_zone_destroy(malloc_zone_t* zone) { (void)zone; }  // it lives as long as the process

static unsigned mi_zone_malloc_many(malloc_zone_t* zone, size_t size, void** blocks, unsigned count) {
  (void)zone;
  unsigned made = 0;
  while (made < count && (blocks[made] = mi_malloc(size)) != NULL) made++;
  return made;
}

static void mi_zone_free_many(malloc_zone_t* zone, void** blocks, unsigned count) {
  for (unsigned i = 0; i < count; i++) mi_zone_free(zone, blocks[i]);
}

static size_t mi_zone_relieve(malloc_zone_t* zone, size_t goal) {
  (void)zone, (void)goal;
  mi_collect(true);
  return 0;  // how much it was is not known
}

// Tools of another process ask for the blocks, and read our memory for it: what they would need to know is not written.
static kern_return_t mi_zone_enumerate(task_t task, void* context, unsigned kinds, vm_address_t zone, memory_reader_t reader,
                                       vm_range_recorder_t recorder) {
  return (void)task, (void)context, (void)kinds, (void)zone, (void)reader, (void)recorder, KERN_SUCCESS;
}
static size_t mi_zone_good_size(malloc_zone_t* zone, size_t size) { return (void)zone, mi_good_size(size); }
static boolean_t mi_zone_check(malloc_zone_t* zone) { return (void)zone, true; }
static void mi_zone_print(malloc_zone_t* zone, boolean_t verbose) { (void)zone, (void)verbose, mi_stats_print(NULL); }
static void mi_zone_log(malloc_zone_t* zone, void* address) { (void)zone, (void)address; }
static boolean_t mi_zone_is_locked(malloc_zone_t* zone) { return (void)zone, false; }
// pthread_atfork has ours locked around a fork already.
static void mi_zone_lock(malloc_zone_t* zone) { (void)zone; }

static void mi_zone_statistics(malloc_zone_t* zone, malloc_statistics_t* statistics) {
  (void)zone;
  *statistics = (malloc_statistics_t){0};
  mi_stats_t_decl(stats);
  if (!mi_stats_get(&stats)) return;
  int64_t used = stats.malloc_normal.current + stats.malloc_huge.current, committed = stats.committed.current;
  statistics->size_in_use = used < 0 ? 0 : (size_t)used;
  statistics->max_size_in_use = statistics->size_in_use;
  statistics->size_allocated = committed < 0 ? 0 : (size_t)committed;
}

static malloc_introspection_t mi_zone_introspection = {
    .enumerator = mi_zone_enumerate, .good_size = mi_zone_good_size, .check = mi_zone_check, .print = mi_zone_print,
    .log = mi_zone_log, .force_lock = mi_zone_lock, .force_unlock = mi_zone_lock, .statistics = mi_zone_statistics,
    .zone_locked = mi_zone_is_locked, .reinit_lock = mi_zone_lock,
};

static malloc_zone_t mi_zone = {
    .size = mi_zone_size, .malloc = mi_zone_malloc, .calloc = mi_zone_calloc, .valloc = mi_zone_valloc, .free = mi_zone_free,
    .realloc = mi_zone_realloc, .destroy = mi_zone_destroy, .zone_name = "mimalloc", .batch_malloc = mi_zone_malloc_many,
    .batch_free = mi_zone_free_many, .introspect = &mi_zone_introspection, .version = 10,  // with what is set here, and no more
    .memalign = mi_zone_memalign, .free_definite_size = mi_zone_free_size, .pressure_relief = mi_zone_relieve,
    .claimed_address = mi_zone_has,
};

static malloc_zone_t* mi_first_zone(void) {
  vm_address_t* zones = NULL;
  unsigned count = 0;
  if (malloc_get_all_zones(mach_task_self(), NULL, &zones, &count) != KERN_SUCCESS || count == 0) return NULL;
  return (malloc_zone_t*)zones[0];
}

// The first zone is the default one. One that goes and comes again is the last: so all before ours are sent to the end. The
// purgeable zone relies on the system's own and must exist before.
__attribute__((constructor)) static void mi_zone_load(void) {
  malloc_default_purgeable_zone();
  malloc_zone_register(&mi_zone);
  for (malloc_zone_t* first; (first = mi_first_zone()) != NULL && first != &mi_zone;) {
    malloc_zone_unregister(first);
    malloc_zone_register(first);
  }
}
#endif
