// --- Programs that are not linked with us -----------------------------------------------------------------------------
//
// When the DLL is loaded it looks through the import tables of all modules, and puts our functions in the place of malloc's
// relatives of each C library that it finds. A module that comes later is done when the loader tells of it. A block that a
// C library has made itself, before that or inside, is known by its address, and stays with that C library.
//
// Calls inside the C library itself, and of functions whose address somebody has asked for before, go where they went.
#if defined(MI_MALLOC_OVERRIDE) && defined(MI_WIN_REDIRECT)

enum { MI_CRTS = 4, MI_MODULES = 1024 };

// The functions of a C library that may get one of its blocks.
typedef struct {
  HMODULE module;
  void (*free)(void* p);
  void* (*realloc)(void* p, size_t size);
  void* (*recalloc)(void* p, size_t count, size_t size);
  void* (*expand)(void* p, size_t size);
  size_t (*msize)(void* p);
  void (*aligned_free)(void* p);
  void* (*aligned_realloc)(void* p, size_t size, size_t alignment);
  void* (*aligned_recalloc)(void* p, size_t count, size_t size, size_t alignment);
  void* (*aligned_offset_realloc)(void* p, size_t size, size_t alignment, size_t offset);
  void* (*aligned_offset_recalloc)(void* p, size_t count, size_t size, size_t alignment, size_t offset);
  size_t (*aligned_msize)(void* p, size_t alignment, size_t offset);
  void* (*new)(size_t size);
  void* (*new_array)(size_t size);
  void (*delete)(void* p);
  void (*delete_array)(void* p);
} mi_crt;

static mi_crt mi_crts[MI_CRTS];

static bool mi_is_theirs(const void* p) { return p != NULL && !mi_is_in_heap_region(p); }

// Ours for one C library: a block of its own goes to its own function. No memory for new is for that to tell.
#define MI_REDIRECT(i)                                                                                                          \
  static void mi_free_##i(void* p) { mi_is_theirs(p) ? mi_crts[i].free(p) : mi_free(p); }                                        \
  static void* mi_realloc_##i(void* p, size_t n) { return mi_is_theirs(p) ? mi_crts[i].realloc(p, n) : mi_realloc(p, n); }       \
  static void* mi_recalloc_##i(void* p, size_t c, size_t n) {                                                                    \
    return mi_is_theirs(p) ? mi_crts[i].recalloc(p, c, n) : mi_recalloc(p, c, n);                                                \
  }                                                                                                                              \
  static void* mi_expand_##i(void* p, size_t n) { return mi_is_theirs(p) ? mi_crts[i].expand(p, n) : mi_expand(p, n); }          \
  static size_t mi_msize_##i(void* p) { return mi_is_theirs(p) ? mi_crts[i].msize(p) : mi_usable_size(p); }                      \
  static void mi_aligned_free_##i(void* p) { mi_is_theirs(p) ? mi_crts[i].aligned_free(p) : mi_free(p); }                        \
  static void* mi_aligned_realloc_##i(void* p, size_t n, size_t a) {                                                             \
    return mi_is_theirs(p) ? mi_crts[i].aligned_realloc(p, n, a) : mi_realloc_aligned(p, n, a);                                  \
  }                                                                                                                              \
  static void* mi_aligned_recalloc_##i(void* p, size_t c, size_t n, size_t a) {                                                  \
    return mi_is_theirs(p) ? mi_crts[i].aligned_recalloc(p, c, n, a) : mi_recalloc_aligned(p, c, n, a);                          \
  }                                                                                                                              \
  static void* mi_aligned_offset_realloc_##i(void* p, size_t n, size_t a, size_t o) {                                            \
    return mi_is_theirs(p) ? mi_crts[i].aligned_offset_realloc(p, n, a, o) : mi_realloc_aligned_at(p, n, a, o);                  \
  }                                                                                                                              \
  static void* mi_aligned_offset_recalloc_##i(void* p, size_t c, size_t n, size_t a, size_t o) {                                 \
    return mi_is_theirs(p) ? mi_crts[i].aligned_offset_recalloc(p, c, n, a, o) : mi_recalloc_aligned_at(p, c, n, a, o);          \
  }                                                                                                                              \
  static size_t mi_aligned_msize_##i(void* p, size_t a, size_t o) {                                                              \
    return mi_is_theirs(p) ? mi_crts[i].aligned_msize(p, a, o) : mi_usable_size(p);                                              \
  }                                                                                                                              \
  static void* mi_new_##i(size_t n) {                                                                                            \
    void* p = mi_malloc(n);                                                                                                      \
    return p != NULL ? p : mi_crts[i].new(n);                                                                                    \
  }                                                                                                                              \
  static void* mi_new_array_##i(size_t n) {                                                                                      \
    void* p = mi_malloc(n);                                                                                                      \
    return p != NULL ? p : mi_crts[i].new_array(n);                                                                              \
  }                                                                                                                              \
  static void mi_delete_##i(void* p) { mi_is_theirs(p) ? mi_crts[i].delete(p) : mi_free(p); }                                    \
  static void mi_delete_array_##i(void* p) { mi_is_theirs(p) ? mi_crts[i].delete_array(p) : mi_free(p); }
