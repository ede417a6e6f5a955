// --- The system: WebAssembly -----------------------------------------------------------------------------------------
//
// A module has one memory, in pages of 64 KiB, and it only grows. So nothing is returned to the system: what is unmapped
// is noted here, and mapped again. Of the system there is the C library's, under WASI and Emscripten, or nothing else: then
// there are no threads, no environment, no clock and nowhere to write to.

#if MI_HAS_LIBC
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#endif
#if defined(__EMSCRIPTEN__)
#include <emscripten/threading.h>
#endif
#if defined(_REENTRANT)
#define MI_HAS_THREADS 1
#include <pthread.h>
#include <sched.h>
#else
#define MI_HAS_THREADS 0
#endif
#if UINTPTR_MAX > UINT32_MAX
#error "mimalloc knows WebAssembly with pointers of 32 bits only"
#endif
#if !MI_HAS_LIBC && MI_SECURE
#error "the secure build needs random numbers, of which there are none without WASI or Emscripten"
#endif

#if !MI_HAS_LIBC
// What the compiler calls. A program may have better ones.
__attribute__((weak, no_builtin("memset"))) void* memset(void* to, int value, size_t size) {
  for (size_t i = 0; i < size; i++) ((unsigned char*)to)[i] = (unsigned char)value;
  return to;
}
__attribute__((weak, no_builtin("memcpy"))) void* memcpy(void* restrict to, const void* restrict from, size_t size) {
  for (size_t i = 0; i < size; i++) ((unsigned char*)to)[i] = ((const unsigned char*)from)[i];
  return to;
}
__attribute__((weak, no_builtin("strlen"))) size_t strlen(const char* text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}
#endif

// --- Os: memory ------------------------------------------------------------------------------------------------------
//
// A bit for each page that there can be. The bits lie apart from the pages: whoever writes to a freed block harms none.

enum { MI_PAGE_SHIFT = 16, MI_PAGES = 1 << 16 };
typedef struct { uint64_t words[MI_PAGES / 64]; } mi_pages;

static mi_pages mi_free_pages;   // mapped by nobody
static mi_pages mi_dirty_pages;  // perhaps not zero, of the free ones
static int32_t mi_pages_lock;

static bool mi_has_page(const mi_pages* pages, size_t i) { return (pages->words[i / 64] >> i % 64 & 1) != 0; }

static void mi_set_pages(mi_pages* pages, size_t first, size_t count, bool value) {
  for (size_t i = first; i < first + count; i++) {
    uint64_t bit = (uint64_t)1 << i % 64;
    if (value) pages->words[i / 64] |= bit;
    else pages->words[i / 64] &= ~bit;
  }
}

// Held for a search at most. So waiting for it is no wait on the browser's main thread, which would not be allowed one.
static void mi_lock_pages(void) {
  while (__atomic_exchange_n(&mi_pages_lock, 1, __ATOMIC_ACQUIRE) != 0) {
  }
}
static void mi_unlock_pages(void) { __atomic_store_n(&mi_pages_lock, 0, __ATOMIC_RELEASE); }

static size_t mi_page_of(uintptr_t address) { return address >> MI_PAGE_SHIFT; }
static size_t mi_page_after(uintptr_t address) { return mi_page_of(address - 1) + 1; }  // of the end of something

#if defined(__EMSCRIPTEN__)
// The page where the memory would grow.
static size_t mi_end(void) { return mi_page_after((uintptr_t)sbrk(0)); }

// More pages, zeroed and free; false if there are none.
static bool mi_grow(size_t count) {
  uintptr_t end = (uintptr_t)sbrk(0), pad = -end & ((1 << MI_PAGE_SHIFT) - 1);
  if (count > PTRDIFF_MAX >> MI_PAGE_SHIFT) return false;
  size_t bytes = (count << MI_PAGE_SHIFT) + pad;
  uintptr_t start = (uintptr_t)sbrk((intptr_t)bytes);
  if (start == UINTPTR_MAX) return false;
  // Somebody else may have moved the end meanwhile.
  size_t first = mi_page_after(start), last = mi_page_of(start + bytes - 1) + ((start + bytes) % (1 << MI_PAGE_SHIFT) == 0);
  if (last > first) mi_set_pages(&mi_free_pages, first, last - first, true);
  return true;
}
#else
extern unsigned char __heap_base, __heap_end __attribute__((weak));  // the linker's: what is behind the program's data

