// A malloc that crashes after a while.
#include <stddef.h>
#include <stdlib.h>

extern void* __libc_malloc(size_t size);

static unsigned count;

void* malloc(size_t size) {
  if (++count == 2000) abort();
  return __libc_malloc(size);
}
