// For a debug library: blocks are filled, what was asked for is counted, and a misuse is reported with the block's story,
// after which the process goes on.
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stdio.h>
#include <string.h>

static int failures;
#define CHECK(condition) \
  if (!(condition)) failures++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)

static char said[1 << 16];

static void on_output(const char* text, void* arg) {
  (void)arg;
  if (strlen(said) + strlen(text) < sizeof(said)) strcat(said, text);
}

static const char* hide(const void* p) {
  __asm__ volatile("" : "+r"(p));
  return (const char*)p;
}

static int is_filled(const void* p, size_t size, unsigned char with) {
  const unsigned char* bytes = (const unsigned char*)hide(p);
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != with) return 0;
  }
  return 1;
}

static void fills(void) {
  static const size_t sizes[] = {24, 100, 5000, 100000};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    void* stays = mi_malloc(sizes[i]);
    char* p = mi_malloc(sizes[i]);
    CHECK(is_filled(p, sizes[i], 0xD0));
    memset(p, 1, sizes[i]);
    mi_free(p);
    CHECK(is_filled(p + 16, sizes[i] - 16, 0xDF));
    p = mi_zalloc(sizes[i]);
    CHECK(is_filled(p, sizes[i], 0));
    mi_free(p);
    mi_free(stays);
  }
  char* p = mi_malloc(100);  // and 12 bytes
  CHECK(is_filled(p + 100, 4, 0xDE));
  mi_free(p);
}

// What a heap is told to leave as it is: all blocks but the first words of free ones.
static void preserves(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_heap_set_debug_fill_preserve(heap, 61);  // rounded up to 64
  static const size_t sizes[] = {24, 64, 100, 5000, 100000};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    size_t size = sizes[i], kept = size < 64 ? size : 64;
    void* stays = mi_heap_malloc(heap, size);
    char* p = mi_heap_malloc(heap, size);
    CHECK(is_filled(p + kept, size - kept, 0xD0));
    memset(p, 1, size);
    mi_free(p);
    CHECK(size > 5000 || is_filled(p + 16, kept - 16, 1));
    CHECK(size > 5000 || is_filled(p + kept, size - kept, 0xDF));
    if (size <= 5000) *(char*)hide(p + 20) = 2;  // no misuse, where it is preserved
    for (int j = 0; j < 3; j++) p = mi_heap_malloc(heap, size);
    CHECK(is_filled(p + kept, size - kept, 0xD0));
    mi_free(stays);
  }
  // Free blocks of such pages go to the main heap, where they are known as they were left.
  static char* blocks[50];
  for (int i = 0; i < 50; i++) blocks[i] = memset(mi_heap_malloc(heap, 1000), 1, 1000);
  for (int i = 0; i < 50; i += 2) mi_free(blocks[i]);
  mi_heap_delete(heap);
  said[0] = 0;
  mi_register_output(on_output, NULL);
  for (int i = 0; i < 200; i++) mi_free(memset(mi_malloc(1000), 1, 1000));
  for (int i = 1; i < 50; i += 2) mi_free(blocks[i]);
  CHECK(said[0] == 0);
  mi_register_output(NULL, NULL);
}

static size_t requested(void) {
  mi_stats_t_decl(stats);
  return mi_stats_get(&stats) ? (size_t)stats.malloc_requested.total : 0;
}

static void counts(void) {
  size_t before = requested();
  void* p = mi_malloc(100);
  void* q = mi_malloc(200001);
  CHECK(requested() == before + 200101);
  p = mi_realloc(p, 90);
  q = mi_realloc(q, 500000);
  // What a block grows by where it lies is asked for; one that moves is asked for anew.
  size_t now = requested();
  CHECK(now == before + 500100 || now == before + 200101 + 500000);
  mi_free(p);
  mi_free(q);
  CHECK(requested() == now);
}

#define SAYS(text) CHECK(strstr(said, text) != NULL)

// What is said begins with one line, and tells more in others that are indented.
static void reports(void) {
  char address[64];
  mi_register_output(on_output, NULL);
  char* stays = mi_malloc(100);
  char* p = mi_malloc(100);
  mi_free(p);
  mi_free((void*)hide(p));
  CHECK(strncmp(said, "mimalloc: error: a block is freed twice: 0x", 43) == 0);
  snprintf(address, sizeof(address), "\n  block %p: free\n", (void*)hide(p));
  SAYS(address);
  SAYS("\n  its page: blocks of 112 bytes, in use 1; heap 0; thread 0x");
  SAYS("\n  this thread: 0x");
#if defined(__x86_64__) || defined(__aarch64__)
  SAYS("\n  found in a call from\n    0x");
  SAYS("\n  allocated, 100 bytes, by thread 0x");
  SAYS("\n  freed by thread 0x");
  CHECK(strstr(strstr(said, "  allocated"), "\n    0x") != NULL && strstr(strstr(said, "  freed"), "\n    0x") != NULL);
  SAYS("debug");  // the program
#endif
  said[0] = 0;
  CHECK(mi_usable_size(hide(p)) == 0);
  SAYS("mimalloc: error: a block is used after it was freed: 0x");
  said[0] = 0;
  CHECK(mi_realloc((void*)hide(p), 1000) == NULL && mi_realloc((void*)hide(p), 100) == NULL);
  SAYS("mimalloc: error: a block is used after it was freed: 0x");
  CHECK(strstr(said, "past its end") == NULL);
  said[0] = 0;
  stays[100] = 1;
  mi_free(stays);
  SAYS("mimalloc: error: a block was written to past its end: 0x");
  SAYS(": in use\n");
  said[0] = 0;
  // A single byte of padding: a form of C++'s may be in it, and there is no form 3.
  for (int form = 1; form <= 3; form += 2) {
    p = mi_malloc(111);
    p[111] ^= (char)(form << 5);
    mi_free(p);
    SAYS(form == 1 ? "mimalloc: error: a block was written to past its end, or is freed by a form that is not its own: 0x"
                   : "mimalloc: error: a block was written to past its end: 0x");
    CHECK(strstr(said, "by new") == NULL);
    said[0] = 0;
  }
  p = mi_malloc(100);
  mi_free_size(p, 99);
  SAYS("mimalloc: error: a block is freed with a size that it has not: 0x");
  SAYS(": in use, bytes asked for: 100\n");
  said[0] = 0;
  stays = mi_malloc(100);
  mi_free(stays + 8);
  SAYS("; the address lies inside, at 8\n");
  said[0] = 0;
  mi_free(stays);
  p = mi_malloc(100);
  mi_free(p);
  ((char*)hide(p))[50] = 1;
  for (int i = 0; i < 5000; i++) stays = mi_malloc(100);
  SAYS("mimalloc: error: a block was written to after it was freed: 0x");
  mi_register_output(NULL, NULL);
}

int main(void) {
  fills();
  counts();
  reports();
  preserves();
  printf("debug: %d failed\n", failures);
  return failures != 0;
}
