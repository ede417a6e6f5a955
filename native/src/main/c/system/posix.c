// --- The system: what Unixes have in common ---------------------------------------------------------------------------
//
// A system's own file says the rest: linux.c, bsd.c, macos.c. The first malloc of a process may come before libc has set
// itself up, so nothing here allocates, and what is asked of libc on the way to the first block is only system calls.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A thread's variable is at a fixed distance from the thread pointer, also when the library was loaded late: one load, no
// call. musl loads no library later that asks for this; a program that is linked statically has the same load there.
#if defined(__linux__) && !defined(__GLIBC__)
#define MI_TLS_MODEL __attribute__((tls_model("local-dynamic")))
#else
#define MI_TLS_MODEL __attribute__((tls_model("initial-exec")))
#endif

// A thread's id is what a register has, where one is known; elsewhere the address of the thread's word.
#if defined(__linux__) && (defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__) || defined(__riscv))
#define MI_WORD_IS_ID 0
#else
#define MI_WORD_IS_ID 1
#endif

// What the system's own file says, beside the functions of Os and of ThreadSlot that are not here.
static int mi_map_kind(int64_t alignment, int32_t flags);  // how mmap is told of MI_LARGE, MI_HUGE, MI_EXACT; -1 if it cannot be
static int mi_map_file(void);  // -1, or what else the system wants to know of a mapping
static int mi_advice(int32_t advice);  // madvise's number of it; -1 for none
static clockid_t mi_clock(void);  // one that may be coarse, as it is on the way of some allocations
static int64_t mi_resident_unit(void);  // what getrusage counts a process' memory in, in bytes
static bool mi_random(int64_t* bits);  // from the kernel, in one call; false if there is none
static void mi_wait(uint32_t* word, uint32_t value, int64_t ms);  // while the word has the value, until it is woken; -1 for any time
static void mi_wake(uint32_t* word);  // one who waits
static void mi_name_thread(const char* name);  // the calling one
static const char* mi_fault_kind(const void* context);  // what the instruction did: read, write, or access if nobody tells
static bool mi_is_part_of_program(void);  // this object, so that it is never unloaded?
static bool mi_leave_thread(int64_t theap);  // the calling one, which ends: it owns nothing any more; was it the first time?
MI_INLINE int64_t ThreadSlot_id(void);

// Core's numbers of errors are Linux's.
static int64_t mi_error(int code) {
  switch (code) {
    case EINTR: return MI_INTERRUPTED;
    case EAGAIN: return MI_AGAIN;
    case ENOSYS: return MI_UNSUPPORTED;
    default: return -code == MI_AGAIN || -code == MI_UNSUPPORTED ? -EINVAL : -code;
  }
}

// What a call has answered, or its error; errno is again as it was before the call: free comes by here, and must not change it.
static int64_t mi_answer(int64_t result, int saved) {
  if (result == -1) result = mi_error(errno);
  errno = saved;
  return result;
}

// --- Os: memory ------------------------------------------------------------------------------------------------------

MI_OS int64_t Os_pageSize(void) {
#if defined(MI_PAGE_SIZE)  // larger than the system's, for tests
  return MI_PAGE_SIZE;
#else
  static int64_t size;
  if (size == 0) size = sysconf(_SC_PAGESIZE);
  return size;
#endif
}

MI_OS int64_t Os_map(int64_t wish, int64_t size, int64_t alignment, int32_t flags) {
  int access = flags & (MI_COMMIT | MI_LARGE | MI_HUGE) ? PROT_READ | PROT_WRITE : PROT_NONE;
  int special = mi_map_kind(alignment, flags), kind = MAP_PRIVATE | MAP_ANONYMOUS | special, saved = errno;
  if (special < 0) return MI_UNSUPPORTED;
  if (flags & MI_REPLACE) kind |= MAP_FIXED;
  if ((uint64_t)size > PTRDIFF_MAX) return -ENOMEM;
  void* p = mmap(MI_AT(void, wish), (size_t)size, access, kind, mi_map_file(), 0);
  if (p != MAP_FAILED) mi_track_mapped(MI_ADDRESS(p), size);
  return mi_answer(p == MAP_FAILED ? -1 : MI_ADDRESS(p), saved);
}

