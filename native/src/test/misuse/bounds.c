// Writes and reads past the end of a block and before its start, and of blocks of size 0.
#include "misuse.h"
#include <malloc.h>

#define MIB ((size_t)1 << 20)

static struct row row, below[2], above[2];

// 8 MiB, as a write of 1 MiB is to end among them; fewer of the small ones, as each is compared with each.
static void fill(void) { row_fill(&row, count_of(8 * MIB, row.size, 8, 1024), row.size); }

static void surround(struct row* rows) {
  row_fill(&rows[0], 2048, 1000);
  row_fill(&rows[1], 384, 8000);
}

// A block with others of its size around it, and with 2 MiB or more of small and of medium blocks allocated before and
// after those: that something is mapped there is no luck. Small pages that are there from the start lie elsewhere.
static char* surrounded(size_t size) {
  row.size = size;
  surround(below);
  for (size_t i = count_of(128 * 1024, size, 0, SIZE_MAX); i > 0; i--) hide(malloc(size));
  fill();
  surround(above);
  return *row_middle(&row);
}

// Frees everything and allocates again, when a damage would be noticed.
static void settle(void) {
  row_free(&row);
  for (int i = 0; i < 2; i++) {
    row_free(&below[i]);
    row_free(&above[i]);
  }
  fill();
  row_free(&row);
}

// The bytes behind those that were asked for, which are the block's nevertheless.
static size_t spare(char* p, size_t size) { return malloc_usable_size(p) - size; }

// An even number: padding consists of odd ones, and what happens to be there already changes nothing.
static void write_bytes(char* p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) p[i] = 'B';
}

static void copy_bytes(char* p, size_t bytes) {
  static char source[1 << 20];
  memset(source, 'B', bytes);
  memcpy(p, source, bytes);
}

static volatile char sum;

static void read_bytes(char* p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) sum += p[i];
}

static enum outcome past(size_t size, size_t bytes, void (*access)(char* p, size_t bytes)) {
  char* p = surrounded(size);
  enum outcome outcome = bytes <= spare(p, size) ? HARMLESS : MISSED;
  MISUSE(access(hide(p + size), bytes));
  settle();
  return outcome;
}

static enum outcome before(size_t size, size_t bytes, void (*access)(char* p, size_t bytes)) {
  char* p = surrounded(size);
  // From the block downwards, as a loop does that runs too far.
  MISUSE(access(hide(p - bytes), bytes));
  settle();
  return MISSED;
}

static enum outcome write_past(size_t size, size_t bytes) { return past(size, bytes, write_bytes); }
static enum outcome write_before(size_t size, size_t bytes) { return before(size, bytes, write_bytes); }
static enum outcome copy_past(size_t size, size_t bytes) { return past(size, bytes, copy_bytes); }
static enum outcome copy_before(size_t size, size_t bytes) { return before(size, bytes, copy_bytes); }
static enum outcome read_past(size_t size, size_t bytes) { return past(size, bytes, read_bytes); }
static enum outcome read_before(size_t size, size_t bytes) { return before(size, bytes, read_bytes); }

static enum outcome empty(char* p, size_t bytes, void (*access)(char* p, size_t bytes)) {
  if (p == NULL) return PREVENTED;
  enum outcome outcome = bytes <= malloc_usable_size(p) ? HARMLESS : MISSED;
  MISUSE(access(hide(p), bytes));
  free(p);
  return outcome;
}

static enum outcome write_empty(size_t size, size_t bytes) { return empty(malloc(size), bytes, write_bytes); }
static enum outcome read_empty(size_t size, size_t bytes) { return empty(malloc(size), bytes, read_bytes); }
static enum outcome write_empty_calloc(size_t size, size_t bytes) { return empty(calloc(size, 8), bytes, write_bytes); }
static enum outcome write_empty_realloc(size_t size, size_t bytes) { return empty(realloc(NULL, size), bytes, write_bytes); }

static const struct misuse cases[] = {
    {"write-1-past", write_past, every_size, 1},
    {"write-32-past", write_past, every_size, 32},
    {"write-1MiB-past", write_past, every_size, MIB},
    {"memcpy-32-past", copy_past, every_size, 32},
    {"memcpy-1MiB-past", copy_past, every_size, MIB},
    {"write-1-before", write_before, every_size, 1},
    {"write-32-before", write_before, every_size, 32},
    {"write-1MiB-before", write_before, every_size, MIB},
    {"memcpy-32-before", copy_before, every_size, 32},
    {"memcpy-1MiB-before", copy_before, every_size, MIB},
    {"read-1-past", read_past, every_size, 1},
    {"read-64KiB-past", read_past, every_size, 65536},
    {"read-1-before", read_before, every_size, 1},
    {"malloc-0-write-1", write_empty, NULL, 1},
    {"malloc-0-write-32", write_empty, NULL, 32},
    {"malloc-0-read-1", read_empty, NULL, 1},
    {"calloc-0-write-1", write_empty_calloc, NULL, 1},
    {"realloc-0-write-1", write_empty_realloc, NULL, 1},
};

const struct group bounds = GROUP("out of bounds", cases);
