// A program that runs itself again.
#include "../check.h"

int run_again(const char* first, const char* second, const char* setting, char* text, size_t size) {
  char program[1000];
  ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
  if (length <= 0) return -1;
  program[length] = 0;
  int pipes[2];
  if (pipe(pipes) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], 1);
    dup2(pipes[1], 2);
    char libraries[1000] = "QEMU_LD_PREFIX=";
    if (getenv("QEMU_LD_PREFIX") != NULL) strncat(libraries, getenv("QEMU_LD_PREFIX"), 900);
    char* arguments[] = {(char*)MI_EMULATOR, program, (char*)first, (char*)second, NULL};
    char* environment[] = {(char*)setting, libraries, NULL};
    execve(MI_EMULATED ? MI_EMULATOR : program, arguments + !MI_EMULATED, environment);
    _exit(9);
  }
  close(pipes[1]);
  size_t at = 0;
  for (ssize_t more; at < size - 1 && (more = read(pipes[0], text + at, size - 1 - at)) > 0;) at += (size_t)more;
  text[at] = 0;
  close(pipes[0]);
  int status;
  waitpid(child, &status, 0);
  return status;
}
