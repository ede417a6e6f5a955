// A program that is linked with the library that replaces malloc: C's and C++'s names are mimalloc's, Microsoft's as well.
#include <malloc.h>
#include <mimalloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {
int bad;
#define CHECK(...) do { if (!(__VA_ARGS__)) { printf("replaced.cpp:%d: not so: %s\n", __LINE__, #__VA_ARGS__); bad++; } } while (0)

bool ours(const void* p) { return mi_is_in_heap_region(p); }

struct alignas(128) wide { char bytes[128]; };

void c_names() {
  std::free(nullptr);
  void* p = std::malloc(100);
  CHECK(ours(p) && _msize(p) >= 100);
  p = std::realloc(p, 5000);
  CHECK(ours(p));
  p = _recalloc(p, 100, 200);
  CHECK(ours(p) && _expand(p, 100) == p);
  std::free(p);
  p = std::calloc(3, 5);
  CHECK(ours(p));
  std::free(p);
  p = _aligned_malloc(100, 1024);
  CHECK(ours(p) && reinterpret_cast<uintptr_t>(p) % 1024 == 0 && _aligned_msize(p, 1024, 0) >= 100);
  p = _aligned_realloc(p, 300, 1024);
  CHECK(ours(p));
  p = _aligned_recalloc(p, 10, 100, 1024);
  CHECK(ours(p));
  _aligned_free(p);
  p = _aligned_offset_realloc(_aligned_offset_malloc(100, 64, 8), 200, 64, 8);
  CHECK(ours(p) && (reinterpret_cast<uintptr_t>(p) + 8) % 64 == 0);
  _aligned_free(p);
  char* text = _strdup("text");
  CHECK(ours(text) && std::strcmp(text, "text") == 0);
  std::free(text);
  wchar_t* wide_text = _wcsdup(L"text");
  CHECK(ours(wide_text) && std::wcscmp(wide_text, L"text") == 0);
  std::free(wide_text);
}

void cpp_names() {
  auto* number = new int(5);
  CHECK(ours(number));
  delete number;
  auto* numbers = new int[100];
  CHECK(ours(numbers));
  delete[] numbers;
  auto* aligned = new wide;
  CHECK(ours(aligned) && reinterpret_cast<uintptr_t>(aligned) % 128 == 0);
  delete aligned;
  auto* one = new (std::nothrow) long long;
  CHECK(ours(one));
  delete one;
  std::vector<std::string> texts(100, std::string(100, 'x'));
  CHECK(ours(texts.data()) && ours(texts[50].data()));
  auto shared = std::make_shared<wide>();
  CHECK(ours(shared.get()));
  std::thread([&] { texts.assign(1000, "another thread's, and long enough to be no part of the object"); }).join();
}
}  // namespace

#if defined(ACROSS)
struct object {
  std::vector<std::string> texts;
  virtual ~object() = default;
};
extern "C" object* objects_make();
extern "C" void objects_end(object* old);
extern "C" int* objects_array();
extern "C" void objects_end_array(const int* old);

static void across() {
  for (int i = 0; i < 100; i++) {
    object* theirs = objects_make();
    CHECK(ours(theirs) && ours(theirs->texts.data()) && theirs->texts[99].size() == 99);
    theirs->texts.emplace_back(1000, 'y');
    delete theirs;
    auto* mine = new object;
    mine->texts.emplace_back(1000, 'z');
    objects_end(mine);
    int* numbers = objects_array();
    CHECK(ours(numbers));
    delete[] numbers;
    objects_end_array(new int[100]);
  }
}
#else
static void across() {}
#endif

int main() {
  c_names();
  cpp_names();
  across();
  if (bad == 0) std::puts("ok");
  return bad;
}
