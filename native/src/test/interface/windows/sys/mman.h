// Windows' way to get memory, by POSIX' name for it: as much as the tests need.
#pragma once
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 0, MAP_ANONYMOUS = 0, MAP_NORESERVE = 0 };
#define MAP_FAILED NULL

static inline void* mmap(void* wish, size_t size, int access, int flags, int file, long offset) {
  (void)flags, (void)file, (void)offset;
  return VirtualAlloc(wish, size, access == PROT_NONE ? MEM_RESERVE : MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static inline int mprotect(void* p, size_t size, int access) {
  DWORD before;
  if (access == PROT_NONE) return VirtualProtect(p, size, PAGE_NOACCESS, &before) ? 0 : -1;
  return VirtualAlloc(p, size, MEM_COMMIT, PAGE_READWRITE) != NULL ? 0 : -1;
}

// Nobody is told which pages are in memory, and nothing is locked.
static inline int mincore(void* p, size_t size, unsigned char* pages) { return (void)p, (void)size, (void)pages, -1; }
static inline int mlock(const void* p, size_t size) { return (void)p, (void)size, -1; }
static inline int munlock(const void* p, size_t size) { return (void)p, (void)size, -1; }
static inline int madvise(void* p, size_t size, int advice) { return (void)p, (void)size, (void)advice, -1; }
