#include <cstdio>
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <vector>
int main() {
  std::vector<int, mi_stl_allocator<int>> numbers(5, 1);
  std::printf("%d lines, version %d\n", static_cast<int>(numbers.size()), mi_version());
}
