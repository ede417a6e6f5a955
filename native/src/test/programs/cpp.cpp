// operator new and delete in all their forms, what happens without memory, and the standard containers.
#include "program.h"
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

extern "C" bool mi_is_in_heap_region(const void* p) noexcept __attribute__((weak));

static int handled;
static void give_up_at_the_third() {
  if (++handled == 3) std::set_new_handler(nullptr);
}

struct alignas(256) Wide {
  char bytes[256];
};

int main() {
  CHECK(mi_is_in_heap_region != nullptr);
  int* one = new int(42);
  CHECK(mi_is_in_heap_region(one) && *one == 42);
  delete one;
  int* many = new int[1000]();
  CHECK(mi_is_in_heap_region(many));
  delete[] many;
  delete new (std::nothrow) int(1);
  delete[] new (std::nothrow) int[10];
  Wide* wide = new Wide;
  CHECK(reinterpret_cast<uintptr_t>(wide) % 256 == 0 && mi_is_in_heap_region(wide));
  delete wide;
  wide = new Wide[3];
  CHECK(reinterpret_cast<uintptr_t>(wide) % 256 == 0);
  delete[] wide;
  delete new (std::nothrow) Wide;
  ::operator delete(::operator new(100), 100);
  ::operator delete[](::operator new[](100), 100);
  ::operator delete(::operator new(100, std::align_val_t(64)), 100, std::align_val_t(64));
  ::operator delete[](::operator new[](100, std::align_val_t(64)), 100, std::align_val_t(64));
  ::operator delete(::operator new(100, std::nothrow), std::nothrow);
  ::operator delete[](::operator new[](100, std::nothrow), std::nothrow);
  ::operator delete(::operator new(100, std::align_val_t(64), std::nothrow), std::align_val_t(64), std::nothrow);
  ::operator delete[](::operator new[](100, std::align_val_t(64), std::nothrow), std::align_val_t(64), std::nothrow);

  const volatile size_t too_much = size_t(PTRDIFF_MAX) - 4096;
  std::set_new_handler(give_up_at_the_third);
  bool thrown = false;
  try {
    ::operator delete(::operator new(too_much));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown && handled == 3);
  thrown = false;
  try {
    ::operator delete(::operator new(too_much, std::align_val_t(4096)), std::align_val_t(4096));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK(::operator new(too_much, std::nothrow) == nullptr);
  CHECK(::operator new(too_much, std::align_val_t(64), std::nothrow) == nullptr);

  std::vector<std::thread> threads;
  for (int t = 0; t < 8; t++) {
    threads.emplace_back([t] {
      std::map<int, std::shared_ptr<std::string>> map;
      for (int i = 0; i < 20000; i++) map[i * 7919 % 5000] = std::make_shared<std::string>(size_t(i % 300), char('a' + t));
      size_t length = 0;
      for (auto& each : map) length += each.second->size();
      CHECK(length > 0);
    });
  }
  for (auto& thread : threads) thread.join();
  puts("ok");
}
