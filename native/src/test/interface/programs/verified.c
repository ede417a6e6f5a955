// For a library that checks its own invariants: whatever a program breaks of its structures is found at a collection,
// after enough allocations, at a thread's and at the process' end; and nothing is found where nothing is broken.
#define _POSIX_C_SOURCE 200809L
#include <mimalloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 200, ALLOCATIONS = 10000 };
enum { USED = 3 };  // the word of a page's descriptor with the number of blocks in use

static void* live;

// A theap begins with its direct table, from a size to the descriptor of a page.
static void** direct(size_t size) { return (void**)mi_heap_theap(mi_heap_main()) + size / 8; }

static void nothing(void) {}
static void overwrite(void) {
  void** p = mi_malloc(SIZE);
  mi_free(p);
  p[0] = live;
  p[0] = (char*)p[0] + 8;
}
static void free_twice(void) {
  void* p = mi_malloc(SIZE);
  mi_free(p);
  mi_free(p);
}
static void overrun(void) { memset((char*)live + mi_usable_size(live) + 8, 1, 8); }
static void lose_page(void) { *direct(SIZE) = *direct(1024); }
static void miscount(void) { ((int64_t*)*direct(SIZE))[USED]++; }
// What no thread has, only a look at everything finds.
static void miscount_abandoned(void) {
  void* page = *direct(SIZE);
  mi_collect_reduce(0);
  ((int64_t*)page)[USED]++;
}

static void collect(void) { mi_collect(true); }
static void allocate(void) {
  for (int i = 0; i < ALLOCATIONS; i++) mi_free(mi_malloc(200000));
}
static void end(void) { exit(0); }

typedef struct { const char* name; void (*run)(void); const char* says; } step_t;
static const step_t changes[] = {
    {"nothing", nothing, ""},
    {"overwrite", overwrite, "a free block was overwritten, and leads to 0x"},
    {"free_twice", free_twice, "twice in free lists is block 0x"},
    {"overrun", overrun, "a block that nobody had was written to at 0x"},
    {"lose_page", lose_page, "direct table of theap 0x"},
    {"miscount", miscount, "free blocks are lost of page 0x"},
    {"miscount_abandoned", miscount_abandoned, "free blocks are lost of page 0x"},
};
static const step_t ways[] = {
    {"collect", collect, ""}, {"allocate", allocate, ""}, {"end", end, ""}, {"thread", nothing, ""}};
enum { CHANGES = sizeof(changes) / sizeof(*changes), WAYS = sizeof(ways) / sizeof(*ways), THREAD = WAYS - 1 };

static void* run(void* change) {
  for (int i = 0; i < 3; i++) live = mi_malloc(SIZE);
  ((const step_t*)change)->run();
  return NULL;
}

// In a process of its own, whose only thread it is at first.
static int child(const char* change, const char* way) {
  const step_t* c = changes;
  const step_t* w = ways;
  pthread_t thread;
  while (strcmp(c->name, change) != 0) c++;
  while (strcmp(w->name, way) != 0) w++;
  if (w == ways + THREAD) {
    pthread_create(&thread, NULL, run, (void*)c);
    pthread_join(thread, NULL);
    _exit(0);
  }
  run((void*)c);
  w->run();
  _exit(0);
}

static int check(const char* program, const step_t* change, const step_t* way) {
  int ends[2], status;
  char said[512] = "";
  if (pipe(ends) != 0) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    execl(program, program, change->name, way->name, (char*)NULL);
    _exit(1);
  }
  close(ends[1]);
  for (size_t length = 0; length < sizeof(said) - 1;) {
    ssize_t more = read(ends[0], said + length, sizeof(said) - 1 - length);
    if (more <= 0) break;
    length += (size_t)more;
  }
  close(ends[0]);
  waitpid(pid, &status, 0);
  int aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  int fine = change == changes ? status == 0 : aborted && strstr(said, change->says) != NULL;
  if (!fine) printf("%s, %s: status %x, %s\n", change->name, way->name, (unsigned)status, said);
  return fine;
}

int main(int argc, char** argv) {
  if (argc == 3) return child(argv[1], argv[2]);
  int fine = 0, all = 0;
  for (int way = 0; way < WAYS; way++) {
    // A thread that allocates looks at what is its own.
    for (int change = 0; change < CHANGES; change++) {
      if (changes[change].run == miscount_abandoned && (ways[way].run == allocate || way == THREAD)) continue;
      fine += check(argv[0], changes + change, ways + way);
      all++;
    }
  }
  if (fine == all) printf("verified: %d\n", all);
  return fine != all;
}
