// A library that allocates when it is loaded and when it is unloaded.
#include "program.h"

static void* kept;

__attribute__((constructor)) static void load(void) { kept = block_new(3000, 8); }

__attribute__((destructor)) static void unload(void) {
  block_free(kept);
  block_free(block_new(20, 9));
  printf("library destructor\n");
}
