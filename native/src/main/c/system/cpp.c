// --- C++'s run-time library, where the program has one ---------------------------------------------------------------
//
// Needed when operator new finds no memory, and only then: its handler is asked for, and std::bad_alloc thrown. The
// library is not linked, since most programs have none. It may come later than we do, and only for the one who loads it,
// as with an extension module of a program in C. So it is looked up each time.

#include <string.h>
#if !defined(_WIN32)
#include <dlfcn.h>
#endif
#if defined(__ELF__)
#include <link.h>
// Weak: not in every libc, nor in a program that is linked statically.
#pragma weak dlsym
#pragma weak dlclose
#pragma weak dl_iterate_phdr
#endif

typedef void mi_function(void);
#if defined(__ELF__) || (defined(_WIN32) && defined(__clang__))
void mi_linked_get_new_handler(void) __asm__(MI_SYMBOL_PREFIX "_ZSt15get_new_handlerv") __attribute__((weak));
void mi_linked_throw_bad_alloc(void) __asm__(MI_SYMBOL_PREFIX "_ZSt17__throw_bad_allocv") __attribute__((weak));
void mi_linked_bad_alloc(void) __asm__(MI_SYMBOL_PREFIX "_ZNSt9bad_allocC1Ev") __attribute__((weak));
void mi_linked_end_bad_alloc(void) __asm__(MI_SYMBOL_PREFIX "_ZNSt9bad_allocD1Ev") __attribute__((weak));
void mi_linked_type_bad_alloc(void) __asm__(MI_SYMBOL_PREFIX "_ZTISt9bad_alloc") __attribute__((weak));  // data
void mi_linked_allocate_exception(void) __asm__(MI_SYMBOL_PREFIX "__cxa_allocate_exception") __attribute__((weak));
void mi_linked_throw(void) __asm__(MI_SYMBOL_PREFIX "__cxa_throw") __attribute__((weak));
void mi_linked_begin_catch(void) __asm__(MI_SYMBOL_PREFIX "__cxa_begin_catch") __attribute__((weak));
void mi_linked_end_catch(void) __asm__(MI_SYMBOL_PREFIX "__cxa_end_catch") __attribute__((weak));
#else  // an image must have what it refers to, for the system or for GNU's linker: it is looked up
#define mi_linked_get_new_handler NULL
#define mi_linked_throw_bad_alloc NULL
#define mi_linked_bad_alloc NULL
#define mi_linked_end_bad_alloc NULL
#define mi_linked_type_bad_alloc NULL
#define mi_linked_allocate_exception NULL
#define mi_linked_throw NULL
#define mi_linked_begin_catch NULL
#define mi_linked_end_catch NULL
#endif

#if defined(__ELF__)
enum { MI_PATH_MAX = 4096 };

static int mi_is_runtime(struct dl_phdr_info* info, size_t size, void* path) {
  static const char* const names[] = {"libstdc++.so", "libc++.so", "libc++abi.so", "libgcc_s.so"};
  (void)size;
  const char* name = info->dlpi_name != NULL ? strrchr(info->dlpi_name, '/') : NULL;
  if (name == NULL || strlen(info->dlpi_name) >= MI_PATH_MAX) return 0;
  const int which = *(char*)path;  // the next one to look for
  if (strncmp(name + 1, names[which], strlen(names[which])) != 0) return 0;
  strcpy(path, info->dlpi_name);
  return 1;
}
#endif

static mi_function* mi_runtime(mi_function* linked, const char* name) {
  if (linked != NULL) return linked;
  void* found = NULL;
#if defined(__ELF__)
  if (dlsym == NULL) return NULL;
  found = dlsym(RTLD_DEFAULT, name);
  // Not by its name: who links statically would be warned of it.
  void* (*open_library)(const char*, int) = NULL;
  if (found == NULL && dl_iterate_phdr != NULL) *(void**)&open_library = dlsym(RTLD_DEFAULT, "dlopen");
  for (int which = 0; found == NULL && open_library != NULL && which < 4; which++) {
    char path[MI_PATH_MAX];
    *path = (char)which;
    if (dl_iterate_phdr(mi_is_runtime, path) == 0) continue;
    // It is there: this opens no file and only says where. Whoever has just called new keeps it.
    void* library = open_library(path, RTLD_LAZY | RTLD_NOLOAD);
    if (library == NULL) continue;
    found = dlsym(library, name);
    dlclose(library);
  }
#elif defined(_WIN32)
  found = mi_loaded_symbol(name);
#else
  found = dlsym(RTLD_DEFAULT, name);
#endif
  mi_function* function;
  memcpy(&function, &found, sizeof(function));
  return function;
}

