// Allocates before anything else has run: in a resolver, in .preinit_array, in the first constructor.
#include "program.h"

static void* early[3];
static int (*resolve(void))(void);

static int answer(void) { return 42; }

// The dynamic linker calls this while it is still relocating; no library of the program has been initialised.
static int (*resolve(void))(void) {
  early[0] = malloc(100);
  memset(early[0], 1, 100);
  return answer;
}

int resolved(void) __attribute__((ifunc("resolve")));

static void before_constructors(void) { early[1] = block_new(2000, 2); }
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before_constructors;
__attribute__((constructor(101))) static void constructor(void) { early[2] = block_new(300000, 3); }

int main(void) {
  CHECK(resolved() == 42);
  CHECK(early[0] != NULL && ((char*) early[0])[99] == 1);
  free(early[0]);
  block_free(early[1]);
  block_free(early[2]);
  printf("early\n");
  return 0;
}
