// Allocation, reallocation and freeing in the default heap.
#include "../check.h"
#include <limits.h>

static void sizes(void) {
  const size_t all[] = {0, 1, 7, 8, 9, 16, 100, 1000, 1024, 1025, 8 << 10, 70000, 600000, 5 << 20, 33 << 20};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    size_t size = all[i];
    void* p = mi_malloc(size);
    CHECK(is_block(p, size));
    CHECK(mi_good_size(size) >= size && mi_good_size(mi_good_size(size)) == mi_good_size(size));
    CHECK(mi_malloc_good_size(size) == mi_good_size(size));
    CHECK(mi_usable_size(p) == mi_malloc_size(p) && mi_usable_size(p) == mi_malloc_usable_size(p));
    mi_free(p);
    soil(size);
    p = mi_zalloc(size);
    CHECK(is_zero_block(p, size));
    mi_free_size(p, size);
    p = mi_calloc(3, size);
    CHECK(is_zero_block(p, 3 * size));
    mi_cfree(p);
    p = mi_mallocn(3, size);
    CHECK(is_block(p, 3 * size));
    mi_free(p);
  }
  CHECK(mi_good_size(1) <= 16 && mi_good_size(1000) <= 1000 + 1000 / 4);
}

static void small(void) {
  for (size_t size = 0; size <= MI_SMALL_SIZE_MAX; size += 61) {
    void* p = mi_malloc_small(size);
    CHECK(is_block(p, size));
    mi_free_small(p);
    soil(size);
    p = mi_zalloc_small(size);
    CHECK(is_zero_block(p, size));
    mi_free_small(p);
  }
}

static void different(void) {
  enum { COUNT = 5000 };
  static unsigned char* blocks[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    blocks[i] = (unsigned char*)mi_malloc(1 + i % 700);
    memset(blocks[i], (int)(i % 251), 1 + i % 700);
  }
  bool intact = true;
  for (size_t i = 0; i < COUNT; i++) intact = intact && all_bytes(blocks[i], 1 + i % 700, (int)(i % 251));
  CHECK(intact);
  for (size_t i = 0; i < COUNT; i++) mi_free(blocks[i * 7919 % COUNT]);
}

