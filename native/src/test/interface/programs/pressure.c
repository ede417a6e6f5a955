// Option purge_on_pressure: what is free goes back to the system when memory is scarce, and not before. The purge delay is an
// hour, so nothing else gives it back. Memory is scarce in a cgroup of our own with memory.high, where one can be made; and
// where a name space of mounts can be had files of our own are in the place of the system's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mimalloc.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What may wait without a purge is 64 MiB. The kept blocks and those are 124 MiB of 128, of which 120 are near the limit.
enum { MIB = 1 << 20, KEPT = 80, BURST = 44, ROOM = 16, LIMIT = 128, SKIPPED = 77 };

static char folder[] = "/tmp/mimalloc-pressure-XXXXXX";

static void fail(const char* what, long a, long b) {
  printf("pressure: %s: %ld, %ld\n", what, a, b);
  fflush(stdout);
  _exit(1);
}

static void rest(void) { nanosleep(&(struct timespec){0, 20000000}, NULL); }

static bool put(const char* in, const char* name, const char* text) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", in, name);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
  if (file >= 0) close(file);
  return done;
}

// In place of a file that is read meanwhile, whole.
static void replace(const char* name, const char* text) {
  char from[256], to[256];
  snprintf(from, sizeof(from), "%s/new", folder);
  snprintf(to, sizeof(to), "%s/%s", folder, name);
  if (!put(folder, "new", text) || rename(from, to) != 0) fail(to, errno, 0);
}

static long resident(void) {
  char text[128] = "";
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  long length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) fail("statm", length, 0);
  return strtol(strchr(text, ' '), NULL, 10) * sysconf(_SC_PAGESIZE) / MIB;
}

// How many entries a folder has. Opened by hand: opendir allocates.
static long entries(const char* path) {
  char text[4096];
  long count = 0, length;
  int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while ((length = syscall(SYS_getdents64, opened, text, sizeof(text))) > 0) {
    for (char* e = text; e < text + length; count++) {
      unsigned short bytes;
      memcpy(&bytes, e + 16, sizeof(bytes));
      e += bytes;
    }
  }
  close(opened);
  return count;
}

static void* blocks[KEPT + BURST];

static void fill(int from, int to) {
  for (int i = from; i < to; i++) {
    blocks[i] = mi_malloc(MIB);
    if (blocks[i] == NULL) fail("no memory", i, 0);
    memset(blocks[i], 1, MIB);
  }
}

static void empty(int from, int to) {
  for (int i = from; i < to; i++) mi_free(blocks[i]);
}

static void burst(void) {
  fill(KEPT, KEPT + BURST);
  empty(KEPT, KEPT + BURST);
}

static void await_relief(const char* what, long most) {
  for (int i = 0; resident() > most; i++) {
    if (i == 3000) fail(what, resident(), most);
    rest();
  }
}

static void stays(const char* what, long least) {
  for (int i = 0; i < 50; i++, rest()) {
    if (resident() < least) fail(what, resident(), least);
  }
}

static void begin(void) {
  mi_option_set(mi_option_purge_delay, 3600000);
  mi_option_set(mi_option_purge_on_pressure, 1);
}

// What is told when there is nothing to look at.
static volatile bool told;

static void hear(const char* text, void* argument) {
  (void)argument;
  if (strstr(text, "purge_on_pressure has no effect") != NULL) told = true;
}

static int run(int (*what)(void)) {
  pid_t child = fork();
  if (child == 0) {
    int result = what();
    fflush(stdout);
    _exit(result);
  }
  int status;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) fail("a process", status, 0);
  return WEXITSTATUS(status);
}

static int in_child_of_fork(void) {
  long before = resident();
  burst();
  await_relief("in the child of a fork", before + ROOM);
  empty(0, KEPT);
  return 0;
}

static int without_files(void) {
  mi_register_output(hear, NULL);
  mi_option_set(mi_option_verbose, 1);
  begin();
  fill(0, KEPT);
  burst();
  for (int i = 0; !told; i++, rest()) {
    if (i == 3000) fail("nothing is told", 0, 0);
  }
  mi_option_set(mi_option_verbose, 0);
  stays("purged without files", KEPT + BURST - ROOM);
  return 0;
}

