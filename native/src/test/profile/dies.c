// Preloaded: the process ends in the middle of its second write to a file.
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>

ssize_t write(int file, const void* bytes, size_t size) {
  static int writes;
  if (file > 2 && ++writes == 2) kill(getpid(), SIGKILL);
  return syscall(SYS_write, file, bytes, file > 2 ? size / 2 : size);
}
