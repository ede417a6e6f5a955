// Requests that must be refused, and what an attacker can know or use without a misuse.
#include "misuse.h"
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// A size that only the run knows.
static size_t unknown(size_t size) { return (size_t)hide((void*)size); }

#define ASK(request) \
  do { \
    void* p = NULL; \
    MISUSE(p = (request)); \
    return p == NULL ? REFUSED : MISSED; \
  } while (0)

static enum outcome by_malloc(size_t size, size_t bytes) {
  (void)size;
  ASK(malloc(unknown(bytes)));
}

static enum outcome by_calloc(size_t size, size_t count) {
  (void)size;
  ASK(calloc(unknown(count), SIZE_MAX / count + 2));
}

static enum outcome by_reallocarray(size_t size, size_t count) {
  (void)size;
  ASK(reallocarray(NULL, unknown(count), SIZE_MAX / count + 2));
}

static enum outcome by_pvalloc(size_t size, size_t bytes) {
  (void)size;
  ASK(pvalloc(unknown(bytes)));
}

static enum outcome by_memalign(size_t size, size_t alignment) {
  (void)size;
  ASK(memalign(unknown(alignment), 100));
}

static enum outcome by_aligned_alloc(size_t size, size_t bytes) {
  (void)size;
  ASK(aligned_alloc(4096, unknown(bytes)));
}

static enum outcome by_posix_memalign(size_t size, size_t alignment) {
  (void)size;
  void* p = NULL;
  int error = 0;
  MISUSE(error = posix_memalign(&p, unknown(alignment), 100));
  return error != 0 ? REFUSED : MISSED;
}

// The block stays as it is.
static enum outcome by_realloc(size_t size, size_t bytes) {
  (void)size;
  char* p = malloc(100);
  strcpy(p, "kept");
  char* q = NULL;
  MISUSE(q = realloc(p, unknown(bytes)));
  return q == NULL && strcmp(p, "kept") == 0 ? REFUSED : MISSED;
}

static const struct misuse request_cases[] = {
    {"malloc-of-SIZE_MAX", by_malloc, NULL, SIZE_MAX},
    {"malloc-of-PTRDIFF_MAX+1", by_malloc, NULL, (size_t)PTRDIFF_MAX + 1},
    {"malloc-of-minus-100", by_malloc, NULL, (size_t)-100},
    {"calloc-wraps-around", by_calloc, NULL, 16},
    {"calloc-wraps-around-at-32-bits", by_calloc, NULL, (size_t)1 << 32},
    {"reallocarray-wraps-around", by_reallocarray, NULL, 16},
    {"realloc-to-SIZE_MAX", by_realloc, NULL, SIZE_MAX},
    {"pvalloc-wraps-around", by_pvalloc, NULL, SIZE_MAX - 100},
    {"aligned_alloc-of-SIZE_MAX", by_aligned_alloc, NULL, SIZE_MAX - 4095},
    {"memalign-to-2^63", by_memalign, NULL, (size_t)1 << 63},
    {"posix_memalign-to-24", by_posix_memalign, NULL, 24},
};
const struct group requests = GROUP("impossible requests", request_cases);

// --- what an attacker can rely on ---------------------------------------------------------------------------------------------

static struct row row;

static void allocate_of_all_sizes(void) {
  for (const size_t* size = every_size; *size != 0; size++) row_fill(&row, 16, *size);
}

// Memory that can be written and executed, or is executed from no file.
static enum outcome executable(size_t size, size_t amount) {
  (void)size, (void)amount;
  allocate_of_all_sizes();
  enum outcome outcome = PREVENTED;
  FILE* maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return ABSENT;
  char line[4096], permissions[5], file[4096];
  MISUSE(while (fgets(line, sizeof line, maps) != NULL) {
    file[0] = 0;
    if (sscanf(line, "%*s %4s %*s %*s %*s %4095s", permissions, file) < 1) fail("a line of maps");
    bool kernels = strcmp(file, "[vdso]") == 0 || strcmp(file, "[vsyscall]") == 0;
    if (permissions[2] == 'x' && !kernels && (permissions[1] == 'w' || file[0] != '/')) outcome = MISSED;
  });
  return outcome;
}

// The first block of a size in a process of its own.
static uintptr_t address_in_another_process(size_t size) {
  int ends[2];
  if (pipe(ends) != 0) fail("no pipe");
  pid_t child = fork();
  if (child == 0) {
    char text[32];
    snprintf(text, sizeof text, "%zu", size);
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "misuse", "print-an-address", text, (char*)NULL);
    _exit(9);
  }
  close(ends[1]);
  uintptr_t address = 0;
  if (child < 0 || read(ends[0], &address, sizeof address) != (ssize_t)sizeof address) fail("no address");
  close(ends[0]);
  waitpid(child, NULL, 0);
  return address;
}

static enum outcome print_an_address(size_t size, size_t amount) {
  (void)amount;
  uintptr_t address = (uintptr_t)malloc(size);
  if (write(STDOUT_FILENO, &address, sizeof address) < 0) _exit(9);
  _exit(0);
}

// The bits of an address that differ from process to process: a bit that does is seen in 16 of them. 16 bits are 65536 tries
// for who has but one, and an attacker mostly has one.
static enum outcome guessed_address(size_t size, size_t least_bits) {
  uintptr_t first = 0, differ = 0;
  MISUSE(first = address_in_another_process(size); for (int i = 0; i < 15; i++) differ |= first ^ address_in_another_process(size));
  return (size_t)__builtin_popcountll(differ) < least_bits ? MISSED : PREVENTED;
}

// Who knows one block knows the next.
static enum outcome known_order(size_t size, size_t amount) {
  (void)amount;
  size_t next = 0;
  MISUSE(row_fill(&row, 64, size));
  for (size_t i = 1; i < row.count; i++) next += (size_t)(row.blocks[i] - row.blocks[i - 1]) < 2 * size + 64;
  return next > row.count / 2 ? MISSED : PREVENTED;
}

static const struct misuse layout_cases[] = {
    {"memory-that-can-be-executed", executable, NULL, 0},
    {"address-known-from-another-run", guessed_address, every_size, 1},
    {"address-of-few-random-bits", guessed_address, every_size, 16},
    {"next-block-is-the-neighbour", known_order, listed_sizes, 0},
};
const struct group layout = GROUP("what can be foreseen", layout_cases);

// Not a case: what one of them starts.
const struct misuse helper = {"print-an-address", print_an_address, NULL, 0};
