// --- Os: whether memory is scarce -------------------------------------------------------------------------------------
//
// Linux tells it by two kinds of files, of the process' own cgroup of version 2: how much memory it has and may have, and for
// how long tasks have waited for memory. The latter are there for the whole system, too.
//
// Each look opens the files anew. A descriptor that is kept would be lost in a program that closes all that it does not know,
// and its number would soon be another file's. So the kernel is not asked to tell of a stall by poll(), for which one must
// be kept. It would save nothing: the limits have to be looked at in a rhythm, as nothing tells before one is met.
#if defined(__linux__)
#include <string.h>

enum {
  MI_PRESSURE_TEXT = 4096,        // what is looked for is in the first KiB of the longest file
  MI_PRESSURE_PATH = 1024,
  MI_PRESSURE_STALL = 150000,     // microseconds: tasks wait for 15 % of the time, which nobody does who has memory
  MI_PRESSURE_WINDOW = 1000,      // milliseconds, within which they have waited for so long
  MI_PRESSURE_PART = 16,          // from the limit on, less this part of it
  MI_PRESSURE_SAME_GROUP = 64,    // looks until it is asked again in which cgroup the process is: the kernel takes a lock for it
};

typedef struct {
  char folder[MI_PRESSURE_PATH];  // of the cgroup; empty for none
  uint32_t looks;
  int64_t since;                  // ms, 0 before the first look; from then on stalls are counted
  uint64_t stalled;               // microseconds, by then
} mi_pressure;

static bool mi_pressure_read(const char* folder, const char* name, char* text) {
  char path[MI_PRESSURE_PATH];
  size_t length = strlen(folder), more = strlen(name) + 1;
  if (length + more > sizeof(path)) return false;
  memcpy(path, folder, length);
  memcpy(path + length, name, more);
  int64_t size = Os_readFile(MI_ADDRESS(path), MI_ADDRESS(text), MI_PRESSURE_TEXT - 1);
  text[size > 0 ? size : 0] = 0;
  return size > 0;
}

// UINT64_MAX for no number: a limit that is not set is called "max".
static uint64_t mi_pressure_number(const char* text) {
  if (*text < '0' || *text > '9') return UINT64_MAX;
  uint64_t number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (uint64_t)(*text - '0');
  return number;
}

static uint64_t mi_pressure_value(const char* folder, const char* name, char* text) {
  return mi_pressure_read(folder, name, text) ? mi_pressure_number(text) : UINT64_MAX;
}

// In a container the name may be one outside of it, and the root is the container's own. Beside version 1, version 2 is in
// a folder of the root.
static void mi_pressure_find(mi_pressure* p) {
  static const char* const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  char groups[MI_PRESSURE_TEXT], text[MI_PRESSURE_TEXT];
  const char* own = NULL;
  if (mi_pressure_read("/proc/self", "/cgroup", groups)) {
    for (char* line = groups; line != NULL; line = strchr(line, '\n')) {
      line += *line == '\n';
      if (strncmp(line, "0::/", 4) == 0) own = line + 3;
    }
  }
  size_t length = own == NULL ? 0 : strcspn(own, "\n");
  for (int i = 0; i < 4; i++, length = i < 2 ? length : 0) {
    size_t root = strlen(roots[i % 2]);
    if (root + length >= sizeof(p->folder)) continue;
    memcpy(p->folder, roots[i % 2], root);
    if (length != 0) memcpy(p->folder + root, own, length);
    p->folder[root + length] = 0;
    if (mi_pressure_read(p->folder, "/memory.current", text) || mi_pressure_read(p->folder, "/memory.pressure", text)) return;
  }
  p->folder[0] = 0;
}

// Files that the cgroup has read, and has not used since, are given up by the kernel before anybody is in want.
static bool mi_pressure_at_limit(const char* folder, uint64_t current, char* text) {
  uint64_t high = mi_pressure_value(folder, "/memory.high", text), limit = mi_pressure_value(folder, "/memory.max", text);
  if (high < limit) limit = high;
  uint64_t near = limit - limit / MI_PRESSURE_PART;
  if (limit == UINT64_MAX || current < near) return false;
  const char* files = mi_pressure_read(folder, "/memory.stat", text) ? strstr(text, "\ninactive_file ") : NULL;
  uint64_t idle = files == NULL ? 0 : mi_pressure_number(files + sizeof("\ninactive_file ") - 1);
  return idle == UINT64_MAX || current >= idle + near;
}

// For the first line of the file: "some" tasks have waited.
static bool mi_pressure_stalls(mi_pressure* p, uint64_t total, int64_t now) {
  bool stalls = p->since != 0 && total >= p->stalled && total - p->stalled >= MI_PRESSURE_STALL;
  if (p->since != 0 && !stalls && total >= p->stalled && now - p->since < MI_PRESSURE_WINDOW) return false;
  stalls = stalls && now - p->since < 2 * MI_PRESSURE_WINDOW;  // who looks late cannot tell when it was
  p->since = now;
  p->stalled = total;
  return stalls;
}

static int64_t mi_pressure_look(mi_pressure* p, int64_t now) {
  char text[MI_PRESSURE_TEXT];
  bool known = false, scarce = false;
  uint64_t current = p->folder[0] == 0 ? UINT64_MAX : mi_pressure_value(p->folder, "/memory.current", text);
  if (current != UINT64_MAX) {
    known = true;
    scarce = mi_pressure_at_limit(p->folder, current, text);
  }
  if ((p->folder[0] != 0 && mi_pressure_read(p->folder, "/memory.pressure", text)) || mi_pressure_read("/proc/pressure", "/memory", text)) {
    const char* total = strncmp(text, "some ", 5) == 0 ? strstr(text, "total=") : NULL;
    if (total != NULL) {
      known = true;
      scarce |= mi_pressure_stalls(p, mi_pressure_number(total + 6), now);
    }
  }
  return known ? scarce : MI_UNSUPPORTED;
}

// By one thread, that which purges.
MI_OS int64_t Os_memoryPressure(int64_t now) {
  static mi_pressure state;
  if (!mi_option_is_enabled(mi_option_purge_on_pressure)) return -1;
  if (state.looks++ % MI_PRESSURE_SAME_GROUP == 0) mi_pressure_find(&state);
  return mi_pressure_look(&state, now);
}

#else
MI_OS int64_t Os_memoryPressure(int64_t now) {
  (void)now;
  return mi_option_is_enabled(mi_option_purge_on_pressure) ? MI_UNSUPPORTED : -1;
}
#endif
