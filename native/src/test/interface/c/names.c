// The names of other C libraries, functions that tell a block's size, and C++'s as C can call them.
#include "../check.h"
#if HAS_PROCESSES
#include <signal.h>
#endif
#include <wchar.h>

static void posix(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void* p = NULL;
  CHECK(mi_posix_memalign(&p, sizeof(void*), 100) == 0 && is_block(p, 100));
  mi_free(p);
  CHECK(mi_posix_memalign(&p, 4096, 0) == 0 && p != NULL && is_aligned(p, 4096));
  mi_free(p);
  p = &p;
  CHECK(mi_posix_memalign(NULL, 64, 10) == EINVAL);
  CHECK(mi_posix_memalign(&p, opaque(0), 10) == EINVAL);
  CHECK(mi_posix_memalign(&p, opaque(3), 10) == EINVAL);
  CHECK(mi_posix_memalign(&p, opaque(sizeof(void*) / 2), 10) == EINVAL);
  CHECK(mi_posix_memalign(&p, opaque(24), 10) == EINVAL);
  CHECK(mi_posix_memalign(&p, 64, TOO_MUCH) == ENOMEM);
  CHECK(mi_posix_memalign(&p, 64, A_LOT) == ENOMEM);
  CHECK(p == &p);  // untouched by failures

  p = mi_memalign(128, 100);
  CHECK(is_aligned(p, 128) && is_block(p, 100));
  mi_free(p);
  CHECK(mi_memalign(opaque(100), 100) == NULL);
  CHECK(mi_memalign(64, TOO_MUCH) == NULL);
  p = mi_aligned_alloc(64, 128);
  CHECK(is_aligned(p, 64) && is_block(p, 128));
  mi_free(p);
  p = mi_aligned_alloc(64, 100);  // C17 no longer asks for a multiple
  CHECK(is_aligned(p, 64) && is_block(p, 100));
  mi_free(p);
  CHECK(mi_aligned_alloc(opaque(6), 100) == NULL);
  CHECK(mi_aligned_alloc(64, TOO_MUCH) == NULL);
  p = mi_valloc(100);
  CHECK(is_aligned(p, page) && is_block(p, 100));
  mi_free(p);
  CHECK(mi_valloc(TOO_MUCH) == NULL);
  p = mi_pvalloc(page + 1);
  CHECK(is_aligned(p, page) && is_block(p, 2 * page));
  mi_free(p);
  CHECK_ERRNO(ENOMEM, mi_pvalloc(EVERYTHING) == NULL);
}

static void bsd(void) {
  void* p = mi_malloc(10);
  memset(p, 3, 10);
  CHECK(mi_reallocarr(&p, 100, 100) == 0 && mi_usable_size(p) >= 10000 && all_bytes(p, 10, 3));
  void* before = p;
  CHECK(mi_reallocarr(&p, MANY, 8) != 0 && p == before);
  CHECK(mi_reallocarr(NULL, 1, 1) == EINVAL);
  mi_free(p);
  p = NULL;
  CHECK(mi_reallocarr(&p, 2, 50) == 0 && is_block(p, 100));
  mi_free(p);
  CHECK_ERRNO(ENOMEM, mi_reallocarray(NULL, MANY, 8) == NULL);
}

static void microsoft(void) {
  char* p = (char*)mi_aligned_recalloc(NULL, 10, 10, 64);
  CHECK(is_aligned(p, 64) && is_zero(p, 100));
  p = (char*)mi_aligned_recalloc(p, 100, 10, 64);
  CHECK(is_aligned(p, 64) && is_zero(p, 1000));
  CHECK(mi_aligned_recalloc(p, MANY, 8, 64) == NULL);
  CHECK(mi_aligned_recalloc(p, 10000, 8, opaque(3)) == NULL);
  p = (char*)mi_aligned_offset_recalloc(p, 1000, 10, 256, 8);
  CHECK(is_aligned(p + 8, 256) && is_zero(p, 10000));
  CHECK(mi_aligned_offset_recalloc(p, MANY, 8, 64, 8) == NULL);
  mi_free(p);

  char* value = NULL;
  size_t size = 99;
  setenv("INTERFACE_TEST", "forty two", 1);
  CHECK(mi_dupenv_s(&value, &size, "INTERFACE_TEST") == 0);
  CHECK(value != NULL && strcmp(value, "forty two") == 0 && mi_any_heap_contains(value));
  CHECK(size == strlen("forty two"));
  mi_free(value);
  CHECK(mi_dupenv_s(&value, NULL, "INTERFACE_TEST") == 0 && value != NULL);
  mi_free(value);
  CHECK(mi_dupenv_s(&value, &size, "INTERFACE_TEST_UNSET") == 0 && value == NULL && size == 0);
  CHECK(mi_dupenv_s(NULL, &size, "INTERFACE_TEST") == EINVAL);
  CHECK(mi_dupenv_s(&value, &size, NULL) == EINVAL);
  wchar_t* wide = NULL;
  CHECK(mi_wdupenv_s(NULL, &size, L"INTERFACE_TEST") == EINVAL);
  CHECK(mi_wdupenv_s(&wide, &size, NULL) == EINVAL);
  if (sizeof(wchar_t) == 2) {  // Windows has an environment of wide characters
    CHECK(mi_wdupenv_s(&wide, &size, L"INTERFACE_TEST") == 0 && wide != NULL && wcscmp(wide, L"forty two") == 0);
    CHECK(size == strlen("forty two") && mi_any_heap_contains(wide));
    mi_free(wide);
    CHECK(mi_wdupenv_s(&wide, &size, L"INTERFACE_TEST_UNSET") == 0 && wide == NULL && size == 0);
  } else {
    CHECK(mi_wdupenv_s(&wide, &size, L"INTERFACE_TEST") == EINVAL && wide == NULL);
  }

  wide = mi_wcsdup(L"wide \x20AC");
  CHECK(wide != NULL && wcscmp(wide, L"wide \x20AC") == 0);
  mi_free(wide);
  wide = mi_wcsdup(L"");
  CHECK(wide != NULL && wide[0] == 0);
  mi_free(wide);
  CHECK(mi_wcsdup(NULL) == NULL);
  unsigned char* bytes = mi_mbsdup((const unsigned char*)"multi \xE2\x82\xAC");
  CHECK(bytes != NULL && strcmp((char*)bytes, "multi \xE2\x82\xAC") == 0);
  mi_free(bytes);
  CHECK(mi_mbsdup(NULL) == NULL);
}

