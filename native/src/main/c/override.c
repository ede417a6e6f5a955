// --- malloc and its relatives ----------------------------------------------------------------------------------------
//
// Each is another name of a function above, so it is the same code.
#if defined(MI_MALLOC_OVERRIDE)

#if defined(__APPLE__)
#error "on macOS malloc is replaced through its zones: not there yet"
#endif

#pragma GCC diagnostic push
#if !defined(__clang__)
// An alias with parameters that its target ignores, or without its attributes, is what is wanted here.
#pragma GCC diagnostic ignored "-Wattribute-alias"
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
#endif
#define MI_IS(target) __attribute__((alias(#target), visibility("default"), used))

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
char* strdup(const char* s) MI_IS(mi_strdup);
char* strndup(const char* s, size_t n) MI_IS(mi_strndup);
size_t malloc_usable_size(void* p) MI_IS(mi_usable_size);
size_t malloc_size(const void* p) MI_IS(mi_usable_size);
size_t malloc_good_size(size_t size) MI_IS(mi_good_size);

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

// C++, under the names that its compilers give to operator new and delete: j or m is size_t, S... are nothrow_t and align_val_t
#if SIZE_MAX > UINT32_MAX
#define MI_NEW(kind, rest) _Zn##kind##m##rest
#define MI_DELETE_SIZED(kind, rest) _Zd##kind##Pvm##rest
#else
#define MI_NEW(kind, rest) _Zn##kind##j##rest
#define MI_DELETE_SIZED(kind, rest) _Zd##kind##Pvj##rest
#endif
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

#pragma GCC diagnostic pop
#endif
