// --- The system: Windows ---------------------------------------------------------------------------------------------
//
// The library may be a part of the program, or of a DLL that comes and goes. Its life and the ends of threads are told by a
// callback for thread-local storage, which every module may have: it comes before constructors, and before whatever a
// DLL that uses us does when it is loaded. It runs under the loader's lock: nothing there waits for another thread's end.
//
// What is asked of the system on the way to the first block is in kernel32 and ntdll, which are there before anybody else.
// What only later versions of Windows have is looked up when the library is loaded, as a look-up wants the loader's lock.

#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <errno.h>
#include <psapi.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

enum { MI_ADDRESS_STEP = 64 << 10 };  // addresses are reserved in multiples of this

// --- Later versions' functions ----------------------------------------------------------------------------------------

typedef void* WINAPI mi_virtual_alloc2_fun(HANDLE, void*, SIZE_T, ULONG, ULONG, MEM_EXTENDED_PARAMETER*, ULONG);
typedef BOOL WINAPI mi_wait_on_address_fun(volatile void*, void*, SIZE_T, DWORD);
typedef void WINAPI mi_wake_by_address_fun(void*);
typedef BOOLEAN NTAPI mi_is_shutdown_fun(void);
typedef LONG NTAPI mi_adjust_privilege_fun(ULONG, BOOLEAN, BOOLEAN, BOOLEAN*);

static mi_virtual_alloc2_fun* mi_virtual_alloc2;       // Windows 10
static mi_wait_on_address_fun* mi_wait_on_address;     // Windows 8
static mi_wake_by_address_fun* mi_wake_by_address;     // Windows 8
static mi_is_shutdown_fun* mi_is_shutdown;             // not documented
static mi_adjust_privilege_fun* mi_adjust_privilege;   // not documented

static void mi_look_up(void* function, const wchar_t* module, const char* name) {
  HMODULE handle = GetModuleHandleW(module);
  FARPROC found = handle != NULL ? GetProcAddress(handle, name) : NULL;
  memcpy(function, &found, sizeof(found));
}

static void mi_look_up_all(void) {
  mi_look_up(&mi_virtual_alloc2, L"kernelbase.dll", "VirtualAlloc2");
  mi_look_up(&mi_wait_on_address, L"kernelbase.dll", "WaitOnAddress");
  mi_look_up(&mi_wake_by_address, L"kernelbase.dll", "WakeByAddressSingle");
  mi_look_up(&mi_is_shutdown, L"ntdll.dll", "RtlDllShutdownInProgress");
  mi_look_up(&mi_adjust_privilege, L"ntdll.dll", "RtlAdjustPrivilege");
}

// The process ends, and this is its only thread: the others are gone, with the locks that they held.
static bool mi_is_process_over(void) { return mi_is_shutdown != NULL && mi_is_shutdown(); }

// --- Os: memory ------------------------------------------------------------------------------------------------------

// Core's numbers of errors are Linux's. The thread's last error is again as it was: a caller of free may still want it.
static int64_t mi_failed(DWORD saved) {
  DWORD code = GetLastError();
  SetLastError(saved);
  switch (code) {
    case ERROR_INVALID_PARAMETER: return -EINVAL;
    case ERROR_PRIVILEGE_NOT_HELD: return -EPERM;
    case ERROR_FILE_EXISTS: case ERROR_ALREADY_EXISTS: return MI_EXISTS;
    case ERROR_NOT_SUPPORTED: case ERROR_CALL_NOT_IMPLEMENTED: case ERROR_INVALID_FUNCTION: return MI_UNSUPPORTED;
    default: return -ENOMEM;
  }
}

static int64_t mi_answer(int64_t result, int succeeded, DWORD saved) { return succeeded ? result : mi_failed(saved); }

MI_OS int64_t Os_pageSize(void) {
  static int64_t size;
  if (size == 0) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    size = info.dwPageSize;
  }
  return size;
}

// Large pages are locked in memory, which takes a right that an administrator gives and the process switches on.
static bool mi_may_lock_memory(void) {
  static int state;  // 0 not asked yet, 1 no, 2 yes
  int known = __atomic_load_n(&state, __ATOMIC_RELAXED);
  if (known == 0) {
    const ULONG lock_memory = 4;
    BOOLEAN before;
    bool may = mi_adjust_privilege != NULL && mi_adjust_privilege(lock_memory, TRUE, FALSE, &before) == 0;
    known = may && GetLargePageMinimum() != 0 ? 2 : 1;
    __atomic_store_n(&state, known, __ATOMIC_RELAXED);
  }
  return known == 2;
}