static mi_function* mi_new_handler(void) {
  mi_function* get = mi_runtime(mi_linked_get_new_handler, "_ZSt15get_new_handlerv");
  return get != NULL ? ((mi_function * (*)(void)) get)() : NULL;
}

MI_SLOW int32_t Callback_newHandler(void) {
  mi_function* handler = mi_new_handler();
  if (handler == NULL) return false;
  handler();
  return true;
}

MI_SLOW void Callback_badAlloc(void) {
  mi_function* throw_it = mi_runtime(mi_linked_throw_bad_alloc, "_ZSt17__throw_bad_allocv");
  if (throw_it != NULL) throw_it();
  // A program that is linked statically may have only what that consists of.
  mi_function* allocate = mi_runtime(mi_linked_allocate_exception, "__cxa_allocate_exception");
  mi_function* begin = mi_runtime(mi_linked_bad_alloc, "_ZNSt9bad_allocC1Ev");
  mi_function* end = mi_runtime(mi_linked_end_bad_alloc, "_ZNSt9bad_allocD1Ev");
  mi_function* type = mi_runtime(mi_linked_type_bad_alloc, "_ZTISt9bad_alloc");
  throw_it = mi_runtime(mi_linked_throw, "__cxa_throw");
  if (allocate == NULL || begin == NULL || end == NULL || type == NULL || throw_it == NULL) return;
  void* exception = ((void* (*)(size_t))allocate)(sizeof(void*));
  ((void (*)(void*))begin)(exception);
  ((void (*)(void*, mi_function*, mi_function*))throw_it)(exception, type, end);
}

// What C++ says as try { handler(); } catch (...) {}. C has no words for it, so here is a frame with a personality of its
// own, that stops every exception, of C++ or of another language; what unwinds a thread that was cancelled goes on.
#if defined(__ELF__) && (defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__) || defined(__riscv) && __riscv_xlen == 64 || \
                         defined(__i386__) || defined(__s390x__) || defined(__powerpc64__) && _CALL_ELF == 2 || \
                         defined(__arm__) && defined(__ARM_EABI__)) || \
    defined(_WIN64) && defined(__x86_64__)
#include <unwind.h>

extern const char mi__handler_threw[] MI_HIDDEN;
// NULL, or the exception that the handler threw.
struct _Unwind_Exception* mi__call_handler(mi_function* handler) MI_HIDDEN;

#if defined(__arm__)
#pragma weak _Unwind_VRS_Get
#pragma weak _Unwind_VRS_Set
#pragma weak __gnu_unwind_frame
_Unwind_Reason_Code __gnu_unwind_frame(_Unwind_Control_Block*, struct _Unwind_Context*);

// Who unwinds has these. A thread is ended by glibc, which loads GCC's for that, also where the program has another one in it.
static mi_function* mi_unwinder(mi_function* linked, const char* name, bool forced) {
  mi_function* found = mi_runtime(forced ? NULL : linked, name);
  return found != NULL ? found : linked;
}

// The processor's own way: a personality also takes its frame off, and notes in the exception which frame it was that stops it.
MI_HIDDEN __attribute__((used)) _Unwind_Reason_Code mi__handler_personality(
    _Unwind_State state, _Unwind_Control_Block* exception, struct _Unwind_Context* context) {
  typedef int access(struct _Unwind_Context*, int, uint32_t, int, void*);
  typedef _Unwind_Reason_Code leave(_Unwind_Control_Block*, struct _Unwind_Context*);
  enum { CORE = 0, UINT32 = 0, RESULT = 0, STACK_POINTER = 13, PROGRAM_COUNTER = 15 };
  const bool forced = (state & _US_FORCE_UNWIND) != 0;
  access* get = (access*)mi_unwinder((mi_function*)_Unwind_VRS_Get, "_Unwind_VRS_Get", forced);
  access* set = (access*)mi_unwinder((mi_function*)_Unwind_VRS_Set, "_Unwind_VRS_Set", forced);
  leave* leave_frame = (leave*)mi_unwinder((mi_function*)__gnu_unwind_frame, "__gnu_unwind_frame", forced);
  if (get == NULL || set == NULL || leave_frame == NULL) return _URC_FAILURE;
  uint32_t stack = 0, block = (uint32_t)(uintptr_t)exception, address = (uint32_t)(uintptr_t)mi__handler_threw;
  get(context, CORE, STACK_POINTER, UINT32, &stack);
  if (!forced && (state & _US_ACTION_MASK) == _US_VIRTUAL_UNWIND_FRAME) {
    exception->barrier_cache.sp = stack;
    return _URC_HANDLER_FOUND;
  }
  if (!forced && (state & _US_ACTION_MASK) == _US_UNWIND_FRAME_STARTING && exception->barrier_cache.sp == stack) {
    set(context, CORE, RESULT, UINT32, &block);
    set(context, CORE, PROGRAM_COUNTER, UINT32, &address);
    return _URC_INSTALL_CONTEXT;
  }
  return leave_frame(exception, context) == _URC_OK ? _URC_CONTINUE_UNWIND : _URC_FAILURE;
}
#else
#pragma weak _Unwind_SetGR
#pragma weak _Unwind_SetIP

