// Many plugins, each with an allocator of its own: together they fit the room that libc has beside the program's
// thread-local variables.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPIES = 60 };  // glibc has room for a hundred

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int from = open(argv[1], O_RDONLY);
  struct stat status;
  if (from < 0 || fstat(from, &status) != 0) return 3;
  char folder[] = "/tmp/copies-XXXXXX", path[sizeof(folder) + 20];
  if (mkdtemp(folder) == NULL) return 4;
  int loaded = 0;
  for (int i = 0; i < COPIES; i++) {
    snprintf(path, sizeof(path), "%s/%d.so", folder, i);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
    off_t at = 0;
    while (to >= 0 && at < status.st_size && sendfile(to, from, &at, (size_t)(status.st_size - at)) > 0) continue;
    close(to);
    void* copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (copy == NULL) printf("copy %d: %s\n", i, dlerror());
    void (*work)(void);
    *(void**)&work = copy == NULL ? NULL : dlsym(copy, "guest_work");
    if (work != NULL) work(), loaded++;
    unlink(path);
  }
  rmdir(folder);
  puts(loaded == COPIES ? "ok" : "not all");
  return loaded == COPIES ? 0 : 1;
}
