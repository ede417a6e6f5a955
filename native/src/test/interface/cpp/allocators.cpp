// Every standard container over each of the allocators.
#include "../check.h"
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <queue>
#include <scoped_allocator>
#include <set>
#include <stack>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace {

enum { COUNT = 1000 };

struct alignas(128) wide {
  int value;
  wide(int v = 0) : value(v) {}
};

template <template <class> class A>
struct over {
  template <class T>
  using vector = std::vector<T, A<T>>;
  using string = std::basic_string<char, std::char_traits<char>, A<char>>;

  static void sequences() {
    vector<int> v;
    std::deque<int, A<int>> d;
    std::list<int, A<int>> l;
    std::forward_list<int, A<int>> f;
    for (int i = 0; i < COUNT; i++) v.push_back(i), d.push_front(i), l.push_back(i), f.push_front(i);
    CHECK(v.size() == COUNT && v[COUNT - 1] == COUNT - 1 && mi_any_heap_contains(v.data()));
    CHECK(d.size() == COUNT && d.front() == COUNT - 1 && mi_any_heap_contains(&d.front()));
    CHECK(l.size() == COUNT && l.back() == COUNT - 1 && mi_any_heap_contains(&l.back()));
    CHECK(f.front() == COUNT - 1 && mi_any_heap_contains(&f.front()));
    vector<int> copy(v);
    CHECK(copy == v && copy.get_allocator() == v.get_allocator());
    vector<int> moved(std::move(copy));
    CHECK(moved == v);
    copy = moved;
    CHECK(copy == v);
    vector<int> other(10, 7);
    swap(copy, other);
    CHECK(copy.size() == 10 && copy[9] == 7 && other == v);
    copy = std::move(other);
    CHECK(copy == v);
    v.shrink_to_fit();
    d.erase(d.begin(), d.begin() + COUNT / 2);
    l.sort([](int a, int b) { return a > b; });
    f.reverse();
    CHECK(d.size() == COUNT / 2 && l.front() == COUNT - 1 && f.front() == 0);
    vector<bool> bits(COUNT, true);
    bits[7] = false;
    CHECK(bits[6] && !bits[7]);
    vector<wide> wides;
    bool good = true;
    for (int i = 0; i < 100; i++) {
      wides.push_back(i);
      good = good && is_aligned(&wides[0], 128) && wides[i].value == i;
    }
    CHECK(good);
  }

  static void sorted() {
    std::set<int, std::less<int>, A<int>> s;
    std::multiset<int, std::less<int>, A<int>> ms;
    std::map<int, string, std::less<int>, A<std::pair<const int, string>>> m;
    std::multimap<int, int, std::less<int>, A<std::pair<const int, int>>> mm;
    for (int i = 0; i < COUNT; i++) {
      int key = i * 7919 % COUNT;
      s.insert(key), ms.insert(key % 10), m[key] = string(static_cast<size_t>(key % 100), 'x'), mm.insert({key % 10, key});
    }
    CHECK(s.size() == COUNT && *s.begin() == 0);
    CHECK(ms.size() == COUNT && ms.count(3) == COUNT / 10);
    CHECK(m.size() == COUNT && m[99].size() == 99);
    CHECK(mm.size() == COUNT && mm.count(3) == COUNT / 10);
    CHECK(mi_any_heap_contains(&*s.begin()) && mi_any_heap_contains(&m[99]) && mi_any_heap_contains(&m[99][0]));
    auto copy = m;
    m.clear();
    CHECK(copy.size() == COUNT && copy[50].size() == 50);
  }

  static void hashed() {
    std::unordered_set<int, std::hash<int>, std::equal_to<int>, A<int>> s;
    std::unordered_multiset<int, std::hash<int>, std::equal_to<int>, A<int>> ms;
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, A<std::pair<const int, int>>> m;
    std::unordered_multimap<int, int, std::hash<int>, std::equal_to<int>, A<std::pair<const int, int>>> mm;
    for (int i = 0; i < COUNT; i++) s.insert(i), ms.insert(i % 10), m[i] = i * i, mm.insert({i % 10, i});
    CHECK(s.size() == COUNT && s.count(77) == 1);
    CHECK(ms.size() == COUNT && ms.count(7) == COUNT / 10);
    CHECK(m.size() == COUNT && m[30] == 900);
    CHECK(mm.size() == COUNT && mm.count(7) == COUNT / 10);
    CHECK(mi_any_heap_contains(&m[30]));
    for (int i = 0; i < COUNT; i += 2) m.erase(i);
    CHECK(m.size() == COUNT / 2);
  }