MI_HIDDEN __attribute__((used)) _Unwind_Reason_Code mi__handler_personality(
    int version, _Unwind_Action actions, uint64_t kind, struct _Unwind_Exception* exception, struct _Unwind_Context* context) {
  (void)kind;
  if (version != 1) return _URC_FATAL_PHASE1_ERROR;
  if ((actions & _UA_FORCE_UNWIND) != 0) return _URC_CONTINUE_UNWIND;
  if ((actions & _UA_SEARCH_PHASE) != 0) return _URC_HANDLER_FOUND;
  if ((actions & _UA_HANDLER_FRAME) == 0) return _URC_CONTINUE_UNWIND;
  // Who unwinds has them.
  mi_function* set_register = mi_runtime((mi_function*)_Unwind_SetGR, "_Unwind_SetGR");
  mi_function* set_address = mi_runtime((mi_function*)_Unwind_SetIP, "_Unwind_SetIP");
  if (set_register == NULL || set_address == NULL) return _URC_FATAL_PHASE2_ERROR;
  ((void (*)(struct _Unwind_Context*, int, uintptr_t))set_register)(context, __builtin_eh_return_data_regno(0), (uintptr_t)exception);
  ((void (*)(struct _Unwind_Context*, uintptr_t))set_address)(context, (uintptr_t)mi__handler_threw);
  return _URC_INSTALL_CONTEXT;
}
#endif

#if defined(_WIN32)
#include <windows.h>
EXCEPTION_DISPOSITION _GCC_specific_handler(EXCEPTION_RECORD*, void*, CONTEXT*, DISPATCHER_CONTEXT*, _Unwind_Personality_Fn) __attribute__((weak));

// What the system calls for a frame; the C++ runtime library makes of it what a personality is called for elsewhere.
__attribute__((used)) EXCEPTION_DISPOSITION mi__handler_of_frame(EXCEPTION_RECORD* record, void* frame, CONTEXT* context,
                                                                 DISPATCHER_CONTEXT* dispatch) {
  mi_function* handle = mi_runtime((mi_function*)_GCC_specific_handler, "_GCC_specific_handler");
  if (handle == NULL) return ExceptionContinueSearch;
  return ((EXCEPTION_DISPOSITION (*)(EXCEPTION_RECORD*, void*, CONTEXT*, DISPATCHER_CONTEXT*, _Unwind_Personality_Fn))handle)(
      record, frame, context, dispatch, mi__handler_personality);
}

__asm__(
    ".text\n"
    ".globl mi__call_handler\n.globl mi__handler_threw\n"
    ".def mi__call_handler\n.scl 2\n.type 32\n.endef\n"
    ".p2align 4\n"
    ".seh_proc mi__call_handler\n"
    "mi__call_handler:\n"
    "subq $40, %rsp\n"
    ".seh_stackalloc 40\n"
    ".seh_endprologue\n"
    ".seh_handler mi__handler_of_frame, @unwind, @except\n"
    "callq *%rcx\n"
    "xorl %eax, %eax\n"
    "mi__handler_threw:\n"
    "nop\n"
    "addq $40, %rsp\n"
    "ret\n"
    ".seh_endproc\n");