static size_t mi_end(void) { return __builtin_wasm_memory_size(0); }

static bool mi_grow(size_t count) {
  size_t first = __builtin_wasm_memory_grow(0, count);
  if (first == SIZE_MAX) return false;
  mi_set_pages(&mi_free_pages, first, count, true);
  return true;
}

// What the module was linked with is more than its data, if the program wants that.
__attribute__((unused)) static void mi_take_initial(void) {
  static bool taken;
  if (taken) return;
  taken = true;
  if (&__heap_end == NULL) return;
  size_t first = mi_page_after((uintptr_t)&__heap_base), last = mi_page_of((uintptr_t)&__heap_end);
  if (last > first) mi_set_pages(&mi_free_pages, first, last - first, true);
}
#endif

static size_t mi_align_page(size_t page, size_t alignment) { return (page + alignment - 1) & -alignment; }

// The first run of free pages, at a multiple of an alignment; SIZE_MAX if there is none.
static size_t mi_find(size_t count, size_t alignment) {
  size_t run = 0;
  for (size_t i = 0; i < MI_PAGES; i++) {
    if (mi_free_pages.words[i / 64] == 0) {
      run = 0;
      i |= 63;
      continue;
    }
    run = mi_has_page(&mi_free_pages, i) ? run + 1 : 0;
    size_t first = mi_align_page(i + 1 - run, alignment);
    if (run >= count && first + count <= i + 1) return first;
  }
  return SIZE_MAX;
}

static bool mi_is_free(size_t first, size_t count) {
  for (size_t i = first; i < first + count; i++) {
    if (!mi_has_page(&mi_free_pages, i)) return false;
  }
  return true;
}

// Takes pages at an alignment, or just from page at on.
static size_t mi_take(size_t at, size_t count, size_t alignment) {
#if !defined(__EMSCRIPTEN__)
  mi_take_initial();
#endif
  size_t first = SIZE_MAX;
  for (int attempt = 0;; attempt++) {  // twice: somebody else may make the memory grow
    if (at == 0) first = mi_find(count, alignment);
    else if (at + count <= MI_PAGES && mi_is_free(at, count)) first = at;
    if (first != SIZE_MAX || attempt == 2) break;
    // What is free at the end need not grow.
    size_t end = mi_end(), from = end;
    while (at == 0 && from > 0 && mi_has_page(&mi_free_pages, from - 1)) from--;
    from = at != 0 ? at : mi_align_page(from, alignment);
    if (at > end || from + count > MI_PAGES || from + count <= end || (at != 0 && !mi_is_free(at, end - at))) break;
    if (!mi_grow(from + count - end)) break;
  }
  if (first != SIZE_MAX) mi_set_pages(&mi_free_pages, first, count, false);
  return first;
}

// Zeroed pages of ours. Zeroing comes after the lock: it may take long.
static int64_t mi_map(size_t at, int64_t size, int64_t alignment) {
  if (size <= 0 || size > PTRDIFF_MAX || alignment > PTRDIFF_MAX) return -12;
  size_t count = mi_page_after((uintptr_t)size);
  mi_lock_pages();
  size_t first = mi_take(at, count, alignment <= 1 << MI_PAGE_SHIFT ? 1 : mi_page_of((uintptr_t)alignment));
  mi_unlock_pages();
  if (first == SIZE_MAX) return -12;
  for (size_t i = first; i < first + count; i++) {
    if (mi_has_page(&mi_dirty_pages, i)) __builtin_memset((void*)(i << MI_PAGE_SHIFT), 0, 1 << MI_PAGE_SHIFT);
  }
  mi_track_mapped((int64_t)first << MI_PAGE_SHIFT, size);
  return (int64_t)first << MI_PAGE_SHIFT;
}

MI_OS int64_t Os_pageSize(void) { return 1 << MI_PAGE_SHIFT; }

