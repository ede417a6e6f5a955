// --- The machine: what Java has no words for -------------------------------------------------------------------------
//
// Each function stands for a static method of the package dev.mimalloc.machine and is named after its class and itself.
// Here is what any C11 compiler with GNU built-ins can do; what depends on the system is in system/.
#pragma once

#if !defined(__GNUC__)
#error "mimalloc needs gcc, clang or a compiler that knows their built-ins"
#endif
// A WebAssembly module may be all that there is.
#if defined(__wasm__) && !defined(__wasi__) && !defined(__EMSCRIPTEN__)
#define MI_HAS_LIBC 0
#else
#define MI_HAS_LIBC 1
#endif
#define MI_INLINE static inline __attribute__((always_inline, unused))
#if !defined(MI_TRACK_VALGRIND)
#define MI_TRACK_VALGRIND 0
#endif
#if !defined(MI_TRACK_ASAN)
#define MI_TRACK_ASAN 0
#endif
// A function that is there for others. In WebAssembly it would be in each module, wanted or not.
#if defined(__wasm__)
#define MI_KEPT
#else
#define MI_KEPT , used
#endif
#define MI_SLOW static __attribute__((noinline))
#define MI_RARE static __attribute__((cold))
#define MI_OS static __attribute__((unused))
#define MI_STRING_(x) #x
#define MI_STRING(x) MI_STRING_(x)
#define MI_SYMBOL_PREFIX MI_STRING(__USER_LABEL_PREFIX__)

// What a program finds in a shared library. On Windows headers have declared malloc by then, and a function that is exported
// must be declared so from the start: there the linker is told.
#if defined(_WIN32)
#define MI_PUBLIC
#define MI_HIDDEN
#else
#define MI_PUBLIC __attribute__((visibility("default")))
#define MI_HIDDEN __attribute__((visibility("hidden")))
#endif

// C++ compilers' letter for size_t in the names that they make.
#if defined(_WIN64)
#define MI_SIZE_CODE y
#elif SIZE_MAX > UINT32_MAX
#define MI_SIZE_CODE m
#else
#define MI_SIZE_CODE j
#endif

// An address is 64 bits wide for core, on every machine. Core writes to memory what the user may read as another type.
// Its words are aligned to 8 bytes, also where the C ABI would have an int64_t at 4.
typedef int64_t __attribute__((may_alias, aligned(8))) mi_word;
typedef uintptr_t __attribute__((may_alias)) mi_pointer;
typedef int32_t __attribute__((may_alias)) mi_half;
typedef uint16_t __attribute__((may_alias)) mi_quarter;
#define MI_AT(type, address) ((type*)(uintptr_t)(address))
#define MI_ADDRESS(pointer) ((int64_t)(uintptr_t)(pointer))
// Of a long with 32 bits the nearest to a number beyond it.
MI_INLINE long mi_long(int64_t v) { return v < LONG_MIN ? LONG_MIN : v > LONG_MAX ? LONG_MAX : (long)v; }
#define MI_ADDRESS_BITS (UINTPTR_MAX > UINT32_MAX ? 48 : 32)

// Arithmetic as the JVM defines it, named after its instructions: it wraps around, and the distance of a shift is masked.
MI_INLINE int64_t ladd(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
MI_INLINE int64_t lsub(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
MI_INLINE int64_t lmul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }
MI_INLINE int64_t lneg(int64_t a) { return (int64_t)(0 - (uint64_t)a); }
MI_INLINE int64_t lshl(int64_t a, int32_t distance) { return (int64_t)((uint64_t)a << (distance & 63)); }
MI_INLINE int64_t lshr(int64_t a, int32_t distance) { return a >> (distance & 63); }
MI_INLINE int64_t lushr(int64_t a, int32_t distance) { return (int64_t)((uint64_t)a >> (distance & 63)); }
MI_INLINE int32_t iadd(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
MI_INLINE int32_t isub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
MI_INLINE int32_t imul(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }
MI_INLINE int32_t ineg(int32_t a) { return (int32_t)(0 - (uint32_t)a); }
MI_INLINE int32_t ishl(int32_t a, int32_t distance) { return (int32_t)((uint32_t)a << (distance & 31)); }
MI_INLINE int32_t ishr(int32_t a, int32_t distance) { return a >> (distance & 31); }
MI_INLINE int32_t iushr(int32_t a, int32_t distance) { return (int32_t)((uint32_t)a >> (distance & 31)); }
#define TEAVM_TO_BYTE(i) ((int32_t)(int8_t)(i))
#define TEAVM_TO_SHORT(i) ((int32_t)(int16_t)(i))
#define TEAVM_TO_CHAR(i) ((int32_t)(uint16_t)(i))
MI_INLINE int32_t teavm_compare_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }
MI_INLINE int32_t teavm_compare_i32(int32_t a, int32_t b) { return (a > b) - (a < b); }
MI_INLINE int32_t teavm_compare_u64(int64_t a, int64_t b) { return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b); }

