// Loops of malloc and free: nanoseconds an operation.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t state = 1;
static uint32_t any(uint32_t below) {
  state = state * 1664525 + 1013904223;
  return (state >> 8) % below;
}

int main(void) {
  static void* blocks[10000];
  const int n = 3000000;
  double a = now();
  for (int i = 0; i < n; i++) {
    void* volatile p = malloc(16 + (size_t)(i & 15) * 8);
    free(p);
  }
  double b = now();
  for (int i = 0; i < n; i++) {
    uint32_t k = any(10000);
    free(blocks[k]);
    blocks[k] = malloc(any(50) == 0 ? any(20000) + 1 : any(256) + 1);
  }
  double c = now();
  for (int i = 0; i < n / 1000; i++) {
    for (int k = 0; k < 1000; k++) blocks[k] = realloc(blocks[k], 100);
    for (int k = 999; k >= 0; k--) free(blocks[k]), blocks[k] = NULL;
  }
  double d = now();
  printf("%.2f %.2f %.2f %zu\n", (b - a) / n, (c - b) / n, (d - c) / n, __builtin_wasm_memory_size(0) / 16);
}