MI_OS int64_t Os_unmap(int64_t a, int64_t size) {
  int saved = errno;
  mi_track_unmapped(a, size);
  return mi_answer(munmap(MI_AT(void, a), (size_t)size), saved);
}

MI_OS int64_t Os_protect(int64_t a, int64_t size, int32_t access) {
  int saved = errno;
  return mi_answer(mprotect(MI_AT(void, a), (size_t)size, access == MI_NO_ACCESS ? PROT_NONE : PROT_READ | PROT_WRITE), saved);
}

MI_OS int64_t Os_advise(int64_t a, int64_t size, int32_t advice) {
  int saved = errno, known = mi_advice(advice);
  return known < 0 ? MI_UNSUPPORTED : mi_answer(madvise(MI_AT(void, a), (size_t)size, known), saved);
}

// --- Os: what Linux has, and the others have not ---------------------------------------------------------------------
#if !defined(__linux__)
#if defined(__APPLE__)
#include <sys/random.h>
#endif

// MADV_DONTNEED keeps what was written here, so memory that must be zero again is mapped anew.
static int mi_advice(int32_t advice) { return advice == MI_DROP_LATER ? MADV_FREE : -1; }

MI_OS int64_t Os_remap(int64_t a, int64_t size, int64_t new_size, int64_t target) {
  return (void)a, (void)size, (void)new_size, (void)target, MI_UNSUPPORTED;
}

MI_OS int64_t Os_node(void) { return MI_UNSUPPORTED; }
MI_OS int64_t Os_bind(int64_t a, int64_t size, int32_t node) { return (void)a, (void)size, (void)node, MI_UNSUPPORTED; }
MI_OS int64_t Os_disallowHugePages(void) { return MI_UNSUPPORTED; }
MI_OS int32_t Os_isAlone(void) { return false; }
MI_OS int32_t Os_isPrivileged(void) { return issetugid() != 0; }

MI_OS int32_t Os_processors(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int32_t)count : 1;
}

static bool mi_random(int64_t* bits) { return getentropy(bits, sizeof(*bits)) == 0; }

#endif

// --- Os: the machine -------------------------------------------------------------------------------------------------

