// Attacks on the allocator's lists through freed blocks: malloc must not return an address that an attacker chose.
#include "misuse.h"

// Freed blocks of one page, last freed first: on a plain list the first word of each is the address of the next.
static char* freed[3];

static void free_all(void* unused) {
  (void)unused;
  for (int i = 2; i >= 0; i--) free(freed[i]);
}

// Leaves the neighbours of these blocks alive, with zeros in them: wherever a list leads, it ends there.
static void choose_freed(size_t size) {
  memset(block(size), 0, size);
  for (size_t i = 0; i < neighbours.count; i++) {
    if (neighbours.blocks[i] != NULL) memset(neighbours.blocks[i], 0, size);
  }
  for (int i = 0; i < 3; i++) {
    freed[i] = neighbours.blocks[3 * i + 2];
    neighbours.blocks[3 * i + 2] = NULL;
    if (freed[i] == NULL) freed[i] = malloc(size);
  }
}

static void free_some(size_t size) {
  choose_freed(size);
  free_all(NULL);
}

static void free_some_in_another_thread(size_t size) {
  choose_freed(size);
  in_thread(free_all, NULL);
}

static uintptr_t word(const char* p) {
  uintptr_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

static void set_word(char* p, uintptr_t value) { memcpy(p, &value, sizeof value); }

// A live block of the page, which is nobody's to be given out.
static char* live(void) { return neighbours.blocks[0] != NULL ? neighbours.blocks[0] : neighbours.blocks[1]; }

static enum outcome aim(size_t size, const char* target, size_t target_size) {
  MISUSE(set_word(hide(freed[0]), (uintptr_t)target));
  return take(size, target, target_size);
}

// Memory that looks like the end of a list.
struct target {
  _Alignas(64) char memory[5000];
};
static struct target elsewhere;

static enum outcome to_the_stack(size_t size, size_t amount) {
  (void)amount;
  struct target target = {{0}};
  free_some(size);
  return aim(size, hide(target.memory), size);
}

static enum outcome to_static_memory(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  return aim(size, elsewhere.memory, size);
}

static enum outcome to_another_page(size_t size, size_t amount) {
  (void)amount;
  char* target = calloc(1, 4 * size);
  free_some(size);
  return aim(size, target, 4 * size);
}

static enum outcome to_a_live_block(size_t size, size_t offset) {
  free_some(size);
  return aim(size, live() + offset, size - offset);
}

static enum outcome freed_by_another_thread(size_t size, size_t amount) {
  (void)amount;
  free_some_in_another_thread(size);
  return aim(size, elsewhere.memory, size);
}

// Each word of the block, where some allocators keep more than a link.
static enum outcome by_every_word(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  MISUSE(for (size_t i = 0; i + 8 <= size; i += 8) set_word(hide(freed[0] + i), (uintptr_t)elsewhere.memory));
  return take(size, elsewhere.memory, size);
}

// Without knowing any address: with one bit changed a link leads to another place of the page.
static enum outcome flipped(size_t size, size_t amount) {
  (void)amount;
  uintptr_t bit = 16;
  while (2 * bit <= size) bit *= 2;
  free_some(size);
  MISUSE(set_word(hide(freed[0]), word(freed[0]) ^ bit));
  return take(size, NULL, 0);
}

// Who can also read copies a link that is valid elsewhere: the list would have a circle.
static enum outcome copied(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  MISUSE(set_word(hide(freed[2]), word(freed[0])));
  return take(size, NULL, 0);
}

// Who can also read, and knows which block comes next, undoes an encoding that is no more than an exclusive or.
static enum outcome forge(size_t size, const char* target) {
  MISUSE(set_word(hide(freed[0]), word(freed[0]) ^ (uintptr_t)freed[1] ^ (uintptr_t)target));
  return take(size, target, size);
}

static enum outcome forged(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  return forge(size, elsewhere.memory);
}

static enum outcome forged_to_a_live_block(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  return forge(size, live());
}

// From a live block over its end into the free one that follows.
static enum outcome by_overflow(size_t size, size_t amount) {
  (void)amount;
  static struct row row;
  row_fill(&row, 64, size);
  char *p = row.blocks[0], **next = NULL;
  for (size_t i = 1; i < row.count; i++) {
    if (row.blocks[i] > p && (next == NULL || row.blocks[i] < *next)) next = &row.blocks[i];
  }
  if (next == NULL || (size_t)(*next - p) > (1 << 20)) return PREVENTED;
  free(row.blocks[row.count - 1] == *next ? row.blocks[1] : row.blocks[row.count - 1]);
  free(*next);
  size_t distance = (size_t)(*next - p);
  MISUSE(memset(hide(p + size), 'A', distance - size); set_word(hide(p + distance), (uintptr_t)elsewhere.memory));
  return take(size, elsewhere.memory, size);
}

// From a live block over all that follows, in its page and in the next ones, of which every other block is free.
static enum outcome by_long_overflow(size_t size, size_t amount) {
  (void)amount;
  static char* blocks[8192];
  size_t count = count_of((size_t)5 << 18, size, 64, 8192);
  for (size_t i = 0; i < count; i++) blocks[i] = calloc(1, size);
  for (size_t i = 1; i < count; i += 2) free(blocks[i]);
  char* p = blocks[count / 4 & ~(size_t)1];  // one that is alive
  MISUSE(for (size_t i = (size + 7) & ~(size_t)7; i < count * size / 2; i += 8) set_word(hide(p + i), (uintptr_t)elsewhere.memory));
  return take(size, elsewhere.memory, size);
}

// No attack yet but what prepares one: a freed block tells where others are.
static enum outcome shown(size_t size, size_t amount) {
  (void)amount;
  free_some(size);
  enum outcome outcome = PREVENTED;
  MISUSE(for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      if (i != j && word(freed[i]) == (uintptr_t)freed[j]) outcome = MISSED;
    }
  });
  return outcome;
}

static const struct misuse cases[] = {
    {"link-to-the-stack", to_the_stack, listed_sizes, 0},
    {"link-to-static-memory", to_static_memory, listed_sizes, 0},
    {"link-to-another-page", to_another_page, listed_sizes, 0},
    {"link-to-a-live-block", to_a_live_block, listed_sizes, 0},
    {"link-into-a-live-block", to_a_live_block, listed_sizes, 8},
    {"link-of-a-block-freed-by-another-thread", freed_by_another_thread, listed_sizes, 0},
    {"link-in-every-word", by_every_word, listed_sizes, 0},
    {"link-with-a-bit-flipped", flipped, listed_sizes, 0},
    {"link-copied", copied, listed_sizes, 0},
    {"link-forged-to-static-memory", forged, listed_sizes, 0},
    {"link-forged-to-a-live-block", forged_to_a_live_block, listed_sizes, 0},
    {"link-by-overflow", by_overflow, listed_sizes, 0},
    {"link-by-long-overflow", by_long_overflow, listed_sizes, 0},
    {"link-shows-an-address", shown, listed_sizes, 0},
};
const struct group links = GROUP("attacks on lists", cases);