static void without_memory(void) {
  CHECK_ERRNO(ENOMEM, mi_malloc(TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_malloc(opaque(PTRDIFF_MAX)) == NULL);
  CHECK_ERRNO(ENOMEM, mi_malloc_aligned(opaque(PTRDIFF_MAX), 64) == NULL);
  CHECK_ERRNO(ENOMEM, mi_malloc_aligned(opaque(PTRDIFF_MAX), (size_t)1 << 20) == NULL);
  CHECK_ERRNO(ENOMEM, mi_malloc(EVERYTHING) == NULL);
  CHECK_ERRNO(ENOMEM, mi_malloc(A_LOT) == NULL);
  CHECK_ERRNO(ENOMEM, mi_zalloc(TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_zalloc(A_LOT) == NULL);
  CHECK_ERRNO(ENOMEM, mi_calloc(MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_calloc(EVERYTHING, EVERYTHING) == NULL);
  CHECK_ERRNO(ENOMEM, mi_calloc(1, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_mallocn(MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_mallocn(2, TOO_MUCH) == NULL);
  void* p = mi_calloc(opaque(0), opaque(10));
  CHECK(p != NULL);
  mi_free(p);
  p = mi_calloc(opaque(10), opaque(0));
  CHECK(p != NULL);
  mi_free(p);
  p = mi_mallocn(opaque(0), EVERYTHING);
  CHECK(p != NULL);
  mi_free(p);
}

static void reallocation(void) {
  char* p = (char*)mi_realloc(NULL, 100);
  CHECK(is_block(p, 100));
  memset(p, 7, 100);
  const size_t steps[] = {101, 130, 1000, 5000, 100, 100000, 3000000, 2999000, 12, 1};
  size_t kept = 100;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    p = (char*)mi_realloc(p, steps[i]);
    if (steps[i] < kept) kept = steps[i];
    CHECK(p != NULL && mi_usable_size(p) >= steps[i]);
    CHECK(all_bytes(p, kept, 7));
  }
  p = (char*)mi_realloc(p, opaque(0));
  CHECK(p != NULL);
  mi_free(p);

  p = (char*)mi_malloc(1000);
  memset(p, 8, 1000);
  void* same = mi_realloc(p, 999);
  CHECK(same == p || getenv("MIMALLOC_GUARDED_SAMPLE_RATE") != NULL);  // a guarded block moves
  p = (char*)same;
  CHECK_ERRNO(ENOMEM, mi_realloc(p, TOO_MUCH) == NULL);
  CHECK_ERRNO(ENOMEM, mi_realloc(p, A_LOT) == NULL);
  CHECK_ERRNO(ENOMEM, mi_reallocn(p, MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_reallocarray(p, MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_recalloc(p, MANY, 8) == NULL);
  CHECK_ERRNO(ENOMEM, mi_rezalloc(p, TOO_MUCH) == NULL);
  CHECK(all_bytes(p, 999, 8));
  p = (char*)mi_reallocn(p, 100, 30);
  CHECK(p != NULL && mi_usable_size(p) >= 3000 && all_bytes(p, 999, 8));
  p = (char*)mi_reallocarray(p, 100, 300);
  CHECK(p != NULL && mi_usable_size(p) >= 30000 && all_bytes(p, 999, 8));
  mi_free(p);

  p = (char*)mi_reallocf(NULL, 50);
  CHECK(is_block(p, 50));
  p = (char*)mi_reallocf(p, 5000);
  CHECK(p != NULL && all_bytes(p, 50, 0xA5));
  CHECK_ERRNO(ENOMEM, mi_reallocf(p, TOO_MUCH) == NULL);  // and p is freed
}

static void zeroing(void) {
  size_t size = 24;
  char* p = (char*)mi_zalloc(size);
  const size_t steps[] = {25, 40, 100, 99, 120, 5000, 70000, 69990, 71000, 3000000};
  bool zero = true;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    soil(steps[i]);
    p = (char*)mi_rezalloc(p, steps[i]);
    if (steps[i] > size) zero = zero && is_zero(p + size, steps[i] - size);
    size = steps[i];
  }
  CHECK(zero);
  mi_free(p);
  p = (char*)mi_rezalloc(NULL, 300);
  CHECK(is_zero_block(p, 300));
  mi_free(p);
  soil(4000);
  p = (char*)mi_recalloc(NULL, 10, 400);
  CHECK(is_zero_block(p, 4000));
  memset(p, 0, 4000);
  p = (char*)mi_recalloc(p, 30, 400);
  CHECK(is_zero(p, 12000));
  mi_free(p);
}

static void growing_in_place(void) {
  void* p = mi_malloc(100);
  size_t usable = mi_usable_size(p);
  void* same = mi_expand(p, usable);
  CHECK(same == p);
  same = mi__expand(p, 1);
  CHECK(same == p);
  CHECK(mi_expand(p, opaque(usable + 1)) == NULL);
  CHECK(mi_expand(NULL, 1) == NULL);
  CHECK(mi__expand(NULL, 1) == NULL);
  mi_free(p);
}

static void copies(void) {
  char* p = mi_strdup("hello");
  CHECK(p != NULL && strcmp(p, "hello") == 0);
  mi_free(p);
  p = mi_strdup("");
  CHECK(p != NULL && p[0] == 0);
  mi_free(p);
  CHECK(mi_strdup(NULL) == NULL);
  p = mi_strndup("hello", 3);
  CHECK(p != NULL && strcmp(p, "hel") == 0);
  mi_free(p);
  p = mi_strndup("hello", 30);
  CHECK(p != NULL && strcmp(p, "hello") == 0);
  mi_free(p);
  p = mi_strndup("hello", EVERYTHING);
  CHECK(p != NULL && strcmp(p, "hello") == 0);
  mi_free(p);
  const char unterminated[3] = {'a', 'b', 'c'};
  p = mi_strndup(unterminated, 3);
  CHECK(p != NULL && strcmp(p, "abc") == 0);
  mi_free(p);
  CHECK(mi_strndup(NULL, 3) == NULL);

  p = mi_realpath(A_FOLDER, NULL);
  CHECK(p != NULL && strcmp(p, THE_FOLDER) == 0 && mi_any_heap_contains(p));
  mi_free(p);
  char buffer[PATH_MAX];
  p = mi_realpath(A_FOLDER, buffer);
  CHECK(p == buffer && strcmp(p, THE_FOLDER) == 0);
  CHECK_ERRNO(NO_PATH_ERROR, mi_realpath(NO_PATH, NULL) == NULL);
}

void allocate(void) {
  sizes();
  small();
  different();
  without_memory();
  reallocation();
  zeroing();
  growing_in_place();
  copies();
  mi_free(NULL);
  CHECK(!mi_cfree(NULL) && !mi_cfree(&failures));
  void* ours = mi_malloc(10);
  CHECK(mi_cfree(ours));
  SURVIVES(mi_free_small_local(NULL));
  mi_free_small(NULL);
  mi_free_size(NULL, 10);
  mi_free_size_aligned(NULL, 10, 16);
  mi_free_aligned(NULL, 16);
  CHECK(mi_usable_size(NULL) == 0 && mi_malloc_size(NULL) == 0 && mi_malloc_usable_size(NULL) == 0);
}
