// The walk up the stack names exactly the calls that there are, and never faults. The source is included, as no library exports
// it. There are two programs of this: one goes by unwind tables and has no frame pointers, the other has these only.
#define _GNU_SOURCE
#include "unwind.h"

#include <dlfcn.h>
#pragma weak dlsym
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <ucontext.h>
#endif

#define MI_INLINE static inline __attribute__((always_inline, unused))
#define MI_SLOW static __attribute__((noinline))
#if !defined(__linux__)
static int64_t ThreadSlot_id(void) { return 0; }
static int64_t Os_pageSize(void) { return sysconf(_SC_PAGESIZE); }
#endif
#if !defined(WITH_FRAMES)
#define WITH_FRAMES 0
#endif
#if WITH_FRAMES
#define MI_HAS_CFI 0
#endif
#include "../../../main/c/system/unwind.c"

#if MI_HAS_CFI
#define HAS_TABLES (mi_find_object != NULL)  // not before glibc 2.35, and nowhere else
#else
#define HAS_TABLES false
#endif
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__riscv)
#define HAS_FRAMES WITH_FRAMES
#else
#define HAS_FRAMES 0
#endif

#if defined(__clang__)
#define IS_CLANG 1
#else
#define IS_CLANG 0
#endif

#define NOINLINE __attribute__((noinline))
#define STAY() __asm__ volatile("" ::: "memory")  // the call before is not the function's last act, nor known
#define CHECK(condition) \
  if (!(condition)) failures++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)

enum { MANY = 512 };
static int failures, limit = MANY;
static uintptr_t expected[MANY], walked[MANY], told[MANY];  // by the calls themselves, the last one last; by us; by another
static int expectations, count;
static bool is_without_tables;  // some of the calls: nobody else goes on there, or goes astray

void enter(void* returns_to) { expected[expectations++] = (uintptr_t)returns_to; }
#define ENTER() enter(__builtin_return_address(0))

static _Unwind_Reason_Code tell(struct _Unwind_Context* context, void* n) {
  uintptr_t pc = _Unwind_GetIP(context);
  if (*(int*)n < MANY && pc != 0) told[(*(int*)n)++] = pc;
  return _URC_NO_REASON;
}

NOINLINE void walk(void) {
  ENTER();
  memset(walked, 0, sizeof(walked));
  errno = 77;
  count = mi_unwind(walked, limit);
  CHECK(errno == 77);
  CHECK(count >= 1 && count <= limit && walked[0] - (uintptr_t)walk < 1024);
  if (!HAS_TABLES || is_without_tables) return;
  // The compiler's unwinder, which may allocate, says what we say; but LLVM's leaves out a _start without tables.
  int others = 0;
  _Unwind_Backtrace(tell, &others);
  if (others > limit) others = limit;
  CHECK(count == others || (IS_CLANG && count == others + 1));
  if (others > 1) CHECK(memcmp(walked + 1, told + 1, sizeof(*told) * (size_t)(others - 1)) == 0);
}

// Are the calls that have been entered last those that the walk found first?
static bool found(int n) {
  bool all = n <= expectations && n < MANY;
  for (int i = 0; all && i < n; i++) all = walked[1 + i] == expected[expectations - 1 - i];
  for (int i = 0; !all && i < n && i < expectations; i++) {
    printf("  %d: %#zx, expected %#zx\n", i, (size_t)walked[1 + i], (size_t)expected[expectations - 1 - i]);
  }
  return all;
}

static bool finds(uintptr_t address) {
  for (int i = 0; i < count; i++) {
    if (walked[i] == address) return true;
  }
  return false;
}

#define CAN_WALK (HAS_TABLES || HAS_FRAMES)

static NOINLINE void c(void) { ENTER(); walk(); STAY(); }
static NOINLINE void b(void) { ENTER(); c(); STAY(); }
static NOINLINE void a(void) { ENTER(); b(); STAY(); }

static NOINLINE void chain(void) {
  expectations = 0;
  ENTER();
  a();
  if (CAN_WALK) CHECK(count >= 5 && found(5));
  for (limit = 0; limit < 4; limit++) {
    walked[limit] = 1;
    CHECK(mi_unwind(walked, limit) <= limit && walked[limit] == 1);
  }
  limit = 3;
  expectations = 0;
  a();
  if (CAN_WALK) CHECK(count == 3 && found(2) && walked[3] == 0);
  limit = MANY;
}

