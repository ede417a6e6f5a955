// mimalloc: a memory allocator. This file is the whole library; it is made from Java sources, so do not edit it.
//
//   cc -O2 -c mimalloc.c         with mimalloc.h and mimalloc-stats.h beside it or on the include path
//
// Options, as macros:
//   MI_MALLOC_OVERRIDE           also define malloc, free, operator new and all their relatives
//   MI_SECURE=4                  harden it, by levels from 1 to 5; a misuse ends the process
//   MI_DEBUG=1                   find misuse of blocks and report it; 2: check the allocator's own invariants as it runs, too,
//                                and abort when one does not hold; 3: walk over all its structures now and then
//   MI_TRACK_VALGRIND, MI_TRACK_ASAN  tell valgrind or AddressSanitizer which bytes are a user's
//   MI_PROFILE=0, MI_DUMP=0      has no heap profiles; no dumps of the heap and no statistics in a shared file
//   MI_GUARDED, MI_PADDING, MI_XMALLOC, MI_SHOW_ERRORS, MI_NO_THP  other defaults: see docs/native.md
// In a C++ program add -fexceptions, so that mi_new can throw std::bad_alloc through this file.

#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mimalloc.h"
#include "mimalloc-stats.h"
#include "mimalloc-profile.h"

#include "machine.h"
static int64_t Os_write(int64_t text, int64_t length);
#include "track.h"
#if defined(__wasm__)
#include "system/wasm.c"
#else
#include "system/text.c"
#include "system/story.c"
#include "system/purge-thread.c"
#if defined(__unix__) || defined(__APPLE__)
#include "system/posix.c"
#if MI_THREAD_KEY || defined(__APPLE__) || defined(__OpenBSD__)
#include "system/thread-key.c"
#else
#include "system/thread-local.c"
#endif
#endif
#if defined(__linux__)
#include "system/linux.c"
#elif defined(__APPLE__)
#include "system/macos.c"
#elif defined(_WIN32)
#include "system/windows.c"
#elif defined(__unix__)
#include "system/bsd.c"
#else
#error "mimalloc does not know this system yet"
#endif
#include "system/output.c"
#include "system/cpp.c"
#include "system/unwind.c"
#include "system/callers.c"
#endif
#include "system/stack.c"
#include "system/pressure.c"
#if !defined(_WIN32)
#include "system/environment.c"
#endif
#include "system/libc.c"

// --- Core: translated from Java --------------------------------------------------------------------------------------

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wparentheses-equality"
#endif
#endif
#include "core.c"

// --- The C interface: a function of core for each --------------------------------------------------------------------

#include "wrappers.c"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "library.c"
#if defined(__APPLE__)
#include "system/macos-malloc.c"
#else
#include "override.c"
#endif
#if defined(_WIN32)
#include "system/crt.c"
#include "system/redirect.c"
#endif
