// Memory before main and after it, and at the ends of threads.
#include "../check.h"
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Allocates when it is made, changes what it has when it ends, and tells when something was not as it should be.
struct keeper {
  std::map<int, std::string> texts;
  void* block;

  keeper() : block(mi_malloc(1000)) {
    for (int i = 0; i < 100; i++) texts[i] = std::string(static_cast<size_t>(i * 10), 'k');
    memset(block, 9, 1000);
  }
  bool good() const { return texts.size() == 100 && texts.at(99).size() == 990 && all_bytes(block, 1000, 9); }
  ~keeper() {
    if (!good()) _exit(99);
    texts[100] = "one more, at the very end, that does not fit into the string";
    block = mi_realloc(block, 2000);
    if (block == nullptr || !all_bytes(block, 1000, 9)) _exit(99);
    mi_free(block);
  }
};

keeper before_main;
thread_local keeper in_thread;
std::atomic<int> ended;

struct counts_its_end {
  void* p = mi_malloc(123);
  ~counts_its_end() {
    mi_free(p);
    mi_free(mi_malloc(77));
    ended++;
  }
};
thread_local counts_its_end counted;

keeper& in_function() {
  static keeper one;
  return one;
}

void* from_ended_thread[20];

}  // namespace

void lifetimes() {
  CHECK(before_main.good() && in_thread.good() && in_function().good());
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; i++) {
    threads.emplace_back([i] {
      CHECK(in_thread.good() && is_block(counted.p, 123));
      from_ended_thread[i] = ::operator new(100);
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(ended == 20);
  for (void* p : from_ended_thread) ::operator delete(p);
  // All of it once more in a process whose exit we can look at.
  int status = -1;
  fflush(nullptr);
  if (!HAS_FORK) return;
  pid_t child = fork();
  if (child == 0) {
    std::thread([] { exit(in_thread.good() ? 0 : 98); }).join();
  }
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