static void* mi_map_anywhere(size_t size, size_t alignment, DWORD kind, bool huge) {
  if (mi_virtual_alloc2 != NULL && (alignment > MI_ADDRESS_STEP || huge)) {
    MEM_ADDRESS_REQUIREMENTS where = {.Alignment = alignment > MI_ADDRESS_STEP ? alignment : 0};
    MEM_EXTENDED_PARAMETER with[2] = {{.Type = MemExtendedParameterAddressRequirements, .Pointer = &where},
                                      {.Type = 5, .ULong64 = 0x10}};  // MemExtendedParameterAttributeFlags, NONPAGED_HUGE
    void* p = mi_virtual_alloc2(GetCurrentProcess(), NULL, size, kind, PAGE_READWRITE, with, huge ? 2 : 1);
    if (p != NULL || huge) return p;
  }
  if (huge) {
    SetLastError(ERROR_NOT_SUPPORTED);
    return NULL;
  }
  // Older systems: more is reserved and let go of, and then only what is wanted; somebody else may be faster.
  for (int i = 0; alignment > MI_ADDRESS_STEP && i < 4; i++) {
    void* p = VirtualAlloc(NULL, size + alignment, MEM_RESERVE, PAGE_NOACCESS);
    if (p == NULL) break;
    VirtualFree(p, 0, MEM_RELEASE);
    uintptr_t start = ((uintptr_t)p + alignment - 1) & ~(uintptr_t)(alignment - 1);
    p = VirtualAlloc((void*)start, size, kind, PAGE_READWRITE);
    if (p != NULL) return p;
  }
  return VirtualAlloc(NULL, size, kind, PAGE_READWRITE);
}

MI_OS int64_t Os_map(int64_t wish, int64_t size, int64_t alignment, int32_t flags) {
  DWORD saved = GetLastError(), kind = MEM_RESERVE;
  if ((uint64_t)size > PTRDIFF_MAX) return -ENOMEM;
  if (flags & MI_REPLACE) return mi_answer(wish, VirtualFree(MI_AT(void, wish), (SIZE_T)size, MEM_DECOMMIT), saved);
  if (flags & (MI_COMMIT | MI_LARGE | MI_HUGE)) kind |= MEM_COMMIT;
  if (flags & (MI_LARGE | MI_HUGE)) {
    if (!mi_may_lock_memory()) {
      SetLastError(saved);
      return -EPERM;
    }
    kind |= MEM_LARGE_PAGES;
  }
  void* p = NULL;
  if (flags & MI_EXACT) {
    if (wish % MI_ADDRESS_STEP != 0) return -EINVAL;
    p = VirtualAlloc(MI_AT(void, wish), (SIZE_T)size, kind, PAGE_READWRITE);
  } else {
    int64_t start = wish & -(int64_t)MI_ADDRESS_STEP;
    if (start != 0 && !(flags & MI_HUGE)) p = VirtualAlloc(MI_AT(void, start), (SIZE_T)size, kind, PAGE_READWRITE);
    if (p == NULL) p = mi_map_anywhere((size_t)size, (size_t)alignment, kind, (flags & MI_HUGE) != 0);
  }
  int64_t answer = mi_answer(MI_ADDRESS(p), p != NULL, saved);
  if (p != NULL) SetLastError(saved);
  return answer;
}

// The next piece of a range with one state, cut to the range; false when there is none.
static bool mi_piece(int64_t at, int64_t end, MEMORY_BASIC_INFORMATION* piece) {
  if (at >= end || VirtualQuery(MI_AT(void, at), piece, sizeof(*piece)) == 0) return false;
  int64_t start = MI_ADDRESS(piece->BaseAddress), behind = start + (int64_t)piece->RegionSize;
  piece->BaseAddress = MI_AT(void, at);
  piece->RegionSize = (SIZE_T)((behind < end ? behind : end) - at);
  return true;
}

static bool mi_is_end_of_reservation(int64_t a, const void* base) {
  MEMORY_BASIC_INFORMATION next;
  return VirtualQuery(MI_AT(void, a), &next, sizeof(next)) == 0 || next.State == MEM_FREE || next.AllocationBase != base;
}

// Only whole reservations can be given back; one or more that lie side by side.
MI_OS int64_t Os_unmap(int64_t a, int64_t size) {
  MEMORY_BASIC_INFORMATION piece;
  DWORD saved = GetLastError();
  int64_t at = a, end = a + size;
  void* base = MI_AT(void, a);
  for (; mi_piece(at, end, &piece); at += (int64_t)piece.RegionSize) {
    if (piece.State == MEM_FREE || (piece.AllocationBase != base && piece.AllocationBase != piece.BaseAddress)) break;
    base = piece.AllocationBase;
  }
  SetLastError(saved);
  if (at < end || !mi_is_end_of_reservation(end, base)) return -EINVAL;
  for (at = a; mi_piece(at, end, &piece);) {
    // What belongs to this reservation is known only as long as it is there.
    int64_t next = at;
    do next += (int64_t)piece.RegionSize;
    while (mi_piece(next, end, &piece) && piece.AllocationBase == MI_AT(void, at));
    if (!VirtualFree(MI_AT(void, at), 0, MEM_RELEASE)) return mi_failed(saved);
    at = next;
  }
  return 0;
}

