// --- What of the C interface only C can say --------------------------------------------------------------------------

#if MI_DEBUG >= 2
static void mi_check_write(const char* text) { Os_write(MI_ADDRESS(text), (int64_t)__builtin_strlen(text)); }

// What is a function of core, or a text that goes with an address. Nothing is allocated on the way out.
MI_SLOW _Noreturn void mi_check_failed(const char* what, int64_t address) {
  char hex[] = " 0x0000000000000000";
  bool known = address != 0;
  for (size_t i = sizeof(hex) - 2; address != 0; i--, address = (int64_t)((uint64_t)address >> 4)) {
    hex[i] = "0123456789abcdef"[address & 15];
  }
  mi_check_write("mimalloc: an invariant of the allocator does not hold: ");
  mi_check_write(what);
  if (known) mi_check_write(hex);
  mi_check_write("\n");
  Os_abort();
  __builtin_unreachable();
}
#endif

bool mi_cfree(void* p) mi_attr_noexcept {
  if (!mi_any_heap_contains(p)) return false;
  mi_free(p);
  return true;
}

// C mimalloc's library has this name, too, and makes no heap either.
mi_heap_t* mi_heap_new_qsbr(void) {
  mi__raise(-MI_UNSUPPORTED, "there are no heaps of this kind", 0);
  return NULL;
}

size_t mi_arena_max_object_size(void) { return mi_option_get_size(mi_option_arena_max_object_size); }

wchar_t* mi_wcsdup(const wchar_t* s) mi_attr_noexcept {
  if (s == NULL) return NULL;
  size_t size = sizeof(wchar_t);
  for (const wchar_t* end = s; *end != 0; end++) size += sizeof(wchar_t);
  void* copy = mi_malloc(size);
  return copy == NULL ? NULL : __builtin_memcpy(copy, s, size);
}

// A size in words is told to be small by whoever calls; the header's inline functions do.
void* mi_wmalloc_small(size_t wsize) mi_attr_noexcept { return mi_malloc_small(wsize * sizeof(size_t)); }
void* mi_wzalloc_small(size_t wsize) mi_attr_noexcept { return mi_zalloc_small(wsize * sizeof(size_t)); }
void* mi_theap_wmalloc_small(mi_theap_t* theap, size_t wsize) mi_attr_noexcept {
  return mi_theap_malloc_small(theap, wsize * sizeof(size_t));
}
void* mi_theap_wzalloc_small(mi_theap_t* theap, size_t wsize) mi_attr_noexcept {
  return mi_theap_zalloc_small(theap, wsize * sizeof(size_t));
}

int mi_reserve_huge_os_pages(size_t pages, double max_secs, size_t* pages_reserved) {
  int error = mi_reserve_huge_os_pages_interleave(pages, 0, max_secs > 0 ? (size_t)(max_secs * 1000) : 0);
  if (pages_reserved != NULL) *pages_reserved = error == 0 ? pages : 0;
  return error;
}
