// Option purge_thread: in a silent program the thread sleeps, also past the times when it looks for holes; and it is there
// again when the program does something, also where that alone leaves holes, and in the child of a fork.
#include <fcntl.h>
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, SIZE = 1024, BLOCKS = 64 * MIB / SIZE, ALIVE = 64, ROOM = 16 * MIB };
enum { SILENCE = 5000, TRIES = 24 };  // ms, more than the 4 s between two looks for holes; the thread needs three of these

static char* blocks[BLOCKS];

static void fail(const char* what, long a, long b) {
  printf("asleep: %s: %ld, %ld\n", what, a, b);
  fflush(stdout);
  _exit(1);
}

static void rest(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static void read_file(const char* path, char* text, long size) {
  int file = open(path, O_RDONLY);
  long length = read(file, text, (size_t)size - 1);
  close(file);
  if (length <= 0) fail(path, length, 0);
  text[length] = 0;
}

static long resident(void) {
  char text[128];
  read_file("/proc/self/statm", text, sizeof(text));
  return strtol(strchr(text, ' '), NULL, 10) * sysconf(_SC_PAGESIZE);
}

// The purge thread, 0 for none; nobody else starts one. opendir would allocate.
static long purge_thread(void) {
  char entries[4096];
  long other = 0, length;
  int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
  while ((length = syscall(SYS_getdents64, folder, entries, sizeof(entries))) > 0) {
    for (char* e = entries; e < entries + length;) {
      unsigned short bytes;
      memcpy(&bytes, e + 16, sizeof(bytes));
      long thread = strtol(e + 19, NULL, 10);
      if (thread > 0 && thread != getpid()) other = thread;
      e += bytes;
    }
  }
  close(folder);
  return other;
}

// How often a thread has gone to sleep or was interrupted.
static long switches(long thread) {
  char path[64], text[4096];
  snprintf(path, sizeof(path), "/proc/self/task/%ld/status", thread);
  read_file(path, text, sizeof(text));
  long sum = 0;
  for (char* at = text; (at = strstr(at, "ctxt_switches:")) != NULL;) sum += strtol(at += 14, NULL, 10);
  return sum;
}

static void await_sleep(const char* what) {
  long thread = purge_thread(), before = -1, now;
  if (thread == 0) fail("no thread", 0, 1);
  for (int i = 0; (now = switches(thread)) != before; i++) {
    if (i == TRIES) fail(what, before, now);
    before = now;
    rest(SILENCE);
  }
}

static void await_resident(const char* what, long most) {
  for (int i = 0; resident() > most; i++) {
    if (i == 3000) fail(what, resident(), most);
    rest(20);
  }
}

// One block in 64 lives on, so that hardly a page is given back: what is to go are holes.
static void thin(void) {
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = mi_malloc(SIZE);
    if (blocks[i] == NULL) fail("no memory", 0, 0);
    memset(blocks[i], i % 101, SIZE);
  }
  for (int i = 0; i < BLOCKS; i++) {
    if (i % ALIVE != 0) mi_free(blocks[i]);
  }
}

static void end(void) {
  for (int i = 0; i < BLOCKS; i += ALIVE) {
    for (int at = 0; at < SIZE; at++) {
      if (blocks[i][at] != i % 101) fail("a live block was lost", i, at);
    }
    mi_free(blocks[i]);
  }
}

static void live(const char* what, long before) {
  thin();
  await_resident(what, before + ROOM);
  await_sleep(what);
  end();
}

int main(void) {
  memset(blocks, 0, sizeof(blocks));
  long before = resident();
  mi_option_set(mi_option_purge_delay, 100);
  mi_option_set(mi_option_purge_thread, 1);
  live("silence", before);
  pid_t child = fork();
  if (child == 0) {
    live("a child's silence", before);
    _exit(0);
  }
  live("silence again", before);
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) fail("a child", status, 0);
  puts("ok");
  return 0;
}