// What is only reserved cannot be touched as it is.
MI_OS int64_t Os_protect(int64_t a, int64_t size, int32_t access) {
  MEMORY_BASIC_INFORMATION piece;
  DWORD saved = GetLastError(), before;
  if (access == MI_READ_WRITE && VirtualAlloc(MI_AT(void, a), (SIZE_T)size, MEM_COMMIT, PAGE_READWRITE) != NULL) return 0;
  if (access == MI_NO_ACCESS && VirtualProtect(MI_AT(void, a), (SIZE_T)size, PAGE_NOACCESS, &before)) return 0;
  int64_t at = a, end = a + size;
  for (; mi_piece(at, end, &piece); at += (int64_t)piece.RegionSize) {
    if (access == MI_NO_ACCESS && piece.State == MEM_RESERVE) continue;
    bool good = access == MI_NO_ACCESS ? VirtualProtect(piece.BaseAddress, piece.RegionSize, PAGE_NOACCESS, &before)
                                       : VirtualAlloc(piece.BaseAddress, piece.RegionSize, MEM_COMMIT, PAGE_READWRITE) != NULL;
    if (!good) return mi_failed(saved);
  }
  SetLastError(saved);
  return at >= end ? 0 : -ENOMEM;
}

// Nothing drops memory that stays usable and reads as zero: core decommits, which is REPLACE.
MI_OS int64_t Os_advise(int64_t a, int64_t size, int32_t advice) {
  DWORD saved = GetLastError();
  if (advice != MI_DROP_LATER) return MI_UNSUPPORTED;
  return mi_answer(0, VirtualAlloc(MI_AT(void, a), (SIZE_T)size, MEM_RESET, PAGE_READWRITE) != NULL, saved);
}

MI_OS int64_t Os_remap(int64_t a, int64_t size, int64_t new_size, int64_t target) {
  (void)a, (void)size, (void)new_size, (void)target;
  return MI_UNSUPPORTED;
}

MI_OS int64_t Os_node(void) {
  PROCESSOR_NUMBER processor;
  USHORT node = 0;
  DWORD saved = GetLastError();
  GetCurrentProcessorNumberEx(&processor);
  return GetNumaProcessorNodeEx(&processor, &node) ? node : mi_failed(saved);
}

// A node can only be wished for when memory is reserved.
MI_OS int64_t Os_bind(int64_t a, int64_t size, int32_t node) {
  (void)a, (void)size, (void)node;
  return MI_UNSUPPORTED;
}

MI_OS int64_t Os_disallowHugePages(void) { return MI_UNSUPPORTED; }

// --- Os: the machine -------------------------------------------------------------------------------------------------

static int64_t mi_resident(PROCESS_MEMORY_COUNTERS* counters) {
  DWORD saved = GetLastError();
  memset(counters, 0, sizeof(*counters));
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), counters, sizeof(*counters))) SetLastError(saved);
  return (int64_t)counters->WorkingSetSize;
}

MI_OS int32_t Os_isPrivileged(void) { return false; }  // there are no programs with rights that their user has not
MI_OS int64_t Os_processId(void) { return GetCurrentProcessId(); }
MI_OS int64_t Os_watchSignal(int32_t number) { return (void)number, MI_UNSUPPORTED; }

