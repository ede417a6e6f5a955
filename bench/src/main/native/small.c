// Small objects that live for a moment: a window of them per thread, in which one after the other is replaced, so that
// each lives as long as the window is wide. One thread, or ("threads") all at once with nothing shared.
// In the manner of glibc's bench-malloc-simple and bench-malloc-thread.
#include "bench.h"

enum { window = 128 };

static void replace(int index) {
  uint64_t random = seed(index), sum = 0;
  void* live[window] = {0};
  size_t turns = scaled(40000000) / (variant[0] == 0 ? 1 : 2);
  for (size_t i = 0; i < turns; i++) {
    void** slot = &live[i % window];
    if (*slot != NULL) sum += checked_free(*slot);
    *slot = marked_malloc(skewed_size(next_random(&random), 3, 8));
  }
  for (int i = 0; i < window; i++)
    if (live[i] != NULL) sum += checked_free(live[i]);
  add_to_checksum(sum);
}

void work(void) {
  if (variant[0] == 0) replace(0);
  else run_threads(thread_count(), replace);
}
