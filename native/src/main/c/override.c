// --- malloc and its relatives ----------------------------------------------------------------------------------------
//
// Each is another name of a function above, so it is the same code.
#if defined(MI_MALLOC_OVERRIDE)

#pragma GCC diagnostic push
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Winconsistent-dllimport"  // a header says that it comes from a DLL
#else
// An alias with parameters that its target ignores, or without its attributes, is what is wanted here.
#pragma GCC diagnostic ignored "-Wattribute-alias"
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
#pragma GCC diagnostic ignored "-Wattributes"  // a header says that it comes from a DLL
#endif
#define MI_IS(target) MI_PUBLIC __attribute__((alias(#target) MI_KEPT))
#define MI_EXPORTED MI_PUBLIC __attribute__((unused MI_KEPT))

// C
void* malloc(size_t size) MI_IS(mi_malloc);
void* calloc(size_t count, size_t size) MI_IS(mi_calloc);
void* realloc(void* p, size_t size) MI_IS(mi_realloc);
void free(void* p) MI_IS(mi_free);
void cfree(void* p) MI_IS(mi_free);
void* reallocf(void* p, size_t size) MI_IS(mi_reallocf);
void* reallocarray(void* p, size_t count, size_t size) MI_IS(mi_reallocarray);
int reallocarr(void* p, size_t count, size_t size) MI_IS(mi_reallocarr);
void* aligned_alloc(size_t alignment, size_t size) MI_IS(mi_aligned_alloc);
void* memalign(size_t alignment, size_t size) MI_IS(mi_memalign);
int posix_memalign(void** p, size_t alignment, size_t size) MI_IS(mi_posix_memalign);
void* valloc(size_t size) MI_IS(mi_valloc);
void* pvalloc(size_t size) MI_IS(mi_pvalloc);
void vfree(void* p) MI_IS(mi_free);
void* _aligned_malloc(size_t size, size_t alignment) MI_IS(mi_malloc_aligned);
#if !defined(__wasm__)  // where libc is linked into the program, its own are by malloc
char* strdup(const char* s) MI_IS(mi_strdup);
char* strndup(const char* s, size_t n) MI_IS(mi_strndup);
#endif
size_t malloc_usable_size(void* p) MI_IS(mi_usable_size);
size_t malloc_size(const void* p) MI_IS(mi_usable_size);
size_t malloc_good_size(size_t size) MI_IS(mi_good_size);

// C23: a libc that has them would get our blocks
#if MI_HAS_FORMS
void free_sized(void* p, size_t size) MI_IS(mi_free_size);
MI_EXPORTED void free_aligned_sized(void* p, size_t alignment, size_t size) { mi_free_size_aligned(p, size, alignment); }
#else
void free_sized(void* p, size_t size) MI_IS(mi_free);
void free_aligned_sized(void* p, size_t alignment, size_t size) MI_IS(mi_free);
#endif
MI_EXPORTED size_t memalignment(const void* p) { return (size_t)((uintptr_t)p & -(uintptr_t)p); }

// glibc's other names for them
void* __libc_malloc(size_t size) MI_IS(mi_malloc);
void* __libc_calloc(size_t count, size_t size) MI_IS(mi_calloc);
void* __libc_realloc(void* p, size_t size) MI_IS(mi_realloc);
void __libc_free(void* p) MI_IS(mi_free);
void __libc_cfree(void* p) MI_IS(mi_free);
void* __libc_memalign(size_t alignment, size_t size) MI_IS(mi_memalign);
void* __libc_valloc(size_t size) MI_IS(mi_valloc);
void* __libc_pvalloc(size_t size) MI_IS(mi_pvalloc);
int __posix_memalign(void** p, size_t alignment, size_t size) MI_IS(mi_posix_memalign);

// What programs ask glibc about its malloc, which has nothing to say here.
#if defined(__GLIBC__)
#include <limits.h>
#include <stdio.h>

// malloc.h's, which not every glibc has.
struct mallinfo2 {
  size_t arena;     // bytes committed
  size_t ordblks;   // pieces of free memory: glibc always has one, too
  size_t smblks;
  size_t hblks;     // blocks with pages of their own,
  size_t hblkhd;    // and their bytes
  size_t usmblks;
  size_t fsmblks;
  size_t uordblks;  // bytes of the other blocks in use
  size_t fordblks;  // bytes committed that are in no block
  size_t keepcost;  // bytes that a trim could give back at most
};

