// A library that runs out of memory in all forms of new, for late.c.
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace {
int calls;

void gives_up_at_the_second() {
  if (++calls == 2) std::set_new_handler(nullptr);
}

void throws() {
  calls++;
  throw std::bad_alloc();
}

template <class Action>
bool fails(Action action) {
  try {
    action();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}
}  // namespace

extern "C" __attribute__((visibility("default"))) int late_work(void) {
  volatile std::size_t much = PTRDIFF_MAX - 64;  // so much that no system has it, also with 32 bits
  if (!fails([&] { ::operator delete(::operator new(much)); })) return 11;
  if (!fails([&] { std::vector<double>().reserve(much / sizeof(double)); })) return 12;
  if (::operator new(much, std::nothrow) != nullptr) return 13;
  std::set_new_handler(gives_up_at_the_second);
  if (::operator new[](much, std::nothrow) != nullptr || calls != 2) return 14;
  calls = 0;
  std::set_new_handler(gives_up_at_the_second);
  if (!fails([&] { ::operator delete[](::operator new[](much)); }) || calls != 2) return 15;
  calls = 0;
  std::set_new_handler(throws);
  if (::operator new(much, std::nothrow) != nullptr || calls != 1) return 16;
  if (!fails([&] { ::operator delete(::operator new(much)); }) || calls != 2) return 17;
  std::set_new_handler(nullptr);
  return 0;
}
