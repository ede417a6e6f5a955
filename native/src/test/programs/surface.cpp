// Every way to memory that the library takes over: the pointer must be ours, and the contract kept.
#include "program.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

static bool (*is_ours)(const void*);

static void* ours(void* p, size_t size, size_t alignment = 16) {
  CHECK(p != NULL);
  if (size < alignment && alignment == 16) alignment = 8;
  CHECK((uintptr_t) p % alignment == 0);
  CHECK(is_ours(p));
  CHECK(malloc_usable_size(p) >= size);
  memset(p, 0xA5, size);
  return p;
}

static void zero(void* p, size_t size) {
  for (size_t i = 0; i < size; i++) CHECK(((char*) p)[i] == 0);
}

static int handled;
static void handler() { if (++handled == 3) std::set_new_handler(nullptr); }

struct alignas(256) Wide { char bytes[300]; };

static void c_names(size_t size) {
  free(ours(malloc(size), size));
  void* cleared = calloc(3, size);
  zero(cleared, 3 * size);
  free(ours(cleared, 3 * size));
  void* p = ours(malloc(size), size);
  p = realloc(p, 4 * size + 1);
  for (size_t i = 0; i < size; i++) CHECK(((unsigned char*) p)[i] == 0xA5);
  free(ours(p, 4 * size + 1));
  free(ours(reallocarray(NULL, size, 2), 2 * size));
  for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
    free(ours(memalign(alignment, size), size, alignment));
    free(ours(aligned_alloc(alignment, size), size, alignment));
    CHECK(posix_memalign(&p, alignment, size) == 0);
    free(ours(p, size, alignment));
  }
  free(ours(valloc(size), size, 4096));
  free(ours(pvalloc(size), (size + 4095) & ~4095ul, 4096));
}

static void cpp_names(size_t size) {
  operator delete(ours(operator new(size), size));
  operator delete[](ours(operator new[](size), size));
  operator delete(ours(operator new(size), size), size);
  operator delete[](ours(operator new[](size), size), size);
  operator delete(ours(operator new(size, std::nothrow), size), std::nothrow);
  operator delete[](ours(operator new[](size, std::nothrow), size), std::nothrow);
  for (size_t alignment = 16; alignment <= 65536; alignment *= 4) {
    auto wanted = std::align_val_t(alignment);
    operator delete(ours(operator new(size, wanted), size, alignment), wanted);
    operator delete[](ours(operator new[](size, wanted), size, alignment), wanted);
    operator delete(ours(operator new(size, wanted), size, alignment), size, wanted);
    operator delete[](ours(operator new[](size, wanted), size, alignment), size, wanted);
    operator delete(ours(operator new(size, wanted, std::nothrow), size, alignment), wanted, std::nothrow);
    operator delete[](ours(operator new[](size, wanted, std::nothrow), size, alignment), wanted, std::nothrow);
  }
}

static void refusals() {
  volatile size_t huge = PTRDIFF_MAX;
  char sentinel;
  void* p = &sentinel;
  errno = 0;
  CHECK(malloc(huge) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(calloc(huge, 3) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(reallocarray(NULL, huge, 3) == NULL && errno == ENOMEM);
  CHECK(posix_memalign(&p, 3, 10) == EINVAL && posix_memalign(&p, 0, 10) == EINVAL);
  CHECK(posix_memalign(&p, 2, 10) == EINVAL && posix_memalign(&p, 24, 10) == EINVAL);
  CHECK(posix_memalign(&p, 16, huge) == ENOMEM && p == &sentinel);
  void* kept = malloc(10);
  strcpy((char*) kept, "kept");
  CHECK(realloc(kept, huge) == NULL && strcmp((char*) kept, "kept") == 0);
  free(kept);
  void *none = malloc(0), *other = malloc(0);
  CHECK(none != NULL && other != NULL && none != other);
  free(none);
  free(other);
  free(NULL);
  CHECK(malloc_usable_size(NULL) == 0);
  errno = 4711;
  free(malloc(100));
  free(malloc(10000000));
  CHECK(errno == 4711);
  CHECK(operator new(huge, std::nothrow) == nullptr);
  bool thrown = false;
  try { operator delete(operator new(huge)); } catch (const std::bad_alloc&) { thrown = true; }
  CHECK(thrown);
  std::set_new_handler(handler);
  thrown = false;
  try { operator delete[](operator new[](huge)); } catch (const std::bad_alloc&) { thrown = true; }
  CHECK(thrown && handled == 3);
}

static void by_the_c_library() {
  char* text = strdup("a text");
  free(ours(text, 7, 1));
  text = strndup("a text", 3);
  CHECK(strcmp(text, "a t") == 0);
  free(ours(text, 4, 1));
  CHECK(asprintf(&text, "%0500d", 7) == 500);
  free(ours(text, 501));
  free(ours(realpath("/proc/self/..", NULL), 6, 1));
  free(ours(getcwd(NULL, 0), 2, 1));
  char* line = NULL;
  size_t room = 0;
  FILE* memory = fmemopen((void*) "one line\nanother\n", 17, "r");
  CHECK(getline(&line, &room, memory) == 9);
  free(ours(line, 9, 1));
  fclose(memory);
  FILE* stream = open_memstream(&text, &room);
  for (int i = 0; i < 1000; i++) fprintf(stream, "%d ", i);
  fclose(stream);
  CHECK(room == 3890);
  free(ours(text, room));
  struct dirent** names;
  int count = scandir("/", &names, NULL, alphasort);
  CHECK(count > 3);
  for (int i = 0; i < count; i++) free(ours(names[i], 1, 1));
  free(ours(names, count * sizeof *names));
  struct addrinfo* address;
  CHECK(getaddrinfo("127.0.0.1", "80", NULL, &address) == 0);
  freeaddrinfo(address);
}

int main() {
  is_ours = (bool (*)(const void*)) dlsym(RTLD_DEFAULT, "mi_is_in_heap_region");
  CHECK(is_ours != NULL);
  for (size_t size : {1ul, 8ul, 9ul, 16ul, 100ul, 1000ul, 5000ul, 70000ul, 1000000ul, 40000000ul}) {
    c_names(size);
    cpp_names(size);
  }
  std::vector<std::unique_ptr<Wide>> wide;
  for (int i = 0; i < 100; i++) {
    wide.push_back(std::make_unique<Wide>());
    CHECK((uintptr_t) wide.back().get() % 256 == 0 && is_ours(wide.back().get()));
  }
  refusals();
  by_the_c_library();
  printf("surface\n");
}
