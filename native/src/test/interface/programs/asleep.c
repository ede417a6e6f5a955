// Option purge_thread: in a silent program the thread sleeps, also past the times when it looks for holes; and it is there
// again when the program does something, also where that alone leaves holes, and in the child of a fork.
#include <mimalloc.h>
#include <sys/wait.h>
#include <time.h>
#include "process.h"

enum { MIB = 1 << 20, SIZE = 1024, BLOCKS = 64 * MIB / SIZE, ALIVE = 64, ROOM = 16 * MIB };
enum { SILENCE = 5000, TRIES = 24 };  // ms, more than the 4 s between two looks for holes; the thread needs three of these

static char* blocks[BLOCKS];

static void rest(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static void await_sleep(const char* what) {
  long count, thread = other_thread(&count), before = -1, now;
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