MI_OS int64_t Os_map(int64_t wish, int64_t size, int64_t alignment, int32_t flags) {
  if (flags & (MI_LARGE | MI_HUGE | MI_REPLACE)) return MI_UNSUPPORTED;
  return mi_map(flags & MI_EXACT ? mi_page_of((uintptr_t)wish) : 0, size, alignment);
}

MI_OS int64_t Os_unmap(int64_t a, int64_t size) {
  mi_track_unmapped(a, size);
  mi_lock_pages();
  mi_set_pages(&mi_dirty_pages, mi_page_of((uintptr_t)a), mi_page_after((uintptr_t)size), true);
  mi_set_pages(&mi_free_pages, mi_page_of((uintptr_t)a), mi_page_after((uintptr_t)size), true);
  mi_unlock_pages();
  return 0;
}

// All memory can be touched, always.
MI_OS int64_t Os_protect(int64_t a, int64_t size, int32_t access) {
  (void)a, (void)size;
  return access == MI_READ_WRITE ? 0 : MI_UNSUPPORTED;
}

MI_OS int64_t Os_advise(int64_t a, int64_t size, int32_t advice) {
  (void)a, (void)size, (void)advice;
  return MI_UNSUPPORTED;
}

MI_OS int64_t Os_remap(int64_t a, int64_t size, int64_t new_size, int64_t target) {
  if (target != 0) return MI_UNSUPPORTED;
  int64_t more = mi_map(mi_page_of((uintptr_t)(a + size)), new_size - size, 1);
  return more < 0 ? more : a;
}

MI_OS int64_t Os_node(void) { return MI_UNSUPPORTED; }

MI_OS int64_t Os_bind(int64_t a, int64_t size, int32_t node) {
  (void)a, (void)size, (void)node;
  return MI_UNSUPPORTED;
}

MI_OS int64_t Os_disallowHugePages(void) { return MI_UNSUPPORTED; }

// --- Os: the machine -------------------------------------------------------------------------------------------------

MI_OS int64_t Os_readFile(int64_t path, int64_t buffer, int64_t size) {
  (void)path, (void)buffer, (void)size;
  return MI_UNSUPPORTED;
}

MI_OS int64_t Os_open(int64_t path, int32_t writes) { return (void)path, (void)writes, MI_UNSUPPORTED; }
MI_OS int64_t Os_read(int64_t file, int64_t buffer, int64_t size) { return (void)file, (void)buffer, (void)size, MI_UNSUPPORTED; }
MI_OS int64_t Os_writeTo(int64_t file, int64_t buffer, int64_t size) { return (void)file, (void)buffer, (void)size, MI_UNSUPPORTED; }
MI_OS void Os_close(int64_t file) { (void)file; }
MI_OS int64_t Os_fileOutput(void) { return 0; }
MI_OS int64_t Os_share(int64_t path, int64_t size) { return (void)path, (void)size, MI_UNSUPPORTED; }
MI_OS int64_t Os_resident(int64_t a, int64_t size) { return (void)a, (void)size, MI_UNSUPPORTED; }
MI_OS int64_t Os_rename(int64_t path, int64_t name) { return (void)path, (void)name, MI_UNSUPPORTED; }
MI_OS void Os_remove(int64_t path) { (void)path; }
MI_OS int32_t Os_isPrivileged(void) { return false; }
MI_OS int64_t Os_processId(void) { return 0; }
MI_OS int64_t Os_time(void) { return 0; }
MI_OS int64_t Os_watchSignal(int32_t number) { return (void)number, MI_UNSUPPORTED; }

// The module's memory is all that it has, and will always have.
MI_OS void Os_processInfo(int64_t target) {
  int64_t* info = MI_AT(int64_t, target);
  for (int i = 0; i < 6; i++) info[i] = 0;
  info[2] = info[3] = (int64_t)__builtin_wasm_memory_size(0) << MI_PAGE_SHIFT;
}

MI_OS int32_t Os_isRedirected(void) { return false; }

#if MI_HAS_LIBC
MI_OS int64_t Os_random(void) {
  int64_t bits = 0;
  int saved = errno;
  if (getentropy(&bits, sizeof(bits)) != 0) bits = 0;
  errno = saved;
  return bits;
}

