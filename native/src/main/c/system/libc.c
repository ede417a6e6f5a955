// --- What of the C interface asks the C library -----------------------------------------------------------------------
#if MI_HAS_LIBC

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#if defined(__wasi__)
char* realpath(const char* restrict path, char* restrict resolved);  // older ones have none, for those who ask for it
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
#endif
