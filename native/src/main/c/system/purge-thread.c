// --- Os: whether a thread that purges is needed ------------------------------------------------------------------------
//
// The thread itself is in the system's file.

enum { MI_PURGE_THREAD_NONE, MI_PURGE_THREAD_STARTS, MI_PURGE_THREAD_RUNS, MI_PURGE_THREAD_STOPS, MI_PURGE_THREAD_NEVER };
enum { MI_PURGE_THREAD_STACK = 256 << 10 };  // with what other libraries have for each thread

static int mi_purge_thread_state;
static bool mi_loaded;  // the system is ready for threads
static bool mi_purge_thread_unasked;  // no heartbeat since the library was loaded, the process forked, or it looked for holes
static bool mi_purge_thread_rests;    // it sleeps until somebody calls, or is about to

enum { MI_PURGE_THREAD_LOOKS = 2 };  // without a stir: the first one sees which pages rest, and the second gives back

static int64_t mi__purge_round(void);
static void Os_wakePurgeThread(void);

// The flag is cleared before it is asked whether the thread rests, and the thread does it the other way round.
MI_OS void Os_stirPurgeThread(void) {
  if (__atomic_load_n(&mi_purge_thread_state, __ATOMIC_RELAXED) != MI_PURGE_THREAD_RUNS) return;
  if (!__atomic_exchange_n(&mi_purge_thread_unasked, false, __ATOMIC_SEQ_CST)) return;
  if (__atomic_load_n(&mi_purge_thread_rests, __ATOMIC_SEQ_CST)) Os_wakePurgeThread();
}

MI_OS int32_t Os_isStirred(int64_t next_look) {
  static int64_t last;
  static int quiet;  // looks without a stir before them
  if (next_look != last) quiet = __atomic_exchange_n(&mi_purge_thread_unasked, true, __ATOMIC_SEQ_CST) ? quiet + 1 : 0;
  last = next_look;
  __atomic_store_n(&mi_purge_thread_rests, quiet >= MI_PURGE_THREAD_LOOKS, __ATOMIC_SEQ_CST);
  return quiet < MI_PURGE_THREAD_LOOKS || !__atomic_load_n(&mi_purge_thread_unasked, __ATOMIC_SEQ_CST);
}

// A heartbeat looks at the flag alone: so a thread that rests is woken by the first one, at no cost to the others.
MI_SLOW int32_t mi_needs_purge_thread(void) {
  if (!mi_loaded) return 0;
  Os_stirPurgeThread();
  if (__atomic_load_n(&mi_purge_thread_state, __ATOMIC_RELAXED) != MI_PURGE_THREAD_NONE) return 0;
  __atomic_store_n(&mi_purge_thread_unasked, false, __ATOMIC_RELAXED);
  return mi_option_is_enabled(mi_option_purge_thread) || mi_option_is_enabled(mi_option_purge_on_pressure);
}

MI_OS int32_t Os_needsPurgeThread(int32_t care) {
  return care || __atomic_load_n(&mi_purge_thread_unasked, __ATOMIC_RELAXED) ? mi_needs_purge_thread() : 0;
}

// --- The thread by a call ---------------------------------------------------------------------------------------------

static void Os_startPurgeThread(void);
static void Os_yield(void);
static bool mi_end_purge_thread(void);

// What is to be of the thread, once nobody starts or stops it just now.
static int mi_settled_purge_thread(void) {
  int state;
  while ((state = __atomic_load_n(&mi_purge_thread_state, __ATOMIC_SEQ_CST)) == MI_PURGE_THREAD_STARTS || state == MI_PURGE_THREAD_STOPS) Os_yield();
  return state;
}

// The option is set as well, so that a child of a fork has its own thread.
bool mi_purge_thread_start(void) {
  if (!mi_loaded) return false;
  mi_option_set(mi_option_purge_thread, 1);
  while (mi_settled_purge_thread() == MI_PURGE_THREAD_NONE) Os_startPurgeThread();
  return mi_settled_purge_thread() == MI_PURGE_THREAD_RUNS;
}

bool mi_purge_thread_stop(void) {
  mi_option_set(mi_option_purge_thread, 0);
  mi_option_set(mi_option_purge_on_pressure, 0);  // it would start another
  int runs = MI_PURGE_THREAD_RUNS;
  while (mi_settled_purge_thread() == MI_PURGE_THREAD_RUNS) {
    if (!__atomic_compare_exchange_n(&mi_purge_thread_state, &runs, MI_PURGE_THREAD_STOPS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      runs = MI_PURGE_THREAD_RUNS;
      continue;
    }
    bool ended = mi_end_purge_thread();
    __atomic_store_n(&mi_purge_thread_state, ended ? MI_PURGE_THREAD_NONE : MI_PURGE_THREAD_RUNS, __ATOMIC_SEQ_CST);
    return ended;
  }
  return true;
}