MI_OS int64_t Os_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

MI_OS int64_t Os_write(int64_t text, int64_t length) {
  int saved = errno;
  int64_t result = write(STDERR_FILENO, MI_AT(const void, text), (size_t)length);
  if (result < 0) result = errno == EINTR ? MI_INTERRUPTED : errno == EAGAIN ? MI_AGAIN : -5;
  errno = saved;
  return result;
}

MI_OS void Os_setErrno(int32_t code) { errno = Os_numberOf(code); }
MI_OS void Os_abort(void) { abort(); }
#else
MI_OS int64_t Os_random(void) { return 0; }
MI_OS int64_t Os_clock(void) { return 0; }
MI_OS int64_t Os_write(int64_t text, int64_t length) { return (void)text, length; }
MI_OS void Os_setErrno(int32_t code) { (void)code; }
MI_OS void Os_abort(void) { __builtin_trap(); }
MI_OS int64_t Os_environment(int64_t name, int64_t buffer, int64_t size) { return (void)name, (void)buffer, (void)size, -1; }
MI_OS int64_t Os_variable(int64_t number, int64_t buffer, int64_t size) { return (void)number, (void)buffer, (void)size, -1; }
#endif

// Emscripten's own wait knows what the main thread of a browser may do, and does meanwhile what other threads want of it.
#if MI_HAS_THREADS && defined(__EMSCRIPTEN__)
MI_OS void Os_waitOn(int64_t address, int64_t value) { emscripten_futex_wait(MI_AT(void, address), (uint32_t)value, 1.0); }
MI_OS void Os_wake(int64_t address) { emscripten_futex_wake(MI_AT(void, address), 1); }
MI_OS void Os_yield(void) {
  static uint32_t word;
  emscripten_futex_wait(&word, 0, 0.05);
}
MI_OS int32_t Os_processors(void) { return emscripten_num_logical_cores(); }
#else
#if MI_HAS_THREADS
MI_OS void Os_waitOn(int64_t address, int64_t value) {
  __builtin_wasm_memory_atomic_wait32(MI_AT(int, address), (int)value, 1000000);
}
MI_OS void Os_wake(int64_t address) { __builtin_wasm_memory_atomic_notify(MI_AT(int, address), 1); }
MI_OS void Os_yield(void) { sched_yield(); }
#else
MI_OS void Os_waitOn(int64_t address, int64_t value) { (void)address, (void)value; }
MI_OS void Os_wake(int64_t address) { (void)address; }
MI_OS void Os_yield(void) {}
#endif
MI_OS int32_t Os_processors(void) { return 1; }
#endif
MI_OS int32_t Os_isAlone(void) { return !MI_HAS_THREADS; }

// No memory is ever closed, so no access faults; and nothing can be given back, by a thread or otherwise.
MI_OS void Os_watchFaults(int64_t entries, int64_t count) { (void)entries, (void)count; }
MI_OS int32_t Os_needsPurgeThread(int32_t care) { return (void)care, false; }
MI_OS void Os_startPurgeThread(void) {}
MI_OS void Os_wakePurgeThread(void) {}
MI_OS void Os_stirPurgeThread(void) {}
MI_OS int32_t Os_isStirred(int64_t next_look) { return (void)next_look, true; }
bool mi_purge_thread_start(void) { return false; }
bool mi_purge_thread_stop(void) { return true; }

// Who has called cannot be seen from inside, and an address has no name.
__attribute__((unused)) static void Callers_name(int64_t address, int64_t buffer, int64_t size) {
  (void)address, (void)size, MI_AT(char, buffer)[0] = 0;
}
#if MI_DEBUG >= 1
static void Callers_record(int64_t block, int64_t size, int32_t freed) { (void)block, (void)size, (void)freed; }
static void Callers_describe(int64_t block, int64_t buffer, int64_t size) { (void)block, (void)buffer, (void)size; }
#endif

// --- ThreadSlot: the thread's word, and word of its end --------------------------------------------------------------

#if MI_HAS_THREADS
#define MI_OF_THREAD static __thread
#else
#define MI_OF_THREAD static
#endif
MI_OF_THREAD int64_t mi_theap_of_thread;
MI_OF_THREAD bool mi_thread_is_over;

