// Every C name of the malloc family reaches mimalloc and does what its manual says.
#define _GNU_SOURCE
#include "program.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

// Weak: the C library does not have them, and the program may be linked without mimalloc.
#pragma weak mi_version
#pragma weak mi_is_in_heap_region
#pragma weak cfree
#pragma weak vfree
#pragma weak reallocf
#pragma weak reallocarr
#pragma weak _aligned_malloc
#pragma weak malloc_size
#pragma weak malloc_good_size
#pragma weak __libc_cfree
#pragma weak __posix_memalign
int mi_version(void);
_Bool mi_is_in_heap_region(const void* p);
void cfree(void* p);
void vfree(void* p);
void* reallocf(void* p, size_t size);
int reallocarr(void* p, size_t count, size_t size);
void* _aligned_malloc(size_t size, size_t alignment);
size_t malloc_size(const void* p);
size_t malloc_good_size(size_t size);
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* p, size_t size);
void __libc_free(void* p);
void __libc_cfree(void* p);
void* __libc_memalign(size_t alignment, size_t size);
void* __libc_valloc(size_t size);
void* __libc_pvalloc(size_t size);
int __posix_memalign(void** p, size_t alignment, size_t size);

static void* ours(void* p) {
  CHECK(p != NULL && mi_is_in_heap_region(p));
  CHECK((uintptr_t)p % (malloc_usable_size(p) >= 16 ? 16 : 8) == 0);
  memset(p, 0xA5, malloc_usable_size(p));
  return p;
}

static void* aligned(void* p, size_t alignment) {
  CHECK((uintptr_t)p % alignment == 0);
  return ours(p);
}

static int is_zero(const unsigned char* p, size_t size) {
  while (size > 0 && *p == 0) p++, size--;
  return size == 0;
}

int main(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), too_much = (size_t)PTRDIFF_MAX + 1;
  CHECK(mi_version != NULL && mi_version() >= 30000);

  for (size_t size = 0; size < 200000; size += 1 + size / 7) {
    void* p = ours(malloc(size));
    CHECK(malloc_usable_size(p) >= size && malloc_size(p) >= size && malloc_good_size(size) >= size);
    p = ours(realloc(p, 2 * size + 1));
    free(p);
    p = calloc(size, 3);
    CHECK(p != NULL && is_zero(p, 3 * size));
    cfree(ours(p));
    for (size_t alignment = sizeof(void*); alignment <= 4 * page; alignment *= 2) {
      free(aligned(memalign(alignment, size), alignment));
      free(aligned(aligned_alloc(alignment, size), alignment));
      CHECK(posix_memalign(&p, alignment, size) == 0);
      vfree(aligned(p, alignment));
    }
  }
  for (size_t size = 1 << 20; size < 200 << 20; size *= 3) {
    char* p = ours(malloc(size));
    p[0] = 'a', p[size - 1] = 'z';
    p = realloc(p, size + size / 2);
    CHECK(p[0] == 'a' && p[size - 1] == 'z');
    p = realloc(p, 10);
    CHECK(p[0] == 'a');
    free(ours(p));
  }

  char text[100];
  memset(text, 'x', sizeof(text));
  text[99] = 0;
  char* copy = strdup(text);
  CHECK(mi_is_in_heap_region(copy) && strcmp(copy, text) == 0);
  free(copy);
  copy = strndup(text, 7);
  CHECK(mi_is_in_heap_region(copy) && strcmp(copy, "xxxxxxx") == 0);
  copy = realloc(copy, 100000);
  CHECK(memcmp(copy, "xxxxxxx", 8) == 0);
  free(copy);

  free(aligned(valloc(10), page));
  free(aligned(pvalloc(page + 1), page));
  free(aligned(_aligned_malloc(100, 256), 256));
  free(ours(reallocf(malloc(10), 1000)));
  free(ours(reallocarray(NULL, 10, 10)));
  void* array = malloc(10);
  CHECK(reallocarr(&array, 100, 100) == 0);
  free(ours(array));

  __libc_free(ours(__libc_malloc(10)));
  __libc_free(ours(__libc_realloc(__libc_calloc(10, 10), 1000)));
  __libc_cfree(aligned(__libc_memalign(128, 10), 128));
  free(aligned(__libc_valloc(10), page));
  free(aligned(__libc_pvalloc(10), page));
  CHECK(__posix_memalign(&array, 64, 10) == 0);
  free(aligned(array, 64));

  errno = 0;
  CHECK(malloc(too_much) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(calloc(too_much, 3) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(reallocarray(NULL, too_much / 2, 5) == NULL && errno == ENOMEM);
  array = malloc(10);
  CHECK(realloc(array, too_much) == NULL);
  free(array);
  CHECK(posix_memalign(&array, 3, 10) == EINVAL && posix_memalign(&array, 2, 10) == EINVAL);
  CHECK(posix_memalign(&array, 64, too_much) == ENOMEM);
  free(NULL);
  CHECK(malloc_usable_size(NULL) == 0);
  free(realloc(NULL, 10));
  puts("ok");
  return 0;
}