MI_REDIRECT(0)
MI_REDIRECT(1)
MI_REDIRECT(2)
MI_REDIRECT(3)
#define MI_OF_EACH(name) {(void*)name##_0, (void*)name##_1, (void*)name##_2, (void*)name##_3}

// A name, where to keep the C library's function of that name, and ours for each C library. _base: ucrtbase's other names.
static const struct { const char* name; size_t keep; void* ours[MI_CRTS]; } mi_of_blocks[] = {
    {"free", offsetof(mi_crt, free), MI_OF_EACH(mi_free)},
    {"realloc", offsetof(mi_crt, realloc), MI_OF_EACH(mi_realloc)},
    {"_recalloc", offsetof(mi_crt, recalloc), MI_OF_EACH(mi_recalloc)},
    {"_expand", offsetof(mi_crt, expand), MI_OF_EACH(mi_expand)},
    {"_msize", offsetof(mi_crt, msize), MI_OF_EACH(mi_msize)},
    {"_aligned_free", offsetof(mi_crt, aligned_free), MI_OF_EACH(mi_aligned_free)},
    {"_aligned_realloc", offsetof(mi_crt, aligned_realloc), MI_OF_EACH(mi_aligned_realloc)},
    {"_aligned_recalloc", offsetof(mi_crt, aligned_recalloc), MI_OF_EACH(mi_aligned_recalloc)},
    {"_aligned_offset_realloc", offsetof(mi_crt, aligned_offset_realloc), MI_OF_EACH(mi_aligned_offset_realloc)},
    {"_aligned_offset_recalloc", offsetof(mi_crt, aligned_offset_recalloc), MI_OF_EACH(mi_aligned_offset_recalloc)},
    {"_aligned_msize", offsetof(mi_crt, aligned_msize), MI_OF_EACH(mi_aligned_msize)},
    {"??2@YAPEAX_K@Z", offsetof(mi_crt, new), MI_OF_EACH(mi_new)},
    {"??_U@YAPEAX_K@Z", offsetof(mi_crt, new_array), MI_OF_EACH(mi_new_array)},
    {"??3@YAXPEAX@Z", offsetof(mi_crt, delete), MI_OF_EACH(mi_delete)},
    {"??_V@YAXPEAX@Z", offsetof(mi_crt, delete_array), MI_OF_EACH(mi_delete_array)},
    {"_free_base", offsetof(mi_crt, free), MI_OF_EACH(mi_free)},
    {"_realloc_base", offsetof(mi_crt, realloc), MI_OF_EACH(mi_realloc)},
    {"_recalloc_base", offsetof(mi_crt, recalloc), MI_OF_EACH(mi_recalloc)},
    {"_msize_base", offsetof(mi_crt, msize), MI_OF_EACH(mi_msize)},
};

// Those that get no block.
static const struct { const char* name; void* ours; } mi_of_sizes[] = {
    {"malloc", (void*)mi_malloc}, {"calloc", (void*)mi_calloc},
    {"_malloc_base", (void*)mi_malloc}, {"_calloc_base", (void*)mi_calloc},
    {"_aligned_malloc", (void*)mi_malloc_aligned}, {"_aligned_offset_malloc", (void*)mi_malloc_aligned_at},
    {"_strdup", (void*)mi_strdup}, {"_wcsdup", (void*)mi_wcsdup}, {"_mbsdup", (void*)mi_mbsdup},
};

// Whose address gives way to which. Written when a C library is found, under the loader's lock.
static struct { void *theirs, *ours; } mi_ways[MI_CRTS * 32];
static int mi_way_count;

static void* mi_way_of(void* function) {
  int count = __atomic_load_n(&mi_way_count, __ATOMIC_ACQUIRE);
  for (int i = 0; i < count; i++) {
    if (mi_ways[i].theirs == function) return mi_ways[i].ours;
  }
  return NULL;
}

static void mi_add_way(void* theirs, void* ours) {
  if (theirs == NULL || mi_way_of(theirs) != NULL || mi_way_count == (int)(sizeof(mi_ways) / sizeof(mi_ways[0]))) return;
  mi_ways[mi_way_count].theirs = theirs;
  mi_ways[mi_way_count].ours = ours;
  __atomic_store_n(&mi_way_count, mi_way_count + 1, __ATOMIC_RELEASE);
}

static void* mi_export_of(HMODULE module, const char* name) {
  FARPROC found = GetProcAddress(module, name);
  void* function;
  memcpy(&function, &found, sizeof(function));
  return function;
}

// Who asks for an address later gets ours, too: so do imports that are resolved when they are first used.
static FARPROC WINAPI mi_get_proc_address(HMODULE module, LPCSTR name) {
  FARPROC found = GetProcAddress(module, name);
  void *function, *way;
  memcpy(&function, &found, sizeof(function));
  if (function != NULL && (way = mi_way_of(function)) != NULL) memcpy(&found, &way, sizeof(found));
  return found;
}

