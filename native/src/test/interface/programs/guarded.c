// Guarded blocks: what faults, what is reported, who hears of it, and that nothing else changes.
#define _GNU_SOURCE
#include <errno.h>
#include <mimalloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <mimalloc-stats.h>

static int failures;
#define CHECK(condition) \
  do { if (!(condition)) { printf("guarded.c:%d: not so: %s\n", __LINE__, #condition); failures++; } } while (0)

static char said[4096];  // what the last child wrote to stderr

/// Runs a function in a child; returns how that ended: 0, its exit code, or minus the signal.
static int child(void (*run)(void)) {
  int pipes[2], status = 0;
  if (pipe(pipes) != 0) abort();
  pid_t pid = fork();
  if (pid == 0) {
    dup2(pipes[1], STDERR_FILENO);
    alarm(60);
    failures = 0;
    run();
    _exit(failures == 0 ? 0 : 1);
  }
  close(pipes[1]);
  size_t length = 0;
  ssize_t more;
  while ((more = read(pipes[0], said + length, sizeof(said) - 1 - length)) > 0) length += (size_t)more;
  said[length] = 0;
  char* emulator = strstr(said, "qemu: ");  // has words of its own for a fault
  if (emulator != NULL) *emulator = 0;
  close(pipes[0]);
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#if defined(__x86_64__)
enum { KNOWS_KIND = 1 };  // whether the instruction read or wrote
#else
enum { KNOWS_KIND = 0 };
#endif

static bool has_said(const char* text) {
  if (strstr(said, text) != NULL) return true;
  printf("said \"%s\", not \"%s\"\n", said, text);
  return false;
}

static void guard(size_t rate) { mi_theap_guarded_set_sample_rate(mi_theap_get_default(), rate, 1); }

static int last_error;
static void on_error(int code, void* arg) { (void)arg, last_error = code; }
static int error_of_free(void* p) {
  last_error = 0;
  mi_free(p);
  return last_error;
}

static size_t size = 24;
static volatile char* volatile block;  // a handler jumps out from the access behind it
static void allocate(void) {
  guard(1);
  block = mi_malloc(size);
}

static void precise_overflow(void) { mi_option_enable(mi_option_unsafe_guarded_precise), allocate(), block[size] = 1; }
static void precise_over_read(void) { mi_option_enable(mi_option_unsafe_guarded_precise), allocate(), (void)block[size]; }
static void precise_inside(void) { mi_option_enable(mi_option_unsafe_guarded_precise), allocate(), memset((char*)block, 1, size), mi_free((char*)block); }
static void overflow(void) { allocate(), block[(size + 15) / 16 * 16] = 1; }
static void use_after_free(void) { allocate(), mi_free((char*)block), (void)block[3]; }
static void write_after_free(void) { allocate(), mi_free((char*)block), block[0] = 1; }
static void read_of_nothing(void) { size = 0, allocate(), (void)block[0]; }
static void after_destroy(void) {
  mi_heap_t* heap = mi_heap_new();
  mi_theap_guarded_set_sample_rate(mi_heap_theap(heap), 1, 1);
  block = mi_heap_malloc(heap, size);
  mi_heap_destroy(heap);
  (void)block[0];
}
static void after_realloc(void) { allocate(), mi_free(mi_realloc((char*)block, 10 * size)), (void)block[0]; }
static void unreported(void) { mi_option_disable(mi_option_guarded_report), overflow(); }

static void freed_twice(void) {
  mi_option_enable(mi_option_show_errors);
  allocate(), mi_free((char*)block), mi_free((char*)block);
}

static void faults(void) {
  const size_t sizes[] = {1, 8, 24, 100, 1000, 4096, 5000, 100000, 5 << 20};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    size = sizes[i];
    CHECK(child(precise_inside) == 0);
    CHECK(child(precise_overflow) == -SIGSEGV && has_said(", 0 bytes past the end of the block 0x"));
    CHECK(child(precise_over_read) == -SIGSEGV && has_said(", 0 bytes past the end of the block 0x"));
    CHECK(child(overflow) == -SIGSEGV && has_said(" bytes in heap 0, allocated by thread 0x"));
    if (size > 50000) continue;  // the addresses of large ones go at once
    CHECK(child(write_after_free) == -SIGSEGV && has_said(", 0 bytes inside the freed block 0x") && has_said(", freed by thread 0x"));
  }
  size = 24;
  CHECK(child(overflow) == -SIGSEGV && has_said(", 8 bytes past the end of the block 0x") && has_said(" of 24 bytes"));
#if defined(__x86_64__)
  CHECK(child(overflow) == -SIGSEGV && has_said(KNOWS_KIND ? "mimalloc: error: write at 0x" : "mimalloc: error: access at 0x"));
  CHECK(child(precise_over_read) == -SIGSEGV && has_said(KNOWS_KIND ? "mimalloc: error: read at 0x" : "mimalloc: error: access at 0x"));
#endif
  CHECK(child(use_after_free) == -SIGSEGV && has_said(", 3 bytes inside the freed block 0x"));
  CHECK(child(read_of_nothing) == -SIGSEGV && has_said(" of 0 bytes"));
  size = 24;
  CHECK(child(after_destroy) == -SIGSEGV && has_said("the freed block 0x"));
  CHECK(child(after_realloc) == -SIGSEGV && has_said("the freed block 0x"));
  CHECK(child(freed_twice) == 0 && has_said("freed twice") && has_said(" 24 bytes, and was freed by thread 0x"));
  CHECK(child(unreported) == -SIGSEGV && said[0] == 0);
}

// --- Who else hears of a fault ------------------------------------------------------------------------------------------

static sigjmp_buf back;
static void* heard_at;
static char* heard_on;
static sigset_t heard_with;
static void hear(int signal, siginfo_t* info, void* context) {
  char here;
  (void)signal, (void)context;
  heard_at = info->si_addr, heard_on = &here;
  pthread_sigmask(SIG_BLOCK, NULL, &heard_with);
  siglongjmp(back, 1);
}
static void hear_plainly(int signal) { _exit(signal == SIGSEGV ? 42 : 43); }

static void set_handler(void (*handler)(int), int flags) {
  struct sigaction action = {.sa_flags = flags};
  action.sa_handler = handler;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

static void handed_on(void) {
  enum { STACK = 64 << 10 };
  static char stack[STACK];
  stack_t own = {.ss_sp = stack, .ss_size = STACK};
  sigaltstack(&own, NULL);
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
  action.sa_sigaction = hear;
  sigaddset(&action.sa_mask, SIGUSR1);
  sigaction(SIGSEGV, &action, NULL);
  static int i;
  for (i = 0; i < 3; i++) {  // it goes on after each
    if (sigsetjmp(back, 1) == 0) overflow();
    CHECK(heard_at == block + 32 && heard_on >= stack && heard_on < stack + STACK);
    CHECK(sigismember(&heard_with, SIGUSR1) == 1 && sigismember(&heard_with, SIGSEGV) == 1);
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGSEGV) == 0 && sigismember(&now, SIGUSR1) == 0);
    mi_free((char*)block);
  }
  if (sigsetjmp(back, 1) == 0) *(volatile char*)stack = *(volatile char*)16;  // a fault that is not ours
  CHECK(heard_at == (void*)16);
}

// A handler that has asked for no other stack does not run there.
static void handed_on_here(void) {
  static char stack[64 << 10];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = hear;
  sigaction(SIGSEGV, &action, NULL);
  if (sigsetjmp(back, 1) == 0) overflow();
  CHECK(heard_at == block + 32 && (heard_on < stack || heard_on >= stack + sizeof(stack)));
}

static struct sigaction older;
static void chain(int signal, siginfo_t* info, void* context) { older.sa_sigaction(signal, info, context); }
static void set_chain(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = chain;
  sigaction(SIGSEGV, &action, &older);
}
static void chained_in_a_circle(void) { set_chain(), allocate(), set_chain(), overflow(); }
static void raised_in_a_circle(void) { set_chain(), allocate(), set_chain(), raise(SIGSEGV); }

// Out of handlers, each time at another depth of the stack.
static void jumped_out(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = hear;
  sigaction(SIGSEGV, &action, NULL);
  static int i;
  for (i = 0; i < 100; i++) {
    heard_at = NULL;
    if (sigsetjmp(back, 1) == 0) overflow();
    CHECK(heard_at == block + 32);
    mi_free((char*)block);
  }
}

static void handed_on_plainly(void) { set_handler(hear_plainly, 0), overflow(); }
static void handed_on_once(void) { set_handler(hear_plainly, (int)SA_RESETHAND), overflow(); }
static void ignored(void) { set_handler(SIG_IGN, 0), overflow(); }
static void ignored_raise(void) { set_handler(SIG_IGN, 0), allocate(), raise(SIGSEGV); }
static void raised(void) { allocate(), raise(SIGSEGV); }
static void raised_bus(void) { allocate(), raise(SIGBUS); }
static void not_ours(void) { allocate(), (void)*(volatile char*)16; }

static void no_handler(void) {
  struct sigaction now;
  mi_free(mi_malloc(100));
  CHECK(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  allocate();
  CHECK(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler != SIG_DFL);
}

static void handlers(void) {
  CHECK(child(handed_on) == 0 && has_said("past the end"));
  CHECK(child(handed_on_here) == 0 && has_said("past the end"));
  CHECK(child(chained_in_a_circle) == -SIGSEGV && has_said("past the end"));
  CHECK(child(raised_in_a_circle) == -SIGSEGV);
  CHECK(child(jumped_out) == 0);
  CHECK(child(handed_on_plainly) == 42 && has_said("past the end"));
  CHECK(child(handed_on_once) == 42);
  CHECK(child(ignored) == -SIGSEGV && has_said("past the end"));
  CHECK(child(ignored_raise) == 0 && said[0] == 0);
  CHECK(child(raised) == -SIGSEGV && said[0] == 0);
  CHECK(child(raised_bus) == -SIGBUS && said[0] == 0);
  CHECK(child(not_ours) == -SIGSEGV && said[0] == 0);
  CHECK(child(no_handler) == 0);
}

// --- What is found at a free --------------------------------------------------------------------------------------------

static void found_at_free(void) {
  mi_register_error(on_error, NULL);
  guard(1);
  for (size_t n = 1; n < 100; n++) {
    char* p = mi_malloc(n);
    CHECK(mi_usable_size(p) == n && (uintptr_t)p % (n <= 8 ? 8 : 16) == 0);
    memset(p, 1, n);
    CHECK(error_of_free(p + 8) == EINVAL && error_of_free(p) == 0 && error_of_free(p) == EAGAIN);
    if (n % 16 == 0 || n == 8) continue;
    p = mi_malloc(n);
    p[n] = 0;
    CHECK(error_of_free(p) == EFAULT);
    p = mi_malloc(n);
    p[-1] = 0;
    CHECK(error_of_free(p) == EFAULT);
    p = mi_malloc(n);
    p[n] = 0;
    last_error = 0;
    p = mi_realloc(p, 2 * n);
    CHECK(p != NULL && last_error == EFAULT);
    mi_free(p);
  }
}

// --- Blocks are as they always are --------------------------------------------------------------------------------------

static bool is_all(const char* p, size_t n, char value) {
  for (size_t i = 0; i < n; i++) if (p[i] != value) return false;
  return true;
}

static void blocks(void) {
  guard(1);
  for (int precise = 0; precise < 2; precise++) {
    mi_option_set_enabled(mi_option_unsafe_guarded_precise, precise);
    for (size_t n = 0; n < 300000; n = n * 5 / 4 + 1) {
      for (size_t alignment = 8; alignment <= 256 << 10; alignment *= 4) {
        char* p = mi_malloc_aligned(n, alignment);
        CHECK(p != NULL && (uintptr_t)p % alignment == 0 && mi_usable_size(p) >= n);
        memset(p, 1, n);
        mi_free(p);
        p = mi_malloc_aligned_at(n, alignment, 8);
        CHECK(p != NULL && (uintptr_t)(p + 8) % alignment == 0 && mi_usable_size(p) >= n);
        memset(p, 1, n);
        mi_free(p);
      }
      char* p = mi_zalloc(n);
      CHECK(p != NULL && is_all(p, n, 0) && mi_heap_of(p) == mi_heap_main() && mi_any_heap_contains(p));
      memset(p, 1, n);
      for (size_t next = n + 3; next != 0; next /= 3) {
        p = mi_rezalloc(p, next);
        CHECK(p != NULL && mi_usable_size(p) >= next && is_all(p, next < n ? next : n, 1));
      }
      CHECK(mi_expand(p, mi_usable_size(p)) == p);
      mi_free(p);
    }
  }
}

static bool visit(const mi_heap_t* heap, const mi_heap_area_t* area, void* p, size_t n, void* arg) {
  (void)heap, (void)area;
  if (p != NULL && n >= 100 && *(void**)arg == p) mi_free(p), *(void**)arg = NULL;
  return true;
}

static void heaps(void) {
  mi_register_error(on_error, NULL);
  mi_heap_t* heap = mi_heap_new();
  mi_theap_guarded_set_sample_rate(mi_heap_theap(heap), 1, 1);
  void* p = mi_heap_malloc(heap, 100);
  CHECK(mi_heap_of(p) == heap && mi_heap_contains(heap, p));
  void* shown = p;
  CHECK(mi_heap_visit_blocks(heap, true, visit, &shown) && shown == NULL);
  p = mi_heap_malloc(heap, 100);
  mi_heap_delete(heap);
  CHECK(mi_heap_of(p) == mi_heap_main() && error_of_free(p) == 0);
}

static size_t guarded_count(void) {
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  return (size_t)stats.malloc_guarded_count.total;
}

enum { COUNTED = 100000, RATE = 100 };

static void sampled(void) {
  for (size_t n = 16; n <= 10000; n *= 5) {
    size_t before = guarded_count();
    guard(RATE);
    for (int i = 0; i < COUNTED; i++) mi_free(mi_malloc(n));
    guard(0);
    size_t count = guarded_count() - before;
    // Sums of 1000 numbers of 1 to 199: their standard deviation is 58 % of 100 * sqrt(1000), so this is 8 of it.
    CHECK(count > COUNTED / RATE * 85 / 100 && count < COUNTED / RATE * 115 / 100);
    for (int i = 0; i < COUNTED; i++) mi_free(mi_malloc(n));
    CHECK(guarded_count() == before + count);
  }
  // The sizes to guard, among others.
  mi_theap_guarded_set_size_bound(mi_theap_get_default(), 100, 200);
  size_t before = guarded_count();
  guard(RATE);
  for (int i = 0; i < COUNTED; i++) mi_free(mi_malloc(99)), mi_free(mi_malloc(201));
  CHECK(guarded_count() == before);
  for (int i = 0; i < COUNTED; i++) mi_free(mi_malloc(150)), mi_free(mi_malloc(1000));
  size_t count = guarded_count() - before;
  CHECK(count > COUNTED / RATE * 85 / 100 && count < COUNTED / RATE * 115 / 100);
}

// Blocks that stay: when there are as many as may be the others are not guarded. All of them come back.
static void many(void) {
  enum { BLOCKS = 10000 };
  static char* all[BLOCKS];
  mi_register_error(on_error, NULL);
  guard(1);
  for (int i = 0; i < BLOCKS; i++) memset(all[i] = mi_malloc(48), i, 48);
  size_t count = guarded_count();
  CHECK(count > 1000 && count <= 4096);
  for (int i = 0; i < BLOCKS; i++) CHECK(is_all(all[i], 48, (char)i) && error_of_free(all[i]) == 0);
  for (int i = 0; i < 4 * BLOCKS; i++) mi_free(mi_malloc(4000));  // each in a mapping that another one had
  CHECK(guarded_count() >= count + BLOCKS / 2);
  mi_collect(true);
  int mappings = 0, letter;
  FILE* file = fopen("/proc/self/maps", "r");
  while (file != NULL && (letter = getc(file)) != EOF) mappings += letter == '\n';
  if (file != NULL) fclose(file);
  CHECK(mappings < 2 * 4096 + 200);
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  CHECK(stats.page_committed.current < 1 << 20 && stats.committed.current < 8 << 20);
}

static char* shared[64];  // swapped by atomic operations only
static void* thread(void* seed) {
  unsigned random = (unsigned)(uintptr_t)seed;
  mi_theap_guarded_set_sample_rate(mi_theap_get_default(), 3, random);
  for (int i = 0; i < 5000; i++) {
    random = random * 1103515245 + 12345;
    size_t n = 8 + random / 65536 % 500;
    char* p = mi_malloc(n);
    memset(p, (int)(n & 127), n);
    *(size_t*)(void*)p = n;
    p = __atomic_exchange_n(&shared[random / 1024 % 64], p, __ATOMIC_ACQ_REL);
    if (p == NULL) continue;
    n = *(size_t*)(void*)p;
    if (!is_all(p + 8, n - 8, (char)(n & 127))) abort();
    mi_free(p);
  }
  return NULL;
}

static void threads(void) {
  pthread_t all[4];
  mi_register_error(on_error, NULL);
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&all[i], NULL, thread, (void*)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(all[i], NULL);
  for (int i = 0; i < 64; i++) mi_free(shared[i]);
  CHECK(last_error == 0 && guarded_count() > 4 * 5000 / 3 / 2);
}

static void forked(void) {
  allocate();
  pid_t pid = fork();
  if (pid == 0) {
    mi_register_error(on_error, NULL);
    CHECK(error_of_free((char*)block) == 0);
    for (int i = 0; i < 1000; i++) mi_free(mi_malloc(100));
    volatile char* p = mi_malloc(32);
    p[32] = 1;
    _exit(3);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  *block = 1;
  mi_free((char*)block);
}

static void refused(void) {
  mi_free(mi_malloc(100));  // so that there is an arena
  guard(1);
  mi_free(mi_malloc(100));
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = 1;  // nothing can be mapped any more
  setrlimit(RLIMIT_AS, &limit);
  size_t before = guarded_count();
  for (int i = 0; i < 1000; i++) {
    char* p = mi_malloc(100);
    CHECK(p != NULL);
    if (p != NULL) memset(p, 1, 100);
    mi_free(p);
  }
  CHECK(guarded_count() == before);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  faults();
  handlers();
  void (*const others[])(void) = {found_at_free, blocks, heaps, sampled, many, threads, forked, refused};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
#if defined(MI_EMULATOR)
    if (others[i] == refused) continue;  // the limit would be the emulator's
#endif
    int ended = child(others[i]);
    if (ended != 0) printf("part %zu ended with %d, and said: %s\n", i, ended, said), failures++;
  }
  if (failures == 0) puts("ok");
  return failures != 0;
}