struct mallinfo {
  int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

static size_t mi_at_least_0(int64_t count) { return count < 0 ? 0 : (size_t)count; }

MI_EXPORTED struct mallinfo2 mallinfo2(void) {
  struct mallinfo2 info = {.ordblks = 1};
  mi_stats_t_decl(stats);
  if (!mi_stats_get(&stats)) return info;
  size_t committed = mi_at_least_0(stats.committed.current);
  info.hblks = mi_at_least_0(stats.page_bins[MI_BIN_HUGE].current);
  info.hblkhd = mi_at_least_0(stats.malloc_huge.current);
  info.uordblks = mi_at_least_0(stats.malloc_normal.current);
  size_t used = info.uordblks + info.hblkhd;
  info.fordblks = committed > used ? committed - used : 0;
  // As in glibc, without the large blocks.
  info.arena = info.uordblks + info.fordblks;
  info.keepcost = info.fordblks;
  return info;
}

static int mi_as_int(size_t count) { return count > INT_MAX ? INT_MAX : (int)count; }

// Its fields are of 32 bits: an amount above 2 GiB - 1 is given as that.
MI_EXPORTED struct mallinfo mallinfo(void) {
  struct mallinfo2 all = mallinfo2();
  struct mallinfo info = {.arena = mi_as_int(all.arena), .ordblks = mi_as_int(all.ordblks), .hblks = mi_as_int(all.hblks),
                          .hblkhd = mi_as_int(all.hblkhd), .uordblks = mi_as_int(all.uordblks),
                          .fordblks = mi_as_int(all.fordblks), .keepcost = mi_as_int(all.keepcost)};
  return info;
}

static int64_t mi_purged_so_far(void) {
  mi_stats_t_decl(stats);
  return mi_stats_get(&stats) ? stats.purged.total : 0;
}

// What is to be left at the end of a heap has no meaning here. 1 if memory was given back.
MI_EXPORTED int malloc_trim(size_t pad) {
  (void)pad;
  int saved = errno;
  int64_t before = mi_purged_so_far();
  mi_collect_reduce(SIZE_MAX);
  int given_back = mi_purged_so_far() > before;
  errno = saved;
  return given_back;
}

MI_EXPORTED void malloc_stats(void) { mi_stats_print(NULL); }

MI_EXPORTED int malloc_info(int options, FILE* file) {
  if (options != 0) return EINVAL;
  struct mallinfo2 info = mallinfo2();
  mi_stats_t_decl(stats);
  if (!mi_stats_get(&stats)) return ENOMEM;
  fprintf(file,
          "<malloc version=\"1\">\n<total type=\"fast\" count=\"0\" size=\"0\"/>\n<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
          "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
          "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n</malloc>\n",
          info.ordblks, info.fordblks, info.hblks, info.hblkhd, mi_at_least_0(stats.committed.current),
          mi_at_least_0(stats.committed.peak), mi_at_least_0(stats.reserved.current), mi_at_least_0(stats.committed.current));
  return 0;
}

// None of glibc's parameters has a meaning here; those that there are can be set.
MI_EXPORTED int mallopt(int parameter, int value) {
  (void)value;
  return parameter >= -8 && parameter <= 4 && parameter != 0;
}
#endif

// C++, under the names that its compilers give to operator new and delete: MI_SIZE_CODE is size_t, S... are nothrow_t and align_val_t
#define MI_PASTE_(a, b, c) a##b##c
#define MI_PASTE(a, b, c) MI_PASTE_(a, b, c)
#define MI_NEW(kind, rest) MI_PASTE(_Zn##kind, MI_SIZE_CODE, rest)
#define MI_DELETE_SIZED(kind, rest) MI_PASTE(_Zd##kind##Pv, MI_SIZE_CODE, rest)
#if MI_HAS_FORMS
// Each block is marked with its form, by core's numbers in Padding. A delete says which form it belongs to.
enum { MI_BY_NEW = 1, MI_BY_NEW_ARRAY = 2, MI_BY_ALIGNED = 4 };
#define MI_NEW_AND_DELETE(n, d, form)                                                                                      \
  MI_EXPORTED void* MI_NEW(n, )(size_t size) { return mi__formed(mi_new(size), form); }                                    \
  MI_EXPORTED void* MI_NEW(n, RKSt9nothrow_t)(size_t size, const void* nothrow) {                                          \
    return (void)nothrow, mi__formed(mi_new_nothrow(size), form);                                                          \
  }                                                                                                                        \
  MI_EXPORTED void* MI_NEW(n, St11align_val_t)(size_t size, size_t alignment) {                                            \
    return mi__formed(mi_new_aligned(size, alignment), form | MI_BY_ALIGNED);                                              \
  }                                                                                                                        \
  MI_EXPORTED void* MI_NEW(n, St11align_val_tRKSt9nothrow_t)(size_t size, size_t alignment, const void* nothrow) {         \
    return (void)nothrow, mi__formed(mi_new_aligned_nothrow(size, alignment), form | MI_BY_ALIGNED);                       \
  }                                                                                                                        \
  MI_EXPORTED void _Zd##d##Pv(void* p) { mi__free_formed(p, form, -1, 1); }                                                \
  MI_EXPORTED void _Zd##d##PvRKSt9nothrow_t(void* p, const void* nothrow) {                                                \
    (void)nothrow, mi__free_formed(p, form, -1, 1);                                                                        \
  }                                                                                                                        \
  MI_EXPORTED void _Zd##d##PvSt11align_val_t(void* p, size_t alignment) {                                                  \
    mi__free_formed(p, form | MI_BY_ALIGNED, -1, alignment);                                                               \
  }                                                                                                                        \
  MI_EXPORTED void _Zd##d##PvSt11align_val_tRKSt9nothrow_t(void* p, size_t alignment, const void* nothrow) {               \
    (void)nothrow, mi__free_formed(p, form | MI_BY_ALIGNED, -1, alignment);                                                \
  }                                                                                                                        \
  MI_EXPORTED void MI_DELETE_SIZED(d, )(void* p, size_t size) { mi__free_formed(p, form, (ptrdiff_t)size, 1); }            \
  MI_EXPORTED void MI_DELETE_SIZED(d, St11align_val_t)(void* p, size_t size, size_t alignment) {                           \
    mi__free_formed(p, form | MI_BY_ALIGNED, (ptrdiff_t)size, alignment);                                                  \
  }
