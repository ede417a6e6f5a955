// --- Os: whether a thread that purges is needed ------------------------------------------------------------------------
//
// The thread itself is in the system's file.

enum { MI_PURGE_THREAD_NONE, MI_PURGE_THREAD_STARTS, MI_PURGE_THREAD_RUNS, MI_PURGE_THREAD_NEVER };
enum { MI_PURGE_THREAD_STACK = 256 << 10 };  // with what other libraries have for each thread

static int mi_purge_thread_state;
static bool mi_loaded;  // the system is ready for threads
static bool mi_purge_thread_unasked;  // no heartbeat has asked for it since the library was loaded, or the process forked

static int64_t mi__purge_round(void);

MI_SLOW int32_t mi_needs_purge_thread(void) {
  if (!mi_loaded || __atomic_load_n(&mi_purge_thread_state, __ATOMIC_RELAXED) != MI_PURGE_THREAD_NONE) return 0;
  __atomic_store_n(&mi_purge_thread_unasked, false, __ATOMIC_RELAXED);
  return mi_option_is_enabled(mi_option_purge_thread);
}

MI_OS int32_t Os_needsPurgeThread(int32_t care) {
  return care || __atomic_load_n(&mi_purge_thread_unasked, __ATOMIC_RELAXED) ? mi_needs_purge_thread() : 0;
}
