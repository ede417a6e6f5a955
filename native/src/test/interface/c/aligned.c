// Aligned allocation: the default heap's functions and the heaps', which only differ in their first parameter.
#include "../check.h"

static bool is_at(const void* p, size_t alignment, size_t offset) { return p != NULL && ((uintptr_t)p + offset) % alignment == 0; }

static bool writable(void* p, size_t size) {
  if (p == NULL || mi_usable_size(p) < size) return false;
  memset(p, 0xA5, size);
  return true;
}

// IN is the name's part that says heap_ or nothing, H its first argument with a comma.
#define ALLOCATION(IN, ...)                                                               \
  for (size_t alignment = 1; alignment <= (4 << 20); alignment *= 4) {                    \
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {                       \
      size_t size = sizes[i];                                                             \
      size_t offset = size > 100 ? 24 : 8;                                                \
      void* p = mi_##IN##malloc_aligned(__VA_ARGS__ size, alignment);                     \
      CHECK(is_at(p, alignment, 0) && writable(p, size));                                 \
      mi_free_aligned(p, alignment);                                                      \
      p = mi_##IN##malloc_aligned_at(__VA_ARGS__ size, alignment, offset);                \
      CHECK(is_at(p, alignment, offset) && writable(p, size));                            \
      mi_free(p);                                                                         \
      p = mi_##IN##zalloc_aligned(__VA_ARGS__ size, alignment);                           \
      CHECK(is_at(p, alignment, 0) && is_zero(p, size) && writable(p, size));             \
      mi_free_size_aligned(p, size, alignment);                                           \
      p = mi_##IN##zalloc_aligned_at(__VA_ARGS__ size, alignment, offset);                \
      CHECK(is_at(p, alignment, offset) && is_zero(p, size) && writable(p, size));        \
      mi_free(p);                                                                         \
      p = mi_##IN##calloc_aligned(__VA_ARGS__ 3, size, alignment);                        \
      CHECK(is_at(p, alignment, 0) && is_zero(p, 3 * size) && writable(p, 3 * size));     \
      mi_free(p);                                                                         \
      p = mi_##IN##calloc_aligned_at(__VA_ARGS__ 3, size, alignment, offset);             \
      CHECK(is_at(p, alignment, offset) && is_zero(p, 3 * size) && writable(p, 3 * size)); \
      mi_free(p);                                                                         \
    }                                                                                     \
  }

#define REALLOCATION(IN, ...)                                                             \
  for (size_t alignment = 8; alignment <= (1 << 20); alignment *= 8) {                    \
    char* p = (char*)mi_##IN##realloc_aligned(__VA_ARGS__ NULL, 100, alignment);          \
    CHECK(is_at(p, alignment, 0) && writable(p, 100));                                    \
    p = (char*)mi_##IN##realloc_aligned(__VA_ARGS__ p, 10000, alignment);                 \
    CHECK(is_at(p, alignment, 0) && all_bytes(p, 100, 0xA5) && writable(p, 10000));       \
    p = (char*)mi_##IN##realloc_aligned(__VA_ARGS__ p, 50, alignment);                    \
    CHECK(is_at(p, alignment, 0) && all_bytes(p, 50, 0xA5));                              \
    p = (char*)mi_##IN##realloc_aligned_at(__VA_ARGS__ p, 20000, alignment, 8);           \
    CHECK(is_at(p, alignment, 8) && all_bytes(p, 50, 0xA5) && writable(p, 20000));        \
    mi_free(p);                                                                           \
    soil(300);                                                                            \
    p = (char*)mi_##IN##rezalloc_aligned(__VA_ARGS__ NULL, 300, alignment);               \
    CHECK(is_at(p, alignment, 0) && is_zero(p, 300));                                     \
    p = (char*)mi_##IN##rezalloc_aligned(__VA_ARGS__ p, 9000, alignment);                 \
    CHECK(is_at(p, alignment, 0) && is_zero(p, 9000));                                    \
    p = (char*)mi_##IN##rezalloc_aligned_at(__VA_ARGS__ p, 30000, alignment, 16);         \
    CHECK(is_at(p, alignment, 16) && is_zero(p, 30000));                                  \
    mi_free(p);                                                                           \
    p = (char*)mi_##IN##recalloc_aligned(__VA_ARGS__ NULL, 3, 100, alignment);            \
    CHECK(is_at(p, alignment, 0) && is_zero(p, 300));                                     \
    p = (char*)mi_##IN##recalloc_aligned(__VA_ARGS__ p, 30, 100, alignment);              \
    CHECK(is_at(p, alignment, 0) && is_zero(p, 3000));                                    \
    p = (char*)mi_##IN##recalloc_aligned_at(__VA_ARGS__ p, 300, 100, alignment, 24);      \
    CHECK(is_at(p, alignment, 24) && is_zero(p, 30000));                                  \
    mi_free(p);                                                                           \
  }

