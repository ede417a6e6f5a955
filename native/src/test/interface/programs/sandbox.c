// The allocator in a process that may only make the system calls that a sandbox for a libc's malloc allows.
#define _GNU_SOURCE
#include <errno.h>
#include <mimalloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<linux/seccomp.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>

enum { BLOCKS = 2000, ROUNDS = 4 };

// For the calling thread. What is not allowed ends the process, or fails.
static void enter(int kills) {
  static const int allowed[] = {SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_futex,
                                SYS_clock_gettime, SYS_getrandom, SYS_sched_yield, SYS_rt_sigprocmask, SYS_write, SYS_exit,
                                SYS_exit_group};
  enum { COUNT = sizeof(allowed) / sizeof(*allowed) };
  struct sock_filter filter[COUNT + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  for (int i = 0; i < COUNT; i++) {
    struct sock_filter jump = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], (uint8_t)(COUNT - i), 0);
    filter[1 + i] = jump;
  }
  struct sock_filter deny = BPF_STMT(BPF_RET | BPF_K, kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM);
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[COUNT + 1] = deny;
  filter[COUNT + 2] = allow;
  struct sock_fprog program = {COUNT + 3, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(77);
}

static void work(void) {
  static void* blocks[BLOCKS];
  uint32_t random = 1;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < BLOCKS; i++) {
      random = random * 1664525 + 1013904223;
      size_t size = 1 + (random >> 8) % (i % 10 != 0 ? 5000 : 900000);
      blocks[i] = mi_malloc(size);
      if (blocks[i] == NULL) _exit(3);
      memset(blocks[i], 1, size);
    }
    for (int i = 0; i < BLOCKS; i++) blocks[i] = mi_realloc(blocks[i], 3000);
    for (int i = 0; i < BLOCKS; i++) mi_free(blocks[i]);
    mi_collect(round % 2 == 1);
  }
  // More than an arena has; and one that comes straight from the system.
  char* large = mi_calloc(1500, 1 << 20);
  char* huge = mi_malloc((size_t)3 << 30);
  if (large != NULL) large[0] = 1;
  if (huge != NULL) huge[0] = 1;
  mi_free(huge);
  mi_free(large);
  mi_heap_t* heap = mi_heap_new();
  mi_free(mi_heap_malloc(heap, 100));
  mi_heap_destroy(heap);
}

int main(void) {
  mi_free(mi_malloc(1000));
  for (int kills = 0; kills < 2; kills++) {
    pid_t pid = fork();
    if (pid == 0) {
      enter(kills);
      work();
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) break;  // no sandbox to be had
    if (status != 0) {
      printf("sandbox: %s: %x\n", kills ? "killed" : "failed", (unsigned)status);
      return 1;
    }
  }
  puts("ok");
  return 0;
}
#else
int main(void) { return 0; }
#endif
