// --- What of the C interface only C can say --------------------------------------------------------------------------

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
