// A walk while an exception passes: from a destructor, which the code that cleans up calls.
#include "unwind.h"

struct Cleanup {
  void (*function)();
  __attribute__((noinline)) ~Cleanup() {
    enter(__builtin_return_address(0));
    function();
    __asm__ volatile("" ::: "memory");
  }
};

static __attribute__((noinline)) void fails(void (*function)()) {
  enter(__builtin_return_address(0));
  Cleanup cleanup = {function};
  throw 7;
}

int cleans_up(void (*function)()) {
  enter(__builtin_return_address(0));
  try {
    fails(function);
  } catch (int code) {
    return code;
  }
  return 0;
}
