// A DLL in C++ whose objects others delete, and that deletes theirs: for replaced.cpp.
#include <string>
#include <vector>

struct object {
  std::vector<std::string> texts;
  virtual ~object() = default;
};

extern "C" __declspec(dllexport) object* objects_make() {
  auto* made = new object;
  for (int i = 0; i < 100; i++) made->texts.emplace_back(static_cast<size_t>(i), 'x');
  return made;
}
extern "C" __declspec(dllexport) void objects_end(object* old) { delete old; }
extern "C" __declspec(dllexport) int* objects_array() { return new int[1000](); }
extern "C" __declspec(dllexport) void objects_end_array(const int* old) { delete[] old; }