static NOINLINE void recursive(int depth) {
  ENTER();
  if (depth > 0) recursive(depth - 1);
  else walk();
  STAY();
}

static NOINLINE void deep(void) {
  expectations = 0;
  ENTER();
  recursive(200);
  if (CAN_WALK) CHECK(count > 203 && found(203));
}

static NOINLINE void variable(size_t size) {
  ENTER();
  char* bytes = __builtin_alloca(size);
  memset(bytes, 1, size);
  walk();
  __asm__ volatile("" ::"r"(bytes) : "memory");
}

static NOINLINE void aligned(size_t size) {
  ENTER();
  _Alignas(128) char bytes[256];
  char more[size];
  memset(bytes, 1, sizeof(bytes));
  memset(more, 1, size);
  variable(size + (size_t)bytes[0]);
  __asm__ volatile("" ::"r"(bytes), "r"(more) : "memory");
}

static NOINLINE void large(void) {
  ENTER();
  char bytes[200 << 10];
  memset(bytes, 1, sizeof(bytes));
  aligned(100);
  __asm__ volatile("" ::"r"(bytes) : "memory");
}

static NOINLINE void frames(void) {
  expectations = 0;
  ENTER();
  large();
  if (CAN_WALK) CHECK(count >= 5 && found(5));
}

static int compare(const void* one, const void* other) {
  ENTER();
  walk();
  STAY();
  return *(const int*)one - *(const int*)other;
}

static NOINLINE void sort(void) {
  int numbers[] = {2, 1};
  ENTER();
  qsort(numbers, 2, sizeof(*numbers), compare);
  STAY();
}

// libc's own calls lie between.
static NOINLINE void library(void) {
  expectations = 0;
  sort();
  if (CAN_WALK) CHECK(found(2));
  if (HAS_TABLES) CHECK(finds(expected[0]) && count > 4);
}

static void* start(void* unused) {
  expectations = 0;
  ENTER();
  a();
  STAY();
  return unused;
}

static void threads(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, start, NULL) == 0 && pthread_join(thread, NULL) == 0);
  if (CAN_WALK) CHECK(count >= 5 && found(5));
}

// Between code with tables lies some that has none, but frame pointers. On aarch64 these do not tell where a frame ends.
static NOINLINE void without_tables(void) {
  expectations = 0;
  ENTER();
  is_without_tables = true;
  untold(walk);
  is_without_tables = false;
  if (CAN_WALK) CHECK(count >= 2 && found(2));
  if (CAN_WALK && !IS_AARCH64) CHECK(count >= 3 && found(3));
}

static NOINLINE void exceptions(void) {
  expectations = 0;
  ENTER();
  CHECK(cleans_up(walk) == 7);
  if (CAN_WALK) CHECK(count >= 5 && found(5));
}

// A call that does not return may be a function's last instruction: it would return to another one.
static jmp_buf back;
static NOINLINE _Noreturn void leave(void) {
  ENTER();
  walk();
  longjmp(back, 1);
}
static NOINLINE _Noreturn void leave_at_end(void) {
  ENTER();
  leave();
}

static NOINLINE void last_acts(void) {
  expectations = 0;
  ENTER();
  if (setjmp(back) == 0) leave_at_end();
  if (CAN_WALK) CHECK(count >= 4 && found(4));
}

