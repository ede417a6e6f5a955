// What is written when a process ends, and while it runs: a profile with the modules of the process, the report of leaks, and
// statistics in a shared file. The program runs itself again with an environment that asks for them.
#define WIN32_LEAN_AND_MEAN
#include <mimalloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define CHECK(condition) check(condition, __LINE__, #condition)

enum { BLOCKS = 100, BYTES = 10000 };

static int failures;
static wchar_t folder[MAX_PATH], program[MAX_PATH];

static void check(bool good, int line, const char* condition) {
  if (good) return;
  failures++;
  fprintf(stderr, "written.c:%d: not so: %s\n", line, condition);
}

__attribute__((noinline)) static void leave(void) {
  for (int i = 0; i < BLOCKS; i++) {
    char* volatile block = mi_malloc(BYTES);
    block[0] = 1;
  }
}

static int child(void) {
  leave();
  // The thread that purges makes the shared file, and writes it.
  wchar_t live[MAX_PATH * 2];
  swprintf(live, MAX_PATH * 2, L"%ls\\live.%lu.live", folder, GetCurrentProcessId());
  for (int i = 0; i < 600 && GetFileAttributesW(live) == INVALID_FILE_ATTRIBUTES; i++) Sleep(100);
  Sleep(500);
  return 0;
}

// The whole of the only file of a pattern, which is removed; NULL if there is none.
static char* take(const wchar_t* pattern) {
  static char text[4 << 20];
  wchar_t path[MAX_PATH * 2];
  WIN32_FIND_DATAW found;
  swprintf(path, MAX_PATH * 2, L"%ls\\%ls", folder, pattern);
  HANDLE search = FindFirstFileW(path, &found);
  if (search == INVALID_HANDLE_VALUE) return NULL;
  FindClose(search);
  swprintf(path, MAX_PATH * 2, L"%ls\\%ls", folder, found.cFileName);
  FILE* file = _wfopen(path, L"rb");
  if (file == NULL) return NULL;
  text[fread(text, 1, sizeof(text) - 1, file)] = 0;
  fclose(file);
  CHECK(DeleteFileW(path));
  return text;
}

// Where the program is in a profile's list of modules, whose paths have slashes.
static bool find_program(const char* text, uint64_t* start, uint64_t* limit) {
  const char* list = strstr(text, "MAPPED_LIBRARIES:\n");
  char path[300];
  return list != NULL && sscanf(strchr(list, '\n'), " %llx-%llx r-xp 0 00:00 0 %299[^\n]", (unsigned long long*)start, (unsigned long long*)limit, path) == 3
      && strlen(path) > 11 && strcmp(path + strlen(path) - 11, "written.exe") == 0 && strchr(path, '\\') == NULL;
}

// The bytes that are in use of stacks with a function of the program, and of none with another address of it than a call's.
static unsigned long long bytes_of(const char* text, uint64_t start, uint64_t limit) {
  unsigned long long all = 0;
  for (const char* line = strchr(text, '\n'); line != NULL && line[1] != 0 && line[1] != '\n'; line = strchr(line + 1, '\n')) {
    unsigned long long live, bytes, address;
    int at = 0;
    if (sscanf(line, " %llu: %llu [%*u: %*u] @%n", &live, &bytes, &at) != 2 || at == 0) continue;
    const char* end = strchr(line + 1, '\n');
    bool ours = false;
    for (const char* word = line + at; word < end && sscanf(word, " 0x%llx%n", &address, &at) == 1; word += at) ours |= address > start && address < limit;
    if (ours && bytes > all) all = bytes;
  }
  return all;
}

static void run(const wchar_t* leaks) {
  wchar_t value[MAX_PATH * 2], line[MAX_PATH * 2];
  SetEnvironmentVariableW(L"MIMALLOC_LEAKS", leaks);
  // Letters of two, three and four bytes.
  swprintf(value, MAX_PATH * 2, L"%ls\\pr\u00f6fil-\u6e2c-\U0001F600.heap", folder);
  SetEnvironmentVariableW(L"MIMALLOC_PROFILE", value);
  swprintf(value, MAX_PATH * 2, L"%ls\\live", folder);
  SetEnvironmentVariableW(L"MIMALLOC_LIVE", value);
  swprintf(value, MAX_PATH * 2, L"%ls\\said.txt", folder);
  SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
  HANDLE said = CreateFileW(value, GENERIC_WRITE, FILE_SHARE_READ, &inherited, CREATE_ALWAYS, 0, NULL);
  STARTUPINFOW start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES, .hStdError = said, .hStdOutput = said};
  PROCESS_INFORMATION process;
  DWORD status = 1;
  swprintf(line, MAX_PATH * 2, L"\"%ls\" \"%ls\"", program, folder);
  CHECK(CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process));
  WaitForSingleObject(process.hProcess, INFINITE);
  GetExitCodeProcess(process.hProcess, &status);
  CHECK(status == 0);
  CloseHandle(process.hProcess);
  CloseHandle(process.hThread);
  CloseHandle(said);
}

int wmain(int count, wchar_t** arguments) {
  GetModuleFileNameW(NULL, program, MAX_PATH);
  if (count > 1) {
    wcscpy(folder, arguments[1]);
    return child();
  }
  swprintf(folder, MAX_PATH, L"%ls\\mimalloc-written-%lu", _wgetenv(L"TEMP"), GetCurrentProcessId());
  CHECK(CreateDirectoryW(folder, NULL));
  SetEnvironmentVariableW(L"MIMALLOC_PROFILE_SAMPLE_RATE", L"1");

  run(L"0");
  char* text = take(L"pr\u00f6fil-\u6e2c-\U0001F600.*.1.heap");
  CHECK(text != NULL);
  if (text == NULL) text = "";
  CHECK(strncmp(text, "heap profile: ", 14) == 0 && strstr(text, " heap_v2/1\n") != NULL);
  uint64_t start = 0, limit = 0;
  CHECK(find_program(text, &start, &limit) && start < limit);
  CHECK(bytes_of(text, start, limit) >= BLOCKS * BYTES && bytes_of(text, start, limit) < 2 * BLOCKS * BYTES);
  text = take(L"live.*.live");
  CHECK(text != NULL && memcmp(text, "mi-live1", 8) == 0);
  CHECK(text != NULL && strstr(text + 24, "\"malloc_normal\"") != NULL);
  text = take(L"said.txt");
  CHECK(text != NULL && *text == 0);

  run(L"1");
  CHECK(take(L"pr\u00f6fil-*.heap") != NULL && take(L"live.*.live") != NULL);
  text = take(L"said.txt");
  CHECK(text != NULL && strncmp(text, "mimalloc: at the end of process ", 32) == 0);
  CHECK(text != NULL && strstr(text, "bytes in blocks: 100, from\n") != NULL && strstr(text, "/written.exe+0x") != NULL);
  CHECK(RemoveDirectoryW(folder));
  if (failures == 0) printf("ok\n");
  return failures != 0;
}
