// For a library that checks its own invariants: a block that is freed too often breaks one, and the process says in which
// function, and aborts.
#define _POSIX_C_SOURCE 200809L
#include <mimalloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1000, TIMES = 100 };

static void break_it(void) {
  void* p = mi_malloc(SIZE);
  void* q = mi_malloc(SIZE);
  for (int i = 0; i < TIMES; i++) mi_free(p);
  for (int i = 0; i < TIMES; i++) q = mi_malloc(SIZE);
  mi_free(q);
}

int main(void) {
  int ends[2], status;
  char said[256] = "";
  if (pipe(ends) != 0) return 1;
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    break_it();
    _exit(0);
  }
  close(ends[1]);
  for (size_t length = 0; length < sizeof(said) - 1;) {
    ssize_t more = read(ends[0], said + length, sizeof(said) - 1 - length);
    if (more <= 0) break;
    length += (size_t)more;
  }
  waitpid(child, &status, 0);
  const char* place = strrchr(said, ' ');
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || place == NULL) return printf("not caught: %s\n", said), 1;
  printf("checked: aborted in%s", place);
  return 0;
}
