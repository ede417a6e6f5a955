// Arenas: memory that the user reserves or brings.
#include "../check.h"
#if HAS_PROCESSES
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

enum { MIB = 1 << 20 };

/// Fresh memory at a multiple of what arenas want.
static char* fresh(size_t size, int protection) {
  size_t alignment = mi_arena_min_alignment();
  char* p = (char*)mmap(NULL, size + alignment, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : (char*)(((uintptr_t)p + alignment - 1) / alignment * alignment);
}

static bool all_inside(mi_heap_t* heap, mi_arena_id_t arena) {
  for (int i = 0; i < 300; i++) {
    void* p = mi_heap_malloc(heap, (size_t)i * 150);
    if (!is_block(p, (size_t)i * 150) || !mi_arena_contains(arena, p)) return false;
  }
  return true;
}

static void all_purged(void) {
  CHECK(mi_arena_max_object_size() == mi_option_get_size(mi_option_arena_max_object_size));
  CHECK(mi_arena_max_object_size() == (size_t)ARENA_MAX_OBJECT << 10);
  if (mi_option_get(mi_option_harden) == 3) return;  // a large block that was freed is closed, and waits
  if (PURGE_DELAY < 0) return;                       // nothing can be given back
  mi_arenas_purge();  // what is left of before
  mi_theap_guarded_set_sample_rate(mi_theap_get_default(), 0, 0);  // a guarded block that was freed waits
  mi_stats_t_decl(before);
  mi_stats_t_decl(stats);
  void* p = mi_malloc(10 * MIB);
  memset(p, 1, 10 * MIB);
  CHECK(mi_stats_get(&before));
  mi_free(p);
  CHECK(mi_stats_get(&stats) && stats.purged.total < before.purged.total + 10 * MIB);
  mi_arenas_purge();
  CHECK(mi_stats_get(&stats) && stats.purged.total >= before.purged.total + 10 * MIB);
  mi_theap_guarded_set_sample_rate(mi_theap_get_default(), (size_t)mi_option_get(mi_option_guarded_sample_rate), 1);
}

static void reserved(void) {
  mi_arena_id_t arena = NULL;
  CHECK(mi_reserve_os_memory(64 * MIB, false, false) == 0);
  CHECK(mi_reserve_os_memory_ex(64 * MIB, true, false, true, &arena) == 0 && arena != NULL);
  size_t size = 0;
  char* start = (char*)mi_arena_area(arena, &size);
  CHECK(start != NULL && size >= 64 * MIB && is_aligned(start, mi_arena_min_alignment()));
  CHECK(mi_arena_area(arena, NULL) == start);
  CHECK(mi_arena_contains(arena, start) && mi_arena_contains(arena, start + size - 1));
  CHECK(!mi_arena_contains(arena, start - 1) && !mi_arena_contains(arena, start + size) && !mi_arena_contains(arena, NULL));
  CHECK(!mi_arena_contains(arena, &arena));
  // An exclusive arena is for the heaps made in it, and these stay there.
  bool outside = true;
  for (int i = 0; i < 1000; i++) outside = outside && !mi_arena_contains(arena, mi_malloc(10000));
  CHECK(outside);
  mi_heap_t* heap = mi_heap_new_in_arena(arena);
  CHECK(heap != NULL && all_inside(heap, arena));
  void* p = mi_heap_malloc(heap, 10 * MIB);
  CHECK(is_block(p, 10 * MIB) && mi_arena_contains(arena, p));
  mi_free(p);
  CHECK_ERRNO(ENOMEM, mi_heap_malloc(heap, 200 * MIB) == NULL);
  int count = 0;
  while (count < 100 && mi_heap_malloc(heap, MIB) != NULL) count++;
  CHECK(count >= 30 && count < 65);
  p = mi_malloc(10 * MIB);
  CHECK(is_block(p, 10 * MIB));  // elsewhere there still is memory
  mi_free(p);
  mi_heap_destroy(heap);
  heap = mi_heap_new_in_arena(arena);
  CHECK(heap != NULL && all_inside(heap, arena));
  mi_heap_destroy(heap);
  arena = &arena;
  CHECK(mi_reserve_os_memory_ex(TOO_MUCH, false, false, false, &arena) == ENOMEM && arena == NULL);
  CHECK(mi_reserve_os_memory(A_LOT, false, false) == ENOMEM);
  CHECK(mi_reserve_os_memory(64 * MIB, true, true) == 0);  // large OS pages where there are any
  CHECK(mi_arena_area(NULL, &size) == NULL && size == 0);
  CHECK(!mi_arena_contains(NULL, &size));
}

/// With room enough, one of whole GiB shares no page of the hardware's directory with other mappings. A secure library's
/// lies far from these.
static void large(void) {
  if (!IS_WIDE) return;
  const size_t gib = (size_t)1 << 30;
  for (int i = 0; i < 4; i++) {
    mi_arena_id_t arena = NULL;
    CHECK(mi_reserve_os_memory_ex(gib, false, false, true, &arena) == 0);
    CHECK(is_aligned(mi_arena_area(arena, NULL), MI_SECURE > 0 ? (size_t)2 << 20 : gib));
  }
}

static void managed(void) {
  size_t size = 64 * MIB;
  char* memory = fresh(size, PROT_READ | PROT_WRITE);
  mi_arena_id_t arena = NULL;
  CHECK(mi_manage_os_memory_ex(memory, size, true, false, true, -1, true, &arena) && arena != NULL);
  mi_heap_t* heap = mi_heap_new_in_arena(arena);
  CHECK(heap != NULL && all_inside(heap, arena));
  char* p = (char*)mi_heap_malloc(heap, 1000);
  CHECK(p >= memory && p + 1000 <= memory + size);
  mi_heap_destroy(heap);
  CHECK(mi_manage_os_memory(fresh(32 * MIB, PROT_READ | PROT_WRITE), 32 * MIB, true, true, true, 0));
  // Memory that was used before is not taken for zero.
  memory = fresh(size, PROT_READ | PROT_WRITE);
  memset(memory, 0xEE, size);
  CHECK(mi_manage_os_memory_ex(memory, size, true, true, false, -1, true, &arena));
  heap = mi_heap_new_in_arena(arena);
  bool zero = true;
  for (int i = 0; i < 200; i++) {
    p = (char*)mi_heap_zalloc(heap, (size_t)i * 500);
    zero = zero && p != NULL && is_zero(p, (size_t)i * 500);
  }
  CHECK(zero && is_zero(mi_heap_calloc(heap, 9, MIB), 9 * MIB));
  mi_heap_destroy(heap);
  // Not committed: the allocator makes it accessible itself.
  CHECK(mi_manage_os_memory_ex(fresh(size, PROT_NONE), size, false, false, true, -1, true, &arena));
  heap = mi_heap_new_in_arena(arena);
  CHECK(heap != NULL && all_inside(heap, arena));
  mi_heap_destroy(heap);
  arena = &arena;
  CHECK(!mi_manage_os_memory_ex(NULL, size, true, false, true, -1, false, &arena) && arena == NULL);
  CHECK(!mi_manage_os_memory(NULL, 0, true, false, true, -1));
  CHECK(!mi_manage_os_memory(memory, 1000, true, false, false, -1));
  CHECK(!mi_manage_memory(NULL, size, true, false, true, -1, false, NULL, NULL, &arena));
}

static struct { int commits, decommits; bool consistent; char *start, *end; } user;

static bool on_commit(bool commit, void* start, size_t size, bool* is_zero, void* arg) {
  user.consistent = user.consistent && arg == &user && (char*)start >= user.start && (char*)start + size <= user.end && size > 0;
  if (commit) {
    user.commits++;
    if (is_zero != NULL) *is_zero = false;
    return mprotect(start, size, PROT_READ | PROT_WRITE) == 0;
  }
  user.decommits++;
  return mprotect(start, size, PROT_NONE) == 0;
}

static void committed_by_the_user(void) {
  size_t size = 64 * MIB;
  user.start = fresh(size, PROT_NONE);
  user.end = user.start + size;
  user.consistent = true;
  mi_arena_id_t arena = NULL;
  CHECK(mi_manage_memory(user.start, size, false, false, true, -1, true, on_commit, &user, &arena) && arena != NULL);
  long delay = mi_option_get(mi_option_purge_delay);
  mi_option_set(mi_option_purge_delay, 0);
  for (int round = 0; round < 3; round++) {
    mi_heap_t* heap = mi_heap_new_in_arena(arena);
    CHECK(heap != NULL && all_inside(heap, arena));
    void* p = mi_heap_zalloc(heap, 20 * MIB);
    CHECK(is_zero_block(p, 20 * MIB));
    mi_free(p);
    mi_heap_destroy(heap);
    mi_collect(true);
  }
  mi_option_set(mi_option_purge_delay, delay);
  CHECK(user.commits > 0 && user.consistent);
  CHECK(user.decommits > 0);
}

/// What a purge does in the next commit function: nothing, refuses, calls back, or waits for someone.
static struct { bool refuses, calls, waits; size_t given; mi_heap_t* heap; sem_t reached, on; } purging;

static bool on_purge(bool commit, void* start, size_t size, bool* is_zero, void* arg) {
  (void)start, (void)arg;
  if (commit) {
    if (is_zero != NULL) *is_zero = false;
    return true;
  }
  if (purging.refuses) return false;
  if (purging.calls) {
    purging.calls = false;
    mi_collect(true);
    mi_heap_collect(purging.heap, true);
    mi_free(mi_malloc(100));
    mi_free(mi_malloc(10 * MIB));
    CHECK(mi_heap_malloc(purging.heap, 50 * MIB) == NULL);  // the purge has it
    SURVIVES(mi_free(mi_malloc(100)));
  }
  if (purging.waits) {
    purging.waits = false;
    sem_post(&purging.reached);
    sem_wait(&purging.on);
  }
  purging.given += size;
  return true;
}

static void* collect(void* arg) {
  mi_collect(true);
  return arg;
}

static void* allocate(void* heap) { return mi_heap_malloc((mi_heap_t*)heap, 50 * MIB); }

static int resident(char* p, size_t size) {
  static unsigned char pages[64 * MIB / 4096];
  int count = 0;
  mincore((char*)((uintptr_t)p & -(uintptr_t)4096), size, pages);
  for (size_t i = 0; i < size / 4096; i++) count += pages[i] & 1;
  return count;
}

/// What a purge finds while another thread, or its own user's function, is in the middle of something.
static void purged(void) {
  mi_arena_id_t arena = NULL;
  CHECK(mi_manage_memory(fresh(64 * MIB, PROT_READ | PROT_WRITE), 64 * MIB, true, false, true, -1, true, on_purge, NULL, &arena));
  mi_heap_t* heap = purging.heap = mi_heap_new_in_arena(arena);
  mi_collect(true);
  // What was refused waits, and is not counted.
  size_t size = 50 * MIB;
  mi_free(mi_heap_malloc(heap, size));
  mi_stats_t before, after;
  before.size = after.size = sizeof(before);
  before.version = after.version = MI_STAT_VERSION;
  mi_stats_get(&before);
  purging.refuses = true;
  mi_collect(true);
  mi_stats_get(&after);
  CHECK(after.purge_calls.total > before.purge_calls.total && after.purged.total == before.purged.total);
  purging.refuses = false;
  mi_collect(true);
  mi_stats_get(&after);
  CHECK(purging.given >= size && after.purged.total >= before.purged.total + (int64_t)size);
  // The function may use the allocator.
  mi_free(mi_heap_malloc(heap, size));
  purging.calls = true;
  SURVIVES(mi_collect(true));
  mi_collect(true);
  // A collection gives back what was freed after the purge of another thread had passed by.
  sem_init(&purging.reached, 0, 0);
  sem_init(&purging.on, 0, 0);
  pthread_t first, second;
  char* p = (char*)mi_malloc(20 * MIB);
  memset(p, 1, 20 * MIB);
  mi_free(mi_heap_malloc(heap, size));
  purging.waits = true;
  pthread_create(&first, NULL, collect, NULL);
  sem_wait(&purging.reached);
  mi_free(p);
  pthread_create(&second, NULL, collect, NULL);
  usleep(50000);  // so that it meets the first one, most likely
  sem_post(&purging.on);
  pthread_join(second, NULL);
  CHECK(resident(p, 20 * MIB) == 0);
  pthread_join(first, NULL);
  // An arena with room has room while it is purged.
  void* found = NULL;
  mi_free(mi_heap_malloc(heap, size));
  purging.waits = true;
  pthread_create(&first, NULL, collect, NULL);
  sem_wait(&purging.reached);
  pthread_create(&second, NULL, allocate, heap);
  usleep(50000);
  sem_post(&purging.on);
  pthread_join(second, &found);
  pthread_join(first, NULL);
  CHECK(is_block(found, size) && mi_arena_contains(arena, found));
  mi_free(found);
}

/// Memory that the program has locked goes back, too, where the system can do that; and where not nothing is lost.
static void locked(void) {
  size_t size = 16 * MIB;
  mi_arena_id_t arena = NULL;
  char* memory = fresh(size, PROT_READ | PROT_WRITE);
  if (mlock(memory, size) != 0) return;  // not allowed here
  bool can = madvise(memory, 4096, 24) == 0;  // MADV_DONTNEED_LOCKED
  CHECK(mi_manage_os_memory_ex(memory, size, true, false, true, -1, true, &arena));
  mi_heap_t* heap = mi_heap_new_in_arena(arena);
  for (int i = 0; i < 3; i++) {
    char* p = (char*)mi_heap_malloc(heap, 8 * MIB);
    CHECK(is_block(p, 8 * MIB));
    mi_free(p);
    mi_collect(true);
    if (can && !MI_EMULATED) CHECK(resident(p, 8 * MIB) == 0);
    CHECK(is_zero_block(mi_heap_zalloc(heap, 8 * MIB), 8 * MIB));
    mi_heap_destroy(heap);
    heap = mi_heap_new_in_arena(arena);
  }
  munlock(memory, size);
}

/// What the allocator has already is not taken a second time.
static void managed_twice(void) {
  size_t size = 16 * MIB;
  char* memory = fresh(size, PROT_READ | PROT_WRITE);
  mi_arena_id_t arena = NULL, again = &again;
  CHECK(mi_manage_os_memory_ex(memory, size, true, false, true, -1, true, &arena) && arena != NULL);
  CHECK(!mi_manage_os_memory_ex(memory, size, true, false, true, -1, true, &again) && again == NULL);
  CHECK(!mi_manage_os_memory(memory + MIB, MIB, true, false, true, -1));
  CHECK(!mi_manage_os_memory(memory - MIB, 2 * MIB, true, false, true, -1));
  CHECK(!mi_manage_memory(memory + 15 * MIB, 4 * MIB, true, false, true, -1, true, NULL, NULL, &again));
  CHECK(!mi_manage_os_memory((char*)mi_arena_area(arena, NULL), 1000 + mi_arena_min_alignment(), true, false, true, -1));
  char* block = (char*)mi_malloc(10 * MIB);
  CHECK(!mi_manage_os_memory(block, 10 * MIB, true, false, false, -1));
  char* large = (char*)mi_malloc(FROM_SYSTEM);  // straight from the system
  CHECK(large != NULL && !mi_manage_os_memory(large, FROM_SYSTEM, true, false, false, -1));
  CHECK(!mi_manage_os_memory(large + FROM_SYSTEM / 3 * 2, 10 * MIB, true, false, false, -1));
  mi_free(large);
  mi_free(block);
  // Neighbours are different memory; and another subprocess is the same process.
  memory = fresh(size, PROT_READ | PROT_WRITE);
  CHECK(mi_manage_os_memory(memory, size / 2, true, false, true, -1));
  CHECK(mi_manage_os_memory(memory + size / 2, size / 2, true, false, true, -1));
}

/// A commit function that does what it likes.
static struct { int inside, calls, ends; mi_heap_t* in_use; } busy;

static bool on_busy_commit(bool commit, void* start, size_t size, bool* is_zero, void* arg) {
  (void)is_zero, (void)arg;
  busy.calls++;
  if (busy.inside++ == 0) {
    if (commit && busy.in_use != NULL) {
      if (busy.ends++ % 2 == 0) mi_heap_destroy(busy.in_use);
      else mi_heap_delete(busy.in_use);
      busy.in_use = NULL;
    }
    for (size_t i = 0; i < 20; i++) {
      mi_heap_t* heap = mi_heap_new();
      void* p = mi_heap_malloc(heap, 100 + i * 1000);
      CHECK(is_block(p, 100 + i * 1000));
      mi_free(mi_malloc(i * 5000));
      if (i % 2 == 0) mi_heap_destroy(heap);
      else mi_heap_delete(heap), mi_free(p);
    }
    mi_collect(true);
    mi_thread_done();
  }
  busy.inside--;
  return mprotect(start, size, commit ? PROT_READ | PROT_WRITE : PROT_NONE) == 0;
}

static void committed_by_a_busy_user(void) {
  size_t size = 64 * MIB;
  long delay = mi_option_get(mi_option_purge_delay);
  for (int round = 0; round < 12; round++) {
    mi_option_set(mi_option_purge_delay, round % 3 == 0 ? 0 : delay);
    mi_arena_id_t arena = NULL;
    CHECK(mi_manage_memory(fresh(size, PROT_NONE), size, false, false, true, -1, true, on_busy_commit, NULL, &arena));
    mi_heap_t* heap = mi_heap_new_in_arena(arena);
    CHECK(heap != NULL && all_inside(heap, arena));
    void* first = mi_heap_malloc(heap, 300);
    void* second = mi_heap_malloc(heap, 5 * MIB);
    CHECK(is_block(first, 300) && is_block(second, 5 * MIB));
    memset(second, 1, 5 * MIB);
    mi_free(second);
    mi_collect(true);
    // And now it ends the heap in the middle of an allocation for it. The block is the main heap's then.
    busy.in_use = heap;
    size_t last = round % 2 == 0 ? 12 * MIB : 100000;
    void* p = NULL;
    for (int i = 0; i < 200 && busy.in_use != NULL; i++) p = mi_heap_malloc(heap, last);
    CHECK(busy.in_use == NULL && is_block(p, last));
    CHECK(mi_heap_contains(mi_heap_main(), p) || mi_heap_of(p) == mi_heap_main());
    memset(p, 2, last);
    void* other = mi_malloc(last);
    CHECK(is_block(other, last) && *(char*)p == 2 && ((char*)p)[last - 1] == 2);
    mi_free(other);
    mi_free(p);
    mi_collect(true);
  }
  mi_option_set(mi_option_purge_delay, delay);
  CHECK(busy.calls > 24 && busy.ends == 12);
}

// Few machines have huge pages set aside; without them there is an error, in time.
static void huge(void) {
  size_t elapsed, later, pages = 99;
  mi_process_info(&elapsed, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  int error = mi_reserve_huge_os_pages_at(1, -1, 500);
  CHECK(error == 0 || error == ENOMEM);
  error = mi_reserve_huge_os_pages_at(1, 0, 500);
  CHECK(error == 0 || error == ENOMEM);
  error = mi_reserve_huge_os_pages_interleave(2, 0, 500);
  CHECK(error == 0 || error == ENOMEM);
  error = mi_reserve_huge_os_pages_interleave(1, 2, 500);
  CHECK(error == 0 || error == ENOMEM);
  mi_arena_id_t arena = &arena;
  error = mi_reserve_huge_os_pages_at_ex(1, -1, 500, true, &arena);
  CHECK(error == 0 ? arena != NULL : error == ENOMEM && arena == NULL);
  error = mi_reserve_huge_os_pages(1, 0.5, &pages);
  CHECK(error == 0 ? pages == 1 : error == ENOMEM && pages == 0);
  mi_process_info(&later, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  CHECK(later - elapsed < 10000);
  CHECK(mi_reserve_huge_os_pages_at(0, -1, 0) == 0);
  CHECK(mi_reserve_huge_os_pages_interleave(0, 0, 0) == 0);
  void* p = mi_malloc(MIB);
  CHECK(is_block(p, MIB));
  mi_free(p);
}

void arenas(void) {
  all_purged();
  CHECK(mi_arena_min_alignment() >= 64 << 10 && (mi_arena_min_alignment() & (mi_arena_min_alignment() - 1)) == 0);
  CHECK(mi_arena_min_size() > 0 && mi_arena_min_size() <= 64 * MIB);
  reserved();
  large();
  managed();
  committed_by_the_user();
  purged();
  locked();
  managed_twice();
  committed_by_a_busy_user();
  huge();
  mi_heap_t* heap = mi_heap_new_in_arena(NULL);  // NULL: any arena
  CHECK(heap != NULL);
  void* p = mi_heap_malloc(heap, 100);
  CHECK(is_block(p, 100));
  mi_heap_destroy(heap);
  CHECK(!mi_is_redirected());
}
#endif
