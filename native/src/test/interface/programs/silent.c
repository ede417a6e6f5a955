// Option purge_thread: memory that came and went in cycles goes back to the system when the program falls silent. From then
// on nothing here allocates.
#include <mimalloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "process.h"

enum { CYCLES = 10, BLOCKS = 100, MIB = 1 << 20, SIZE = 4 * MIB, KEPT = 20 * MIB, ROOM = 16 * MIB };

static void rest(void) { nanosleep(&(struct timespec){0, 20000000}, NULL); }

static void* fill(void* p, size_t size) {
  if (p == NULL) fail("no memory", 0, 0);
  return memset(p, 1, size);
}

static void cycle(void) {
  void* blocks[BLOCKS];
  for (int i = 0; i < CYCLES; i++) {
    for (int b = 0; b < BLOCKS; b++) blocks[b] = fill(mi_malloc(SIZE), SIZE);
    for (int b = 0; b < BLOCKS; b++) mi_free(blocks[b]);
  }
}

static void await_resident(const char* what, long most) {
  for (int i = 0; resident() > most; i++) {
    if (i == 3000) fail(what, resident(), most);
    rest();
  }
}

// Nothing waits any more, and so the thread sleeps: it was not awake between two looks at it, sooner or later.
static void await_sleep(const char* what, long thread) {
  long before = -1, now;
  for (int i = 0; (now = switches(thread)) != before; i++) {
    if (i == 200) fail(what, before, now);
    before = now;
    for (int j = 0; j < 20; j++) rest();
  }
}

static void fall_silent(const char* what, long before) {
  cycle();
  await_resident(what, before + KEPT + ROOM);
  long count, thread = other_thread(&count);
  if (count != 2) fail("threads", count, 2);
  await_sleep(what, thread);
}

// Blocks of somebody who sleeps, freed by another.
static void* blocks[BLOCKS * 100];
static pthread_barrier_t filled, done;

static void* sleeper(void* ignored) {
  for (int i = 0; i < BLOCKS * 100; i++) blocks[i] = fill(mi_malloc(40000), 40000);
  pthread_barrier_wait(&filled);
  pthread_barrier_wait(&done);
  return ignored;
}

static void free_of_sleeper(long before) {
  pthread_t thread;
  pthread_barrier_init(&filled, NULL, 2);
  pthread_barrier_init(&done, NULL, 2);
  pthread_create(&thread, NULL, sleeper, NULL);
  pthread_barrier_wait(&filled);
  for (int i = 0; i < BLOCKS * 100; i++) mi_free(blocks[i]);
  mi_free(fill(mi_malloc(SIZE), SIZE));  // with something that waits
  await_resident("what a sleeper's blocks had", before + KEPT + ROOM);
  pthread_barrier_wait(&done);
  pthread_join(thread, NULL);
}

static long threads(void) {
  long count;
  other_thread(&count);
  return count;
}

static void* start_stop(void* ignored) {
  for (int i = 0; i < 100; i++) {
    mi_purge_thread_start();
    mi_purge_thread_stop();
  }
  return ignored;
}

// The thread by calls, which set the option as well: so a child has its own, or none.
static void start_and_stop(void) {
  if (!mi_purge_thread_stop() || threads() != 1) fail("stopped", threads(), 1);
  if (mi_option_is_enabled(mi_option_purge_thread)) fail("the option after a stop", 1, 0);
  cycle();
  if (!mi_purge_thread_stop() || threads() != 1) fail("no thread without the option", threads(), 1);
  if (!mi_purge_thread_start() || !mi_purge_thread_start() || threads() != 2) fail("started", threads(), 2);
  pid_t child = fork();
  if (child == 0) {
    cycle();
    if (threads() != 2) fail("a child's thread", threads(), 2);
    _exit(mi_purge_thread_stop() && threads() == 1 ? 0 : 2);
  }
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) fail("a child that stops its thread", status, 0);
  pthread_t rivals[4];
  for (int i = 0; i < 4; i++) pthread_create(&rivals[i], NULL, start_stop, NULL);
  for (int i = 0; i < 4; i++) pthread_join(rivals[i], NULL);
  if (!mi_purge_thread_start() || threads() != 2) fail("started after rivals", threads(), 2);
  cycle();
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  long before = resident(), count;
  void* kept = fill(mi_malloc(KEPT), KEPT);
  mi_option_set(mi_option_purge_delay, 3000);  // so that a cycle takes less, also on a slow machine
  cycle();
  if (other_thread(&count) != 0) fail("a thread without the option", count, 1);
  if (resident() < before + KEPT + 2 * ROOM) fail("a cycle's memory is kept for the next one", resident(), before);
  mi_option_set(mi_option_purge_delay, 100);
  mi_option_set(mi_option_purge_thread, 1);
  fall_silent("silence", before);
  fall_silent("silence again", before);
  // A signal for the process is not the thread's: it would end the process there.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  kill(getpid(), SIGUSR1);
  if (sigwaitinfo(&signals, NULL) != SIGUSR1) fail("no signal", 0, 0);
  free_of_sleeper(before);
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    if (child == 0) {
      fall_silent("a child's silence", before);
      _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fail("a child", status, 0);
  }
  start_and_stop();
  mi_free(kept);
  mi_option_set(mi_option_destroy_on_exit, 1);
  puts("ok");
  return 0;
}
