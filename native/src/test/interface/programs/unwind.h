// What the parts of the test of unwinding share.
#pragma once
#include <stdint.h>

#if defined(__aarch64__)
#define IS_AARCH64 1
#else
#define IS_AARCH64 0
#endif

#if defined(__cplusplus)
extern "C" {
#endif
void enter(void* returns_to);          // a function begins
void untold(void (*function)(void));   // has no unwind tables, but a frame pointer
int cleans_up(void (*function)(void));  // calls it while an exception passes; 7
#if defined(__cplusplus)
}
#endif
