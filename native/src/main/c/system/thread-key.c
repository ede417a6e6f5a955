// --- ThreadSlot, by a key --------------------------------------------------------------------------------------------
//
// For systems that make a thread's variables when it first touches one, and call malloc for that. The word is the key's.
// MI_THREAD_KEY=1 has it on others, too, for a test.
#define MI_HAS_THREAD_KEY 1

enum { MI_THREAD_OVER = 1 };  // the word of a thread whose end was told; no theap has this address

// The thread that is storing its word. The system may need memory for that, and calls malloc: then it is found here.
static int64_t mi_storing_thread;
static int64_t mi_storing_theap;

MI_INLINE int64_t ThreadSlot_id(void) { return MI_ADDRESS(pthread_self()) & -16; }  // flags lie below it

static int64_t mi_thread_word(void) {
  if (__atomic_load_n(&mi_thread_key_state, __ATOMIC_ACQUIRE) != 2) return 0;
  int64_t word = MI_ADDRESS(pthread_getspecific(mi_thread_key));
  return word == 0 && __atomic_load_n(&mi_storing_thread, __ATOMIC_RELAXED) == ThreadSlot_id() ? mi_storing_theap : word;
}

MI_INLINE int64_t ThreadSlot_theap(void) {
  int64_t word = mi_thread_word();
  return word != MI_THREAD_OVER ? word : 0;
}

MI_INLINE int32_t ThreadSlot_mayOwn(void) { return mi_thread_word() != MI_THREAD_OVER; }

// The system asks again, up to a number of rounds, as the word is no null.
static bool mi_leave_thread(int64_t theap) {
  pthread_setspecific(mi_thread_key, MI_AT(void, MI_THREAD_OVER));
  return theap != MI_THREAD_OVER;
}

// One thread at a time; who comes here again, for the memory that the first call needs, has its word already.
static int32_t ThreadSlot_setTheap(int64_t theap) {
  int64_t self = ThreadSlot_id(), nobody = 0;
  if (!mi_has_thread_key()) return false;
  if (mi_thread_word() == MI_THREAD_OVER) return true;
  while (!__atomic_compare_exchange_n(&mi_storing_thread, &nobody, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    if (nobody == self) return false;
    nobody = 0;
    sched_yield();
  }
  mi_storing_theap = theap;
  bool stored = pthread_setspecific(mi_thread_key, MI_AT(void, theap)) == 0;
  __atomic_store_n(&mi_storing_thread, 0, __ATOMIC_RELEASE);
  return stored;
}