// What the system counts are steps of 100 ns since 1601.
MI_OS int64_t Os_time(void) {
  const uint64_t steps_to_1970 = UINT64_C(116444736000000000);
  FILETIME now;
  GetSystemTimeAsFileTime(&now);
  return (int64_t)(((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - steps_to_1970) * 100;
}

// What is only reserved is passed by: an arena is mostly that.
MI_OS int64_t Os_resident(int64_t a, int64_t size) {
  enum { MOST = 128 };
  PSAPI_WORKING_SET_EX_INFORMATION pages[MOST];
  MEMORY_BASIC_INFORMATION piece;
  int64_t page = Os_pageSize(), count = 0, end = a + size;
  DWORD saved = GetLastError();
  for (int64_t at = a; mi_piece(at, end, &piece);) {
    int64_t behind = at + (int64_t)piece.RegionSize;
    while (piece.State == MEM_COMMIT && at < behind) {
      DWORD some = 0;
      for (; some < MOST && at < behind; at += page) pages[some++] = (PSAPI_WORKING_SET_EX_INFORMATION){.VirtualAddress = MI_AT(void, at)};
      if (!K32QueryWorkingSetEx(GetCurrentProcess(), pages, some * sizeof(*pages))) continue;
      for (DWORD i = 0; i < some; i++) count += (int64_t)(pages[i].VirtualAttributes.Flags & 1);  // Valid
    }
    at = behind;
  }
  SetLastError(saved);
  return count * page;
}

// --- Os: files -------------------------------------------------------------------------------------------------------
//
// A file is a handle of the system's, or an odd number: the address behind a list of modules. Nothing here takes the loader's
// lock, which may be held by a thread that waits for us, nor allocates: a profile is written in the middle of a malloc.

// A text to a character or its end, as UTF-8, cut to the room that there is; its length.
static int64_t mi_narrow(const wchar_t* text, wchar_t end, int64_t buffer, int64_t size) {
  int64_t length = 0;
  for (; *text != 0 && *text != end; text++) {
    uint32_t letter = *text;
    if ((letter & 0xFC00) == 0xD800 && (text[1] & 0xFC00) == 0xDC00) letter = 0x10000 + ((letter & 0x3FF) << 10) + (*++text & 0x3FF);
    int more = letter < 0x80 ? 0 : letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
    uint32_t mark = more == 0 ? 0 : 0xF00u >> (more + 1) & 0xFF;  // as many ones as there are bytes
    for (int i = more; i >= 0; i--, length++) {
      uint32_t byte = i == more ? mark | letter >> 6 * i : 0x80 | (letter >> 6 * i & 0x3F);
      if (length < size - 1) MI_AT(char, buffer)[length] = (char)byte;
    }
  }
  if (size > 0) MI_AT(char, buffer)[length < size ? length : size - 1] = 0;
  return length;
}

enum { MI_PATH_MAX = 2048 };  // letters: more than 260 only newer programs may have

// A name of core's, which is UTF-8.
static bool mi_widen(int64_t path, wchar_t* wide) {
  return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, MI_AT(const char, path), -1, wide, MI_PATH_MAX) > 0;
}

// The file of a module of this process, with slashes as everywhere else; its length, 0 if it is not known.
static int64_t mi_module_path(HMODULE module, char* path, int64_t size) {
  wchar_t wide[MI_PATH_MAX];
  DWORD length = K32GetModuleFileNameExW(GetCurrentProcess(), module, wide, MI_PATH_MAX);
  if (length == 0 || length >= MI_PATH_MAX || mi_narrow(wide, 0, MI_ADDRESS(path), size) >= size) return 0;
  int64_t count = 0;
  for (; path[count] != 0; count++) path[count] = path[count] == '\\' ? '/' : path[count];
  return count;
}

// The modules of the process, the program first, as Linux tells of mappings of code: each is one from its start to its end.
typedef struct { int64_t at, length; char text[]; } mi_module_list;

static int64_t mi_open_modules(void) {
  enum { MODULES = 512, SIZE = 512 << 10 };
  HMODULE modules[MODULES];
  DWORD size = 0;
  mi_module_list* list = VirtualAlloc(NULL, SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (list == NULL) return -ENOMEM;
  if (!K32EnumProcessModules(GetCurrentProcess(), modules, sizeof(modules), &size)) size = 0;
  mi_text text = {list->text, (char*)list + SIZE - 1};
  for (DWORD i = 0; i < MODULES && i < size / sizeof(HMODULE); i++) {
    char path[MI_PATH_MAX];
    MODULEINFO info;
    if (!K32GetModuleInformation(GetCurrentProcess(), modules[i], &info, sizeof(info)) || mi_module_path(modules[i], path, sizeof(path)) == 0) continue;
    mi_text_digits(&text, (uintptr_t)info.lpBaseOfDll, 16);
    mi_text_add(&text, "-");
    mi_text_digits(&text, (uintptr_t)info.lpBaseOfDll + info.SizeOfImage, 16);
    mi_text_add(&text, " r-xp 0 00:00 0 ");
    mi_text_add(&text, path);
    mi_text_add(&text, "\n");
  }
  list->length = text.at - list->text;
  return MI_ADDRESS(list) | 1;
}

MI_OS int64_t Os_open(int64_t path, int32_t writes) {
  wchar_t wide[MI_PATH_MAX];
  DWORD saved = GetLastError();
  HANDLE file = INVALID_HANDLE_VALUE;
  if (!writes && strcmp(MI_AT(const char, path), "/proc/self/maps") == 0) {
    int64_t list = mi_open_modules();
    SetLastError(saved);
    return list;
  }
  if (mi_widen(path, wide)) {
    file = CreateFileW(wide, writes ? GENERIC_WRITE : GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, writes ? CREATE_NEW : OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
  }
  return mi_answer(MI_ADDRESS(file), file != INVALID_HANDLE_VALUE, saved);
}

MI_OS int64_t Os_read(int64_t file, int64_t buffer, int64_t size) {
  DWORD saved = GetLastError(), count = 0;
  if ((file & 1) == 0) {
    BOOL good = ReadFile(MI_AT(void, file), MI_AT(void, buffer), (DWORD)size, &count, NULL);
    return mi_answer(count, good, saved);
  }
  mi_module_list* list = MI_AT(mi_module_list, file - 1);
  if (size > list->length - list->at) size = list->length - list->at;
  memcpy(MI_AT(char, buffer), list->text + list->at, (size_t)size);
  list->at += size;
  return size;
}

MI_OS int64_t Os_writeTo(int64_t file, int64_t buffer, int64_t size) {
  DWORD saved = GetLastError(), count = 0;
  BOOL good = WriteFile(MI_AT(void, file), MI_AT(const void, buffer), (DWORD)size, &count, NULL);
  return mi_answer(count, good, saved);
}

MI_OS void Os_close(int64_t file) {
  DWORD saved = GetLastError();
  if ((file & 1) != 0) VirtualFree(MI_AT(void, file - 1), 0, MEM_RELEASE);
  else CloseHandle(MI_AT(void, file));
  SetLastError(saved);
}

// As on other systems no link is followed. A file that is larger stays so.
MI_OS int64_t Os_share(int64_t path, int64_t size) {
  wchar_t wide[MI_PATH_MAX];
  DWORD saved = GetLastError(), all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  HANDLE file = INVALID_HANDLE_VALUE, section = NULL;
  BY_HANDLE_FILE_INFORMATION is;
  void* memory = NULL;
  if (mi_widen(path, wide)) file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, all, NULL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  if (file != INVALID_HANDLE_VALUE && GetFileInformationByHandle(file, &is) && (is.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0) {
    section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
  }
  if (section != NULL) memory = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, (SIZE_T)size);
  int64_t result = mi_answer(MI_ADDRESS(memory), memory != NULL, saved);
  if (section != NULL) CloseHandle(section);
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  SetLastError(saved);
  return result;
}

// It replaces nothing, and is one step.
MI_OS int64_t Os_rename(int64_t path, int64_t name) {
  wchar_t from[MI_PATH_MAX], to[MI_PATH_MAX];
  DWORD saved = GetLastError();
  return mi_answer(0, mi_widen(path, from) && mi_widen(name, to) && MoveFileExW(from, to, 0), saved);
}

MI_OS void Os_remove(int64_t path) {
  wchar_t wide[MI_PATH_MAX];
  DWORD saved = GetLastError();
  if (mi_widen(path, wide)) DeleteFileW(wide);
  SetLastError(saved);
}

// There are no such files. What they would say, for the two that core asks for: the system never promises more memory than
// there is, and the nodes' numbers go from 0 to the highest.
MI_OS int64_t Os_readFile(int64_t path, int64_t buffer, int64_t size) {
  const char* name = MI_AT(const char, path);
  char text[32] = "2";
  if (strcmp(name, "/sys/devices/system/node/online") == 0) {
    ULONG highest = 0;
    DWORD saved = GetLastError();
    if (!GetNumaHighestNodeNumber(&highest)) return mi_failed(saved);
    memcpy(text, "0-", 3);
    text[2] = (char)('0' + highest / 10 % 10);
    text[3] = (char)('0' + highest % 10);
  } else if (strcmp(name, "/proc/sys/vm/overcommit_memory") != 0) {
    return -ENOENT;
  }
  int64_t length = (int64_t)strlen(text);
  if (length > size) length = size;
  memcpy(MI_AT(char, buffer), text, (size_t)length);
  return length;
}

BOOLEAN NTAPI SystemFunction036(void* buffer, ULONG size);  // RtlGenRandom, by the name that it is exported with

MI_OS int64_t Os_random(void) {
  int64_t bits = 0;
  DWORD saved = GetLastError();
  bool good = SystemFunction036(&bits, sizeof(bits));
  SetLastError(saved);
  return good ? bits : 0;
}

MI_OS int32_t Os_processors(void) {
  DWORD_PTR own = 0, all = 0;
  DWORD saved = GetLastError();
  // Both are 0 when the process runs in several groups of 64.
  int32_t count = GetProcessAffinityMask(GetCurrentProcess(), &own, &all) ? __builtin_popcountll(own) : 0;
  if (count == 0) count = (int32_t)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
  SetLastError(saved);
  return count > 0 ? count : 1;
}

// Of 10 to 16 ms: it only reads a word that the kernel counts up.
MI_OS int64_t Os_clock(void) { return (int64_t)GetTickCount64(); }

static wchar_t mi_lower(wchar_t c) { return c >= 'A' && c <= 'Z' ? (wchar_t)(c + 'a' - 'A') : c; }

// What is behind a prefix that is in lower case, or NULL.
static const wchar_t* mi_behind(const wchar_t* text, const char* prefix) {
  while (*prefix != 0 && mi_lower((wchar_t)(unsigned char)*prefix) == mi_lower(*text)) prefix++, text++;
  return *prefix == 0 ? text : NULL;
}

// A copy, in the heap of the process, which is not ours.
static wchar_t* mi_environment_open(DWORD* saved) {
  *saved = GetLastError();
  return GetEnvironmentStringsW();
}

static void mi_environment_close(wchar_t* environment, DWORD saved) {
  if (environment != NULL) FreeEnvironmentStringsW(environment);
  SetLastError(saved);
}

MI_OS int64_t Os_environment(int64_t name, int64_t buffer, int64_t size) {
  DWORD saved;
  wchar_t* all = mi_environment_open(&saved);
  int64_t length = -1;
  for (const wchar_t* each = all; length < 0 && each != NULL && *each != 0; each += wcslen(each) + 1) {
    const wchar_t* value = mi_behind(each, MI_AT(const char, name));
    if (value != NULL && *value == '=') length = mi_narrow(value + 1, 0, buffer, size);
  }
  mi_environment_close(all, saved);
  return length;
}

// A variable that is no option: the DLL redirects nothing.
#define MI_DISABLE_REDIRECT "mimalloc_disable_redirect"

MI_OS int64_t Os_variable(int64_t number, int64_t buffer, int64_t size) {
  DWORD saved;
  wchar_t* all = mi_environment_open(&saved);
  int64_t length = -1;
  for (const wchar_t* each = all; length < 0 && each != NULL && *each != 0; each += wcslen(each) + 1) {
    if (mi_behind(each, "mimalloc_") != NULL && mi_behind(each, MI_DISABLE_REDIRECT) == NULL && number-- == 0) length = mi_narrow(each, '=', buffer, size);
  }
  mi_environment_close(all, saved);
  return length;
}

// A program with a window has no stderr.
MI_OS int64_t Os_write(int64_t text, int64_t length) {
  DWORD saved = GetLastError(), written = 0;
  HANDLE file = GetStdHandle(STD_ERROR_HANDLE);
  if (file == NULL || file == INVALID_HANDLE_VALUE) return length;
  BOOL good = WriteFile(file, MI_AT(const char, text), (DWORD)length, &written, NULL);
  return mi_answer(written, good, saved);
}

static int64_t mi_milliseconds(FILETIME time) {
  return (int64_t)(((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) / 10000);
}

MI_OS void Os_processInfo(int64_t target) {
  int64_t* info = MI_AT(int64_t, target);
  FILETIME begin = {0}, end = {0}, system = {0}, user = {0};
  PROCESS_MEMORY_COUNTERS counters;
  DWORD saved = GetLastError();
  GetProcessTimes(GetCurrentProcess(), &begin, &end, &system, &user);
  info[0] = mi_milliseconds(user);
  info[1] = mi_milliseconds(system);
  info[2] = mi_resident(&counters);
  info[3] = (int64_t)counters.PeakWorkingSetSize;
  info[4] = 0;  // those that needed the disk are not counted apart
  info[5] = counters.PageFaultCount;
  SetLastError(saved);
}

static const DWORD mi_moment = 1;  // milliseconds; whoever frees a lease wakes nobody

// At the end of the process whoever holds a lock is gone, and what it guards is half changed at worst: the lock is free then,
// as all words that are waited on are when they are zero.
MI_OS void Os_waitOn(int64_t address, int64_t value) {
  DWORD saved = GetLastError();
  if (mi_is_process_over()) __atomic_store_n(MI_AT(mi_word, address), 0, __ATOMIC_SEQ_CST);
  else if (mi_wait_on_address != NULL && mi_wake_by_address != NULL) mi_wait_on_address(MI_AT(void, address), &value, sizeof(value), mi_moment);
  else SwitchToThread();
  SetLastError(saved);
}

MI_OS void Os_wake(int64_t address) {
  if (mi_wait_on_address != NULL && mi_wake_by_address != NULL) mi_wake_by_address(MI_AT(void, address));
}

// For what only a thread that is gone could do, the system's own locks end the process, with this status.
MI_OS void Os_yield(void) {
  const UINT thread_is_terminating = 0xC000004B;
  if (mi_is_process_over()) TerminateProcess(GetCurrentProcess(), thread_is_terminating);
  SwitchToThread();
}

// The numbers that core may set are those of this system, too, but for one that it never sets.
MI_OS void Os_setErrno(int32_t code) { errno = Os_numberOf(code); }
MI_OS void Os_abort(void) { abort(); }
MI_OS int32_t Os_isAlone(void) { return false; }

static bool mi_redirected;
MI_OS int32_t Os_isRedirected(void) { return mi_redirected; }

// --- Os: faults at guarded blocks --------------------------------------------------------------------------------------

static void* mi_fault_handler;

// The first of the process' handlers: it only tells, and what happens next is for the others to say.
static LONG CALLBACK mi_fault(EXCEPTION_POINTERS* fault) {
  const EXCEPTION_RECORD* record = fault->ExceptionRecord;
  if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION || record->NumberParameters < 2) return EXCEPTION_CONTINUE_SEARCH;
  DWORD saved = GetLastError();
  const mi_guarded* g = mi_guarded_at((int64_t)record->ExceptionInformation[1]);
  if (g != NULL) mi_report_fault(g, record->ExceptionInformation[1], record->ExceptionInformation[0] == 1 ? "write" : "read");
  SetLastError(saved);
  return EXCEPTION_CONTINUE_SEARCH;
}

MI_OS void Os_watchFaults(int64_t entries, int64_t count) {
  if (!mi_option_is_enabled(mi_option_guarded_report)) return;
  mi_guarded_count = count;
  mi_guarded_blocks = MI_AT(const mi_guarded, entries);
  DWORD saved = GetLastError();
  mi_fault_handler = AddVectoredExceptionHandler(1, mi_fault);
  SetLastError(saved);
}

// Before the library goes, or the table.
static void mi_stop_watching_faults(void) {
  if (mi_guarded_blocks == NULL) return;
  mi_guarded_blocks = NULL;
  if (mi_fault_handler != NULL) RemoveVectoredExceptionHandler(mi_fault_handler);
  mi_fault_handler = NULL;
}

// --- Os: the thread that purges when nobody calls ---------------------------------------------------------------------
//
// A thread that is in the library's code when that is unloaded would fall; to wait for its end is not possible under the
// loader's lock, which it needs to end. So a library with such a thread stays loaded.

static int64_t mi_purge_thread_calls;  // how often it was woken; it sleeps while this stays
static bool mi_purge_thread_ends, mi_purge_thread_over;
static DWORD mi_purge_thread_id;

// The module that this is in is never unloaded.
static bool mi_stay(void) {
  HMODULE module;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(uintptr_t)mi_stay, &module);
}

static DWORD WINAPI mi_purge_thread_run(void* ignored) {
  (void)ignored;
  for (;;) {
    int64_t calls = __atomic_load_n(&mi_purge_thread_calls, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&mi_purge_thread_ends, __ATOMIC_ACQUIRE)) break;
    int64_t ms = mi__purge_round();
    // Without a call that waits on an address nobody can wake it: it looks now and then.
    if (mi_wait_on_address != NULL) mi_wait_on_address(&mi_purge_thread_calls, &calls, sizeof(calls), ms < 0 || ms >= INFINITE ? INFINITE : (DWORD)ms);
    else if (ms != 0) Sleep(100);
  }
  __atomic_store_n(&mi_purge_thread_over, true, __ATOMIC_RELEASE);
  return 0;
}

MI_OS void Os_startPurgeThread(void) {
  int none = MI_PURGE_THREAD_NONE;
  if (!__atomic_compare_exchange_n(&mi_purge_thread_state, &none, MI_PURGE_THREAD_STARTS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  DWORD saved = GetLastError();
  HANDLE thread = mi_stay() ? CreateThread(NULL, MI_PURGE_THREAD_STACK, mi_purge_thread_run, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, &mi_purge_thread_id) : NULL;
  if (thread != NULL) CloseHandle(thread);
  // A system that refuses is not asked again and again.
  __atomic_store_n(&mi_purge_thread_state, thread != NULL ? MI_PURGE_THREAD_RUNS : MI_PURGE_THREAD_NEVER, __ATOMIC_SEQ_CST);
  SetLastError(saved);
}

// Whoever finds no thread here has set the time before one starts, which will see it.
MI_OS void Os_wakePurgeThread(void) {
  if (__atomic_load_n(&mi_purge_thread_state, __ATOMIC_SEQ_CST) == MI_PURGE_THREAD_NONE) return;
  __atomic_store_n(&mi_purge_thread_unasked, false, __ATOMIC_RELAXED);  // what was freed may have left holes
  __atomic_add_fetch(&mi_purge_thread_calls, 1, __ATOMIC_SEQ_CST);
  if (mi_wake_by_address != NULL) mi_wake_by_address(&mi_purge_thread_calls);
}

// Waits until the thread, which runs, is out of the allocator. False in a function of the user's that the purge has called.
static bool mi_end_purge_thread(void) {
  if (__atomic_load_n(&mi_purge_thread_id, __ATOMIC_SEQ_CST) == GetCurrentThreadId()) return false;
  __atomic_store_n(&mi_purge_thread_ends, true, __ATOMIC_RELEASE);
  Os_wakePurgeThread();
  while (!__atomic_load_n(&mi_purge_thread_over, __ATOMIC_ACQUIRE)) Os_yield();
  __atomic_store_n(&mi_purge_thread_ends, false, __ATOMIC_RELEASE);
  __atomic_store_n(&mi_purge_thread_over, false, __ATOMIC_RELEASE);
  return true;
}

// Before the memory goes, in a program that ends.
static void mi_stop_purge_thread(void) {
  int state = __atomic_exchange_n(&mi_purge_thread_state, MI_PURGE_THREAD_NEVER, __ATOMIC_SEQ_CST);
  if (state == MI_PURGE_THREAD_RUNS) mi_end_purge_thread();
}

// --- ThreadSlot: the thread's word, and word of its end --------------------------------------------------------------
//
// The word is one of the 64 slots that every thread has in its own block of the system's, at a fixed distance from a
// register. Compilers' own thread-local variables take more loads, and gcc's call malloc.

static uint32_t mi_slot_at;  // where in the thread's block the word is; 0 if the slots there were all taken
static DWORD mi_slot = TLS_OUT_OF_INDEXES;
// Set when the thread's end was told: another callback of its may still allocate, and nobody would tell the end once more.
static DWORD mi_over_slot = TLS_OUT_OF_INDEXES;
static int mi_slots_state;  // 0 none yet, 1 being made, 2 there

static void mi__thread_ended(int64_t theap);
static void mi__fork_prepare(void);
static void mi__fork_parent(void);
static void mi__fork_child(void);

MI_INLINE int64_t ThreadSlot_id(void) { return MI_ADDRESS(NtCurrentTeb()); }

MI_SLOW int64_t mi_slot_value(DWORD slot) {
  if (slot == TLS_OUT_OF_INDEXES) return 0;
  DWORD saved = GetLastError();
  int64_t value = MI_ADDRESS(TlsGetValue(slot));
  SetLastError(saved);
  return value;
}

MI_INLINE int64_t ThreadSlot_theap(void) {
  uintptr_t at = mi_slot_at;
  if (__builtin_expect(at == 0, 0)) return mi_slot_value(mi_slot);
#if defined(__x86_64__)
  return (int64_t)*(const uintptr_t __seg_gs*)at;
#else
  return (int64_t)*(const uintptr_t*)((uintptr_t)NtCurrentTeb() + at);
#endif
}

MI_INLINE int32_t ThreadSlot_mayOwn(void) { return mi_slot_value(mi_over_slot) == 0; }
MI_INLINE void ThreadSlot_probeStack(void) {}
MI_INLINE int32_t ThreadSlot_hasStack(void) { return true; }
MI_INLINE void ThreadSlot_probeStackAgain(void) {}
MI_INLINE void ThreadSlot_probeStackAround(void) {}

// When the library is loaded; or before, for a DLL that is loaded with us and needs us before its turn.
static void mi_make_slots(void) {
  int expected = 0;
  DWORD saved = GetLastError();
  if (__atomic_compare_exchange_n(&mi_slots_state, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    mi_over_slot = TlsAlloc();
    mi_slot = TlsAlloc();
    if (mi_slot < TLS_MINIMUM_AVAILABLE) mi_slot_at = (uint32_t)(offsetof(TEB, TlsSlots) + mi_slot * sizeof(void*));
    __atomic_store_n(&mi_slots_state, 2, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&mi_slots_state, __ATOMIC_ACQUIRE) == 1) SwitchToThread();
  SetLastError(saved);
}

static int32_t ThreadSlot_setTheap(int64_t theap) {
  if (__atomic_load_n(&mi_slots_state, __ATOMIC_ACQUIRE) != 2) mi_make_slots();
  return theap == 0 && mi_slot == TLS_OUT_OF_INDEXES ? true : TlsSetValue(mi_slot, MI_AT(void, theap));
}

static void mi_thread_ended(void) {
  int64_t theap = ThreadSlot_theap();
  if (mi_slots_state != 2) return;
  TlsSetValue(mi_slot, NULL);
  TlsSetValue(mi_over_slot, (void*)1);
  if (theap != 0) mi__thread_ended(theap);
}

// --- The process' life, and the library's ----------------------------------------------------------------------------

static bool mi_unloads;  // FreeLibrary takes the module away that this is in
static bool mi__teardown(bool others, bool live);

// The last of all: static objects and other exit handlers have had their chance to free what they had. At the end of a
// process a DLL has only the calling thread left, and the others may have stopped in the middle of anything.
static void mi_process_end(void) {
  mi_process_done();
  bool destroy = mi_option_is_enabled(mi_option_destroy_on_exit) && !mi_is_process_over();
  if (!mi_unloads && !destroy) return;
  mi_stop_purge_thread();
  mi_stop_watching_faults();
#if defined(MI_MALLOC_OVERRIDE)
  mi__teardown(mi_unloads, mi_unloads && destroy);  // the C library has blocks to the very end
#else
  mi__teardown(mi_unloads, destroy);
#endif
  if (!mi_unloads) return;
  mi_slot_at = 0;
  mi_slots_state = 0;
  TlsFree(mi_slot);
  TlsFree(mi_over_slot);
  mi_slot = mi_over_slot = TLS_OUT_OF_INDEXES;
}

// Exit handlers run in the order opposite to that in which they were registered: the first constructor registers ours. In a
// program they are the C library's, in a DLL its own, and run also when it is unloaded.
__attribute__((constructor(101))) static void mi_process_load(void) { atexit(mi_process_end); }

static void mi_redirect(void);

static void NTAPI mi_told(void* module, DWORD reason, void* unused) {
  (void)module, (void)unused;
  DWORD saved = GetLastError();
  switch (reason) {
    case DLL_PROCESS_ATTACH:
      mi_look_up_all();
      mi_make_slots();
      mi_loaded = true;
      mi_purge_thread_unasked = true;
      mi_process_init();
      mi_redirect();
      break;
    case DLL_THREAD_DETACH: mi_thread_ended(); break;
    // A callback is not told which of the two it is, as DllMain is.
    case DLL_PROCESS_DETACH: mi_unloads = mi_is_shutdown != NULL && !mi_is_shutdown(); break;
    default: break;
  }
  SetLastError(saved);
}

// Behind the compilers' own callbacks, in the order of their names.
__attribute__((section(".CRT$XLY"), used)) static const PIMAGE_TLS_CALLBACK mi_tell = mi_told;

// --- Names that depend on the system ----------------------------------------------------------------------------------

// An absolute path, as _fullpath gives it, in the room that the caller has or in a block: the file need not be there.
static char* mi_full_path(mi_heap_t* heap, const char* name, char* path) {
  enum { ROOM = 260 };  // what _fullpath's callers, and realpath's, have
  DWORD length = name == NULL ? 0 : GetFullPathNameA(name, 0, NULL, NULL);  // with the zero at its end
  if (length == 0 || (path != NULL && length > ROOM)) {
    errno = EINVAL;
    return NULL;
  }
  char* target = path != NULL ? path : mi_heap_malloc(heap, length);
  if (target == NULL || GetFullPathNameA(name, length, target, NULL) < length) return target;
  if (path == NULL) mi_free(target);  // somebody has changed the folder meanwhile
  return NULL;
}

static bool mi_wide_variable(const wchar_t* name, const wchar_t** value) { return *value = _wgetenv(name), true; }

// What a module of the process exports by this name.
static void* mi_loaded_symbol(const char* name) {
  enum { MODULES = 512 };
  HMODULE modules[MODULES];
  DWORD size = 0, saved = GetLastError();
  FARPROC found = NULL;
  if (!K32EnumProcessModules(GetCurrentProcess(), modules, sizeof(modules), &size)) size = 0;
  for (DWORD i = 0; found == NULL && i < MODULES && i < size / sizeof(HMODULE); i++) found = GetProcAddress(modules[i], name);
  SetLastError(saved);
  void* symbol;
  memcpy(&symbol, &found, sizeof(symbol));
  return symbol;
}

// Callers of the debug library: not known here.
#if MI_DEBUG >= 1
static void Callers_record(int64_t block, int64_t size, int32_t freed) { (void)block, (void)size, (void)freed; }
static void Callers_describe(int64_t block, int64_t buffer, int64_t size) { (void)block, (void)size, MI_AT(char, buffer)[0] = 0; }
#endif
