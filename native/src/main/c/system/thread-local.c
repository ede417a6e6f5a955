// --- ThreadSlot, by thread-local variables ----------------------------------------------------------------------------

#if MI_WORD_IS_ID
// A multiple of 16, as an id must be; and no more than 16 bytes of the room for libraries that are loaded late.
static __thread struct {
  _Alignas(16) int64_t theap;
  bool is_over;
} mi_of_thread MI_TLS_MODEL;
#define mi_theap_of_thread mi_of_thread.theap
#define mi_thread_is_over mi_of_thread.is_over
MI_INLINE int64_t ThreadSlot_id(void) { return MI_ADDRESS(&mi_of_thread); }
#else
static __thread int64_t mi_theap_of_thread MI_TLS_MODEL;
static __thread bool mi_thread_is_over MI_TLS_MODEL;
#endif

MI_INLINE int64_t ThreadSlot_theap(void) { return mi_theap_of_thread; }
MI_INLINE int32_t ThreadSlot_mayOwn(void) { return !mi_thread_is_over; }

static bool mi_leave_thread(int64_t theap) {
  mi_theap_of_thread = 0;
  mi_thread_is_over = true;
  return (void)theap, true;
}

// Without a key, ended threads' memory waits for others to free their blocks; the process goes on.
static int32_t ThreadSlot_setTheap(int64_t theap) {
  mi_theap_of_thread = theap;  // first: pthread_setspecific may call calloc
  if (mi_has_thread_key()) pthread_setspecific(mi_thread_key, MI_AT(void, theap));
  return true;
}