static void sizes_told(void) {
  size_t size = 0, after = 0;
  void* p = mi_umalloc(100, &size);
  CHECK(is_block(p, 100) && size >= 100 && size == mi_usable_size(p));
  p = mi_urealloc(p, 1000, &size, &after);
  CHECK(is_block(p, 1000) && size >= 100 && size < 1000 && after >= 1000 && after == mi_usable_size(p));
  size = 0;
  mi_ufree(p, &size);
  CHECK(size == after);
  soil(300);
  p = mi_ucalloc(3, 100, &size);
  CHECK(is_zero_block(p, 300) && size >= 300);
  mi_ufree(p, NULL);
  p = mi_umalloc_small(100, &size);
  CHECK(is_block(p, 100) && size >= 100);
  mi_free(p);
  soil(100);
  p = mi_uzalloc_small(100, &size);
  CHECK(is_zero_block(p, 100) && size >= 100);
  mi_free(p);
  p = mi_umalloc_aligned(100, 1024, &size);
  CHECK(is_aligned(p, 1024) && is_block(p, 100) && size >= 100);
  mi_free(p);
  p = mi_uzalloc_aligned(100, 1024, &size);
  CHECK(is_aligned(p, 1024) && is_zero_block(p, 100) && size >= 100);
  mi_free(p);
  p = mi_umalloc(100, NULL);
  CHECK(is_block(p, 100));
  mi_ufree(p, NULL);
  p = mi_urealloc(NULL, 100, &size, &after);
  CHECK(is_block(p, 100) && size == 0 && after >= 100);
  mi_free(p);
  CHECK(mi_umalloc(TOO_MUCH, &size) == NULL);
  CHECK(mi_ucalloc(MANY, 8, &size) == NULL);
  CHECK(mi_umalloc_aligned(100, opaque(3), &size) == NULL);
  CHECK(mi_uzalloc_aligned(TOO_MUCH, 64, &size) == NULL);
  mi_ufree(NULL, &size);
  CHECK(size == 0);
}

// This program has no C++ run-time library, so without memory there is nothing to throw.
static void cpp(void) {
  mi_heap_t* heap = mi_heap_new();
  void* p = mi_new(100);
  CHECK(is_block(p, 100));
  p = mi_new_realloc(p, 1000);
  CHECK(is_block(p, 1000));
  p = mi_new_reallocn(p, 10, 1000);
  CHECK(is_block(p, 10000));
  mi_free(p);
  p = mi_new_n(10, 10);
  CHECK(is_block(p, 100));
  mi_free(p);
  p = mi_new_aligned(100, 512);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  mi_free(p);
  p = mi_new_nothrow(100);
  CHECK(is_block(p, 100));
  mi_free(p);
  p = mi_new_aligned_nothrow(100, 512);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  mi_free(p);
  p = mi_heap_alloc_new(heap, 100);
  CHECK(is_block(p, 100) && mi_heap_contains(heap, p));
  p = mi_heap_alloc_new_n(heap, 10, 10);
  CHECK(is_block(p, 100) && mi_heap_contains(heap, p));
  mi_heap_destroy(heap);
  CHECK(mi_new_nothrow(TOO_MUCH) == NULL);
  CHECK(mi_new_nothrow(A_LOT) == NULL);
  CHECK(mi_new_aligned_nothrow(TOO_MUCH, 64) == NULL);
  CHECK(mi_new_aligned_nothrow(10, opaque(3)) == NULL);
#if HAS_PROCESSES
  int status = 0;
  STATUS_OF(status, p = mi_new(TOO_MUCH));
  CHECK(!HAS_FORK || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
  STATUS_OF(status, p = mi_new_n(MANY, 8));
  CHECK(!HAS_FORK || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
#endif
}

void names(void) {
  posix();
  bsd();
  microsoft();
  sizes_told();
  cpp();
}
