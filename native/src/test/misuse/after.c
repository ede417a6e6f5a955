// Blocks that are used after they were freed, and what the next owner finds in them.
#include "misuse.h"
#include <malloc.h>

static const char secret[8] = {'s', 'e', 'c', 'r', 'e', 't', '!', '!'};

// The end of a block is no place for a list's links.
static char* secret_of(char* p, size_t size) { return p + size - sizeof secret; }

static char* block_with_secret(size_t size) {
  char* p = block(size);
  for (size_t i = 0; i + sizeof secret <= size; i += sizeof secret) memcpy(p + i, secret, sizeof secret);
  memcpy(secret_of(p, size), secret, sizeof secret);
  return p;
}

static enum outcome secret_there(char* p, size_t size) {
  return memcmp(secret_of(p, size), secret, sizeof secret) == 0 ? MISSED : PREVENTED;
}

static enum outcome read_after_free(size_t size, size_t amount) {
  (void)amount;
  char* p = block_with_secret(size);
  free(p);
  enum outcome outcome = PREVENTED;
  MISUSE(outcome = secret_there(hide(p), size));
  return outcome;
}

static enum outcome read_after_realloc(size_t size, size_t amount) {
  (void)amount;
  char* p = block_with_secret(size);
  if (realloc(p, 8 * size) == p) return ABSENT;
  enum outcome outcome = PREVENTED;
  MISUSE(outcome = secret_there(hide(p), size));
  return outcome;
}

// A stale size is as wrong as what it is the size of.
static enum outcome size_after_free(size_t size, size_t amount) {
  (void)amount;
  char* p = block(size);
  free(p);
  size_t usable = size;
  MISUSE(usable = malloc_usable_size(hide(p)));
  return usable == 0 ? PREVENTED : MISSED;
}

// Found, if at all, when the block is given out again. If that does not happen the write was in vain.
static enum outcome write_after_free(size_t size, size_t bytes) {
  char* p = block(size);
  free(p);
  MISUSE(memset(hide(p + size - bytes), 'A', bytes));
  return take_until(size, p, malloc) == NULL ? PREVENTED : MISSED;
}

// As above, while other blocks come and go, as they do in a program.
static enum outcome write_then_frees(size_t size, size_t bytes) {
  static struct row others;
  char* p = block(size);
  free(p);
  MISUSE(memset(hide(p + size - bytes), 'A', bytes));
  for (int i = 0; i < 8; i++) {
    row_fill(&others, count_of((size_t)64 << 20, size, 8, 1000), size);
    row_free(&others);
  }
  return take_until(size, p, malloc) == NULL ? PREVENTED : MISSED;
}

static void* zeroed(size_t size) { return calloc(1, size); }

static enum outcome calloc_after_write(size_t size, size_t bytes) {
  char* p = block(size);
  free(p);
  MISUSE(memset(hide(p + size - bytes), 'A', bytes));
  char* q = take_until(size, p, zeroed);
  return q == NULL || q[size - 1] == 0 ? PREVENTED : MISSED;
}

// No misuse but what the next owner can do without one.
static enum outcome secret_in_malloc(size_t size, size_t amount) {
  (void)amount;
  char* p = block_with_secret(size);
  free(p);
  char* q = NULL;
  MISUSE(q = take_until(size, p, malloc));
  return q == NULL ? PREVENTED : secret_there(q, size);
}

static enum outcome dirt_in_calloc(size_t size, size_t amount) {
  (void)amount;
  static struct row row;
  row_fill(&row, count_of((size_t)32 << 20, size, 8, 512), size);
  for (size_t i = 0; i < row.count; i++) memset(row.blocks[i], 0xFF, size);
  row_free(&row);
  enum outcome outcome = PREVENTED;
  MISUSE(for (size_t i = 0; i < row.count; i++) {
    char* p = calloc(1, size);
    if (p == NULL || p[0] != 0 || memcmp(p, p + 1, size - 1) != 0) outcome = MISSED;
  });
  return outcome;
}

// A stale address is worth most when the block has a new owner: not among the next allocations.
static enum outcome reused_at_once(size_t size, size_t next) {
  char* p = block(size);
  free(p);
  enum outcome outcome = PREVENTED;
  MISUSE(for (size_t i = 0; i < next; i++) if (malloc(size) == p) outcome = MISSED);
  return outcome;
}

static const struct misuse cases[] = {
    {"read-after-free", read_after_free, every_size, 0},
    {"read-after-realloc", read_after_realloc, every_size, 0},
    {"size-after-free", size_after_free, every_size, 0},
    {"write-1-after-free", write_after_free, every_size, 1},
    {"write-8-after-free", write_after_free, every_size, 8},
    {"write-1-after-free-then-frees", write_then_frees, every_size, 1},
    {"write-after-free-then-calloc", calloc_after_write, every_size, 1},
    {"malloc-shows-what-was-freed", secret_in_malloc, every_size, 0},
    {"calloc-shows-what-was-freed", dirt_in_calloc, every_size, 0},
    {"address-again-at-once", reused_at_once, every_size, 8},
};
const struct group after_free = GROUP("used after free", cases);
