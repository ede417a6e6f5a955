// --- malloc's relatives in Microsoft's C library ----------------------------------------------------------------------
//
// Each is another name of a function of ours. What is compiled to import a function from a DLL calls it by a pointer, whose
// name begins with __imp_: that is ours as well, or the linker would find both the C library's and ours.
#if defined(MI_MALLOC_OVERRIDE)
#pragma GCC diagnostic push
#if !defined(__clang__)  // as in override.c
#pragma GCC diagnostic ignored "-Wattribute-alias"
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif

// The headers of the C library declare these as imported from its DLL: so the C name is another than the linker's.
#define MI_CRT(result, name, parameters, target)                                                                      \
  result mi_crt_##name parameters __asm__(MI_SYMBOL_PREFIX #name) __attribute__((alias(#target), used)); \
  MI_CRT_POINTER(name, target)
#define MI_CRT_POINTER(name, target) \
  void* const mi_imp_##name __asm__("__imp_" MI_SYMBOL_PREFIX #name) __attribute__((used)) = (void*)(target);

MI_CRT_POINTER(malloc, mi_malloc)
MI_CRT_POINTER(calloc, mi_calloc)
MI_CRT_POINTER(realloc, mi_realloc)
MI_CRT_POINTER(free, mi_free)
MI_CRT_POINTER(strdup, mi_strdup)
MI_CRT_POINTER(_aligned_malloc, mi_malloc_aligned)

MI_CRT(void*, _expand, (void* p, size_t size), mi_expand)
MI_CRT(size_t, _msize, (const void* p), mi_usable_size)
MI_CRT(void*, _recalloc, (void* p, size_t count, size_t size), mi_recalloc)
MI_CRT(void, _aligned_free, (void* p), mi_free)
MI_CRT(void*, _aligned_realloc, (void* p, size_t size, size_t alignment), mi_realloc_aligned)
MI_CRT(void*, _aligned_recalloc, (void* p, size_t count, size_t size, size_t alignment), mi_recalloc_aligned)
MI_CRT(void*, _aligned_offset_malloc, (size_t size, size_t alignment, size_t offset), mi_malloc_aligned_at)
MI_CRT(void*, _aligned_offset_realloc, (void* p, size_t size, size_t alignment, size_t offset), mi_realloc_aligned_at)
MI_CRT(void*, _aligned_offset_recalloc, (void* p, size_t count, size_t size, size_t alignment, size_t offset), mi_recalloc_aligned_at)
MI_CRT(size_t, _aligned_msize, (const void* p, size_t alignment, size_t offset), mi_usable_size)
MI_CRT(char*, _strdup, (const char* s), mi_strdup)
MI_CRT(wchar_t*, _wcsdup, (const wchar_t* s), mi_wcsdup)
MI_CRT(wchar_t*, wcsdup, (const wchar_t* s), mi_wcsdup)
MI_CRT(unsigned char*, _mbsdup, (const unsigned char* s), mi_mbsdup)
MI_CRT(void*, _malloc_base, (size_t size), mi_malloc)
MI_CRT(void*, _calloc_base, (size_t count, size_t size), mi_calloc)
MI_CRT(void*, _realloc_base, (void* p, size_t size), mi_realloc)
MI_CRT(void*, _recalloc_base, (void* p, size_t count, size_t size), mi_recalloc)
MI_CRT(size_t, _msize_base, (const void* p), mi_usable_size)
MI_CRT(void, _free_base, (void* p), mi_free)

// What the DLL exports beside the functions of mimalloc.h.
#if defined(MI_SHARED_LIB_EXPORT)
#define MI_EXPORT(name) " -export:" MI_STRING(name)
#define MI_EXPORT_NEW_AND_DELETE(n, d)                                                                                     \
  MI_EXPORT(MI_NEW(n, )) MI_EXPORT(MI_NEW(n, RKSt9nothrow_t)) MI_EXPORT(MI_NEW(n, St11align_val_t))                        \
  MI_EXPORT(MI_NEW(n, St11align_val_tRKSt9nothrow_t)) MI_EXPORT(_Zd##d##Pv) MI_EXPORT(_Zd##d##PvRKSt9nothrow_t)            \
  MI_EXPORT(_Zd##d##PvSt11align_val_t) MI_EXPORT(_Zd##d##PvSt11align_val_tRKSt9nothrow_t) MI_EXPORT(MI_DELETE_SIZED(d, ))  \
  MI_EXPORT(MI_DELETE_SIZED(d, St11align_val_t))
__asm__(".section .drectve,\"yn\"\n.ascii \""
        MI_EXPORT(malloc) MI_EXPORT(calloc) MI_EXPORT(realloc) MI_EXPORT(free) MI_EXPORT(reallocf) MI_EXPORT(reallocarray)
        MI_EXPORT(aligned_alloc) MI_EXPORT(memalign) MI_EXPORT(posix_memalign) MI_EXPORT(strdup) MI_EXPORT(strndup)
        MI_EXPORT(free_sized) MI_EXPORT(free_aligned_sized) MI_EXPORT(malloc_usable_size)
        MI_EXPORT(_expand) MI_EXPORT(_msize) MI_EXPORT(_recalloc) MI_EXPORT(_strdup) MI_EXPORT(_wcsdup) MI_EXPORT(wcsdup)
        MI_EXPORT(_mbsdup) MI_EXPORT(_aligned_malloc) MI_EXPORT(_aligned_free) MI_EXPORT(_aligned_realloc)
        MI_EXPORT(_aligned_recalloc) MI_EXPORT(_aligned_offset_malloc) MI_EXPORT(_aligned_offset_realloc)
        MI_EXPORT(_aligned_offset_recalloc) MI_EXPORT(_aligned_msize) MI_EXPORT_NEW_AND_DELETE(w, l) MI_EXPORT_NEW_AND_DELETE(a, a)
        "\"\n.text\n");
#endif
#pragma GCC diagnostic pop
#endif