// Where a thread opens a file, reads, writes or closes one, or waits for another, it may be cancelled. But malloc is no such
// place, and a thread that ended there would leave half of what it does to nobody. Android has no cancellation.
#if defined(__ANDROID__)
static int mi_forbid_cancel(void) { return 0; }
static void mi_restore_cancel(int before) { (void)before; }
#else
static int mi_forbid_cancel(void) {
  int before = PTHREAD_CANCEL_ENABLE;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

static void mi_restore_cancel(int before) { pthread_setcancelstate(before, &before); }
#endif

MI_OS int64_t Os_readFile(int64_t path, int64_t buffer, int64_t size) {
  int saved = errno, cancel = mi_forbid_cancel(), file = open(MI_AT(const char, path), O_RDONLY | O_CLOEXEC);
  int64_t result = mi_answer(file < 0 ? -1 : read(file, MI_AT(void, buffer), (size_t)size), saved);
  if (file >= 0) close(file);
  mi_restore_cancel(cancel);
  errno = saved;
  return result;
}

MI_OS int64_t Os_open(int64_t path, int32_t writes) {
  int saved = errno, how = writes ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY;  // and so no link of somebody else's is followed
  int cancel = mi_forbid_cancel();
  int64_t file = mi_answer(open(MI_AT(const char, path), how | O_CLOEXEC, 0600), saved);
  mi_restore_cancel(cancel);
  return file == -EEXIST ? MI_EXISTS : file;
}

MI_OS int64_t Os_read(int64_t file, int64_t buffer, int64_t size) {
  int saved = errno, cancel = mi_forbid_cancel();
  int64_t result = mi_answer(read((int)file, MI_AT(void, buffer), (size_t)size), saved);
  mi_restore_cancel(cancel);
  return result;
}

// A file may become too large, or be a pipe that nobody reads: that must not end a program that does not write itself.
MI_OS int64_t Os_writeTo(int64_t file, int64_t buffer, int64_t size) {
  int saved = errno, cancel = mi_forbid_cancel(), ignored;
  sigset_t deadly, pending, before;
  sigemptyset(&deadly);
  sigaddset(&deadly, SIGXFSZ);
  sigaddset(&deadly, SIGPIPE);
  sigemptyset(&pending);
  sigpending(&pending);
  bool waits = sigismember(&pending, SIGXFSZ) || sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &deadly, &before);
  int64_t result = mi_answer(write((int)file, MI_AT(void, buffer), (size_t)size), saved);
  if (result < 0 && !waits && sigpending(&pending) == 0 && (sigismember(&pending, SIGXFSZ) || sigismember(&pending, SIGPIPE))) {
    sigwait(&deadly, &ignored);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  mi_restore_cancel(cancel);
  errno = saved;
  return result;
}

MI_OS void Os_close(int64_t file) {
  int saved = errno, cancel = mi_forbid_cancel();
  close((int)file);
  mi_restore_cancel(cancel);
  errno = saved;
}

// Fills a file with zeros: so it has its place on the disk. A write into a mapping that finds the disk full is a SIGBUS.
static bool mi_fill_file(int file, int64_t size) {
  static const char zeros[512];
  while (size > 0) {
    int64_t written = Os_writeTo(file, MI_ADDRESS(zeros), size < (int64_t)sizeof(zeros) ? size : (int64_t)sizeof(zeros));
    if (written > 0) size -= written;
    else if (written != MI_INTERRUPTED) return false;
  }
  return true;
}

// Only a file of the user's own that is no link, as others may write where it is. Called by the thread that purges alone.
MI_OS int64_t Os_share(int64_t path, int64_t size) {
  int saved = errno, file = open(MI_AT(const char, path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat is;
  void* memory = MAP_FAILED;
  if (file >= 0 && fstat(file, &is) == 0 && S_ISREG(is.st_mode) && is.st_uid == geteuid()) {
    if (mi_fill_file(file, size)) memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) unlink(MI_AT(const char, path));
  }
  int64_t result = memory == MAP_FAILED ? MI_UNSUPPORTED : MI_ADDRESS(memory);
  if (file >= 0) close(file);
  errno = saved;
  return result;
}

#if defined(__OpenBSD__)
// It does not tell: from what is in memory one process could learn what another reads.
MI_OS int64_t Os_resident(int64_t a, int64_t size) { return (void)a, (void)size, MI_UNSUPPORTED; }
#else
MI_OS int64_t Os_resident(int64_t a, int64_t size) {
  unsigned char there[4096];
  int64_t page = Os_pageSize(), count = 0;
  int saved = errno;
  while (size > 0) {
    int64_t some = size < page * (int64_t)sizeof(there) ? size : page * (int64_t)sizeof(there);
    // Of a piece that is not mapped as a whole nothing is known.
    if (mincore(MI_AT(void, a), (size_t)some, (void*)there) != 0) __builtin_memset(there, 0, sizeof(there));
    for (int64_t i = 0; i < (some + page - 1) / page; i++) count += there[i] & 1;
    a += some, size -= some;
  }
  errno = saved;
  return count * page;
}
#endif

// A link replaces nothing. Where there are no links, as on FAT, somebody may make a file between the look and the renaming.
MI_OS int64_t Os_rename(int64_t path, int64_t name) {
  const char *from = MI_AT(const char, path), *to = MI_AT(const char, name);
  int saved = errno;
  int64_t result = mi_answer(link(from, to), saved);
  if (result == 0) unlink(from);
  else if (result == -EEXIST || access(to, F_OK) == 0) result = MI_EXISTS;
  else result = mi_answer(rename(from, to), saved);
  errno = saved;
  return result;
}

MI_OS void Os_remove(int64_t path) {
  int saved = errno;
  unlink(MI_AT(const char, path));
  errno = saved;
}

MI_OS int64_t Os_processId(void) { return getpid(); }

MI_OS int64_t Os_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// What an instruction or a system call raises, for the thread itself.
static const int mi_own_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

static void mi__signal(int number);

// Nobody's function is taken away: a signal that the program, or whoever started it, has an action for is left alone. A
// thread's own has its handler once: the instruction is executed anew then, and ends the process, as it would have without.
MI_OS int64_t Os_watchSignal(int32_t number) {
  int saved = errno;
  bool fault = false;
  for (size_t i = 0; i < sizeof(mi_own_signals) / sizeof(mi_own_signals[0]); i++) fault |= number == mi_own_signals[i];
  struct sigaction now, then = {.sa_handler = mi__signal, .sa_flags = fault ? SA_RESETHAND : SA_RESTART};
  sigemptyset(&then.sa_mask);
  int64_t result = mi_answer(sigaction(number, NULL, &now), saved);
  if (result != 0) return result;
  if (now.sa_handler == mi__signal) return 0;
  if (now.sa_handler != SIG_DFL) return -EBUSY;
  return mi_answer(sigaction(number, &then, NULL), saved);
}

// The kernel's generator; the file is for systems without the call. A process that has neither goes on with 0.
MI_OS int64_t Os_random(void) {
  int64_t bits = 0;
  int saved = errno;
  if (mi_random(&bits)) return bits;
  static const char name[] = "/dev/urandom";
  Os_readFile(MI_ADDRESS(name), MI_ADDRESS(&bits), sizeof(bits));
  errno = saved;
  return bits;
}

MI_OS int64_t Os_clock(void) {
  struct timespec t;
  clock_gettime(mi_clock(), &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

MI_OS int64_t Os_write(int64_t text, int64_t length) {
  int saved = errno, cancel = mi_forbid_cancel();
  int64_t result = mi_answer(write(STDERR_FILENO, MI_AT(const char, text), (size_t)length), saved);
  mi_restore_cancel(cancel);
  return result;
}

MI_OS void Os_processInfo(int64_t target) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  int64_t* info = MI_AT(int64_t, target);
  info[0] = (int64_t)usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000;
  info[1] = (int64_t)usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
  info[2] = 0;
  info[3] = (int64_t)usage.ru_maxrss * mi_resident_unit();
  info[4] = usage.ru_majflt;
  info[5] = usage.ru_minflt;
}

// Whoever waits looks at the word's low half. A moment is enough: whoever frees a lease wakes nobody.
static uint32_t* mi_low_half(int64_t address) { return MI_AT(uint32_t, address + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)); }

MI_OS void Os_waitOn(int64_t address, int64_t value) {
  int saved = errno;
  mi_wait(mi_low_half(address), (uint32_t)value, 1);
  errno = saved;
}

MI_OS void Os_wake(int64_t address) {
  int saved = errno;
  mi_wake(mi_low_half(address));
  errno = saved;
}

MI_OS void Os_yield(void) { sched_yield(); }
MI_OS void Os_setErrno(int32_t code) { errno = Os_numberOf(code); }
MI_OS int32_t Os_isRedirected(void) { return false; }
MI_OS void Os_abort(void) { abort(); }

// --- Os: faults at guarded blocks --------------------------------------------------------------------------------------
//
// A handler may run at any moment, in any thread, also in the middle of the allocator. So it only reads, writes with
// write(2), and then has the signal take the way that it would have taken without it.

static const int mi_fault_signals[] = {SIGSEGV, SIGBUS};
static struct sigaction mi_fault_before[2];  // the handlers that were there

// As if the handler that was there had been called by the system; for none, the instruction is executed once more, and
// the signal that it raises ends the process.
static void mi_hand_on_fault(int signal, siginfo_t* info, void* context) {
  struct sigaction* before = &mi_fault_before[signal == SIGBUS];
  bool raised = info->si_code <= 0;  // by a program, so that no instruction raises it again
  if (before->sa_handler == SIG_IGN && raised) return;
  if (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN) {
    struct sigaction none = {.sa_handler = SIG_DFL};
    sigaction(signal, &none, NULL);
    if (raised) raise(signal);
    return;
  }
  struct sigaction next = *before;
  sigset_t mask = next.sa_mask;
  if ((next.sa_flags & SA_NODEFER) == 0) sigaddset(&mask, signal);
  if ((next.sa_flags & (int)SA_RESETHAND) != 0) before->sa_handler = SIG_DFL, before->sa_flags = 0;
  pthread_sigmask(SIG_BLOCK, &mask, NULL);  // until this handler returns
  if ((next.sa_flags & SA_SIGINFO) != 0) next.sa_sigaction(signal, info, context);
  else next.sa_handler(signal);
}

// Are we called again for a signal that we have handed on? A program that has installed its handler once more, after ours,
// hands on to ours, and ours to its: without end. The stack grows down with each round. A jump out of a handler leaves what
// it wrote here, and the next signal may have the same context: but nearly at the same depth, and not deeper each time.
// A thread's own variables cannot be had in a handler on every system; two threads that share a row end their circles later.
typedef struct {
  const void* context;
  uintptr_t frame;
  int rounds;
} mi_round;

static bool mi_is_fault_in_circle(const void* context) {
  enum { ROUNDS = 4, ROWS_LOG = 6 };
  static mi_round rows[1 << ROWS_LOG];
  mi_round* row = &rows[((uint64_t)ThreadSlot_id() * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - ROWS_LOG)];
  uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
  row->rounds = context == row->context && frame < row->frame ? row->rounds + 1 : 0;
  row->context = context;
  row->frame = frame;
  return row->rounds >= ROUNDS;
}

static void mi_fault(int signal, siginfo_t* info, void* context) {
  if (mi_is_fault_in_circle(context)) {  // the system ends the process, when the instruction is executed once more
    struct sigaction none = {.sa_handler = SIG_DFL};
    sigaction(signal, &none, NULL);
    if (info->si_code <= 0) raise(signal);
    return;
  }
  int saved = errno;
  const mi_guarded* g = info->si_code > 0 ? mi_guarded_at(MI_ADDRESS(info->si_addr)) : NULL;
  if (g != NULL) mi_report_fault(g, (uint64_t)(uintptr_t)info->si_addr, mi_fault_kind(context));
  errno = saved;
  mi_hand_on_fault(signal, info, context);
}

// The flags are such that nothing changes for a handler that was there before: it runs on the stack that it would have.
MI_OS void Os_watchFaults(int64_t entries, int64_t count) {
  if (!mi_option_is_enabled(mi_option_guarded_report)) return;
  int saved = errno;
  mi_guarded_count = count;
  mi_guarded_blocks = MI_AT(const mi_guarded, entries);
  for (int i = 0; i < 2; i++) {
    sigaction(mi_fault_signals[i], NULL, &mi_fault_before[i]);  // first: the handler may be needed at once
    bool alone = mi_fault_before[i].sa_handler == SIG_DFL || mi_fault_before[i].sa_handler == SIG_IGN;
    int stack = alone ? SA_ONSTACK : mi_fault_before[i].sa_flags & (int)SA_ONSTACK;
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | stack};
    action.sa_sigaction = mi_fault;
    sigemptyset(&action.sa_mask);
    sigaction(mi_fault_signals[i], &action, NULL);
  }
  errno = saved;
}

// Before the library goes, or the table. A handler that came after ours may know it, and call it: then it stays.
static void mi_stop_watching_faults(void) {
  if (mi_guarded_blocks == NULL) return;
  mi_guarded_blocks = NULL;
  for (int i = 0; i < 2; i++) {
    struct sigaction now;
    if (sigaction(mi_fault_signals[i], NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != mi_fault) continue;
    sigaction(mi_fault_signals[i], &mi_fault_before[i], NULL);
  }
}

// --- Os: the thread that purges when nobody calls ---------------------------------------------------------------------

static uint32_t mi_purge_thread_calls;  // how often it was woken; it sleeps while this stays
static bool mi_purge_thread_ends;
static pthread_t mi_purge_thread;

static void* mi_purge_thread_run(void* ignored) {
  mi_name_thread("mimalloc-purge");
  for (;;) {
    uint32_t calls = __atomic_load_n(&mi_purge_thread_calls, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&mi_purge_thread_ends, __ATOMIC_ACQUIRE)) return ignored;
    int64_t pause = mi__purge_round();
    if (pause != 0) mi_wait(&mi_purge_thread_calls, calls, pause);
  }
}

MI_OS void Os_startPurgeThread(void) {
  int none = MI_PURGE_THREAD_NONE;
  if (!__atomic_compare_exchange_n(&mi_purge_thread_state, &none, MI_PURGE_THREAD_STARTS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  int saved = errno, result = MI_PURGE_THREAD_NEVER;  // a system that refuses is not asked again and again
  pthread_attr_t attributes;
  sigset_t all, before;
  if (pthread_attr_init(&attributes) == 0) {
    pthread_attr_setstacksize(&attributes, MI_PURGE_THREAD_STACK);
    // The thread inherits the mask, and so never takes a signal that is meant for the program. Its own, if they were
    // blocked, would end the process without its handler.
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(mi_own_signals) / sizeof(mi_own_signals[0]); i++) sigdelset(&all, mi_own_signals[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&mi_purge_thread, &attributes, mi_purge_thread_run, NULL);
    // A program may have more thread-local data than such a stack.
    if (error == EINVAL) error = pthread_create(&mi_purge_thread, NULL, mi_purge_thread_run, NULL);
    if (error == 0) result = MI_PURGE_THREAD_RUNS;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
  }
  __atomic_store_n(&mi_purge_thread_state, result, __ATOMIC_SEQ_CST);
  errno = saved;
}

// Whoever finds no thread here has set the time before one starts, which will see it.
MI_OS void Os_wakePurgeThread(void) {
  if (__atomic_load_n(&mi_purge_thread_state, __ATOMIC_SEQ_CST) == MI_PURGE_THREAD_NONE) return;
  __atomic_store_n(&mi_purge_thread_unasked, false, __ATOMIC_RELAXED);  // what was freed may have left holes
  __atomic_add_fetch(&mi_purge_thread_calls, 1, __ATOMIC_SEQ_CST);
  int saved = errno;
  mi_wake(&mi_purge_thread_calls);
  errno = saved;
}

// Waits for the thread, which runs, and is in the middle of a purge at most. False in a function of the user's that the
// purge has called.
static bool mi_end_purge_thread(void) {
  if (pthread_equal(mi_purge_thread, pthread_self())) return false;
  __atomic_store_n(&mi_purge_thread_ends, true, __ATOMIC_RELEASE);
  Os_wakePurgeThread();
  int cancel = mi_forbid_cancel();
  bool ended = pthread_join(mi_purge_thread, NULL) == 0;
  mi_restore_cancel(cancel);
  __atomic_store_n(&mi_purge_thread_ends, false, __ATOMIC_RELEASE);
  return ended;
}

// Before the library or its memory goes.
static void mi_stop_purge_thread(void) {
  int state = __atomic_exchange_n(&mi_purge_thread_state, MI_PURGE_THREAD_NEVER, __ATOMIC_SEQ_CST);
  if (state == MI_PURGE_THREAD_RUNS) mi_end_purge_thread();
}

// --- ThreadSlot: the thread's word, and word of its end --------------------------------------------------------------
//
// Where the word is: thread-local.c, or thread-key.c.

static pthread_key_t mi_thread_key;
static int mi_thread_key_state;  // 0 none yet, 1 being made, 2 there, 3 none ever
static int mi_threads_ending;    // threads that are in mi_thread_ended
static bool mi_threads_forgotten;

static void mi__thread_ended(int64_t theap);
static void mi__fork_prepare(void);
static void mi__fork_parent(void);
static void mi__fork_child(void);

MI_INLINE void ThreadSlot_probeStack(void) {}
MI_INLINE int32_t ThreadSlot_hasStack(void) { return true; }
MI_INLINE void ThreadSlot_probeStackAgain(void) {}
MI_INLINE void ThreadSlot_probeStackAround(void) {}

// Another destructor of the thread's may still allocate, but we may be in the last round of these, and nobody would tell
// the end once more: so the thread owns nothing from here on.
static void mi_thread_ended(void* theap) {
  __atomic_add_fetch(&mi_threads_ending, 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&mi_threads_forgotten, __ATOMIC_SEQ_CST) && mi_leave_thread(MI_ADDRESS(theap))) mi__thread_ended(MI_ADDRESS(theap));
  __atomic_sub_fetch(&mi_threads_ending, 1, __ATOMIC_RELEASE);
}

static bool mi_has_thread_key(void) {
  int state = __atomic_load_n(&mi_thread_key_state, __ATOMIC_ACQUIRE), none = 0;
  if (state < 2 && __atomic_compare_exchange_n(&mi_thread_key_state, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    int failed = pthread_key_create(&mi_thread_key, mi_thread_ended);
    __atomic_store_n(&mi_thread_key_state, failed ? 3 : 2, __ATOMIC_RELEASE);
  }
  while ((state = __atomic_load_n(&mi_thread_key_state, __ATOMIC_ACQUIRE)) == 1) sched_yield();
  return state == 2;
}

// --- The process' life, and the library's ----------------------------------------------------------------------------
//
// The library may be part of a plugin, and be unloaded in a process that goes on. Then no callback may be left that leads
// into it, and no memory that nobody needs. The same destructors run when the process ends, when other threads may be
// anywhere in here. What tells the two apart is the order: exit() first calls what atexit() registered and then the
// destructors; dlclose() has the plain destructors run first, then (from the object's own start code, with the
// destructors of C++'s static objects) what atexit() registered, and last the destructors with a priority.
//
// That is so of an object that is loaded while the program runs. The constructors of those that it is started with come
// before the C library registers their destructors, so exit() has these in the order of dlclose(). But those objects are
// never unloaded: so it is found out at the start whether this is one of them.

static bool mi_may_unload;  // neither a part of the program nor linked to stay, and mi_at_exit is registered
static bool mi_exits;       // exit() has been called, or dlclose() is past the plain destructors
static bool mi_unloads;     // dlclose() has been called
static bool mi__teardown(bool others, bool live);

static void mi_at_exit(void) { mi_exits = true; }

// The child of a fork has only the thread that forked.
static void mi_fork_child(void) {
  if (mi_purge_thread_state != MI_PURGE_THREAD_NEVER) mi_purge_thread_state = MI_PURGE_THREAD_NONE;
  mi_purge_thread_ends = false;
  mi_purge_thread_unasked = true;
  mi__fork_child();
}

__attribute__((constructor)) static void mi_process_load(void) {
  mi_process_init();
  mi_may_unload = !mi_is_part_of_program() && atexit(mi_at_exit) == 0;
  // Belongs to this object: when that is unloaded the C library forgets them.
  pthread_atfork(mi__fork_prepare, mi__fork_parent, mi_fork_child);
  mi_loaded = true;
  mi_purge_thread_unasked = true;
}

__attribute__((destructor)) static void mi_process_unload(void) {
  mi_unloads = mi_may_unload && !mi_exits;
  mi_process_done();
}

// No thread's end leads in here any more. Also at exit, as an exit handler may still unload us; and not to be undone.
static void mi_forget_threads(void) {
  __atomic_store_n(&mi_threads_forgotten, true, __ATOMIC_SEQ_CST);
  if (mi_may_unload && __atomic_exchange_n(&mi_thread_key_state, 3, __ATOMIC_ACQ_REL) == 2) pthread_key_delete(mi_thread_key);
  if (!mi_unloads) return;
  // A thread that is ending right now must get out first.
  while (__atomic_load_n(&mi_threads_ending, __ATOMIC_SEQ_CST) != 0) sched_yield();
}

// The last of all: static objects and other destructors have had their chance to free what they had.
__attribute__((destructor(101))) static void mi_process_end(void) {
  bool destroy = mi_option_is_enabled(mi_option_destroy_on_exit);
  if (mi_unloads || destroy) mi_stop_purge_thread();
  if (mi_unloads || destroy) mi_stop_watching_faults();
  mi_forget_threads();
  if (mi_unloads) {
    mi__teardown(true, destroy);
  } else if (destroy) {
#if defined(MI_MALLOC_OVERRIDE)
    // Other libraries and libc itself have blocks to the very end, and some read them after us.
    mi__teardown(false, false);
#else
    mi__teardown(false, true);
#endif
  }
}
