// Misuses memory in one of many ways:
//   misuse CASE [SIZE]
// and says what came of it, if it is still there to say so. Without arguments it lists the cases. It uses malloc, free, new
// and delete alone, so that it runs on any allocator that is preloaded.
#include "misuse.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

const size_t every_size[] = {24, 100, 5000, 100000, HUGE_SIZE, 0};
const size_t listed_sizes[] = {24, 100, 5000, 0};
const size_t form_sizes[] = {100, 100000, 0};

static const struct group* const groups[] = {&bounds, &double_frees, &wrong_frees, &forms, &after_free, &links, &requests, &layout};

void say(const char* text) {
  if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(9);
}

void fail(const char* why) {
  say("misuse: the program fails: ");
  say(why);
  say("\n");
  _exit(9);
}

// --- blocks --------------------------------------------------------------------------------------------------------------

void row_fill(struct row* row, size_t count, size_t size) {
  if (count > ROW_MAX) fail("a row is too long");
  row->count = count;
  row->size = size;
  for (size_t i = 0; i < count; i++) {
    char* p = malloc(size);
    if (p == NULL) fail("no memory");
    p[0] = p[size - 1] = 'r';
    row->blocks[i] = p;
  }
}

void row_free(struct row* row) {
  for (size_t i = 0; i < row->count; i++) {
    free(row->blocks[i]);
    row->blocks[i] = NULL;
  }
}

char** row_middle(struct row* row) {
  for (size_t i = 0; i < row->count; i++) {
    size_t below = 0;
    for (size_t j = 0; j < row->count; j++) below += row->blocks[j] < row->blocks[i];
    if (below == row->count / 2) return &row->blocks[i];
  }
  fail("no block is in the middle");
  return NULL;
}

size_t count_of(size_t bytes, size_t size, size_t least, size_t most) {
  size_t count = bytes / size;
  return count < least ? least : count > most ? most : count;
}

struct row neighbours;

char* block(size_t size) {
  row_fill(&neighbours, 16, size);
  char** middle = row_middle(&neighbours);
  char* p = *middle;
  *middle = NULL;
  return p;
}

// 4096 blocks are more than any page has here; 64 huge ones are more than are alive.
#define TAKE_MAX 4096
static size_t take_count(size_t size) { return count_of((size_t)64 << 20, size, 64, TAKE_MAX); }

// Enters an address in a set. Was it there?
static bool enter(const void* p) {
  static uintptr_t set[4 * TAKE_MAX];
  size_t i = ((uintptr_t)p >> 3) * 0x9E3779B97F4A7C15u >> 32;
  for (;; i++) {
    uintptr_t* entry = &set[i % (4 * TAKE_MAX)];
    if (*entry == (uintptr_t)p) return true;
    if (*entry == 0) {
      *entry = (uintptr_t)p;
      return false;
    }
  }
}

static bool overlap(const char* p, size_t size, const char* q, size_t q_size) { return p < q + q_size && q < p + size; }

static bool is_neighbour(const char* p, size_t size) {
  for (size_t i = 0; i < neighbours.count; i++) {
    const char* q = neighbours.blocks[i];
    if (q != NULL && overlap(p, size, q, neighbours.size)) return true;
  }
  return false;
}

static char* taken[TAKE_MAX];

enum outcome take(size_t size, const void* used, size_t used_size) {
  size_t count = take_count(size);
  for (size_t i = 0; i < count; i++) {
    char* p = taken[i] = malloc(size);
    if (p == NULL) return PREVENTED;
    if (overlap(p, size, used, used_size) || is_neighbour(p, size) || enter(p)) return MISSED;
    // As a program would, without a word that is an address.
    memset(p, 0, 8);
  }
  for (size_t i = 0; i < count; i++) free(taken[i]);
  return PREVENTED;
}

char* take_until(size_t size, const char* wanted, void* (*allocate)(size_t size)) {
  for (size_t i = take_count(size); i > 0; i--) {
    if (allocate(size) == wanted) return hide(wanted);
  }
  return NULL;
}

struct call {
  void (*function)(void*);
  void* argument;
};

static void* called(void* call) {
  struct call* c = call;
  c->function(c->argument);
  return NULL;
}

void in_thread(void (*function)(void*), void* argument) {
  struct call call = {function, argument};
  pthread_t thread;
  if (pthread_create(&thread, NULL, called, &call) != 0 || pthread_join(thread, NULL) != 0) fail("no thread");
}

// --- the program -----------------------------------------------------------------------------------------------------------

static void list(void) {
  for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
    for (size_t i = 0; i < groups[g]->count; i++) {
      const struct misuse* misuse = &groups[g]->cases[i];
      if (misuse->sizes == NULL) printf("%s\t%s\t-\n", groups[g]->name, misuse->name);
      for (const size_t* size = misuse->sizes; size != NULL && *size != 0; size++) {
        printf("%s\t%s\t%zu\n", groups[g]->name, misuse->name, *size);
      }
    }
  }
}

static const struct misuse* find(const char* name) {
  for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
    for (size_t i = 0; i < groups[g]->count; i++) {
      if (strcmp(groups[g]->cases[i].name, name) == 0) return &groups[g]->cases[i];
    }
  }
  if (strcmp(name, helper.name) == 0) return &helper;
  fail("there is no such case");
  return NULL;
}

int main(int count, char** arguments) {
  if (count == 1) {
    list();
    return 0;
  }
  // Most of what is run here dies.
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  static const char* const words[] = {"missed", "harmless", "prevented", "refused", "absent"};
  enum outcome outcome = find(arguments[1])->run(count > 2 ? strtoull(arguments[2], NULL, 10) : 0, find(arguments[1])->amount);
  say("misuse: ");
  say(words[outcome]);
  say("\n");
  // What happens at the end of a process is no part of any case.
  _exit(0);
}
