// The C++ interface by its contract; built for each standard from C++11 to C++23.
#include "../check.h"

int checks, failures;

void signatures();
void allocators();
void resources();
void forms_of_new();
void lifetimes();

template <class Topic>
static void run(const char* name, Topic topic) {
  int before = checks;
  topic();
  printf("%-14s %4d checks\n", name, checks - before);
}

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  run("signatures", signatures);
  run("allocators", allocators);
  run("resources", resources);
  run("forms of new", forms_of_new);
  run("lifetimes", lifetimes);
  printf("C++ %ld: %d checks, %d failed\n", static_cast<long>(__cplusplus), checks, failures);
  return failures == 0 && checks > 0 ? 0 : 1;
}
