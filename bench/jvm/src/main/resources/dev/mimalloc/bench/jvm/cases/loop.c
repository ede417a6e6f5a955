/* What a C program pays: the calls go through pointers, as calls into a shared library do. */
#include <stddef.h>

void pairs(void *(*allocate)(size_t), void (*release)(void *), size_t size, long count) {
  for (long i = 0; i < count; i++) {
    void *block = allocate(size);
    __asm__ volatile("" : : "r"(block) : "memory");
    release(block);
  }
}