// The system's folder with files of ours: first memory is had for the asking, then it is not.
static int with_own_files(void) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return SKIPPED;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount(folder, "/sys/fs/cgroup", NULL, MS_BIND, NULL) != 0) return SKIPPED;
  if (mount("/dev/null", "/proc/pressure/memory", NULL, MS_BIND, NULL) != 0 && errno != ENOENT) return SKIPPED;
  int result = run(without_files);
  if (result != 0) return result;
  replace("memory.current", "1000000\n");
  replace("memory.max", "134217728\n");
  replace("memory.high", "max\n");
  replace("memory.stat", "anon 4096\nfile 20000000\ninactive_anon 1\nactive_anon 4096\ninactive_file 20000000\nactive_file 0\n");
  replace("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  begin();
  long descriptors = entries("/proc/self/fd");
  fill(0, KEPT);
  burst();
  stays("purged with memory to be had", KEPT + BURST - ROOM);
  replace("memory.current", "130000000\n");
  stays("purged though files can go", KEPT + BURST - ROOM);
  replace("memory.stat", "anon 130000000\nfile 0\ninactive_file 0\n");
  await_relief("at memory.max", KEPT + ROOM);
  burst();
  await_relief("once more", KEPT + ROOM);
  result = run(in_child_of_fork);
  if (result != 0) return result;
  replace("memory.high", "120000000\n");
  replace("memory.max", "max\n");
  burst();
  await_relief("at memory.high", KEPT + ROOM);
  replace("memory.high", "max\n");
  for (int i = 0; i < 50; i++) rest();
  burst();
  stays("purged without a limit", KEPT + BURST - ROOM);
  for (long total = 2000000, i = 0; resident() > KEPT + ROOM; total += 500000, i++) {  // half of the time
    char text[200];
    snprintf(text, sizeof(text), "some avg10=50.00 avg60=9.00 avg300=2.00 total=%ld\nfull avg10=0.00 avg60=0.00 total=0\n", total);
    replace("memory.pressure", text);
    if (i == 100) fail("at a stall", resident(), KEPT + ROOM);
    for (int j = 0; j < 25; j++) rest();
  }
  if (!mi_purge_thread_stop() || mi_option_is_enabled(mi_option_purge_on_pressure)) fail("not stopped", 0, 0);
  if (entries("/proc/self/fd") != descriptors) fail("descriptors", entries("/proc/self/fd"), descriptors);
  empty(0, KEPT);
  return 0;
}

static char group[128];

static int in_own_cgroup(void) {
  char text[32];
  snprintf(text, sizeof(text), "%d", LIMIT * MIB);
  if (!put(group, "memory.high", text) || !put(group, "cgroup.procs", "0")) return SKIPPED;
  begin();
  fill(0, KEPT);
  burst();
  await_relief("at a cgroup's memory.high", KEPT + ROOM);
  empty(0, KEPT);
  return 0;
}

static int with_cgroup(void) {
  snprintf(group, sizeof(group), "/sys/fs/cgroup/mimalloc-pressure-%d", (int)getpid());
  if (access("/sys/fs/cgroup/cgroup.controllers", R_OK) != 0 || mkdir(group, 0755) != 0) return SKIPPED;
  char high[160];
  snprintf(high, sizeof(high), "%s/memory.high", group);
  int result = access(high, W_OK) != 0 ? SKIPPED : run(in_own_cgroup);
  if (rmdir(group) != 0) fail(group, errno, 0);
  return result;
}

static void clear_folder(void) {
  static const char* const names[] = {"new", "memory.current", "memory.max", "memory.high", "memory.stat", "memory.pressure"};
  char path[256];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

static int check(const char* name, int (*what)(void)) {
  int result = run(what);
  printf("%s: %s\n", name, result == SKIPPED ? "skipped" : result == 0 ? "ok" : "failed");
  return result == SKIPPED ? 0 : result;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (mkdtemp(folder) == NULL) fail(folder, errno, 0);
  int files = check("own files", with_own_files), real = check("own cgroup", with_cgroup);
  clear_folder();
  return files != 0 ? files : real;
}
