// Every function's type, with what it may throw.
#include "../check.h"
#include <type_traits>

// Declared once more: a type or an exception specification that differs from the header's is an error.
#define MI_NOEXCEPT noexcept
#define MI_MAY_THROW
#define FUNCTION(result, name, parameters, exceptions) extern "C" result name parameters exceptions;
#include "../functions.h"
#undef FUNCTION

void signatures() {
  int functions = 0;
#define FUNCTION(result, name, parameters, exceptions)       \
  {                                                          \
    result(*pointer) parameters exceptions = name;           \
    functions += reinterpret_cast<void*>(pointer) != nullptr; \
  }
#include "../functions.h"
  CHECK(functions == 223);
  CHECK(std::is_standard_layout<mi_stats_t>::value && std::is_trivial<mi_stats_t>::value);
  CHECK(std::is_standard_layout<mi_heap_area_t>::value && std::is_trivial<mi_heap_area_t>::value);

  struct point { double x, y; };
  point* p = mi_malloc_tp(point);
  CHECK(is_block(p, sizeof(point)));
  mi_free(p);
  p = mi_zalloc_tp(point);
  CHECK(is_zero_block(p, sizeof(point)));
  mi_free(p);
  p = mi_calloc_tp(point, 10);
  CHECK(is_zero_block(p, 10 * sizeof(point)));
  p = mi_reallocn_tp(point, p, 100);
  CHECK(is_block(p, 100 * sizeof(point)));
  mi_free(p);
  p = mi_mallocn_tp(point, 10);
  CHECK(is_block(p, 10 * sizeof(point)));
  mi_free(p);
  p = mi_recalloc_tp(point, nullptr, 10);
  CHECK(is_zero_block(p, 10 * sizeof(point)));
  mi_free(p);
  mi_heap_t* heap = mi_heap_new();
  p = mi_heap_malloc_tp(point, heap);
  CHECK(is_block(p, sizeof(point)) && mi_heap_contains(heap, p));
  p = mi_heap_zalloc_tp(point, heap);
  CHECK(is_zero_block(p, sizeof(point)) && mi_heap_contains(heap, p));
  p = mi_heap_calloc_tp(point, heap, 10);
  CHECK(is_zero_block(p, 10 * sizeof(point)) && mi_heap_contains(heap, p));
  p = mi_heap_mallocn_tp(point, heap, 10);
  CHECK(is_block(p, 10 * sizeof(point)) && mi_heap_contains(heap, p));
  p = mi_heap_reallocn_tp(point, heap, p, 1000);
  CHECK(is_block(p, 1000 * sizeof(point)) && mi_heap_contains(heap, p));
  p = mi_heap_recalloc_tp(point, heap, nullptr, 10);
  CHECK(is_zero_block(p, 10 * sizeof(point)) && mi_heap_contains(heap, p));
  mi_heap_destroy(heap);
}
