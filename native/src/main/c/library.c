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

int mi_reserve_huge_os_pages(size_t pages, double max_secs, size_t* pages_reserved) {
  int error = mi_reserve_huge_os_pages_interleave(pages, 0, max_secs > 0 ? (size_t)(max_secs * 1000) : 0);
  if (pages_reserved != NULL) *pages_reserved = error == 0 ? pages : 0;
  return error;
}
