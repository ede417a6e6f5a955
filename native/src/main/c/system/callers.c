// --- Callers: what the loader knows of an address ----------------------------------------------------------------------

#if defined(_WIN32)
// The module and the place in it, of a call's address. A module is a mapping of its own; no lock is taken.
__attribute__((unused)) MI_SLOW void Callers_name(int64_t address, int64_t buffer, int64_t size) {
  mi_text text = {MI_AT(char, buffer), MI_AT(char, buffer + size - 1)};
  MEMORY_BASIC_INFORMATION piece;
  char path[MI_PATH_MAX];
  *text.at = 0;
  if (VirtualQuery(MI_AT(void, address - 1), &piece, sizeof(piece)) == 0 || piece.Type != MEM_IMAGE) return;
  if (mi_module_path((HMODULE)piece.AllocationBase, path, sizeof(path)) == 0) return;
  mi_text_add(&text, " (");
  mi_text_add(&text, path);
  mi_text_add(&text, "+");
  mi_text_address(&text, (uint64_t)(address - 1 - MI_ADDRESS(piece.AllocationBase)));
  mi_text_add(&text, ")");
}
#else

#if defined(__ELF__)
#pragma weak dladdr
#endif

// The function's name if it is exported, and what addr2line wants to know.
static void mi_text_place(mi_text* text, uintptr_t address, const Dl_info* info) {
  if (info->dli_sname != NULL) {
    mi_text_add(text, " ");
    mi_text_add(text, info->dli_sname);
    mi_text_add(text, "+");
    mi_text_address(text, address - (uintptr_t)info->dli_saddr);
  }
  mi_text_add(text, " (");
  mi_text_add(text, info->dli_fname);
  mi_text_add(text, "+");
  mi_text_address(text, address - (uintptr_t)info->dli_fbase);
  mi_text_add(text, ")");
}

// Of a call's address, not of the one behind it: that may be in the next function. Another thread may hold the loader's lock
// for ever, but then exit, which takes it as well, does not get as far as here.
__attribute__((unused)) MI_SLOW void Callers_name(int64_t address, int64_t buffer, int64_t size) {
  mi_text text = {MI_AT(char, buffer), MI_AT(char, buffer + size - 1)};
  Dl_info info;
  *text.at = 0;
  if (dladdr == NULL || dladdr(MI_AT(void, address - 1), &info) == 0 || info.dli_fname == NULL) return;
  mi_text_place(&text, (uintptr_t)address - 1, &info);
}
#endif

// --- Callers: who has allocated and freed a block, in the debug build -------------------------------------------------
//
// What is no frame ends a walk up the stack, or gives an address that no code has, which is not printed. Nothing here
// allocates.
#if MI_DEBUG >= 1 && !defined(_WIN32)

enum { MI_CALLERS = 20 };                // five or so are the allocator's own
enum { MI_STORIES = 1 << 14 };           // of the blocks that were allocated or freed last

typedef struct {
  int64_t busy;  // somebody writes or reads it: who comes meanwhile goes without
  int64_t block, size;
  int64_t threads[2];  // of the allocation and of the free; 0 for none
  uintptr_t callers[2][MI_CALLERS];
} mi_story;

static mi_story mi_stories[MI_STORIES];

__attribute__((constructor)) static void mi_callers_load(void) { mi_prepare_walks(); }

static mi_story* mi_story_of(int64_t block) {
  return &mi_stories[((uint64_t)block * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - 14)];
}

static void mi_callers(uintptr_t* callers) {
  int n = mi_unwind(callers, MI_CALLERS);
  while (n < MI_CALLERS) callers[n++] = 0;
}

extern char** environ;  // not every system's header has it

// Valgrind would complain of words on the stack that nobody has written, and has stories of its own.
static bool mi_is_under_valgrind(void) {
  static int state;  // 0 not asked yet, 1 no, 2 yes
  int known = __atomic_load_n(&state, __ATOMIC_RELAXED);
  if (known == 0) {
    known = 1;
    for (char** each = environ; each != NULL && *each != NULL; each++) {
      if (strncmp(*each, "LD_PRELOAD=", 11) == 0 && strstr(*each, "vgpreload_") != NULL) known = 2;
    }
    __atomic_store_n(&state, known, __ATOMIC_RELAXED);
  }
  return known == 2;
}

MI_SLOW void Callers_record(int64_t block, int64_t size, int32_t freed) {
  if (mi_is_under_valgrind()) return;
  mi_story* story = mi_story_of(block);
  if (__atomic_exchange_n(&story->busy, 1, __ATOMIC_ACQUIRE) != 0) return;
  if (!freed || story->block != block) {
    story->block = block;
    story->size = freed ? -1 : size;
    story->threads[0] = story->threads[1] = 0;
  }
  story->threads[freed] = ThreadSlot_id();
  mi_callers(story->callers[freed]);
  __atomic_store_n(&story->busy, 0, __ATOMIC_RELEASE);
}

// Is this the library itself, whose own frames nobody wants to see? In a program they cannot be told from the rest.
static bool mi_is_library(const char* path) {
  const char* name = strrchr(path, '/');
  return strncmp(name != NULL ? name + 1 : path, "libmimalloc", 11) == 0;
}

// A line for each caller: its address, and what is known of it.
static void mi_text_callers(mi_text* text, const uintptr_t* callers) {
  Dl_info own = {0}, info;
  bool outside = dladdr == NULL || dladdr((void*)(uintptr_t)mi_callers, &own) == 0 || !mi_is_library(own.dli_fname);
  for (int i = 0; i < MI_CALLERS && callers[i] != 0; i++) {
    bool known = dladdr != NULL && dladdr((void*)(callers[i] - 1), &info) != 0 && info.dli_fname != NULL;
    if (dladdr != NULL && !known) break;
    if (known && !outside && info.dli_fbase == own.dli_fbase) continue;
    outside = true;
    mi_text_add(text, "    ");
    mi_text_address(text, callers[i]);
    if (known) mi_text_place(text, callers[i], &info);
    mi_text_add(text, "\n");
  }
}

MI_SLOW void Callers_describe(int64_t block, int64_t buffer, int64_t size) {
  mi_text text = {MI_AT(char, buffer), MI_AT(char, buffer + size - 1)};
  uintptr_t now[MI_CALLERS];
  mi_callers(now);
  mi_text_add(&text, "  found in a call from\n");
  mi_text_callers(&text, now);
  mi_story* story = mi_story_of(block);
  if (__atomic_exchange_n(&story->busy, 1, __ATOMIC_ACQUIRE) != 0) return;
  for (int freed = 0; freed < 2 && story->block == block; freed++) {
    if (story->threads[freed] == 0) continue;
    mi_text_add(&text, freed ? "  freed" : "  allocated, ");
    if (!freed) mi_text_number(&text, (uint64_t)story->size);
    mi_text_add(&text, freed ? " by thread " : " bytes, by thread ");
    mi_text_address(&text, (uint64_t)story->threads[freed]);
    mi_text_add(&text, " in a call from\n");
    mi_text_callers(&text, story->callers[freed]);
  }
  __atomic_store_n(&story->busy, 0, __ATOMIC_RELEASE);
}
#endif
