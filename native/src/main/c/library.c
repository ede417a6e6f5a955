// --- What of the C interface only C can say --------------------------------------------------------------------------

#include <string.h>

#if MI_DEBUG >= 2
static void mi_check_write(const char* text) { Os_write(MI_ADDRESS(text), (int64_t)strlen(text)); }

// What is a function of core, or a text that goes with an address. Nothing is allocated on the way out.
MI_SLOW _Noreturn void mi_check_failed(const char* what, int64_t address) {
  char hex[] = " 0x0000000000000000";
  for (size_t i = sizeof(hex) - 2; address != 0; i--, address = (int64_t)((uint64_t)address >> 4)) {
    hex[i] = "0123456789abcdef"[address & 15];
  }
  mi_check_write("mimalloc: an invariant of the allocator does not hold: ");
  mi_check_write(what);
  if (strpbrk(hex, "123456789abcdef") != NULL) mi_check_write(hex);
  mi_check_write("\n");
  abort();
}
#endif

char* mi_heap_realpath(mi_heap_t* heap, const char* fname, char* resolved_name) {
  if (resolved_name != NULL) return realpath(fname, resolved_name);
  char* path = realpath(fname, NULL);
  if (path == NULL) return NULL;
  char* copy = mi_heap_strdup(heap, path);
  free(path);
  return copy;
}

char* mi_realpath(const char* fname, char* resolved_name) { return mi_heap_realpath(mi_heap_main(), fname, resolved_name); }

int mi_reserve_huge_os_pages(size_t pages, double max_secs, size_t* pages_reserved) {
  int error = mi_reserve_huge_os_pages_interleave(pages, 0, max_secs > 0 ? (size_t)(max_secs * 1000) : 0);
  if (pages_reserved != NULL) *pages_reserved = error == 0 ? pages : 0;
  return error;
}

// As in Microsoft's library: stores a copy of an environment variable and its length, or NULL when it is not set.
int mi_dupenv_s(char** buf, size_t* size, const char* name) mi_attr_noexcept {
  if (buf == NULL || name == NULL) return EINVAL;
  if (size != NULL) *size = 0;
  *buf = NULL;
  const char* value = getenv(name);
  if (value == NULL) return 0;
  *buf = mi_strdup(value);
  if (*buf == NULL) return ENOMEM;
  if (size != NULL) *size = strlen(value);
  return 0;
}

// There is no environment of wide characters here.
int mi_wdupenv_s(wchar_t** buf, size_t* size, const wchar_t* name) mi_attr_noexcept {
  if (buf == NULL || name == NULL) return EINVAL;
  if (size != NULL) *size = 0;
  *buf = NULL;
  return EINVAL;
}