// What the tables say of an entry of a PLT: 8 above rsp, and 8 more once rip is past its push, at 11 of 16.
static void expressions(void) {
#if MI_HAS_CFI && defined(__x86_64__)
  static const unsigned char plt[] = {11, 0x77, 8, 0x80, 0, 0x3F, 0x1A, 0x3B, 0x2A, 0x33, 0x24, 0x22};
  static const unsigned char adds[] = {2, 0x30, 0x22}, empties[] = {1, 0x22};
  static const unsigned char unknown[] = {1, 0xFF}, fills[] = {9, 48, 48, 48, 48, 48, 48, 48, 48, 48};
  for (uintptr_t at = 0; at < 16; at++) {
    mi_walk walk = {.registers = {[MI_SP] = 1000, [MI_PC] = 4096 + at}};
    uintptr_t value = 0;
    CHECK(mi_evaluate(&walk, plt, 0, &value) && value == (at < 11 ? 1008 : 1016));
    CHECK(!mi_evaluate(&walk, unknown, 0, &value) && !mi_evaluate(&walk, fills, 0, &value));
    CHECK(!mi_evaluate(&walk, empties, 0, &value));
    CHECK(mi_evaluate(&walk, adds, 5, &value) && value == 5);
  }
#endif
}

// A library of one function has gone, and another come to its place, which differs in nothing but the size of a frame.
#if MI_HAS_CFI
static struct { uint32_t kinds; int32_t tables; uint32_t count; int32_t code, entry; unsigned char entries[48]; } made;

static int find_made(void* pc, mi_object* found) {
  *found = (mi_object){.header = (const unsigned char*)&made};
  return (uintptr_t)pc - (uintptr_t)&made < sizeof(made) ? 0 : -1;
}

static void make_library(unsigned char frame) {
  enum { SP = MI_FIRST_REGISTER + MI_SP, RETURN = IS_AARCH64 ? 30 : 16, COMMON = 24, CODE = COMMON + 8 };
  int32_t begins = (int32_t)((char*)&made - (char*)made.entries) - CODE;
  const unsigned char bytes[] = {
      COMMON - 4, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, RETURN, 1, 0x1B, 0x0C, SP, 8, 0x80 | RETURN, 1, 0, 0,
      20, 0, 0, 0, COMMON + 4, 0, 0, 0, 0, 0, 0, 0, sizeof(made), 0, 0, 0, 0, 0x0E, frame, 0};
  made.kinds = MI_HEADER;
  made.count = 1;
  made.code = 0;
  made.entry = (int32_t)((char*)made.entries - (char*)&made) + COMMON;
  memcpy(made.entries, bytes, sizeof(bytes));
  memcpy(made.entries + CODE, &begins, sizeof(begins));
}

static void replaced(void) {
  int (*real)(void*, mi_object*) = mi_find_object;
  mi_find_object = find_made;
  for (unsigned char frame = 16; frame < 128; frame += 16) {
    make_library(frame);
    for (int again = 0; again < 3; again++) {
      mi_rules rules;
      CHECK(mi_find_rules((uintptr_t)&made + 8, &rules));
      CHECK(rules.row.frame_register == MI_SP && rules.row.frame == frame);
    }
  }
  mi_find_object = real;
}
#else
static void replaced(void) {}
#endif

// --- Signals -----------------------------------------------------------------------------------------------------------

enum { PAGE = 64 << 10 };  // the largest OS page
static char* page;

