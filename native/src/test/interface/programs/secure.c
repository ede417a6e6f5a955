// Where the secure library has memory, by its level: what lies between guards, what is drawn at random, and what faults.
#define _GNU_SOURCE
#include <mimalloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
#define CHECK(condition) \
  do { if (!(condition)) { printf("secure.c:%d: not so: %s\n", __LINE__, #condition); failures++; } } while (0)

static const char* self;
static volatile char sink;

/// Runs a function in a child; returns how that ended: 0, or minus the signal.
static int child(void (*run)(void)) {
  int status = 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    if (freopen("/dev/null", "w", stderr) == NULL) abort();
    run();
    _exit(0);
  }
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs this program anew, with keys of its own; returns the number that it prints.
static uintptr_t again(const char* what) {
  char command[4096];
  unsigned long long number = 0;
  snprintf(command, sizeof(command), "'%s' %s", self, what);
  FILE* out = popen(command, "r");
  if (out == NULL || fscanf(out, "%llx", &number) != 1) abort();
  pclose(out);
  return (uintptr_t)number;
}

// --- Level 1 ----------------------------------------------------------------------------------------------------------

/// Is the mapping that has this address between two that cannot be touched?
static bool is_between_guards(const void* address) {
  unsigned long from, to, end = 0;
  char access[8], last[8] = "", line[512];
  bool before = false, found = false, result = false;
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
    if (sscanf(line, "%lx-%lx %7s", &from, &to, access) != 3) continue;
    bool guard = from == end && strncmp(access, "---", 3) == 0;
    if (found) {
      result = before && guard;
      break;
    }
    found = (uintptr_t)address >= from && (uintptr_t)address < to;
    before = found && from == end && strncmp(last, "---", 3) == 0;
    strcpy(last, access), end = to;
  }
  if (maps != NULL) fclose(maps);
  return result;
}

static void guarded_meta_data(void) {
  void* block = mi_malloc(200);
  void** theap = (void**)mi_heap_theap(mi_heap_main());
  CHECK(is_between_guards(theap));
  CHECK(is_between_guards(theap[(200 + 8) / 8]));  // the direct table leads to a page's descriptor, in its arena's bookkeeping
  mi_free(block);
}

/// How many bits of an address differ between runs.
static int random_bits(const char* what) {
  uintptr_t ones = 0, zeros = 0;
  for (int run = 0; run < 48; run++) {
    uintptr_t address = again(what);
    ones |= address, zeros |= ~address;
  }
  return __builtin_popcountll(ones & zeros);
}

static void print_arena(void) { printf("%zx\n", (uintptr_t)mi_malloc(100) & ~(((uintptr_t)2 << 20) - 1)); }
static void print_mapping(void) {
  mi_option_set(mi_option_disallow_arena_alloc, 1);
  printf("%zx\n", (uintptr_t)mi_malloc(3 << 20) & ~(uintptr_t)0xFFFF);
}

// A bit of 48 runs is the same in all of them once in 2^47 times.
static void random_addresses(void) {
  CHECK(random_bits("arena") >= 25);
  CHECK(random_bits("mapping") >= 29);
}

// --- Level 2 ----------------------------------------------------------------------------------------------------------

static void random_order(void) {
  int neighbours = 0;
  char* before = mi_malloc(90);
  for (int i = 0; i < 300; i++) {
    char* block = mi_malloc(90);
    if (block == before + mi_good_size(91)) neighbours++;
    before = block;
  }
  CHECK(neighbours < 100);
}

enum { FULL = 4, MOST = 8000 };
static char* blocks[MOST];
static uintptr_t page_of(const void* p) { return (uintptr_t)p >> 16; }

/// Which of four full pages with as much room is taken next.
static void print_page(void) {
  int starts[FULL + 1], pages = 0, n = 0;
  for (; pages <= FULL && n < MOST; n++) {
    blocks[n] = mi_malloc(90);
    if (n == 0 || page_of(blocks[n]) != page_of(blocks[n - 1])) starts[pages++] = n;
  }
  n = starts[FULL];
  uintptr_t taken[FULL];
  for (int i = 0; i < FULL; i++) taken[i] = page_of(blocks[starts[i]]);
  for (int i = 0; i < n; i += 2) mi_free(blocks[i]);
  for (int i = 0; i < MOST; i++) {
    uintptr_t page = page_of(mi_malloc(90));
    for (int k = 0; k < FULL; k++) {
      if (page == taken[k]) {
        printf("%x\n", 1 << k);
        return;
      }
    }
  }
  printf("0\n");
}

static void random_pages(void) {
  uintptr_t seen = 0;
  for (int run = 0; run < 40; run++) {
    uintptr_t page = again("page");
    CHECK(page != 0);
    seen |= page;
  }
  // One of four pages is the same in all of 40 runs once in 2^78 times.
  CHECK(__builtin_popcountll(seen) >= 2);
}

// --- Level 5 ----------------------------------------------------------------------------------------------------------

static char *last, *guard;
static size_t size;
static bool find_end(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t block_size, void* arg) {
  (void)heap, (void)block, (void)block_size, (void)arg;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char* end = (char*)area->blocks + area->reserved;
  last = end - 1;
  guard = (char*)(((uintptr_t)end + page - 1) & ~(uintptr_t)(page - 1));
  return true;
}

static void write_last(void) { *(volatile char*)last = 1; }
static void write_guard(void) { *(volatile char*)guard = 1; }
static void read_guard(void) { sink = *(volatile char*)guard; }

static void check_end(void* block, size_t bytes) {
  mi_heap_t* heap = mi_heap_of(block);
  memset(block, 1, bytes);
  CHECK(mi_heap_visit_blocks(heap, false, find_end, NULL));
  CHECK(child(write_last) == 0);
  CHECK(child(write_guard) == -SIGSEGV);
  CHECK(child(read_guard) == -SIGSEGV);
}

static void guarded_pages(void) {
  // The classes of 32 bytes, 10 KiB and 80 KiB fill their pages to a multiple of an OS page: the guard is the next byte.
  const size_t sizes[] = {1, 24, 100, 1000, 5000, 10000, 70000, 81000, 100000, (64 << 10) - 1, 1 << 20, (5 << 20) + 1};
  for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
    size = sizes[i / 2];
    mi_option_set(mi_option_disallow_arena_alloc, i & 1);
    mi_heap_t* heap = mi_heap_new();
    char* block = mi_heap_malloc(heap, size);
    check_end(block, size);
    if (size == 24) CHECK(guard == last + 1);
    // As it grows and shrinks.
    for (int k = 0; k < 4; k++) {
      size_t bytes = k < 2 ? size * (size_t)(2 + k) : size * (size_t)(5 - k) / 2;
      block = mi_heap_realloc(heap, block, bytes);
      CHECK(block[0] == 1);
      if (size >= 100000) check_end(block, bytes);
    }
    mi_heap_destroy(heap);
  }
  mi_option_set(mi_option_disallow_arena_alloc, 0);
}

// What was guarded is memory as any other when it has another use.
static void guards_go(void) {
  void* live[200] = {0};
  uint64_t random = 1;
  for (int i = 0; i < 20000; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    void** p = &live[random >> 33 & 127];
    size_t bytes = (size_t)(random >> 40) % (i % 16 == 0 ? 2000000 : i % 4 == 0 ? 100000 : 2000);
    mi_free(*p);
    *p = mi_malloc(bytes);
    memset(*p, 7, bytes);
    if (i % 1000 == 0) mi_collect(true);
  }
  for (int i = 0; i < 200; i++) mi_free(live[i]);
}

static char* nothing;
static void read_nothing(void) { sink = *(volatile char*)nothing; }
static void write_nothing(void) { *(volatile char*)nothing = 1; }
static void free_nothing_twice(void) { mi_free(nothing), mi_free(nothing); }
static void free_inside_nothing(void) { mi_free(nothing + 8); }

static void check_nothing(void* p) {
  CHECK(p != NULL && mi_usable_size(p) == 0);
  nothing = p;
  CHECK(child(read_nothing) == -SIGSEGV);
  CHECK(child(write_nothing) == -SIGSEGV);
}

static int compare(const void* a, const void* b) { return memcmp(a, b, sizeof(char*)); }
static bool count_block(const mi_heap_t* heap, const mi_heap_area_t* area, void* block, size_t block_size, void* arg) {
  (void)heap, (void)area, (void)block_size;
  if (block != NULL && block == nothing) ++*(int*)arg;
  return true;
}

static void nothing_is_untouchable(void) {
  mi_heap_t* heap = mi_heap_new();
  check_nothing(mi_malloc(0));
  CHECK(child(free_nothing_twice) == -SIGABRT);
  CHECK(child(free_inside_nothing) == -SIGABRT);
  int visits = 0;
  CHECK(mi_heap_visit_blocks(mi_heap_main(), true, count_block, &visits) && visits == 1);
  mi_free(nothing);
  void* given[] = {mi_calloc(0, 8), mi_zalloc(0), mi_heap_malloc(heap, 0), mi_malloc_aligned(0, 16), mi_realloc(NULL, 0),
                   mi_realloc(mi_malloc(100), 0), mi_realloc(mi_malloc(0), 0), mi_rezalloc(mi_zalloc(300000), 0)};
  for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
    check_nothing(given[i]);
    char* grown = mi_rezalloc(given[i], 100 + i);
    for (size_t k = 0; k < 100 + i; k++) CHECK(grown[k] == 0);
    memset(grown, 1, 100 + i);
    mi_free(grown);
  }
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MOST; i++) blocks[i] = mi_malloc(0);
    qsort(blocks, MOST, sizeof(char*), compare);
    for (int i = 1; i < MOST; i++) CHECK(blocks[i] != blocks[i - 1]);
    for (int i = 0; i < MOST; i++) mi_free(blocks[i]);
  }
  mi_option_set(mi_option_disallow_arena_alloc, 1);
  mi_heap_t* other = mi_heap_new();
  check_nothing(mi_heap_malloc(other, 0));
  visits = 0;
  CHECK(mi_heap_visit_blocks(other, true, count_block, &visits) && visits == 1);
  mi_free(nothing);
  mi_heap_delete(other);
  mi_heap_delete(heap);
  mi_option_set(mi_option_disallow_arena_alloc, 0);
}

int main(int argc, char** argv) {
  self = argv[0];
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "arena") == 0) return print_arena(), 0;
  if (strcmp(what, "mapping") == 0) return print_mapping(), 0;
  if (strcmp(what, "page") == 0) return print_page(), 0;
  if (MI_SECURE >= 1) guarded_meta_data(), random_addresses();
  if (MI_SECURE >= 2) random_order(), random_pages();
  if (MI_SECURE >= 5) nothing_is_untouchable(), guarded_pages(), guards_go();
  printf("secure %d: %s\n", MI_SECURE, failures == 0 ? "ok" : "failed");
  return failures != 0;
}
