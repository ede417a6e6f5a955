// A program in C, with malloc replaced, that loads a library in C++ for itself alone.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    puts(dlerror());
    return 3;
  }
  int (*work)(void);
  *(void**)&work = dlsym(library, "late_work");
  int failed = work();
  if (failed != 0) printf("late: check %d failed\n", failed);
  else puts("ok");
  return failed;
}
