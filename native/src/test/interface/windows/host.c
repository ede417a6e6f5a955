// Loads and unloads a DLL that has the allocator inside, in all ways that may leave something behind.
#include <stdio.h>
#include <stdlib.h>
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { RELOADS = 200, THREADS = 4 };

static const char* path;
static HMODULE guest;

static void fail(const char* what, long long a, long long b) {
  printf("host: %s: %lld, %lld\n", what, a, b);
  fflush(stdout);
  _Exit(1);
}

static void load(void) {
  guest = LoadLibraryA(path);
  if (guest == NULL) fail("LoadLibrary", GetLastError(), 0);
}

static void unload(void) {
  if (!FreeLibrary(guest)) fail("FreeLibrary", GetLastError(), 0);
  if (GetModuleHandleA(path) != NULL) fail("still there", 0, 0);
}

static void* function(const char* name) {
  FARPROC found = GetProcAddress(guest, name);
  if (found == NULL) fail(name, GetLastError(), 0);
  return (void*)(UINT_PTR)found;
}

static void work(void) { ((void (*)(void))(UINT_PTR)function("guest_work"))(); }

// What of the process' addresses is taken, in KiB, and in how many pieces.
static long long taken(long long* pieces) {
  MEMORY_BASIC_INFORMATION piece;
  long long bytes = 0, count = 0;
  for (char* at = NULL; VirtualQuery(at, &piece, sizeof(piece)) != 0; at = (char*)piece.BaseAddress + piece.RegionSize) {
    if (piece.State != MEM_FREE) bytes += (long long)piece.RegionSize, count++;
  }
  if (pieces != NULL) *pieces = count;
  return bytes >> 10;
}

// How many slots for thread-local words are free.
static int slots(void) {
  DWORD all[2000];
  int count = 0;
  while (count < 2000 && (all[count] = TlsAlloc()) != TLS_OUT_OF_INDEXES) count++;
  for (int i = 0; i < count; i++) TlsFree(all[i]);
  return count;
}

static HANDLE used, gone;

static DWORD WINAPI use(void* ignored) {
  (void)ignored;
  work();
  ReleaseSemaphore(used, 1, NULL);
  WaitForSingleObject(gone, INFINITE);
  return 0;
}

// Threads that have used the DLL end when it is gone, or right before it goes.
static void threads(int before) {
  HANDLE thread[THREADS];
  load();
  for (int i = 0; i < THREADS; i++) thread[i] = CreateThread(NULL, 0, use, NULL, 0, NULL);
  for (int i = 0; i < THREADS; i++) WaitForSingleObject(used, INFINITE);
  if (!before) unload();
  ReleaseSemaphore(gone, THREADS, NULL);
  for (int i = 0; i < THREADS; i++) WaitForSingleObject(thread[i], INFINITE), CloseHandle(thread[i]);
  if (before) unload();
}

static DWORD WINAPI loop(void* ignored) {
  for (;;) work();
  return ignored != NULL;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  path = argv[1];
  used = CreateSemaphoreA(NULL, 0, THREADS, NULL);
  gone = CreateSemaphoreA(NULL, 0, THREADS, NULL);
  if (argc > 2) {
    // The process ends while threads are in there, and may hold locks: it must end, and with its own status.
    load();
    for (int i = 0; i < THREADS; i++) CreateThread(NULL, 0, loop, NULL, 0, NULL);
    for (int i = 0; i < 20; i++) work();
    puts("ok");
    exit(0);
  }
  int free_slots = 0;
  long long kib = 0, pieces = 0, now;
  for (int i = 0; i < RELOADS; i++) {
    load();
    work();
    unload();
    if (i == 10) free_slots = slots(), kib = taken(&pieces);
  }
  if (slots() != free_slots) fail("slots", free_slots, slots());
  if (taken(&now) > kib + (8 << 10)) fail("addresses in KiB", kib, taken(NULL));
  if (now > pieces + 20) fail("pieces", pieces, now);
  for (int i = 0; i < 20; i++) threads(i % 2);
  if (slots() != free_slots) fail("slots after threads", free_slots, slots());
  if (taken(&now) > kib + (16 << 10)) fail("addresses in KiB after threads", kib, taken(NULL));
  // A block that is alive stays when the DLL goes.
  load();
  char* block = ((void* (*)(size_t))(UINT_PTR)function("guest_keep"))(100000);
  unload();
  for (int i = 0; i < 100000; i++) {
    if (block[i] != 1) fail("a live block", i, block[i]);
  }
  puts("ok");
  return 0;
}
