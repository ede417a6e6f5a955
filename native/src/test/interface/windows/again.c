// A program that runs itself again, and what of the contract there is nothing of on Windows.
#include "../check.h"
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

void forks(void) {}
void locked(void) {}

int run_again(const char* first, const char* second, const char* setting, char* text, size_t size) {
  char program[MAX_PATH], line[MAX_PATH + 100], environment[1000];
  GetModuleFileNameA(NULL, program, sizeof(program));
  snprintf(line, sizeof(line), "\"%s\" %s %s", program, first, second);
  // Windows wants to know where it is.
  int length = snprintf(environment, sizeof(environment), "%s%cSystemRoot=%s%c", setting, 0, getenv("SystemRoot"), 0);
  if (length <= 0 || length >= (int)sizeof(environment)) return -1;
  SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
  HANDLE from, to;
  if (!CreatePipe(&from, &to, &inherited, 0)) return -1;
  STARTUPINFOA start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = to, .hStdError = to};
  PROCESS_INFORMATION child;
  BOOL good = CreateProcessA(program, line, NULL, NULL, TRUE, 0, environment, NULL, &start, &child);
  CloseHandle(to);
  DWORD status = (DWORD)-1, more;
  size_t at = 0;
  while (good && at < size - 1 && ReadFile(from, text + at, (DWORD)(size - 1 - at), &more, NULL) && more > 0) at += more;
  text[at] = 0;
  CloseHandle(from);
  if (good) {
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &status);
    CloseHandle(child.hProcess);
    CloseHandle(child.hThread);
  }
  return (int)status;
}
