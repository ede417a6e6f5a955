// What the cases of the program share: how a case says what came of its misuse, and blocks to be misused.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a case says when the process has survived it.
enum outcome {
  MISSED,     // nobody noticed, and memory is not what the program believes
  HARMLESS,   // nobody noticed, and nothing came of it: no other block and no list has changed
  PREVENTED,  // nobody said a word, and the misuse had no effect
  REFUSED,    // the request got the error that it must get
  ABSENT      // this allocator has nothing that could be misused so
};

struct misuse {
  const char* name;
  enum outcome (*run)(size_t size, size_t amount);
  const size_t* sizes;  // of blocks, ended by 0; NULL for a case that has none
  size_t amount;        // what else the case is told: bytes, an offset, an address
};

struct group {
  const char* name;
  const struct misuse* cases;
  size_t count;
};

#define GROUP(name, cases) {name, cases, sizeof(cases) / sizeof((cases)[0])}
extern const struct group bounds, double_frees, wrong_frees, forms, after_free, links, requests, layout;
// What a case has another process do.
extern const struct misuse helper;

// Two small sizes, the second with room to spare in most allocators, a medium one, a large one that does not fill its last
// OS page, and a huge one that does. Lists of free blocks are of the first three. A form has nothing to do with the size.
extern const size_t every_size[], listed_sizes[], form_sizes[];
#define HUGE_SIZE ((size_t)3 << 20)

// The misuse itself: a process that ends in here was stopped at it. Later, it was stopped only if somebody says so.
#define MISUSE(...) \
  do { \
    say("misuse: now\n"); \
    __VA_ARGS__; \
    say("misuse: done\n"); \
  } while (0)

// Writes without allocating.
void say(const char* text);

// The program itself does not work: no result.
void fail(const char* why);

// An address of which the compiler knows nothing any more.
static inline char* hide(const void* p) {
  __asm__ volatile("" : "+r"(p));
  return (char*)p;
}

// 2 MiB of blocks of 1000 bytes.
#define ROW_MAX 2048
struct row {
  char* blocks[ROW_MAX];
  size_t count, size;
};

// Allocates blocks of a size and touches them.
void row_fill(struct row* row, size_t count, size_t size);
// Frees what is not NULL.
void row_free(struct row* row);
// The block that has as many others below it as above.
char** row_middle(struct row* row);

// How many blocks of a size make so many bytes, within limits.
size_t count_of(size_t bytes, size_t size, size_t least, size_t most);

// 16 neighbours, of which the middle one is to be misused.
extern struct row neighbours;
char* block(size_t size);

// Allocates many blocks of a size. MISSED when one comes twice, or lies in memory that is in use: in that range, or in a
// neighbour that is alive. Otherwise PREVENTED.
enum outcome take(size_t size, const void* used, size_t used_size);

// Allocates until a block is at that address, at most as often as `take`; NULL when it did not come.
char* take_until(size_t size, const char* wanted, void* (*allocate)(size_t size));

// Has another thread call a function.
void in_thread(void (*function)(void* argument), void* argument);

#ifdef __cplusplus
}
#endif
