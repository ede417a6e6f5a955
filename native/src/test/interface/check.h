// Checks that count themselves: each place in the source once, however often it is passed.
#pragma once
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <mimalloc-profile.h>
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What the system has. Without other processes, a statement that must not end one is run in this one; without threads there
// is nothing to say of them.
#if defined(__wasm__)
#define HAS_PROCESSES 0
#define PURGE_DELAY (-1)
#define ARENA_RESERVE 1024
#define ARENA_MAX_OBJECT 512
#else
#define HAS_PROCESSES 1
#define PURGE_DELAY 1000
#define ARENA_RESERVE (IS_WIDE ? 1 << 20 : 64 << 10)
#define ARENA_MAX_OBJECT (IS_WIDE ? 2 << 20 : 16 << 10)
#include <sys/wait.h>
#endif
#if defined(__wasm__) && !defined(_REENTRANT)
#define HAS_THREADS 0
#else
#define HAS_THREADS 1
#include <pthread.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

extern int checks, failures;

/// Runs this program again with two arguments and an environment of one setting. Returns its status, and what it says.
int run_again(const char* first, const char* second, const char* setting, char* text, size_t size);

static inline bool check(int* seen, bool holds, const char* file, int line, const char* text) {
  if (__atomic_fetch_or(seen, 1, __ATOMIC_RELAXED) == 0) __atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
  if (holds) return true;
  // Once for each place: what goes wrong in a loop goes wrong often.
  if ((__atomic_fetch_or(seen, 2, __ATOMIC_RELAXED) & 2) != 0) return false;
  __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
  return false;
}

/// MI_EMULATOR is a program that runs this one on a processor of another kind. Memory that is locked or limited is also
/// its own, and it knows no advice but MADV_DONTNEED.
#if defined(MI_EMULATOR)
#define MI_EMULATED 1
#else
#define MI_EMULATED 0
#define MI_EMULATOR ""
#endif
/// Where addresses have 32 bits arenas are smaller, and blocks come straight from the system sooner.
#define IS_WIDE (sizeof(void*) > 4)
#define FROM_SYSTEM ((size_t)(IS_WIDE ? 3 << 10 : 96) << 20)

#define CHECK(...)                                                   \
  do {                                                               \
    static int seen_;                                                \
    check(&seen_, (__VA_ARGS__) ? true : false, __FILE__, __LINE__, #__VA_ARGS__); \
  } while (0)

/// The expression holds, and leaves this errno.
#define CHECK_ERRNO(code, ...)   \
  do {                           \
    errno = 0;                   \
    CHECK(__VA_ARGS__);          \
    CHECK(errno == (code));      \
  } while (0)

// Windows' stand-in for <sys/wait.h> says what it has instead.
#if !defined(HAS_FORK)
#define HAS_FORK HAS_PROCESSES
#define A_FOLDER "/dev/./../dev"  // a path for realpath, what it says,
#define THE_FOLDER "/dev"
#define A_PLACE "/tmp"            // for files
#define NO_PATH "/no/such/file"   // and what it refuses
#define NO_PATH_ERROR ENOENT
#endif

#if HAS_PROCESSES
/// How a statement ends in a process of its own: as waitpid says, 0 when all was well. Nothing is done where there is no fork.
#define STATUS_OF(status, ...)                 \
  do {                                         \
    if (!HAS_FORK) break;                      \
    fflush(NULL);                              \
    pid_t child_ = fork();                     \
    if (child_ == 0) {                         \
      alarm(60);                               \
      __VA_ARGS__;                             \
      _exit(0);                                \
    }                                          \
    waitpid(child_, &(status), 0);             \
  } while (0)

/// The statement does not end the process.
#define SURVIVES(...)                 \
  do {                                \
    int status_ = HAS_FORK ? -1 : 0;  \
    if (HAS_FORK) STATUS_OF(status_, __VA_ARGS__); \
    else { __VA_ARGS__; }             \
    CHECK(#__VA_ARGS__[0] != 0 && status_ == 0); \
  } while (0)
#else
#define SURVIVES(...) \
  do {                \
    __VA_ARGS__;      \
    CHECK(true);      \
  } while (0)
#endif

/// A size that the compiler cannot see through, so that it does not warn of what we do on purpose.
static inline size_t opaque(size_t size) {
  __asm__ volatile("" : "+r"(size));
  return size;
}

#define TOO_MUCH (opaque((size_t)PTRDIFF_MAX + 1))  // more than there can be
#define A_LOT (opaque((size_t)PTRDIFF_MAX - (IS_WIDE ? 65536 : 100)))  // there could be, but there is not
#define MANY (opaque(SIZE_MAX / 4))                  // 8 times as much is 2^65: too much, and it overflows
#define EVERYTHING (opaque(SIZE_MAX))

static inline bool is_aligned(const void* p, size_t alignment) { return (uintptr_t)p % alignment == 0; }

static inline bool all_bytes(const void* p, size_t size, int value) {
  const unsigned char* bytes = (const unsigned char*)p;
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != value) return false;
  }
  return true;
}

static inline bool is_zero(const void* p, size_t size) { return all_bytes(p, size, 0); }

/// Is this a block of at least size bytes that can be written to?
static inline bool is_block(void* p, size_t size) {
  if (p == NULL || mi_usable_size(p) < size || !mi_any_heap_contains(p)) return false;
  if (!is_aligned(p, size >= 16 ? 16 : 8)) return false;
  memset(p, 0xA5, size);
  return true;
}

/// Does the library pad its blocks? Then a user has exactly as many bytes as were asked for, and a visitor sees more.
static inline bool is_padded(void) {
  void* p = mi_malloc(17);
  bool padded = mi_usable_size(p) == 17;
  mi_free(p);
  return padded;
}

/// How many bytes the block has, with its padding.
static inline size_t block_size(void* p) {
  size_t size = mi_usable_size(p);
  return is_padded() ? mi_good_size(size < 8 ? 9 : size + 1) : size;
}

/// Is this a block of at least size bytes that can be written to, and was it zero?
static inline bool is_zero_block(void* p, size_t size) { return p != NULL && is_zero(p, size) && is_block(p, size); }

/// Leaves blocks with other bytes than zero behind, so that zeroed memory is not so by chance.
static inline void soil(size_t size) {
  void* blocks[16];
  for (int i = 0; i < 16; i++) {
    blocks[i] = mi_malloc(size);
    if (blocks[i] != NULL) memset(blocks[i], 0xDD, size);
  }
  for (int i = 0; i < 16; i++) mi_free(blocks[i]);
}

#if defined(__cplusplus)
}
#endif