  static void others() {
    string text;
    for (int i = 0; i < COUNT; i++) text += "word ";
    CHECK(text.size() == 5 * COUNT && mi_any_heap_contains(text.data()));
    std::stack<int, std::deque<int, A<int>>> stack;
    std::queue<int, std::list<int, A<int>>> queue;
    std::priority_queue<int, vector<int>> sorted;
    for (int i = 0; i < COUNT; i++) stack.push(i), queue.push(i), sorted.push(i * 7919 % COUNT);
    CHECK(stack.top() == COUNT - 1 && queue.front() == 0 && sorted.top() == COUNT - 1);
    std::shared_ptr<wide> shared = std::allocate_shared<wide>(A<wide>(), 42);
    CHECK(shared->value == 42 && is_aligned(shared.get(), 128) && mi_any_heap_contains(shared.get()));
    std::vector<string, std::scoped_allocator_adaptor<A<string>>> nested;
    for (int i = 0; i < 100; i++) nested.emplace_back(static_cast<size_t>(100), static_cast<char>('a' + i % 26));
    CHECK(nested[99] == string(100, 'a' + 99 % 26));
  }

  static void traits() {
    using traits = std::allocator_traits<A<int>>;
    A<int> a;
    A<double> b(a);
    A<int> c(b);
    CHECK(a == c && !(a != c) && a == b);
    static_assert(std::is_same<typename traits::template rebind_alloc<double>, A<double>>::value, "rebind");
    static_assert(traits::propagate_on_container_swap::value, "swap takes the heap along");
    CHECK(traits::select_on_container_copy_construction(a) == a);
    int* p = traits::allocate(a, 100);
    CHECK(is_block(p, 100 * sizeof(int)));
    traits::construct(a, p, 5);
    CHECK(*p == 5);
    traits::destroy(a, p);
    traits::deallocate(a, p, 100);
    CHECK(traits::max_size(a) <= PTRDIFF_MAX / sizeof(int) && traits::max_size(a) > PTRDIFF_MAX / sizeof(int) / 2);
    int thrown = 0;
    try {
      traits::deallocate(a, traits::allocate(a, opaque(SIZE_MAX / 2)), 1);
    } catch (const std::bad_alloc&) {
      thrown++;
    }
    A<wide> w(a);
    try {
      w.deallocate(w.allocate(opaque(SIZE_MAX / 64)), 1);
    } catch (const std::bad_alloc&) {
      thrown++;
    }
    try {
      w.deallocate(w.allocate(opaque(PTRDIFF_MAX / sizeof(wide))), 1);
    } catch (const std::bad_alloc&) {
      thrown++;
    }
    CHECK(thrown == 3);
  }

  static void all() {
    sequences();
    sorted();
    hashed();
    others();
    traits();
  }
};

int64_t heaps_now() {
  mi_stats_t_decl(stats);
  return mi_stats_get(&stats) ? stats.heaps.current : -1;
}

template <template <class> class A>
void in_heaps() {
  int64_t before = heaps_now();
  {
    std::vector<int, A<int>> v(100), w(100);
    CHECK(mi_heap_of(v.data()) != mi_heap_main() && mi_heap_of(v.data()) != mi_heap_of(w.data()));
    CHECK(v.get_allocator() != w.get_allocator() && heaps_now() == before + 2);
    std::vector<int, A<int>> copy(v), assigned;
    assigned = v;
    CHECK(mi_heap_of(copy.data()) == mi_heap_of(v.data()) && mi_heap_of(assigned.data()) == mi_heap_of(v.data()));
    std::map<int, int, std::less<int>, A<std::pair<const int, int>>> map(v.get_allocator());
    map[1] = 2;
    CHECK(mi_heap_of(&map[1]) == mi_heap_of(v.data()));
    v.get_allocator().collect(true);
  }
  CHECK(heaps_now() == before);
  mi_heap_t* heap = mi_heap_new();
  {
    A<int> allocator(heap);
    std::vector<int, A<int>> v(1000, 3, allocator);
    CHECK(mi_heap_contains(heap, v.data()) && v[999] == 3);
  }
  CHECK(heaps_now() == before + 1);  // a given heap stays
  mi_heap_destroy(heap);
}

}  // namespace

void allocators() {
  over<mi_stl_allocator>::all();
  over<mi_heap_stl_allocator>::all();
  over<mi_heap_destroy_stl_allocator>::all();
  in_heaps<mi_heap_stl_allocator>();
  in_heaps<mi_heap_destroy_stl_allocator>();
  static_assert(mi_stl_allocator<int>::is_always_equal::value, "they share the default heap");
  static_assert(!mi_heap_stl_allocator<int>::is_always_equal::value, "each may have a heap of its own");
  // What a deleted heap leaves behind goes on to live, in the main heap.
  int* survivor;
  {
    mi_heap_stl_allocator<int> allocator;
    survivor = allocator.allocate(10);
  }
  CHECK(mi_heap_of(survivor) == mi_heap_main() && is_block(survivor, 10 * sizeof(int)));
  mi_free(survivor);
}