MI_INLINE int64_t ThreadSlot_id(void) {
  MI_OF_THREAD _Alignas(16) char self[16];
  return MI_ADDRESS(self);
}

MI_INLINE int64_t ThreadSlot_theap(void) { return mi_theap_of_thread; }
MI_INLINE int32_t ThreadSlot_mayOwn(void) { return !mi_thread_is_over; }
MI_INLINE void ThreadSlot_probeStack(void) {}
MI_INLINE int32_t ThreadSlot_hasStack(void) { return true; }
MI_INLINE void ThreadSlot_probeStackAgain(void) {}
MI_INLINE void ThreadSlot_probeStackAround(void) {}

static void mi__thread_ended(int64_t theap);

#if MI_HAS_THREADS
static pthread_key_t mi_thread_key;
static int mi_thread_key_state;  // 0 none yet, 1 being made, 2 there, 3 none ever

static void mi_thread_ended(void* theap) {
  mi_theap_of_thread = 0;
  mi_thread_is_over = true;
  mi__thread_ended(MI_ADDRESS(theap));
}

static void mi_make_thread_key(void) {
  int expected = 0;
  if (__atomic_compare_exchange_n(&mi_thread_key_state, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    // Without a key, ended threads' memory waits for others to free their blocks; the process goes on.
    int failed = pthread_key_create(&mi_thread_key, mi_thread_ended);
    __atomic_store_n(&mi_thread_key_state, failed ? 3 : 2, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&mi_thread_key_state, __ATOMIC_ACQUIRE) == 1) Os_yield();
}

static int32_t ThreadSlot_setTheap(int64_t theap) {
  mi_theap_of_thread = theap;  // first: pthread_setspecific may call calloc
  if (__atomic_load_n(&mi_thread_key_state, __ATOMIC_ACQUIRE) < 2) mi_make_thread_key();
  if (mi_thread_key_state == 2) pthread_setspecific(mi_thread_key, MI_AT(void, theap));
  return true;
}
#else
static int32_t ThreadSlot_setTheap(int64_t theap) {
  mi_theap_of_thread = theap;
  return true;
}
#endif

// --- The program's life ----------------------------------------------------------------------------------------------
//
// Without a C library nobody calls at the start or at the end; the first allocation does what there is to do.

static void mi__fork_prepare(void) __attribute__((unused));
static void mi__fork_parent(void) __attribute__((unused));
static void mi__fork_child(void) __attribute__((unused));
static bool mi__teardown(bool others, bool live) __attribute__((unused));
static int64_t mi__purge_round(void) __attribute__((unused));

#if MI_HAS_LIBC
__attribute__((constructor)) static void mi_process_load(void) { mi_process_init(); }
__attribute__((destructor)) static void mi_process_unload(void) { mi_process_done(); }

// The last of all: static objects and other destructors have had their chance to free what they had.
__attribute__((destructor(101))) static void mi_process_end(void) {
  if (!mi_option_is_enabled(mi_option_destroy_on_exit)) return;
#if defined(MI_MALLOC_OVERRIDE)
  mi__teardown(false, false);  // libc has blocks to the very end
#else
  mi__teardown(false, true);
#endif
}
#endif

// --- C++'s run-time library, where the program has one ---------------------------------------------------------------
//
// It is linked, or it is not there. A function is called with the type that it has, or the linker makes it one that traps.

typedef void mi_function(void);
mi_function* mi_linked_get_new_handler(void) __asm__("_ZSt15get_new_handlerv") __attribute__((weak));
void mi_linked_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

MI_SLOW int32_t Callback_newHandler(void) {
  mi_function* handler = mi_linked_get_new_handler != NULL ? mi_linked_get_new_handler() : NULL;
  if (handler == NULL) return false;
  handler();
  return true;
}

MI_SLOW void Callback_badAlloc(void) {
  if (mi_linked_throw_bad_alloc != NULL) mi_linked_throw_bad_alloc();
}

// An exception goes on to the caller, which is not prepared for one.
MI_SLOW int32_t Callback_newHandlerCaught(void) { return Callback_newHandler(); }
