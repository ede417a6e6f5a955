// mimalloc-new-delete.h in one file of a program: its containers allocate with mimalloc.
#include <mimalloc-new-delete.h>
#include <string>
#include <vector>

int main() {
  std::vector<std::string> texts(100, std::string(100, 'x'));
  return mi_any_heap_contains(texts.data()) && mi_any_heap_contains(texts[99].data()) ? 0 : 1;
}
