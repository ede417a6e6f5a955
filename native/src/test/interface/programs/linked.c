// A program that is linked with a library that has the allocator inside, guest.c: it ends while threads are in there, and
// while blocks are alive that it still reads.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void guest_work(void);
void* guest_keep(size_t size);

enum { ENDS = 40, THREADS = 2 };

static void* loop(void* ignored) {
  for (;;) guest_work();
  return ignored;
}

// Without a block of our own that is alive, the threads' are alive most of the time.
static void end_with_threads(int keeps) {
  for (int i = 0; i < THREADS; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, loop, NULL);
  }
  guest_work();
  // The last thing that a process does is to write what is in here: after all destructors.
  if (keeps) setvbuf(stdout, guest_keep(1 << 16), _IOFBF, 1 << 16);
  printf("end\n");
  usleep(1000);
  exit(0);
}

int main(void) {
  for (int i = 0; i < ENDS; i++) {
    int pipes[2];
    if (pipe(pipes) != 0) return 2;
    pid_t pid = fork();
    if (pid == 0) {
      dup2(pipes[1], 1);
      end_with_threads(i % 2);
    }
    close(pipes[1]);
    char text[10] = "";
    ssize_t length = read(pipes[0], text, sizeof(text));
    close(pipes[0]);
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0 || length != 4) {
      printf("linked: end %d: status %x, %ld bytes\n", i, (unsigned)status, (long)length);
      return 1;
    }
  }
  puts("ok");
  return 0;
}
