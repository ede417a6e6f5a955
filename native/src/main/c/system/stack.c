// --- Callers: the calling thread's stack, for profiles ------------------------------------------------------------------

// Asked when a profile begins.
MI_OS int64_t Callers_own(void) {
#if !defined(__wasm__) && !defined(_WIN32)
  mi_prepare_walks();
#endif
  return MI_ADDRESS((uintptr_t)Callers_own);
}

#if defined(__wasm__)
// The program cannot see its own stack.
MI_OS int32_t Callers_capture(int64_t buffer, int32_t most) { return (void)buffer, (void)most, 0; }
#elif defined(_WIN32)
// It walks by tables that each module has, and allocates nothing. For a frame's table the system takes a lock to be read: of
// threads that change the tables, which hold it for a few stores, and do not get here meanwhile.
__attribute__((unused)) MI_SLOW int32_t Callers_capture(int64_t buffer, int32_t most) {
  void* callers[64];
  int n = RtlCaptureStackBackTrace(1, (DWORD)(most < 64 ? most : 64), callers, NULL), count = 0;
  // A thread's first function has no caller; wine's walk goes on behind it.
  for (; count < n && callers[count] != NULL; count++) MI_AT(mi_word, buffer)[count] = MI_ADDRESS(callers[count]);
  return count;
}
#else
__attribute__((unused)) MI_SLOW int32_t Callers_capture(int64_t buffer, int32_t most) {
  uintptr_t callers[64];
  int n = mi_unwind(callers, most < 64 ? most : 64);
  for (int i = 0; i < n; i++) MI_AT(mi_word, buffer)[i] = (int64_t)callers[i];
  return n;
}
#endif
