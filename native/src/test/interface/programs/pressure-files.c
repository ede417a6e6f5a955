// What system/pressure.c makes of the files that tell whether memory is scarce, in a folder of ours.
#define _GNU_SOURCE
#include <fcntl.h>
#include <mimalloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MI_OS static
#define MI_ADDRESS(p) ((int64_t)(uintptr_t)(p))
enum { MI_UNSUPPORTED = -38 };

static bool without_system;  // only the folder can be read

static int64_t Os_readFile(int64_t path, int64_t buffer, int64_t size) {
  const char* name = (const char*)(uintptr_t)path;
  int file = without_system && name[1] == 'p' ? -1 : open(name, O_RDONLY | O_CLOEXEC);
  int64_t length = file < 0 ? -1 : read(file, (void*)(uintptr_t)buffer, (size_t)size);
  if (file >= 0) close(file);
  return length;
}

#include "../../../main/c/system/pressure.c"

static mi_pressure state;
static int failures;

static void put(const char* name, const char* text) {
  char path[MI_PRESSURE_PATH + 32];
  snprintf(path, sizeof(path), "%s/%s", state.folder, name);
  if (text == NULL) {
    unlink(path);
    return;
  }
  FILE* file = fopen(path, "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) failures++;
}

static void limits(const char* current, const char* high, const char* max, const char* stat) {
  put("memory.current", current);
  put("memory.high", high);
  put("memory.max", max);
  put("memory.stat", stat);
}

static void check(const char* what, int64_t now, int64_t expected) {
  int64_t is = mi_pressure_look(&state, now);
  if (is == expected) return;
  printf("pressure-files: %s: %lld, not %lld\n", what, (long long)is, (long long)expected);
  failures++;
}

static void stalls(const char* total) {
  char text[200];
  snprintf(text, sizeof(text), "some avg10=0.00 avg60=1.50 avg300=0.00 total=%s\nfull avg10=0.00 avg60=0.00 total=999999999\n", total);
  put("memory.pressure", text);
}

int main(void) {
  snprintf(state.folder, sizeof(state.folder), "/tmp/mimalloc-pressure-XXXXXX");
  if (mkdtemp(state.folder) == NULL) return 1;
  without_system = true;
  check("no files", 1, MI_UNSUPPORTED);
  put("memory.pressure", "none\n");
  check("a text that is no table of stalls", 1, MI_UNSUPPORTED);
  put("memory.pressure", NULL);
  limits("1600\n", "max\n", "max\n", NULL);
  check("no limit", 1, 0);
  limits("1600\n", NULL, NULL, NULL);
  check("no file of a limit", 1, 0);
  limits("1499\n", "max\n", "1600\n", NULL);
  check("below memory.max less a sixteenth", 1, 0);
  limits("1500\n", "max\n", "1600\n", NULL);
  check("near memory.max", 1, 1);
  limits("1500\n", "1600\n", "max\n", NULL);
  check("near memory.high", 1, 1);
  limits("1500\n", "1600\n", "9000\n", NULL);
  check("near the lower limit", 1, 1);
  limits("1500\n", "9000\n", "9600\n", NULL);
  check("far from both limits", 1, 0);
  limits("9000000000000\n", "max\n", "9000000000001\n", NULL);
  check("numbers beyond 32 bits", 1, 1);
  limits("1\n", "0\n", "max\n", NULL);
  check("a limit of nothing", 1, 1);
  limits("1550\n", "max\n", "1600\n", "anon 900\nactive_file 7000\ninactive_file 51\nactive_file 0\n");
  check("files that are not used are left aside", 1, 0);
  limits("1550\n", "max\n", "1600\n", "anon 900\ninactive_file 50\n");
  check("just as many files", 1, 1);
  limits("1550\n", "max\n", "1600\n", "anon 900\nworkingset_inactive_file 900\n");
  check("no line of that name", 1, 1);
  limits(NULL, NULL, NULL, NULL);
  stalls("1000000");
  check("the first look at stalls", 1000, 0);
  stalls("1149999");
  check("a little less than 150 ms", 1900, 0);
  stalls("1150000");
  check("150 ms within a second", 1990, 1);
  check("no more since then", 2000, 0);
  stalls("1200000");
  check("50 ms in the next second", 2990, 0);
  stalls("1349999");
  check("less than 150 ms in the one after it", 3900, 0);
  stalls("9349999");
  check("long after the last look", 60000, 0);
  stalls("5");
  check("another cgroup's, which has stalled less", 60100, 0);
  stalls("150005");
  check("and stalls", 60200, 1);
  limits("1550\n", "max\n", "1600\n", NULL);
  check("near the limit without a stall", 60300, 1);
  put("memory.pressure", NULL);
  limits(NULL, NULL, NULL, NULL);
  check("the files have gone", 60400, MI_UNSUPPORTED);
  if (rmdir(state.folder) != 0) failures++;
  // The system's own files: whatever they say, or that there are none.
  without_system = false;
  mi_option_set(mi_option_purge_on_pressure, 0);
  if (Os_memoryPressure(1) != -1) failures++;
  mi_option_set(mi_option_purge_on_pressure, 1);
  int64_t system = Os_memoryPressure(1);
  if (system != 0 && system != 1 && system != MI_UNSUPPORTED) failures++;
  mi_option_set(mi_option_purge_on_pressure, 0);
  puts(failures == 0 ? "ok" : "failed");
  return failures != 0;
}
