// The files that the environment asks for, where they cannot be had, and that nobody else suffers from them.
#define _GNU_SOURCE
#include <dirent.h>
#include <mimalloc.h>
#include <mimalloc-stats.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
#define CHECK(condition) \
  do { if (!(condition)) { printf("files.c:%d: not so: %s\n", __LINE__, #condition); failures++; } } while (0)

static char folder[] = "/tmp/mimalloc-files-XXXXXX";
static const char* program;
static char path[4096];   // of the last file that was found
static char said[16384];  // what the last process wrote to stderr

static const char* in_folder(const char* name) {
  static char text[4096];
  snprintf(text, sizeof(text), "%s/%s", folder, name);
  return text;
}

/// How many files there are whose names end so.
static int files(const char* ending) {
  int found = 0;
  DIR* all = opendir(folder);
  for (struct dirent* each; (each = readdir(all)) != NULL;) {
    size_t length = strlen(each->d_name), wanted = strlen(ending);
    if (length < wanted || strcmp(each->d_name + length - wanted, ending) != 0) continue;
    snprintf(path, sizeof(path), "%s/%s", folder, each->d_name);
    found++;
  }
  closedir(all);
  return found;
}

static void remove_files(void) {
  DIR* all = opendir(folder);
  for (struct dirent* each; (each = readdir(all)) != NULL;) unlinkat(dirfd(all), each->d_name, 0);
  closedir(all);
}

/// Runs this program anew as another part, with two variables; returns how it ended: its exit code, or minus the signal.
static int run(const char* part, const char* variable, const char* value, const char* other, const char* other_value) {
  int pipes[2], status = 0;
  if (pipe(pipes) != 0) abort();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(pipes[1], STDERR_FILENO);
    setenv(variable, value, 1);
    setenv(other, other_value, 1);
    alarm(60);
#if defined(MI_EMULATOR)
    execl(MI_EMULATOR, MI_EMULATOR, program, part, (char*)NULL);
#endif
    execl(program, program, part, (char*)NULL);
    _exit(99);
  }
  close(pipes[1]);
  size_t length = 0;
  ssize_t more;
  while ((more = read(pipes[0], said + length, sizeof(said) - 1 - length)) > 0) length += (size_t)more;
  said[length] = 0;
  close(pipes[0]);
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// --- What is run anew ---------------------------------------------------------------------------------------------------

static int nothing(void) { return 0; }

static int fault(void) {
  alarm(2);  // a dump in an endless circle fills the disk
  volatile int* volatile nowhere = NULL;
  return *nowhere;
}

static volatile int done;

/// Malloc is no point of cancellation, whatever it writes; nor is the end of the thread that purges.
static void* cancelled(void* ignored) {
  pthread_cancel(pthread_self());
  if (!mi_purge_thread_start() || !mi_purge_thread_stop()) return ignored;
  for (int i = 0; i < 1000; i++) mi_free(mi_malloc(10000));
  volatile size_t most = (size_t)-1;
  done = mi_malloc(most) == NULL;
  return ignored;
}

static int cancel(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, cancelled, NULL);
  pthread_join(thread, NULL);
  return done == 1 ? 0 : 1;
}

/// The statistics' file has its place on the disk from the beginning: later, a full disk would end the process.
static int live(void) {
  for (int i = 0; i < 200 && files(".live") == 0; i++) {
    for (int j = 0; j < 1000; j++) mi_free(mi_malloc(10000));
    usleep(10000);
  }
  struct stat is;
  // It is there before it is filled.
  for (int i = 0; i < 200; i++) {
    if (stat(path, &is) == 0 && is.st_size == 64 << 10 && is.st_blocks * 512 >= is.st_size) return 0;
    usleep(10000);
  }
  return 1;
}

/// Until the thread that makes the file has told that it cannot.
static int no_live(void) {
  for (int i = 0; i < 50; i++) {
    for (int j = 0; j < 1000; j++) mi_free(mi_malloc(10000));
    usleep(10000);
  }
  return 0;
}

// --- The tests ----------------------------------------------------------------------------------------------------------

/// A fault is dumped once, and ends the process as it does without a dump.
static void dump_at_fault(void) {
  CHECK(run("fault", "MIMALLOC_DUMP", in_folder("fault"), "MIMALLOC_DUMP_SIGNAL", "11") == -SIGSEGV);
  CHECK(files(".json") == 1);
  CHECK(run("fault", "MIMALLOC_PROFILE", in_folder("fault"), "MIMALLOC_PROFILE_SIGNAL", "11") == -SIGSEGV);
  CHECK(files(".pb") == 1);
  remove_files();
}

/// A dump that finds no room leaves nothing behind.
static void dump_without_room(void) {
  pid_t pid = fork();
  if (pid == 0) {
    struct rlimit limit = {100, 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(mi_heaps_dump_json(in_folder("large.json")) ? 1 : 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK(status == 0 && files(".json") == 0);
  remove_files();
}

static void told(void) {
  char name[2000];
  memset(name, 'x', sizeof(name));
  name[sizeof(name) - 1] = 0;
  CHECK(run("nothing", "MIMALLOC_DUMP", name, "MIMALLOC_LIVE", "") == 0);
  CHECK(strcmp(said, "mimalloc: warning: a name is too long: MIMALLOC_DUMP\n") == 0);
  CHECK(run("nothing", "MIMALLOC_DUMP", in_folder("x"), "MIMALLOC_DUMP_SIGNAL", "9") == 0);
  CHECK(strstr(said, "no dump is written at the signal of option ") != NULL);
  CHECK(run("no-live", "MIMALLOC_LIVE", in_folder("none/x"), "MIMALLOC_PURGE_DELAY", "1") == 0);
  CHECK(strstr(said, "mimalloc: warning: a file could not be made: /tmp/mimalloc-files-") != NULL);
}

int main(int count, char** words) {
  const char* part = count > 1 ? words[1] : "";
  program = words[0];
  if (strcmp(part, "nothing") == 0) return nothing();
  if (strcmp(part, "fault") == 0) return fault();
  if (strcmp(part, "cancel") == 0) return cancel();
  if (strcmp(part, "no-live") == 0) return no_live();
  if (strcmp(part, "live") == 0) {
    snprintf(folder, sizeof(folder), "%s", getenv("FOLDER"));
    return live();
  }
  if (mkdtemp(folder) == NULL) return 2;
  setenv("FOLDER", folder, 1);
  dump_at_fault();
  dump_without_room();
  told();
  setenv("MIMALLOC_PROFILE_ALLOC_INTERVAL", "100000", 1);
  CHECK(run("cancel", "MIMALLOC_PROFILE", in_folder("cancel"), "MIMALLOC_PROFILE_SAMPLE_RATE", "1000") == 0);
  CHECK(files(".pb") > 1 && files(".part") == 0);
  CHECK(run("cancel", "MIMALLOC_SHOW_ERRORS", "1", "MIMALLOC_VERBOSE", "0") == 0);
  remove_files();
  CHECK(run("live", "MIMALLOC_LIVE", in_folder("live"), "MIMALLOC_PURGE_DELAY", "1") == 0);
  remove_files();
  CHECK(rmdir(folder) == 0);
  return failures == 0 ? 0 : 1;
}
