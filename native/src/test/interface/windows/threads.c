// Many short threads: their ends are noticed, however they are made, and what they had is used again.
#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <process.h>
#include <stdio.h>
#include <string.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { THREADS = 1000, BYTES = 100000 };

static void work(void) {
  void* p = mi_malloc(BYTES);
  memset(p, 1, BYTES);
  mi_free(p);
  for (int i = 0; i < 100; i++) mi_free(mi_malloc((size_t)i * 20));
}

static DWORD WINAPI system_thread(void* kept) {
  work();
  *(void**)kept = mi_malloc(50);
  return 0;
}

static unsigned __stdcall library_thread(void* kept) { return system_thread(kept); }

static VOID CALLBACK pool_work(PTP_CALLBACK_INSTANCE instance, void* done) {
  (void)instance;
  work();
  SetEvent(done);
}

static long long committed(void) {
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  return stats.committed.current;
}

static long long alive(void) {
  mi_stats_t_decl(stats);
  mi_stats_get(&stats);
  return stats.threads.current;
}

int main(void) {
  mi_free(NULL);  // the first of all calls
  void* kept;
  long long before = 0;
  for (int i = 0; i < THREADS; i++) {
    HANDLE thread = i % 2 == 0 ? CreateThread(NULL, 0, system_thread, &kept, 0, NULL)
                               : (HANDLE)_beginthreadex(NULL, 0, library_thread, &kept, 0, NULL);
    if (thread == NULL) return 2;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    mi_free(kept);
    if (i == 20) before = committed();
  }
  HANDLE done = CreateEventA(NULL, FALSE, FALSE, NULL);
  for (int i = 0; i < 100; i++) {
    if (!TrySubmitThreadpoolCallback(pool_work, done, NULL)) return 3;
    WaitForSingleObject(done, INFINITE);
  }
  if (committed() > before + (16 << 20)) {  // a thread that is not noticed keeps 128 KiB
    printf("committed %lld bytes after 20 threads, %lld after %d\n", before, committed(), THREADS);
    return 1;
  }
  if (alive() > 1 + 20) {  // the pool keeps its own
    printf("%lld threads are thought to be alive\n", alive());
    return 1;
  }
  puts("ok");
  return 0;
}