static void* interrupted(const void* context) {
#if !defined(__linux__)
  return (void)context, NULL;
#elif defined(__x86_64__)
  return (void*)((const ucontext_t*)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (void*)((const ucontext_t*)context)->uc_mcontext.pc;
#else
  return (void)context, NULL;
#endif
}

static void on_fault(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info;
  mprotect(page, PAGE, PROT_READ);
  enter(interrupted(context));
  ENTER();
  walk();
  STAY();
}

static NOINLINE int touch(const volatile char* at) {
  ENTER();
  return *at;
}

// Faults with its first instruction, and the function before it has another frame.
#if defined(__linux__) && defined(__x86_64__)
__asm__(".text\n\t.cfi_startproc\n\t.cfi_def_cfa_offset 4096\n\tnop\n\t.cfi_endproc\n"
        "touch_first:\n\t.cfi_startproc\n\tmovzbl (%rdi), %eax\n\tret\n\t.cfi_endproc\n");
int touch_first(const volatile char* at);
#elif defined(__linux__) && defined(__aarch64__)
__asm__(".text\n\t.cfi_startproc\n\t.cfi_def_cfa_offset 4096\n\tnop\n\t.cfi_endproc\n"
        "touch_first:\n\t.cfi_startproc\n\tldrb w0, [x0]\n\tret\n\t.cfi_endproc\n");
int touch_first(const volatile char* at);
#else
#define touch_first touch
#endif

static NOINLINE int touch_by_other(const volatile char* at) {
  ENTER();
  int result = touch_first(at);
  STAY();
  return result;
}

static NOINLINE void signals(bool on_other_stack) {
  char* stack = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(stack + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);  // what is above faults as well
  stack_t other = {.ss_sp = stack + PAGE, .ss_size = 2 * PAGE};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | (on_other_stack ? SA_ONSTACK : 0)};
  CHECK(sigaltstack(&other, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
  page = stack;
  is_without_tables = IS_CLANG && IS_AARCH64;  // LLVM's unwinder reads past the tables of the vDSO that qemu 11 has
  expectations = 0;
  ENTER();
  touch(page);
  if (CAN_WALK) CHECK(found(2));
  if (HAS_TABLES) CHECK(count >= 6 && found(5));
  mprotect(page, PAGE, PROT_NONE);
  expectations = 0;
  touch_by_other(page);
  is_without_tables = false;
  signal(SIGSEGV, SIG_DFL);
  if (HAS_TABLES) {
    CHECK(found(3));
    CHECK(count > 5 && walked[5] == expected[0]);  // behind where touch_first returns to
  }
}

// --- Garbage -----------------------------------------------------------------------------------------------------------

static uint64_t seed = 1;
static uintptr_t next_random(void) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uintptr_t)(seed >> 13 ^ seed << 31);
}

// What somebody may have left in a register: nothing, anything, an address nearby.
static uintptr_t garbage(uintptr_t near) {
  uintptr_t random = next_random();
  switch (random % 8) {
    case 0: return random >> 3 & 0xFF;
    case 1: return random;
    case 2: return -(random >> 3 & 0xFF);
    case 3: return near + (random >> 3) % 512;
    case 4: return (near + (random >> 3) % (256 << 10)) & -(uintptr_t)16;
    case 5: return (near | (PAGE - 1)) + 1 - 8 * ((random >> 3) % 4);
    default: return (near + (random >> 3) % 8192) & -(uintptr_t)16;
  }
}

#if defined(__x86_64__)
__asm__(".text\nwith_frame:\n\tpush %rbp\n\tmov %rdi, %rbp\n\tcall *%rsi\n\tpop %rbp\n\tret\n");
#elif defined(__aarch64__)
__asm__(".text\nwith_frame:\n\tstp x29, x30, [sp, -16]!\n\tmov x29, x0\n\tblr x1\n\tldp x29, x30, [sp], 16\n\tret\n");
#endif
#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__ELF__)
void with_frame(uintptr_t frame, void (*function)(void));
#else
static void with_frame(uintptr_t frame, void (*function)(void)) { (void)frame, function(); }
#endif

static NOINLINE void look(void) { count = mi_unwind(walked, 64); }

static void corrupt(int signal) {
  (void)signal;
  for (int i = 0; i < 20000; i++) with_frame(garbage((uintptr_t)&i), look);
  CHECK(count >= 1);
#if MI_HAS_CFI
  const uintptr_t code[] = {(uintptr_t)qsort, (uintptr_t)corrupt, (uintptr_t)pthread_create, (uintptr_t)cleans_up};
  for (int i = 0; i < 50000; i++) {
    mi_walk any = {.pc = code[i % 4] + next_random() % (32 << 10), .is_interrupted = i % 3 == 0};
    for (int r = 0; r < MI_REGISTERS; r++) any.registers[r] = garbage((uintptr_t)&any);
    mi_walk_up(&any, walked, 64);
  }
#endif
}

// On the thread's stack, and on one that ends with memory that faults.
static void garbled(void) {
  struct sigaction action = {.sa_handler = corrupt, .sa_flags = SA_ONSTACK};
  corrupt(0);
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
}

int main(void) {
  mi_prepare_walks();
  if (!CAN_WALK) printf("only the caller is known here\n");
  chain();
  deep();
  frames();
  library();
  threads();
  without_tables();
  exceptions();
  last_acts();
  expressions();
  replaced();
  signals(false);
  signals(true);
  garbled();
  printf("unwind: %d failed\n", failures);
  return failures != 0;
}
