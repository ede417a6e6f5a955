// Leaves blocks behind by functions of known names, and frees all that others allocate. With "fork" a child does so too.
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>
#include <sys/wait.h>
#include <unistd.h>

#define ALONE extern "C" __attribute__((noinline, noclone, visibility("default")))

static std::vector<void*> kept;
// Not by a tail call, which would leave no frame of the function.
static void keep(void* p) { kept.push_back(p); __asm__ volatile("" : : : "memory"); }

ALONE void leaks_small() { for (int i = 0; i < 1000; i++) keep(std::malloc(48)); }
ALONE void leaks_many_sizes() { for (int i = 0; i < 500; i++) keep(std::malloc(8 + i * 8)); }
ALONE void leaks_large() { keep(std::malloc(3 << 20)); }
ALONE void leaks_aligned() { for (int i = 0; i < 10; i++) keep(std::aligned_alloc(4096, 8192)); }
ALONE void leaks_after_realloc() { for (int i = 0; i < 20; i++) keep(std::realloc(std::malloc(16), 4096)); }
ALONE void leaks_cleared() { keep(std::calloc(16, 64)); }
ALONE void leaks_of_child() { keep(std::malloc(1024)); }
ALONE void frees_all() {
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; i++) texts.emplace_back(static_cast<std::size_t>(i), 'x');
}
// What one thread allocates another one frees, but for the last.
ALONE void leaks_from_thread() {
  std::vector<void*> blocks;
  for (int i = 0; i < 1001; i++) blocks.push_back(std::malloc(256));
  std::thread([&] { for (int i = 0; i < 1000; i++) std::free(blocks[static_cast<std::size_t>(i)]); }).join();
  keep(blocks.back());
}
namespace shop {
struct Order { char bytes[112]; };
__attribute__((noinline)) void leak_orders() { for (int i = 0; i < 5; i++) keep(new Order[2]); }
}

int main(int argc, char** argv) {
  kept.reserve(10000);
  for (int i = 0; i < 1000; i++) std::free(std::malloc(48));
  leaks_small();
  leaks_many_sizes();
  leaks_large();
  leaks_aligned();
  leaks_after_realloc();
  leaks_cleared();
  frees_all();
  std::thread(leaks_from_thread).join();
  shop::leak_orders();
  if (argc > 1 && std::strcmp(argv[1], "fork") == 0) {
    pid_t child = fork();
    if (child == 0) leaks_of_child();
    else waitpid(child, nullptr, 0);
  }
  return 0;
}