// An alignment that is no power of two is an error, and so is a size that cannot be.
#define WRONG(IN, ...)                                                                    \
  for (size_t i = 0; i < 3; i++) {                                                        \
    const size_t wrong[] = {0, 3, 48}, alignment = opaque(wrong[i]);                      \
    CHECK(mi_##IN##malloc_aligned(__VA_ARGS__ 10, alignment) == NULL);                    \
    CHECK(mi_##IN##malloc_aligned_at(__VA_ARGS__ 10, alignment, 8) == NULL);              \
    CHECK(mi_##IN##zalloc_aligned(__VA_ARGS__ 10, alignment) == NULL);                    \
    CHECK(mi_##IN##zalloc_aligned_at(__VA_ARGS__ 10, alignment, 8) == NULL);              \
    CHECK(mi_##IN##calloc_aligned(__VA_ARGS__ 1, 10, alignment) == NULL);                 \
    CHECK(mi_##IN##calloc_aligned_at(__VA_ARGS__ 1, 10, alignment, 8) == NULL);           \
  }                                                                                       \
  CHECK(mi_##IN##malloc_aligned(__VA_ARGS__ TOO_MUCH, 64) == NULL);                       \
  CHECK(mi_##IN##malloc_aligned(__VA_ARGS__ A_LOT, 4096) == NULL);                        \
  CHECK(mi_##IN##malloc_aligned(__VA_ARGS__ 10, TOO_MUCH) == NULL);                       \
  CHECK(mi_##IN##malloc_aligned_at(__VA_ARGS__ TOO_MUCH, 64, 8) == NULL);                 \
  CHECK(mi_##IN##zalloc_aligned(__VA_ARGS__ EVERYTHING, 64) == NULL);                       \
  CHECK(mi_##IN##zalloc_aligned_at(__VA_ARGS__ EVERYTHING, 64, 8) == NULL);                 \
  CHECK(mi_##IN##calloc_aligned(__VA_ARGS__ MANY, 8, 64) == NULL);                        \
  CHECK(mi_##IN##calloc_aligned_at(__VA_ARGS__ MANY, 8, 64, 8) == NULL);                  \
  {                                                                                       \
    char* p = (char*)mi_zalloc_aligned(256, 64);                                          \
    memset(p, 5, 256);                                                                    \
    CHECK(mi_##IN##realloc_aligned(__VA_ARGS__ p, TOO_MUCH, 64) == NULL);                 \
    CHECK(mi_##IN##realloc_aligned_at(__VA_ARGS__ p, TOO_MUCH, 64, 8) == NULL);           \
    CHECK(mi_##IN##rezalloc_aligned(__VA_ARGS__ p, TOO_MUCH, 64) == NULL);                \
    CHECK(mi_##IN##rezalloc_aligned_at(__VA_ARGS__ p, TOO_MUCH, 64, 8) == NULL);          \
    CHECK(mi_##IN##recalloc_aligned(__VA_ARGS__ p, MANY, 8, 64) == NULL);                 \
    CHECK(mi_##IN##recalloc_aligned_at(__VA_ARGS__ p, MANY, 8, 64, 8) == NULL);           \
    CHECK(mi_##IN##realloc_aligned(__VA_ARGS__ p, 100000, opaque(48)) == NULL);           \
    CHECK(all_bytes(p, 256, 5));                                                          \
    mi_free(p);                                                                           \
  }

#define NOTHING

static const size_t sizes[] = {0, 1, 16, 100, 1000, 10000, 80000, 1 << 20};

void aligned(void) {
  mi_heap_t* heap = mi_heap_new();
  ALLOCATION(, NOTHING)
  ALLOCATION(heap_, heap, )
  REALLOCATION(, NOTHING)
  REALLOCATION(heap_, heap, )
  WRONG(, NOTHING)
  WRONG(heap_, heap, )
  mi_heap_destroy(heap);

  // Very large alignments, as fits a block of its own.
  for (size_t alignment = 16 << 20; alignment <= (256 << 20); alignment *= 4) {
    void* p = mi_malloc_aligned(1000, alignment);
    CHECK(is_at(p, alignment, 0) && writable(p, 1000));
    p = mi_realloc(p, 2000);
    CHECK(p != NULL && all_bytes(p, 1000, 0xA5));
    mi_free(p);
  }
  // Blocks inside of which the aligned address lies are still found as blocks.
  void* p = mi_malloc_aligned_at(100, 256, 40);
  size_t usable = mi_usable_size(p);
  CHECK(usable >= 100);
  memset(p, 1, usable);
  char* q = (char*)mi_realloc(p, usable + 1000);
  CHECK(q != NULL && all_bytes(q, usable, 1));
  mi_free(q);
}