static bool mi_is_crt(HMODULE module) {
  wchar_t path[MAX_PATH];
  DWORD length = GetModuleFileNameW(module, path, MAX_PATH);
  const wchar_t* name = path + (length < MAX_PATH ? length : 0);
  while (name > path && name[-1] != '\\' && name[-1] != '/') name--;
  return mi_behind(name, "msvcr") != NULL || mi_behind(name, "ucrtbase") != NULL;
}

static void mi_find_crt(HMODULE module) {
  int i = 0;
  while (i < MI_CRTS && mi_crts[i].module != NULL && mi_crts[i].module != module) i++;
  if (i == MI_CRTS || mi_crts[i].module == module || !mi_is_crt(module)) return;
  mi_crt* crt = &mi_crts[i];
  for (size_t k = 0; k < sizeof(mi_of_blocks) / sizeof(mi_of_blocks[0]); k++) {
    void *found = mi_export_of(module, mi_of_blocks[k].name), **keep = (void**)((char*)crt + mi_of_blocks[k].keep);
    if (*keep == NULL) *keep = found;
    mi_add_way(found, mi_of_blocks[k].ours[i]);
  }
  for (size_t k = 0; k < sizeof(mi_of_sizes) / sizeof(mi_of_sizes[0]); k++) {
    mi_add_way(mi_export_of(module, mi_of_sizes[k].name), mi_of_sizes[k].ours);
  }
  crt->module = module;
  mi_redirected = true;
}

// Other threads may call through the import meanwhile.
static void mi_put(void** import, void* ours) {
  MEMORY_BASIC_INFORMATION page;
  DWORD before;
  if (VirtualQuery(import, &page, sizeof(page)) == 0) return;
  bool executable = (page.Protect & (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)) != 0;
  if (!VirtualProtect(import, sizeof(*import), executable ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE, &before)) return;
  __atomic_store_n(import, ours, __ATOMIC_RELEASE);
  VirtualProtect(import, sizeof(*import), before, &before);
}

static void mi_redirect_module(HMODULE module) {
  char* base = (char*)module;
  const IMAGE_DOS_HEADER* dos = (const IMAGE_DOS_HEADER*)base;
  if (dos->e_magic != IMAGE_DOS_SIGNATURE) return;
  const IMAGE_NT_HEADERS* header = (const IMAGE_NT_HEADERS*)(base + dos->e_lfanew);
  if (header->Signature != IMAGE_NT_SIGNATURE || header->OptionalHeader.NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_IMPORT) return;
  const IMAGE_DATA_DIRECTORY* where = &header->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  if (where->VirtualAddress == 0) return;
  const IMAGE_IMPORT_DESCRIPTOR* from = (const IMAGE_IMPORT_DESCRIPTOR*)(base + where->VirtualAddress);
  for (; from->Name != 0 && from->FirstThunk != 0; from++) {
    for (void** import = (void**)(base + from->FirstThunk); *import != NULL; import++) {
      void* ours = mi_way_of(*import);
      if (ours != NULL) mi_put(import, ours);
    }
  }
}

static HMODULE mi_own_module(void) {
  HMODULE module = NULL;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     (LPCWSTR)(uintptr_t)mi_own_module, &module);
  return module;
}

typedef struct { ULONG flags; const UNICODE_STRING *path, *name; void* base; ULONG size; } mi_module_notice;
typedef LONG NTAPI mi_register_notice_fun(ULONG, void (NTAPI*)(ULONG, const mi_module_notice*, void*), void*, void**);

static void NTAPI mi_module_came(ULONG reason, const mi_module_notice* notice, void* unused) {
  (void)unused;
  const ULONG loaded = 1;
  if (reason != loaded) return;
  DWORD saved = GetLastError();
  mi_find_crt((HMODULE)notice->base);
  mi_redirect_module((HMODULE)notice->base);
  SetLastError(saved);
}

// Under the loader's lock. A library whose functions are in others' tables stays.
static void mi_redirect(void) {
  static HMODULE modules[MI_MODULES];
  static const char name[] = MI_DISABLE_REDIRECT;
  char off[2] = "";
  DWORD size = 0;
  if (Os_environment(MI_ADDRESS(name), MI_ADDRESS(off), sizeof(off)) == 1 && off[0] == '1') return;
  if (!K32EnumProcessModules(GetCurrentProcess(), modules, sizeof(modules), &size) || !mi_stay()) return;
  size_t count = size / sizeof(modules[0]) < MI_MODULES ? size / sizeof(modules[0]) : MI_MODULES;
  mi_add_way(mi_export_of(GetModuleHandleW(L"kernel32.dll"), "GetProcAddress"), (void*)mi_get_proc_address);
  for (size_t i = 0; i < count; i++) mi_find_crt(modules[i]);
  HMODULE own = mi_own_module();
  for (size_t i = 0; i < count; i++) {
    if (modules[i] != own) mi_redirect_module(modules[i]);
  }
  mi_register_notice_fun* tell = NULL;
  void* cookie;
  mi_look_up(&tell, L"ntdll.dll", "LdrRegisterDllNotification");
  if (tell != NULL) tell(0, mi_module_came, NULL, &cookie);
}
#else
static void mi_redirect(void) {}
#endif
