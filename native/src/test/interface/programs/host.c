// Loads and unloads a plugin that has the allocator inside, in all ways that may leave something behind.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mappings.h"

enum { RELOADS = 1100, THREADS = 4 };

static const char* path;
static void* guest;

static void fail(const char* what, long a, long b) {
  printf("host: %s: %ld, %ld\n", what, a, b);
  fflush(stdout);
  _Exit(1);
}

static void load(void) {
  guest = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (guest == NULL) fail(dlerror(), 0, 0);
}

static void unload(void) {
  if (dlclose(guest) != 0) fail(dlerror(), 0, 0);
  if (dlopen(path, RTLD_NOW | RTLD_NOLOAD) != NULL) fail("still there", 0, 0);
}

static void call(const char* name) {
  void (*f)(void);
  *(void**)&f = dlsym(guest, name);
  f();
}

static void* keep(size_t size) {
  void* (*f)(size_t);
  *(void**)&f = dlsym(guest, "guest_keep");
  return f(size);
}

static void release(void* p) {
  void (*f)(void*);
  *(void**)&f = dlsym(guest, "guest_free");
  f(p);
}

static long resident(void) {
  char text[128] = "";
  int file = open("/proc/self/statm", O_RDONLY);
  if (read(file, text, sizeof(text) - 1) <= 0) fail("statm", 0, 0);
  close(file);
  return strtol(strchr(text, ' '), NULL, 10) * (sysconf(_SC_PAGESIZE) >> 10);
}

static long keys(void) {
  static pthread_key_t all[2000];
  long count = 0;
  while (count < 2000 && pthread_key_create(&all[count], NULL) == 0) count++;
  for (long i = 0; i < count; i++) pthread_key_delete(all[i]);
  return count;
}

static sem_t used, gone;

static void* use(void* kept) {
  call("guest_work");
  if (kept != NULL) *(void**)kept = keep(3000);
  sem_post(&used);
  sem_wait(&gone);
  return NULL;
}

// Threads that have used the plugin end when it is gone; each keeps a block if there is room for its address.
static void threads(void** kept) {
  pthread_t thread[THREADS];
  load();
  for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, use, kept == NULL ? NULL : &kept[i]);
  for (int i = 0; i < THREADS; i++) sem_wait(&used);
  unload();
  for (int i = 0; i < THREADS; i++) sem_post(&gone);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
}

// Threads end right before the plugin is unloaded.
static void* brief(void* ignored) {
  call("guest_work");
  sem_post(&used);
  return ignored;
}

static void ending(void) {
  pthread_t thread[THREADS];
  load();
  for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, brief, NULL);
  for (int i = 0; i < THREADS; i++) sem_wait(&used);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
  unload();
}

static void child(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) fail("child", status, 0);
}

// In a child the threads of the parent are gone, with what they were in the middle of.
static void child_unloads(void) {
  load();
  pthread_t thread;
  pthread_create(&thread, NULL, use, NULL);
  sem_wait(&used);
  call("guest_work");
  pid_t pid = fork();
  if (pid == 0) {
    call("guest_work");
    unload();
    _exit(0);
  }
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) fail("child that unloads", status, 0);
  sem_post(&gone);
  pthread_join(thread, NULL);
  unload();
}

static void alive(void) {
  load();
  char* block = keep(100000);
  char* small = keep(10);
  char* freed = keep(30 << 20);
  long before = resident();  // before it is free: a purge thread may be quick
  release(freed);
  unload();
  for (int i = 0; i < 100000; i++) {
    if (block[i] != 1) fail("a live block", i, block[i]);
  }
  if (small[9] != 1) fail("a live block", 9, small[9]);
  if (resident() > before - (20 << 10)) fail("what is free beside a live block", before, resident());
  void* kept[THREADS] = {NULL};
  threads(kept);
  for (int i = 0; i < THREADS; i++) {
    if (((char*)kept[i])[2999] != 1) fail("a thread's live block", i, 0);
  }
}

static void* loop(void* ignored) {
  for (;;) call("guest_work");
  return ignored;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  path = argv[1];
  sem_init(&used, 0, 0);
  sem_init(&gone, 0, 0);
  if (argc > 2) {
    // The process ends while a thread is in there.
    load();
    pthread_t thread;
    pthread_create(&thread, NULL, loop, NULL);
    call("guest_work");
    puts("ok");
    exit(0);
  }
  long free_keys = 0, lines = 0, kib = 0;
  for (int i = 0; i < RELOADS; i++) {
    load();
    call("guest_work");
    if (i % 100 == 0) call("guest_reserve");
    unload();
    if (i == 10) free_keys = keys(), lines = mappings(), kib = resident();
  }
  if (keys() != free_keys) fail("keys", free_keys, keys());
  if (mappings() > lines + 20) fail("mappings", lines, mappings());
  if (resident() > kib + (10 << 10)) fail("resident KiB", kib, resident());
  for (int i = 0; i < 50; i++) threads(NULL);
  for (int i = 0; i < 50; i++) ending();
  if (keys() != free_keys) fail("keys after threads", free_keys, keys());
  // A few: stacks of threads, which libc keeps.
  if (mappings() > lines + 40) fail("mappings after threads", lines, mappings());
  if (resident() > kib + (10 << 10)) fail("resident KiB after threads", kib, resident());
  child();
  child_unloads();
  alive();
  child();
  if (keys() != free_keys) fail("keys at the end", free_keys, keys());
  puts("ok");
  return 0;
}