// Bits
MI_INLINE int32_t Bits_trailingZeros(int64_t b) { return b == 0 ? 64 : __builtin_ctzll((uint64_t)b); }
MI_INLINE int32_t Bits_leadingZeros(int64_t b) { return b == 0 ? 64 : __builtin_clzll((uint64_t)b); }
MI_INLINE int32_t Bits_count(int64_t b) { return __builtin_popcountll((uint64_t)b); }
MI_INLINE int32_t Bits_below(int64_t a, int64_t b) { return (uint64_t)a < (uint64_t)b; }
MI_INLINE int64_t Bits_multiplyHigh(int64_t a, int64_t b) {
#if defined(__SIZEOF_INT128__) && !defined(__wasm__)  // there it is a call of a function that a bare module has not
  return (int64_t)(((unsigned __int128)(uint64_t)a * (uint64_t)b) >> 64);
#else
  uint64_t a0 = (uint32_t)a, a1 = (uint64_t)a >> 32, b0 = (uint32_t)b, b1 = (uint64_t)b >> 32;
  uint64_t middle = a1 * b0 + (a0 * b0 >> 32), carry = a0 * b1 + (uint32_t)middle;
  return (int64_t)(a1 * b1 + (middle >> 32) + (carry >> 32));
#endif
}

// ThreadSanitizer wants to see an atomic access where the compiler makes better code of a plain one. Where a plain one is
// of two halves, it has to be an atomic one.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MI_HAS_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define MI_HAS_TSAN 1
#endif
#ifndef MI_HAS_TSAN
#define MI_HAS_TSAN 0
#endif

// Memory: plain access
MI_INLINE int64_t Memory_getLong(int64_t a) { return *MI_AT(mi_word, a); }
MI_INLINE void Memory_putLong(int64_t a, int64_t v) { *MI_AT(mi_word, a) = v; }
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
MI_INLINE int64_t Memory_getLittleEndian(int64_t a) { return (int64_t)__builtin_bswap64((uint64_t)Memory_getLong(a)); }
MI_INLINE void Memory_putLittleEndian(int64_t a, int64_t v) { Memory_putLong(a, (int64_t)__builtin_bswap64((uint64_t)v)); }
#else
MI_INLINE int64_t Memory_getLittleEndian(int64_t a) { return Memory_getLong(a); }
MI_INLINE void Memory_putLittleEndian(int64_t a, int64_t v) { Memory_putLong(a, v); }
#endif
MI_INLINE int32_t Memory_getInt(int64_t a) { return *MI_AT(mi_half, a); }
MI_INLINE void Memory_putInt(int64_t a, int32_t v) { *MI_AT(mi_half, a) = v; }
MI_INLINE int32_t Memory_getShort(int64_t a) { return *MI_AT(mi_quarter, a); }
MI_INLINE void Memory_putShort(int64_t a, int32_t v) { *MI_AT(mi_quarter, a) = (uint16_t)v; }
MI_INLINE int32_t Memory_getByte(int64_t a) { return *MI_AT(unsigned char, a); }
MI_INLINE void Memory_putByte(int64_t a, int32_t v) { *MI_AT(unsigned char, a) = (unsigned char)v; }
MI_INLINE int64_t Memory_pointerSize(void) { return sizeof(void*); }
MI_INLINE int64_t Memory_maxSize(void) { return PTRDIFF_MAX; }
MI_INLINE int64_t Memory_getPointer(int64_t a) { return (int64_t)*MI_AT(mi_pointer, a); }
MI_INLINE void Memory_putPointer(int64_t a, int64_t v) { *MI_AT(mi_pointer, a) = (uintptr_t)v; }
#if MI_TRACK_ASAN
// ASan would look into what memcpy and memset do to blocks that are free.
MI_INLINE void Memory_copy(int64_t from, int64_t to, int64_t size) {
  for (int64_t i = 0; i < size; i++) *MI_AT(volatile unsigned char, to + i) = *MI_AT(volatile unsigned char, from + i);
}
MI_INLINE void Memory_fill(int64_t a, int64_t size, int32_t v) {
  for (int64_t i = 0; i < size; i++) *MI_AT(volatile unsigned char, a + i) = (unsigned char)v;
}
MI_INLINE void Memory_zero(int64_t a, int64_t words) { Memory_fill(a, words * 8, 0); }
#else
MI_INLINE void Memory_copy(int64_t from, int64_t to, int64_t size) { __builtin_memcpy(MI_AT(void, to), MI_AT(void, from), (size_t)size); }
MI_INLINE void Memory_fill(int64_t a, int64_t size, int32_t v) { __builtin_memset(MI_AT(void, a), v, (size_t)size); }
MI_INLINE void Memory_zero(int64_t a, int64_t words) { __builtin_memset(MI_AT(void, a), 0, (size_t)words << 3); }
#endif

