// mimalloc-run PROGRAM ARGUMENT...: runs a Windows program with its malloc replaced.
//
// The program begins suspended, and a thread of it loads mimalloc.dll, which lies beside mimalloc-run.exe: that redirects
// the import tables of all modules. What the program itself starts runs as always.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static int fail(const char* what) {
  fprintf(stderr, "mimalloc-run: %s: error %lu\n", what, (unsigned long)GetLastError());
  return 127;
}

// The rest of the command line, behind our own name.
static wchar_t* arguments(void) {
  wchar_t* at = GetCommandLineW();
  for (int quoted = 0; *at != 0 && (quoted || (*at != ' ' && *at != '\t')); at++) {
    if (*at == '"') quoted = !quoted;
  }
  while (*at == ' ' || *at == '\t') at++;
  return at;
}

// kernel32 lies at the same address in each process.
static int load(HANDLE process, const wchar_t* path) {
  size_t size = (wcslen(path) + 1) * sizeof(wchar_t);
  void* there = VirtualAllocEx(process, NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (there == NULL || !WriteProcessMemory(process, there, path, size, NULL)) return 0;
  LPTHREAD_START_ROUTINE function = (LPTHREAD_START_ROUTINE)(void*)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "LoadLibraryW");
  HANDLE thread = CreateRemoteThread(process, NULL, 0, function, there, 0, NULL);
  DWORD loaded = 0;
  if (thread == NULL) return 0;
  WaitForSingleObject(thread, INFINITE);
  GetExitCodeThread(thread, &loaded);  // the low half of the module's address
  CloseHandle(thread);
  VirtualFreeEx(process, there, 0, MEM_RELEASE);
  return loaded != 0;
}

int main(void) {
  static wchar_t path[32768];
  DWORD length = GetModuleFileNameW(NULL, path, 32768 - 16);
  while (length > 0 && path[length - 1] != '\\') length--;
  wcscpy(path + length, L"mimalloc.dll");
  wchar_t* command = arguments();
  if (*command == 0) {
    fputs("usage: mimalloc-run PROGRAM ARGUMENT...\n", stderr);
    return 127;
  }
  STARTUPINFOW start = {.cb = sizeof(start)};
  PROCESS_INFORMATION program;
  if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &program)) return fail("cannot run it");
  if (!load(program.hProcess, path)) {
    int status = fail("cannot load mimalloc.dll there");
    TerminateProcess(program.hProcess, 127);
    return status;
  }
  ResumeThread(program.hThread);
  WaitForSingleObject(program.hProcess, INFINITE);
  DWORD status = 127;
  GetExitCodeProcess(program.hProcess, &status);
  return (int)status;
}
