// Threads of Windows: the system's, those of the C library, and at the end the pool's.
#include "../programs/short-threads.h"
#define WIN32_LEAN_AND_MEAN
#include <process.h>
#include <windows.h>

enum { ALONE = 1000, POOLED = 100 };
const int THREADS = ALONE + POOLED, LASTING = 20;  // the pool keeps its own

typedef struct { void (*work)(void); HANDLE done; } task_t;

static DWORD WINAPI system_thread(void* task) {
  ((task_t*)task)->work();
  return 0;
}

static unsigned __stdcall library_thread(void* task) { return system_thread(task); }

static VOID CALLBACK pool_work(PTP_CALLBACK_INSTANCE instance, void* task) {
  (void)instance;
  system_thread(task);
  SetEvent(((task_t*)task)->done);
}

bool run_thread(int number, void (*work)(void)) {
  task_t task = {work, NULL};
  if (number >= ALONE) {
    task.done = CreateEventA(NULL, FALSE, FALSE, NULL);
    bool started = TrySubmitThreadpoolCallback(pool_work, &task, NULL);
    if (started) WaitForSingleObject(task.done, INFINITE);
    CloseHandle(task.done);
    return started;
  }
  HANDLE thread = number % 2 == 0 ? CreateThread(NULL, 0, system_thread, &task, 0, NULL)
                                  : (HANDLE)_beginthreadex(NULL, 0, library_thread, &task, 0, NULL);
  if (thread == NULL) return false;
  WaitForSingleObject(thread, INFINITE);
  return CloseHandle(thread);
}
