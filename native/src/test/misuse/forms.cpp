// Blocks that are freed by another form than the one that belongs to their allocation.
#include "misuse.h"
#include <dlfcn.h>
#include <new>

// The operators by their names, as a compiler calls them.
static void* by_malloc(size_t size) { return malloc(size); }
static void* by_calloc(size_t size) { return calloc(1, size); }
static void* by_new(size_t size) { return ::operator new(size); }
static void* by_new_array(size_t size) { return ::operator new[](size); }
static void* by_new_nothrow(size_t size) { return ::operator new(size, std::nothrow); }
static void* by_new_array_64(size_t size) { return ::operator new[](size, std::align_val_t(64)); }
static void* by_realloc(size_t size) { return realloc(malloc(1), size); }
static void* by_new_64(size_t size) { return ::operator new(size, std::align_val_t(64)); }
static void* by_aligned_alloc(size_t size) { return aligned_alloc(64, (size + 63) & ~size_t(63)); }

static void to_free(void* p, size_t) { free(p); }
static void to_delete(void* p, size_t) { ::operator delete(p); }
static void to_delete_array(void* p, size_t) { ::operator delete[](p); }
static void to_delete_sized(void* p, size_t size) { ::operator delete(p, size); }
static void to_delete_array_sized(void* p, size_t size) { ::operator delete[](p, size); }
static void to_delete_64(void* p, size_t) { ::operator delete(p, std::align_val_t(64)); }
static void to_delete_array_64(void* p, size_t) { ::operator delete[](p, std::align_val_t(64)); }
static void to_delete_4096(void* p, size_t) { ::operator delete(p, std::align_val_t(4096)); }
static void to_realloc(void* p, size_t size) { free(realloc(p, 2 * size)); }

// C23's, which a C library may lack.
template <class Function> static Function named(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

static bool has_free_sized() { return named<void (*)(void*, size_t)>("free_sized") != nullptr; }
static void to_free_sized(void* p, size_t size) { named<void (*)(void*, size_t)>("free_sized")(p, size); }
static void to_free_aligned_sized(void* p, size_t size) {
  named<void (*)(void*, size_t, size_t)>("free_aligned_sized")(p, 4096, size);
}

// No list is wrong after it: nothing came of it.
static enum outcome mismatch(size_t size, void* (*allocate)(size_t), void (*release)(void*, size_t), size_t told) {
  block(size);
  void* p = allocate(size);
  memset(p, 1, size);
  MISUSE(release(hide(p), told));
  return take(size, nullptr, 0) == PREVENTED ? HARMLESS : MISSED;
}

#define FORM(allocate, release) \
  [](size_t size, size_t) -> enum outcome { return mismatch(size, allocate, release, size); }
#define WRONG_SIZE(allocate, release, told) \
  [](size_t size, size_t) -> enum outcome { return mismatch(size, allocate, release, told); }
#define WRONG_SIZE_C23(allocate, release, told) \
  [](size_t size, size_t) -> enum outcome { return has_free_sized() ? mismatch(size, allocate, release, told) : ABSENT; }

static enum outcome empty(size_t, size_t access) {
  char* p = static_cast<char*>(::operator new[](0));
  MISUSE(if (access) *hide(p) = 'A'; else access = *static_cast<volatile char*>(hide(p)));
  ::operator delete[](p);
  return HARMLESS;
}

static const struct misuse cases[] = {
    {"free-of-new", FORM(by_new, to_free), form_sizes, 0},
    {"free-of-new[]", FORM(by_new_array, to_free), form_sizes, 0},
    {"free-of-aligned-new", FORM(by_new_64, to_free), form_sizes, 0},
    {"free-of-aligned-new[]", FORM(by_new_array_64, to_free), form_sizes, 0},
    {"free-of-nothrow-new", FORM(by_new_nothrow, to_free), form_sizes, 0},
    {"realloc-of-new", FORM(by_new, to_realloc), form_sizes, 0},
    {"realloc-of-new[]", FORM(by_new_array, to_realloc), form_sizes, 0},
    {"realloc-of-aligned-new", FORM(by_new_64, to_realloc), form_sizes, 0},
    {"delete-of-malloc", FORM(by_malloc, to_delete), form_sizes, 0},
    {"delete-of-calloc", FORM(by_calloc, to_delete), form_sizes, 0},
    {"delete-of-realloc", FORM(by_realloc, to_delete), form_sizes, 0},
    {"delete-of-new[]", FORM(by_new_array, to_delete), form_sizes, 0},
    {"delete[]-of-malloc", FORM(by_malloc, to_delete_array), form_sizes, 0},
    {"delete[]-of-calloc", FORM(by_calloc, to_delete_array), form_sizes, 0},
    {"delete[]-of-new", FORM(by_new, to_delete_array), form_sizes, 0},
    {"delete-of-aligned-new", FORM(by_new_64, to_delete), form_sizes, 0},
    {"delete-of-aligned_alloc", FORM(by_aligned_alloc, to_delete), form_sizes, 0},
    {"delete[]-of-aligned-new[]", FORM(by_new_array_64, to_delete_array), form_sizes, 0},
    {"delete[]-of-aligned_alloc", FORM(by_aligned_alloc, to_delete_array), form_sizes, 0},
    {"aligned-delete-of-new", FORM(by_new, to_delete_64), form_sizes, 0},
    {"aligned-delete-of-malloc", FORM(by_malloc, to_delete_64), form_sizes, 0},
    {"aligned-delete-of-aligned_alloc", FORM(by_aligned_alloc, to_delete_64), form_sizes, 0},
    {"aligned-delete-of-aligned-new[]", FORM(by_new_array_64, to_delete_64), form_sizes, 0},
    {"aligned-delete[]-of-new[]", FORM(by_new_array, to_delete_array_64), form_sizes, 0},
    {"aligned-delete[]-of-aligned-new", FORM(by_new_64, to_delete_array_64), form_sizes, 0},
    {"aligned-delete-of-another-alignment", FORM(by_new_64, to_delete_4096), form_sizes, 0},
    {"sized-delete-half-the-size", WRONG_SIZE(by_new, to_delete_sized, size / 2), every_size, 0},
    {"sized-delete-twice-the-size", WRONG_SIZE(by_new, to_delete_sized, 2 * size), every_size, 0},
    {"sized-delete-1-less", WRONG_SIZE(by_new, to_delete_sized, size - 1), every_size, 0},
    {"sized-delete[]-twice-the-size", WRONG_SIZE(by_new_array, to_delete_array_sized, 2 * size), every_size, 0},
    {"free_sized-half-the-size", WRONG_SIZE_C23(by_malloc, to_free_sized, size / 2), every_size, 0},
    {"free_sized-twice-the-size", WRONG_SIZE_C23(by_malloc, to_free_sized, 2 * size), every_size, 0},
    {"free_aligned_sized-another-alignment", WRONG_SIZE_C23(by_aligned_alloc, to_free_aligned_sized, size), every_size, 0},
    {"new[]-0-write-1", empty, nullptr, 1},
    {"new[]-0-read-1", empty, nullptr, 0},
};

extern "C" const struct group forms = GROUP("freed by the wrong form", cases);
