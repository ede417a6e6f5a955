// Memory resources, where the standard has them.
#include "../check.h"

#if __cplusplus >= 201703L && __has_include(<memory_resource>)
#include <list>
#include <map>
#include <memory_resource>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

void containers(std::pmr::memory_resource* resource) {
  std::pmr::vector<std::pmr::string> v(resource);
  std::pmr::map<int, std::pmr::string> m(resource);
  std::pmr::unordered_map<int, int> u(resource);
  std::pmr::list<int> l(resource);
  for (int i = 0; i < 1000; i++) {
    v.emplace_back("a text that is too long to lie in the string itself");
    m.emplace(i, "another text that is too long to lie in the string itself");
    u[i] = i;
    l.push_back(i);
  }
  CHECK(v.size() == 1000 && m.size() == 1000 && u.size() == 1000 && l.size() == 1000);
  CHECK(mi_any_heap_contains(v.data()) && mi_any_heap_contains(v[500].data()) && mi_any_heap_contains(&m.at(7)));
  CHECK(mi_any_heap_contains(&l.front()) && v[0].get_allocator().resource() == resource);
}

void blocks(std::pmr::memory_resource* resource) {
  for (size_t alignment = 1; alignment <= 1 << 20; alignment *= 16) {
    for (size_t size = 1; size <= 1 << 20; size *= 32) {
      void* p = resource->allocate(size, alignment);
      CHECK(p != nullptr && is_aligned(p, alignment) && mi_usable_size(p) >= size);
      memset(p, 1, size);
      resource->deallocate(p, size, alignment);
    }
  }
  void* p = resource->allocate(0);
  CHECK(p != nullptr);
  resource->deallocate(p, 0);
  bool thrown = false;
  try {
    resource->deallocate(resource->allocate(TOO_MUCH), 1);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
  thrown = false;
  try {
    resource->deallocate(resource->allocate(A_LOT, 64), 1);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
}

}  // namespace

void resources() {
  mi_memory_resource a, b;
  containers(&a);
  blocks(&a);
  containers(mi_memory_resource::instance());
  CHECK(a == b && a == *mi_memory_resource::instance() && a != *std::pmr::new_delete_resource());
  CHECK(mi_memory_resource::instance() == mi_memory_resource::instance());
  void* p = a.allocate(100);
  b.deallocate(p, 100);
  std::pmr::memory_resource* before = std::pmr::set_default_resource(mi_memory_resource::instance());
  {
    std::pmr::vector<int> v(1000);
    CHECK(mi_any_heap_contains(v.data()) && v.get_allocator().resource() == mi_memory_resource::instance());
  }
  std::pmr::set_default_resource(before);
  {
    std::pmr::unsynchronized_pool_resource pool(&a);
    containers(&pool);
    std::pmr::monotonic_buffer_resource buffer(&a);
    containers(&buffer);
  }

  mi_heap_t* leaked;
  {
    mi_heap_memory_resource mine, other;
    containers(&mine);
    blocks(&mine);
    CHECK(mine == mine && mine != other && mine != a && a != mine);
    p = mine.allocate(1000);
    CHECK(mi_heap_contains(mine.heap(), p) && mine.heap() != mi_heap_main());
    p = other.allocate(100000, 4096);  // not freed: goes with its heap
    CHECK(mi_heap_contains(other.heap(), p) && is_aligned(p, 4096));
    mi_heap_memory_resource same(mine.heap());
    CHECK(same == mine);
    leaked = mi_heap_new();
    mi_heap_memory_resource given(leaked);
    p = given.allocate(50);
    CHECK(given.heap() == leaked);
  }
  CHECK(mi_heap_contains(leaked, p));  // a given heap stays
  mi_heap_destroy(leaked);
}
#else
void resources() {}
#endif