#else
#if defined(__thumb__)
#define MI_THUMB ".thumb_func\n"  // a label's lowest bit says so
#else
#define MI_THUMB
#endif
// The exception is where results are, or is moved there: so both ways leave by the same instructions. 0x1b: relative, signed, 4 bytes.
__asm__(
    ".pushsection .text.mi__call_handler,\"ax\",%progbits\n"
    ".globl mi__call_handler\n.hidden mi__call_handler\n.type mi__call_handler,%function\n"
    ".globl mi__handler_threw\n.hidden mi__handler_threw\n"
    ".p2align 4\n" MI_THUMB
    "mi__call_handler:\n"
#if defined(__arm__)
    ".fnstart\n"
#else
    ".cfi_startproc\n"
    ".cfi_personality 0x1b, mi__handler_personality\n"
#endif
#if defined(__x86_64__)
    "endbr64\n"
    "subq $8, %rsp\n"
    ".cfi_adjust_cfa_offset 8\n"
    "callq *%rdi\n"
    "xorl %eax, %eax\n"
    "mi__handler_threw:\n"
    "endbr64\n"
    "addq $8, %rsp\n"
    ".cfi_adjust_cfa_offset -8\n"
    "ret\n"
#elif defined(__aarch64__)
    "hint #34\n"  // bti c
    "stp x29, x30, [sp, #-16]!\n"
    ".cfi_def_cfa_offset 16\n"
    ".cfi_offset x29, -16\n"
    ".cfi_offset x30, -8\n"
    "mov x29, sp\n"
    "blr x0\n"
    "mov x0, #0\n"
    "mi__handler_threw:\n"
    "hint #36\n"  // bti j
    "ldp x29, x30, [sp], #16\n"
    ".cfi_restore x29\n"
    ".cfi_restore x30\n"
    ".cfi_def_cfa_offset 0\n"
    "ret\n"
#elif defined(__i386__)
    "subl $12, %esp\n"
    ".cfi_adjust_cfa_offset 12\n"
    "call *16(%esp)\n"
    "xorl %eax, %eax\n"
    "mi__handler_threw:\n"
    "addl $12, %esp\n"
    ".cfi_adjust_cfa_offset -12\n"
    "ret\n"
#elif defined(__s390x__)
    // The exception comes in a register that a function keeps for its caller.
    "stmg %r6, %r15, 48(%r15)\n"
    ".cfi_offset %r6, -112\n"
    ".cfi_offset %r14, -48\n"
    ".cfi_offset %r15, -40\n"
    "aghi %r15, -160\n"
    ".cfi_adjust_cfa_offset 160\n"
    "lghi %r6, 0\n"
    "basr %r14, %r2\n"
    "mi__handler_threw:\n"
    "lgr %r2, %r6\n"
    "lmg %r6, %r15, 208(%r15)\n"
    ".cfi_restore %r6\n"
    ".cfi_restore %r14\n"
    ".cfi_restore %r15\n"
    ".cfi_adjust_cfa_offset -160\n"
    "br %r14\n"
#elif defined(__powerpc64__)
    // The handler may be another library's, with a table of its own in register 2. 65: the link register.
    "mflr 0\n"
    "std 0, 16(1)\n"
    "stdu 1, -32(1)\n"
    ".cfi_def_cfa_offset 32\n"
    ".cfi_offset 65, 16\n"
    "std 2, 24(1)\n"
    "mr 12, 3\n"
    "mtctr 12\n"
    "bctrl\n"
    "ld 2, 24(1)\n"
    "li 3, 0\n"
    "b .Lmi__handler_ends\n"
    "mi__handler_threw:\n"
    "ld 2, 24(1)\n"
    ".Lmi__handler_ends:\n"
    "addi 1, 1, 32\n"
    ".cfi_def_cfa_offset 0\n"
    "ld 0, 16(1)\n"
    "mtlr 0\n"
    ".cfi_restore 65\n"
    "blr\n"
#elif defined(__arm__)
    ".syntax unified\n"
    "push {r4, lr}\n"
    ".save {r4, lr}\n"
    "blx r0\n"
    "mov r0, #0\n" MI_THUMB
    "mi__handler_threw:\n"
    "pop {r4, pc}\n"
    ".personality mi__handler_personality\n"
    ".handlerdata\n"
    ".fnend\n"
#else
    "addi sp, sp, -16\n"
    ".cfi_def_cfa_offset 16\n"
    "sd ra, 8(sp)\n"
    ".cfi_offset ra, -8\n"
    "jalr a0\n"
    "li a0, 0\n"
    "mi__handler_threw:\n"
    "ld ra, 8(sp)\n"
    ".cfi_restore ra\n"
    "addi sp, sp, 16\n"
    ".cfi_def_cfa_offset 0\n"
    "ret\n"
#endif
#if !defined(__arm__)
    ".cfi_endproc\n"
#endif
    ".size mi__call_handler, .-mi__call_handler\n"
    ".popsection\n");
#endif

static void mi_end_exception(struct _Unwind_Exception* exception) {
  mi_function* begin = mi_runtime(mi_linked_begin_catch, "__cxa_begin_catch");
  mi_function* end = mi_runtime(mi_linked_end_catch, "__cxa_end_catch");
  if (begin != NULL && end != NULL) {
    ((void* (*)(void*))begin)(exception);
    end();
  } else if (exception->exception_cleanup != NULL) {
    exception->exception_cleanup(_URC_FOREIGN_EXCEPTION_CAUGHT, exception);
  }
}

MI_SLOW int32_t Callback_newHandlerCaught(void) {
  mi_function* handler = mi_new_handler();
  if (handler == NULL) return false;
  struct _Unwind_Exception* exception = mi__call_handler(handler);
  if (exception == NULL) return true;
  mi_end_exception(exception);
  return false;
}
#else
// Elsewhere an exception goes on to the caller, which is not prepared for one.
MI_SLOW int32_t Callback_newHandlerCaught(void) { return Callback_newHandler(); }
#endif
