// Allocation where a process comes to its end: exit handlers, static and thread-local destructors, destructors of
// thread keys, a library's destructor, and a thread that never stops allocating.
#include "program.h"
#include <dlfcn.h>
#include <pthread.h>
#include <map>
#include <string>
#include <thread>

static void work(const char* where) {
  std::map<std::string, std::string> map;
  for (int i = 0; i < 300; i++) map["key " + std::to_string(i)] = std::string(i * 7, 'x');
  void* block = block_new(100000, 5);
  block_free(block);
  CHECK(map["key 10"].size() == 70);
  std::printf("%s\n", where);
}

struct Static {
  std::string* text = new std::string(1000, 'a');
  const char* name;
  explicit Static(const char* given) : name(given) {}
  ~Static() { delete text; work(name); }
};

static Static first("static destructor");
static thread_local Static perThread("thread-local destructor");
static pthread_key_t key;
static std::string* kept;

// Sets its key again: the C library then calls it another time, after our own destructors may have run.
static void key_destructor(void* value) {
  work("thread key destructor");
  uintptr_t rounds = (uintptr_t) value;
  void* block = block_new(500, 1);
  block_free(block);
  if (rounds > 1) pthread_setspecific(key, (void*) (rounds - 1));
}

static void at_exit() { work("exit handler"); delete kept; }

__attribute__((destructor)) static void destructor() { work("destructor function"); }

static void* restless(void*) {
  uint32_t random = 1;
  for (;;) block_free(block_new(random_size(&random), 3));
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  kept = new std::string(5000, 'k');
  std::atexit(at_exit);
  CHECK(dlopen(arguments[1], RTLD_NOW) != NULL);
  pthread_key_create(&key, key_destructor);
  std::thread thread([] {
    CHECK(perThread.text->size() == 1000);
    pthread_setspecific(key, (void*) 3);
  });
  thread.join();
  CHECK(perThread.text->size() == 1000);
  pthread_t other;
  pthread_create(&other, NULL, restless, NULL);
  pthread_detach(other);
  work("main");
  return 0;
}
