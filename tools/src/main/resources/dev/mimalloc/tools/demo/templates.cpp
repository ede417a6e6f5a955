// Food for the compiler: much of the standard library, and templates that unfold into some hundred types.
#include <algorithm>
#include <any>
#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template <int N> struct Tagged {
  std::uint64_t value = N;
  bool operator<(const Tagged& other) const { return value < other.value; }
};

// A pipeline of N different map, vector and function types; each of them is code of its own.
template <int N> struct Stage {
  std::map<Tagged<N>, std::vector<std::string>> table;
  std::function<std::uint64_t(std::uint64_t)> step = [](std::uint64_t x) { return x * (2 * N + 1) + N; };

  std::uint64_t run(std::uint64_t x) {
    for (int i = 0; i < 5; i++) {
      Tagged<N> key{(x >> i) & 7};
      table[key].push_back(std::to_string(step(x + i)));
    }
    std::uint64_t sum = 0;
    for (auto& [key, texts] : table) {
      std::sort(texts.begin(), texts.end(), [](auto& a, auto& b) { return a.size() < b.size() || a < b; });
      for (auto& text : texts) sum = sum * 31 + text.size() + key.value;
    }
    std::variant<int, std::string, Tagged<N>> any = Tagged<N>{sum};
    return std::visit([&](auto&& v) -> std::uint64_t {
      using V = std::decay_t<decltype(v)>;
      if constexpr (std::is_same_v<V, Tagged<N>>) return v.value + N;
      else return N;
    }, any);
  }
};

template <int... N> std::uint64_t runAll(std::integer_sequence<int, N...>) {
  std::uint64_t x = 1;
  ((x = Stage<N>{}.run(x)), ...);
  return x;
}

template <typename... T> struct Types {};
template <typename List, typename T> struct Append;
template <typename... T, typename U> struct Append<Types<T...>, U> { using type = Types<T..., U>; };
template <int N> struct Build { using type = typename Append<typename Build<N - 1>::type, Tagged<N>>::type; };
template <> struct Build<0> { using type = Types<>; };
template <typename... T> constexpr std::size_t count(Types<T...>) { return (sizeof(T) + ... + 0) / 8; }

int main() {
  std::cout << runAll(std::make_integer_sequence<int, 4>{}) << ' ' << count(Build<250>::type{}) << std::endl;
}
