// operator new and delete in all their forms, through mimalloc-new-delete.h; and the functions below them.
#include "../check.h"
#include <cstring>
#include <exception>
#include <mimalloc-new-delete.h>
#include <pthread.h>
#include <unwind.h>

namespace {

int handled;

void gives_up_at_the_third() {
  if (++handled == 3) std::set_new_handler(nullptr);
}

struct own_exception {};
void throws() { throw own_exception(); }

/// Does this throw std::bad_alloc, after three calls of the handler?
template <class Action>
bool fails(Action action, int calls = 3) {
  handled = 0;
  std::set_new_handler(gives_up_at_the_third);
  bool thrown = false;
  try {
    action();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  std::set_new_handler(nullptr);
  return thrown && handled == calls;
}

/// Does this return NULL, after three calls of the handler?
template <class Action>
bool is_null(Action action) {
  handled = 0;
  std::set_new_handler(gives_up_at_the_third);
  void* p = action();
  std::set_new_handler(nullptr);
  return p == nullptr && handled == 3;
}

void plain() {
  void* p = ::operator new(100);
  CHECK(is_block(p, 100));
  ::operator delete(p);
  p = ::operator new[](100);
  CHECK(is_block(p, 100));
  ::operator delete[](p);
  p = ::operator new(100, std::nothrow);
  CHECK(is_block(p, 100));
  ::operator delete(p, std::nothrow);
  p = ::operator new[](100, std::nothrow);
  CHECK(is_block(p, 100));
  ::operator delete[](p, std::nothrow);
  p = ::operator new(0);
  CHECK(p != nullptr);
  ::operator delete(p);
  int* one = new int(5);
  CHECK(mi_any_heap_contains(one) && *one == 5);
  delete one;
  int* many = new int[1000]();
  CHECK(mi_any_heap_contains(many) && is_zero(many, 1000 * sizeof(int)));
  delete[] many;
  ::operator delete(nullptr);
  ::operator delete[](nullptr);
  CHECK(fails([] { ::operator delete(::operator new(TOO_MUCH)); }));
  CHECK(fails([] { ::operator delete[](::operator new[](A_LOT)); }));
  CHECK(is_null([] { return ::operator new(TOO_MUCH, std::nothrow); }));
  CHECK(is_null([] { return ::operator new[](A_LOT, std::nothrow); }));
#if __cplusplus >= 201402L
  p = ::operator new(100);
  ::operator delete(p, 100);
  p = ::operator new[](100);
  ::operator delete[](p, 100);
  CHECK(!fails([] { ::operator delete(::operator new(100), 100); }, 0));
#endif
}

void aligned() {
#if defined(__cpp_aligned_new)
  struct alignas(512) wide { char bytes[512]; };
  const std::align_val_t a{512};
  wide* one = new wide;
  CHECK(is_aligned(one, 512) && mi_any_heap_contains(one));
  delete one;
  wide* many = new wide[10];
  CHECK(is_aligned(many, 512));
  delete[] many;
  one = new (std::nothrow) wide;
  CHECK(is_aligned(one, 512) && one != nullptr);
  delete one;
  void* p = ::operator new(100, a);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  ::operator delete(p, a);
  p = ::operator new[](100, a);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  ::operator delete[](p, a);
  p = ::operator new(100, a, std::nothrow);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  ::operator delete(p, a, std::nothrow);
  p = ::operator new[](100, a, std::nothrow);
  CHECK(is_aligned(p, 512) && is_block(p, 100));
  ::operator delete[](p, a, std::nothrow);
  p = ::operator new(100, a);
  ::operator delete(p, 100, a);
  p = ::operator new[](100, a);
  ::operator delete[](p, 100, a);
  CHECK(fails([&] { ::operator delete(::operator new(TOO_MUCH, a), a); }));
  CHECK(fails([&] { ::operator delete[](::operator new[](A_LOT, a), a); }));
  CHECK(is_null([&] { return ::operator new(TOO_MUCH, a, std::nothrow); }));
  CHECK(is_null([&] { return ::operator new[](A_LOT, a, std::nothrow); }));
#endif
}

void functions() {
  mi_heap_t* heap = mi_heap_new();
  CHECK(fails([] { mi_free(mi_new(TOO_MUCH)); }));
  CHECK(fails([] { mi_free(mi_new(A_LOT)); }));
  CHECK(fails([] { mi_free(mi_new_aligned(TOO_MUCH, 64)); }));
  CHECK(fails([] { mi_free(mi_new_aligned(A_LOT, 4096)); }));
  CHECK(fails([] { mi_free(mi_new_aligned(10, opaque(3))); }, 0));
  CHECK(fails([] { mi_free(mi_new_n(MANY, 8)); }, 0));
  CHECK(fails([] { mi_free(mi_new_n(2, A_LOT / 2)); }));
  CHECK(fails([=] { mi_free(mi_heap_alloc_new(heap, TOO_MUCH)); }));
  CHECK(fails([=] { mi_free(mi_heap_alloc_new_n(heap, MANY, 8)); }, 0));
  CHECK(fails([=] { mi_free(mi_heap_alloc_new_n(heap, 2, A_LOT / 2)); }));
  CHECK(is_null([] { return mi_new_nothrow(TOO_MUCH); }));
  CHECK(is_null([] { return mi_new_aligned_nothrow(TOO_MUCH, 64); }));
  CHECK(mi_new_aligned_nothrow(10, opaque(3)) == nullptr);
  void* p = mi_new(100);
  memset(p, 1, 100);
  CHECK(fails([=] { mi_free(mi_new_realloc(p, TOO_MUCH)); }));
  CHECK(fails([=] { mi_free(mi_new_reallocn(p, MANY, 8)); }, 0));
  CHECK(fails([=] { mi_free(mi_new_reallocn(p, 2, A_LOT / 2)); }));
  CHECK(all_bytes(p, 100, 1));
  mi_free(p);
  // A handler may also throw something of its own, through the allocator.
  std::set_new_handler(throws);
  bool thrown = false;
  try {
    mi_free(mi_new(TOO_MUCH));
  } catch (const own_exception&) {
    thrown = true;
  }
  CHECK(thrown);
  thrown = false;
  try {
    mi_free(mi_heap_alloc_new(heap, A_LOT));
  } catch (const own_exception&) {
    thrown = true;
  }
  CHECK(thrown);
  std::set_new_handler(nullptr);
  CHECK(fails([] { mi_free(mi_new(TOO_MUCH)); }) && mi_version() > 0);  // nothing is left over of it
  mi_heap_destroy(heap);
}

int destroyed;

struct counted : std::bad_alloc {
  ~counted() noexcept override { destroyed++; }
};

void throws_bad_alloc() {
  handled++;
  throw counted();
}

_Unwind_Exception foreign;

void throws_of_another_language() {
  handled++;
  std::memcpy(&foreign.exception_class, "MIMALLOC", 8);  // a number, or letters, by processor
  foreign.exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception*) { destroyed++; };
  _Unwind_RaiseException(&foreign);
}

/// The forms that throw nothing end each exception of the handler's, after one call.
void handler_throws_nothrow() {
  std::new_handler all[] = {throws_bad_alloc, throws_of_another_language};
  for (std::new_handler handler : all) {
    handled = destroyed = 0;
    std::set_new_handler(handler);
    CHECK(::operator new(TOO_MUCH, std::nothrow) == nullptr);
    CHECK(handled == 1 && destroyed == 1);
    CHECK(::operator new[](A_LOT, std::nothrow) == nullptr);
    CHECK(mi_new_nothrow(A_LOT) == nullptr);
    CHECK(mi_new_aligned_nothrow(TOO_MUCH, 64) == nullptr);
    CHECK(handled == 4 && destroyed == 4);
#if defined(__cpp_aligned_new)
    CHECK(::operator new(TOO_MUCH, std::align_val_t{512}, std::nothrow) == nullptr);
    CHECK(::operator new[](A_LOT, std::align_val_t{512}, std::nothrow) == nullptr);
    CHECK(handled == 6 && destroyed == 6);
#endif
    std::set_new_handler(nullptr);
#if defined(__cpp_lib_uncaught_exceptions)
    CHECK(std::uncaught_exceptions() == 0);
#endif
    CHECK(!std::current_exception());
  }
  // Inside a handler of another exception, which stays the current one.
  std::set_new_handler(throws_bad_alloc);
  try {
    throw own_exception();
  } catch (const own_exception&) {
    CHECK(mi_new_nothrow(TOO_MUCH) == nullptr);
    bool same = false;
    try {
      throw;
    } catch (const own_exception&) {
      same = true;
    }
    CHECK(same);
  }
  std::set_new_handler(nullptr);
}

void ends_the_thread() { pthread_exit(&handled); }

void* fails_in_a_thread(void*) { return mi_new_nothrow(TOO_MUCH); }

/// What unwinds a whole thread is no exception.
void thread_ends_in_the_handler() {
  std::set_new_handler(ends_the_thread);
  pthread_t thread;
  void* result = nullptr;
  CHECK(pthread_create(&thread, nullptr, fails_in_a_thread, nullptr) == 0 && pthread_join(thread, &result) == 0);
  CHECK(result == &handled);
  std::set_new_handler(nullptr);
}

}  // namespace

void forms_of_new() {
  handler_throws_nothrow();
  thread_ends_in_the_handler();
  plain();
  aligned();
  functions();
}