MI_NEW_AND_DELETE(w, l, MI_BY_NEW)
MI_NEW_AND_DELETE(a, a, MI_BY_NEW_ARRAY)
#else
#define MI_NEW_AND_DELETE(n, d)                                                                        \
  void* MI_NEW(n, )(size_t size) MI_IS(mi_new);                                                        \
  void* MI_NEW(n, RKSt9nothrow_t)(size_t size, const void* nothrow) MI_IS(mi_new_nothrow);             \
  void* MI_NEW(n, St11align_val_t)(size_t size, size_t alignment) MI_IS(mi_new_aligned);               \
  void* MI_NEW(n, St11align_val_tRKSt9nothrow_t)(size_t size, size_t alignment, const void* nothrow)   \
      MI_IS(mi_new_aligned_nothrow);                                                                   \
  void _Zd##d##Pv(void* p) MI_IS(mi_free);                                                             \
  void _Zd##d##PvRKSt9nothrow_t(void* p, const void* nothrow) MI_IS(mi_free);                          \
  void _Zd##d##PvSt11align_val_t(void* p, size_t alignment) MI_IS(mi_free);                            \
  void _Zd##d##PvSt11align_val_tRKSt9nothrow_t(void* p, size_t alignment, const void* nothrow) MI_IS(mi_free); \
  void MI_DELETE_SIZED(d, )(void* p, size_t size) MI_IS(mi_free);                                      \
  void MI_DELETE_SIZED(d, St11align_val_t)(void* p, size_t size, size_t alignment) MI_IS(mi_free);
MI_NEW_AND_DELETE(w, l)
MI_NEW_AND_DELETE(a, a)
#endif

#pragma GCC diagnostic pop
#endif
