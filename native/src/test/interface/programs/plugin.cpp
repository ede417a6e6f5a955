// A library that allocates, for loader.c; linked with mimalloc.
#include <map>
#include <mimalloc.h>
#include <mutex>
#include <string>

namespace {
struct at_load {
  std::mutex lock;  // three threads of loader.c work at once
  std::map<int, std::string> texts;
  at_load() { texts[1] = std::string(100, 'p'); }
  ~at_load() { texts[2] = std::string(200, 'q'); }
} loaded;
thread_local std::string of_thread;
}  // namespace

extern "C" __attribute__((visibility("default"))) void* plugin_work(int number) {
  of_thread.assign(1000, 't');
  mi_heap_t* heap = mi_heap_new();
  for (int i = 0; i < 1000; i++) mi_free(mi_heap_malloc(heap, static_cast<size_t>(i)));
  mi_heap_delete(heap);
  {
    std::lock_guard<std::mutex> held(loaded.lock);
    loaded.texts[number] = of_thread;
  }
  return mi_malloc(100);
}

extern "C" __attribute__((visibility("default"))) int plugin_free(void* p) {
  bool ours = mi_any_heap_contains(p);
  mi_free(p);
  return ours;
}
