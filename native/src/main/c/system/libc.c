// --- What of the C interface asks the C library -----------------------------------------------------------------------
#if MI_HAS_LIBC

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#if defined(__wasi__)
char* realpath(const char* restrict path, char* restrict resolved);  // older ones have none, for those who ask for it
#endif

#if !defined(_WIN32)
static char* mi_full_path(mi_heap_t* heap, const char* name, char* path) {
  if (path != NULL) return realpath(name, path);
  char* own = realpath(name, NULL);
  if (own == NULL) return NULL;
  char* copy = mi_heap_strdup(heap, own);
  free(own);
  return copy;
}

// There is no environment of wide characters.
static bool mi_wide_variable(const wchar_t* name, const wchar_t** value) { return (void)name, *value = NULL, false; }
#endif

char* mi_heap_realpath(mi_heap_t* heap, const char* fname, char* resolved_name) { return mi_full_path(heap, fname, resolved_name); }

char* mi_realpath(const char* fname, char* resolved_name) { return mi_heap_realpath(mi_heap_main(), fname, resolved_name); }

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

// The same where there is an environment of wide characters.
int mi_wdupenv_s(wchar_t** buf, size_t* size, const wchar_t* name) mi_attr_noexcept {
  if (buf == NULL || name == NULL) return EINVAL;
  if (size != NULL) *size = 0;
  *buf = NULL;
  const wchar_t* value;
  if (!mi_wide_variable(name, &value)) return EINVAL;
  if (value == NULL) return 0;
  *buf = mi_wcsdup(value);
  if (*buf == NULL) return ENOMEM;
  if (size != NULL) {
    while (value[*size] != 0) ++*size;
  }
  return 0;
}
#endif
