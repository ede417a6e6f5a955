// What a program on Linux asks about itself without allocating.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static void fail(const char* what, long a, long b) {
  printf("failed: %s: %ld, %ld\n", what, a, b);
  fflush(stdout);
  _exit(1);
}

static long read_file(const char* path, char* text, long size) {
  int file = open(path, O_RDONLY);
  long length = read(file, text, (size_t)size - 1);
  close(file);
  if (length <= 0) fail(path, length, 0);
  text[length] = 0;
  return length;
}

UNUSED static long resident(void) {
  char text[128];
  read_file("/proc/self/statm", text, sizeof(text));
  return strtol(strchr(text, ' '), NULL, 10) * sysconf(_SC_PAGESIZE);
}

// The number of a thread beside the first one, 0 for none. Opens the folder by hand: opendir allocates.
UNUSED static long other_thread(long* count) {
  char entries[4096];
  long other = 0, length;
  *count = 0;
  int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
  while ((length = syscall(SYS_getdents64, folder, entries, sizeof(entries))) > 0) {
    for (char* e = entries; e < entries + length;) {
      unsigned short bytes;
      memcpy(&bytes, e + 16, sizeof(bytes));
      long thread = strtol(e + 19, NULL, 10);
      if (thread > 0) ++*count;
      if (thread > 0 && thread != getpid()) other = thread;
      e += bytes;
    }
  }
  close(folder);
  return other;
}

// How often a thread has gone to sleep or was interrupted.
UNUSED static long switches(long thread) {
  char path[64], text[4096];
  snprintf(path, sizeof(path), "/proc/self/task/%ld/status", thread);
  read_file(path, text, sizeof(text));
  long sum = 0;
  for (char* at = text; (at = strstr(at, "ctxt_switches:")) != NULL;) sum += strtol(at += 14, NULL, 10);
  return sum;
}