// Memory: atomic access to words
MI_INLINE int64_t Memory_getRelaxed(int64_t a) { return __atomic_load_n(MI_AT(mi_word, a), __ATOMIC_RELAXED); }
MI_INLINE int32_t Memory_equalsRelaxed(int64_t a, int64_t v) {
#if MI_HAS_TSAN || UINTPTR_MAX < UINT64_MAX
  return Memory_getRelaxed(a) == v;
#else
  return Memory_getLong(a) == v;
#endif
}
MI_INLINE void Memory_putRelaxed(int64_t a, int64_t v) { __atomic_store_n(MI_AT(mi_word, a), v, __ATOMIC_RELAXED); }
MI_INLINE int64_t Memory_getAcquire(int64_t a) { return __atomic_load_n(MI_AT(mi_word, a), __ATOMIC_ACQUIRE); }
MI_INLINE void Memory_putRelease(int64_t a, int64_t v) { __atomic_store_n(MI_AT(mi_word, a), v, __ATOMIC_RELEASE); }
MI_INLINE int64_t Memory_getVolatile(int64_t a) { return __atomic_load_n(MI_AT(mi_word, a), __ATOMIC_SEQ_CST); }
MI_INLINE int64_t Memory_exchange(int64_t a, int64_t v) { return __atomic_exchange_n(MI_AT(mi_word, a), v, __ATOMIC_SEQ_CST); }
MI_INLINE int64_t Memory_fetchAdd(int64_t a, int64_t v) { return __atomic_fetch_add(MI_AT(mi_word, a), v, __ATOMIC_SEQ_CST); }
MI_INLINE int64_t Memory_fetchAnd(int64_t a, int64_t v) { return __atomic_fetch_and(MI_AT(mi_word, a), v, __ATOMIC_SEQ_CST); }
MI_INLINE int64_t Memory_fetchOr(int64_t a, int64_t v) { return __atomic_fetch_or(MI_AT(mi_word, a), v, __ATOMIC_SEQ_CST); }
MI_INLINE int32_t Memory_compareAndSet(int64_t a, int64_t expected, int64_t v) {
  return __atomic_compare_exchange_n(MI_AT(mi_word, a), &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
MI_INLINE int32_t Memory_weakCompareAndSet(int64_t a, int64_t expected, int64_t v) {
  return __atomic_compare_exchange_n(MI_AT(mi_word, a), &expected, v, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

MI_INLINE void Memory_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#elif defined(__riscv)
  __asm__ volatile(".4byte 0x100000f");  // the pause hint: a nop where it is not known
#endif
}

// Core's hints must stay macros: a function's result would lose what the compiler was told.
#define Memory_likely(condition) __builtin_expect((condition) != 0, 1)
#define Memory_unlikely(condition) __builtin_expect((condition) != 0, 0)

// Check: a constant, so that the compiler drops what the level has not, and nothing of it is evaluated.
#if !defined(MI_DEBUG)
#define MI_DEBUG 0
#endif
#define Check_level() (MI_DEBUG)
#define Check_isOn() (MI_DEBUG >= 2)
#define Check_isFull() (MI_DEBUG >= 3)
#if MI_DEBUG >= 2
MI_SLOW _Noreturn void mi_check_failed(const char* what, int64_t address);
#define Check_that(holds) ((holds) ? (void)0 : mi_check_failed(__func__, 0))
#define Check_fail(text, address) mi_check_failed(MI_AT(const char, text), address)
#else
#define Check_that(holds) ((void)0)
#define Check_fail(text, address) ((void)(text), (void)(address))
#endif

// Secure: a constant, so that the compiler drops what the level has not.
#if !defined(MI_SECURE)
#define MI_SECURE 0
#endif
#define Secure_level() (MI_SECURE)

// Variant: what the library does unasked. An option that the user gives has the last word.
#if !defined(MI_GUARDED)
#define MI_GUARDED 0
#endif
#define MI_GUARDED_RATE 20000  // what costs 2 % of the CPU time of programs that allocate a lot: see docs/security.md
#if !defined(MI_PADDING)
#define MI_PADDING 0
#endif
#if !defined(MI_XMALLOC)
#define MI_XMALLOC 0
#endif
#if !defined(MI_SHOW_ERRORS)
#define MI_SHOW_ERRORS (MI_TRACK_VALGRIND || MI_TRACK_ASAN)
#endif
#if !defined(MI_NO_THP)
#define MI_NO_THP 0
#endif
#define Variant_abortsWithoutMemory() (MI_XMALLOC)
#define Variant_showsErrors() (MI_DEBUG >= 1)
// Sizes in KiB.
#if defined(__wasm__)
#define MI_ARENA_RESERVE 1024    // a small program's module stays small; of the next arenas each eight are larger
#define MI_ARENA_MAX_OBJECT 512  // larger blocks are pieces of one memory, where neighbours become one again
#define MI_PURGE_DELAY -1        // nothing can be given back
#elif UINTPTR_MAX <= UINT32_MAX
#define MI_ARENA_RESERVE (64 << 10)     // eight arenas of 64 MiB and four of 128 before half of the addresses are gone
#define MI_ARENA_MAX_OBJECT (16 << 10)  // what is larger than a quarter of an arena goes back with its addresses
#endif
MI_INLINE int64_t Variant_defaultOf(int32_t option, int64_t value) {
#if defined(MI_ARENA_RESERVE)
  if (option == mi_option_arena_reserve) return MI_ARENA_RESERVE;
  if (option == mi_option_arena_max_object_size) return MI_ARENA_MAX_OBJECT;
#endif
#if defined(MI_PURGE_DELAY)
  if (option == mi_option_purge_delay) return MI_PURGE_DELAY;
#endif
  if (MI_GUARDED && option == mi_option_guarded_sample_rate) return MI_GUARDED_RATE;
  if (MI_PADDING && option == mi_option_secure_padding) return 1;
  if (MI_SHOW_ERRORS && option == mi_option_show_errors) return 1;
  if (MI_NO_THP && option == mi_option_allow_thp) return 0;
  // The tool has told of the misuse, and may have more to tell.
  if ((MI_TRACK_VALGRIND || MI_TRACK_ASAN) && option == mi_option_abort_on_misuse) return 0;
  return value;
}

// Which form a block was allocated by is known from level 4 on, and in the debug build: core's Secret.hasForms.
#define MI_HAS_FORMS (MI_SECURE >= 4 || MI_DEBUG >= 1)

// Heap profiles can be left out. Then no heap has a profiler, and core's other classes call nothing of these.
#if !defined(MI_PROFILE)
#define MI_PROFILE 1
#endif
#if !MI_PROFILE
#define Exponential_draw(mean, random) ((void)(mean), (void)(random), INT64_C(1))
#define Profiler_rate(profiler) ((void)(profiler), INT64_C(0))
#define Samples_add(heap, page, block, asked, bytes, rate, since) \
  ((void)(heap), (void)(page), (void)(block), (void)(asked), (void)(bytes), (void)(rate), (void)(since))
#define Samples_grow(page, bytes) ((void)(page), (void)(bytes))
#define Samples_remove(page, heap) ((void)(page), (void)(heap))
#define Samples_room(page) ((void)(page), INT64_C(0))  // there is none
#define Profiling_startAsTold() 0
#define Profiling_done() ((void)0)
#define Profiling_signal() ((void)0)
#define Profiling_forkChild() ((void)0)
#endif

// So can dumps of the heap, and statistics in a shared file.
#if !defined(MI_DUMP)
#define MI_DUMP 1
#endif
#if !MI_DUMP
#define Dump_write(path, file) ((void)(path), (void)(file), false)
#define Live_open(path) ((void)(path), INT64_C(0))
#define Live_close(memory) ((void)(memory))
#define Live_update(memory) ((void)(memory))
#endif

// Callers: in system/callers.c where there are any.
static int32_t Callers_capture(int64_t buffer, int32_t most);
static int64_t Callers_own(void);
static void Callers_name(int64_t address, int64_t buffer, int64_t size);
#define Callers_nameThread(id, buffer, size) ((void)(id), (void)(buffer), (void)(size), 0)
#if MI_DEBUG >= 1
static void Callers_record(int64_t block, int64_t size, int32_t freed);
static void Callers_describe(int64_t block, int64_t buffer, int64_t size);
#else
#define Callers_record(block, size, freed) ((void)(block), (void)(size), (void)(freed))
#define Callers_describe(block, buffer, size) ((void)(block), (void)(buffer), (void)(size))
#endif

// The memory that everything else is reached from.
static _Alignas(64) unsigned char mi_root[64 << 10];
MI_INLINE int64_t Memory_address(int64_t a) { return a; }
MI_INLINE int64_t Memory_root(void) { return MI_ADDRESS(mi_root); }

// UpperTable. Never touched means never backed.
#define UpperTable_addressBits() MI_ADDRESS_BITS
#define UpperTable_shift() (MI_ADDRESS_BITS > 32 ? 33 : 29)
static mi_word mi_upper_table[1 << (UpperTable_addressBits() - UpperTable_shift())];
MI_INLINE int64_t UpperTable_get(int64_t i) { return mi_upper_table[i]; }
MI_INLINE int64_t UpperTable_getAcquire(int64_t i) { return Memory_getAcquire(MI_ADDRESS(mi_upper_table + i)); }
MI_INLINE int32_t UpperTable_compareAndSet(int64_t i, int64_t expected, int64_t v) {
  return Memory_compareAndSet(MI_ADDRESS(mi_upper_table + i), expected, v);
}

// Os: the words that Os.java and a system's file share.
enum { MI_INTERRUPTED = -4, MI_AGAIN = -11, MI_UNSUPPORTED = -38, MI_EXISTS = -17 };                              // errors
enum { MI_COMMIT = 1, MI_LARGE = 2, MI_HUGE = 4, MI_EXACT = 8, MI_REPLACE = 16 };                // how to map
enum { MI_NO_ACCESS = 0, MI_READ_WRITE = 1 };                                                    // access
enum { MI_DROP = 0, MI_DROP_LOCKED = 1, MI_DROP_LATER = 2, MI_HUGE_PAGES = 3, MI_NO_HUGE_PAGES = 4 };  // advice

// Core's numbers of errors are Linux's: what each C library has for them, and Linux's where there is none.
#if __has_include(<errno.h>)
#include <errno.h>
#else
enum { EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EINVAL = 22, ENOSYS = 38, EOVERFLOW = 75 };
#endif
MI_INLINE int32_t Os_numberOf(int32_t code) {
  return code == 11 ? EAGAIN : code == 12 ? ENOMEM : code == 14 ? EFAULT : code == 22 ? EINVAL : code == 38 ? ENOSYS : code == 75 ? EOVERFLOW : code;
}

// A WebAssembly module has one memory, which only grows: what is reserved of it is memory.
#if defined(__wasm__)
#define MI_RESERVES_FOR_FREE 0
#else
#define MI_RESERVES_FOR_FREE 1
#endif
#define Os_reservesForFree() (MI_RESERVES_FOR_FREE)

// Callback: the first argument is the address of a user's function.
MI_INLINE void Callback_deferredFree(int64_t f, int32_t force, int64_t heartbeat, int64_t arg) {
  ((mi_deferred_free_fun*)(uintptr_t)f)(force != 0, (unsigned long long)heartbeat, MI_AT(void, arg));
}
MI_INLINE void Callback_output(int64_t f, int64_t text, int64_t arg) {
  ((mi_output_fun*)(uintptr_t)f)(MI_AT(const char, text), MI_AT(void, arg));
}
MI_INLINE void Callback_error(int64_t f, int32_t code, int64_t arg) { ((mi_error_fun*)(uintptr_t)f)(Os_numberOf(code), MI_AT(void, arg)); }
// Core's area has a word of 64 bits for each of the struct's.
MI_INLINE int32_t Callback_visitBlock(int64_t f, int64_t heap, int64_t area, int64_t block, int64_t size, int64_t arg) {
#if UINTPTR_MAX > UINT32_MAX
  const mi_heap_area_t* shown = MI_AT(const mi_heap_area_t, area);
#else
  const mi_word* w = MI_AT(mi_word, area);
  mi_heap_area_t copy = {MI_AT(void, w[0]), (size_t)w[1], (size_t)w[2], (size_t)w[3], (size_t)w[4], (size_t)w[5], MI_AT(void, w[6])};
  const mi_heap_area_t* shown = &copy;
#endif
  return ((mi_block_visit_fun*)(uintptr_t)f)(MI_AT(const mi_heap_t, heap), shown, MI_AT(void, block), (size_t)size, MI_AT(void, arg));
}
MI_INLINE int32_t Callback_visitHeap(int64_t f, int64_t heap, int64_t arg) {
  return ((mi_heap_visit_fun*)(uintptr_t)f)(MI_AT(mi_heap_t, heap), MI_AT(void, arg));
}
MI_INLINE int32_t Callback_commit(int64_t f, int32_t commit, int64_t start, int64_t size, int64_t is_zero, int64_t arg) {
  return ((mi_commit_fun_t*)(uintptr_t)f)(commit != 0, MI_AT(void, start), (size_t)size, MI_AT(bool, is_zero), MI_AT(void, arg));
}
MI_INLINE int32_t Callback_limit(int64_t f, int64_t heap, int64_t size, int64_t used, int64_t limit, int64_t arg) {
  (void)f, (void)heap, (void)size, (void)used, (void)limit, (void)arg;
  return 0;
}
MI_INLINE int64_t Callback_sampleAllocated(int64_t f, int64_t profiler, int64_t data, int64_t block, int64_t size, int64_t rate, int64_t since, int64_t heap) {
  return (int64_t)((mi_profiler_on_alloc_fun*)(uintptr_t)f)(MI_AT(mi_profiler_t, profiler), MI_AT(mi_profiler_sample_data_t, data), MI_AT(void, block), (size_t)size, (size_t)rate, (uint64_t)since, MI_AT(mi_heap_t, heap));
}
MI_INLINE void Callback_sampleFreed(int64_t f, int64_t profiler, int64_t data, int64_t block, int64_t heap) {
  ((mi_profiler_on_free_fun*)(uintptr_t)f)(MI_AT(mi_profiler_t, profiler), MI_AT(mi_profiler_sample_data_t, data), MI_AT(void, block), MI_AT(mi_heap_t, heap));
}
MI_INLINE void Callback_snapshot(int64_t f, int64_t profiler) { ((mi_profiler_on_snapshot_fun*)(uintptr_t)f)(MI_AT(mi_profiler_t, profiler)); }
MI_INLINE int32_t Callback_keepStory(int64_t text) { return (void)text, false; }
MI_INLINE void Callback_raise(int32_t code, int64_t text, int64_t value, int32_t number) { (void)code, (void)text, (void)value, (void)number; }

// Trace: nobody listens. Heaps have profilers in place of a listener.
MI_INLINE int64_t Trace_sampleInterval(void) { return 0; }
MI_INLINE int64_t Trace_distance(void) { return 1; }
MI_INLINE int64_t Trace_weigh(int64_t size) { return (void)size, 0; }
MI_INLINE void Trace_allocated(int64_t block, int64_t size, int64_t weight, int64_t heap) { (void)block, (void)size, (void)weight, (void)heap; }
MI_INLINE void Trace_freed(int64_t block) { (void)block; }
MI_INLINE void Trace_page(int32_t fresh, int64_t start, int64_t bytes, int64_t block_size, int64_t heap) {
  (void)fresh, (void)start, (void)bytes, (void)block_size, (void)heap;
}
MI_INLINE void Trace_purging(void) {}
MI_INLINE void Trace_purged(int64_t start, int64_t bytes) { (void)start, (void)bytes; }
