// Gives malloc and its relatives mimalloc's names, in the source files that include this. To replace them in a whole
// program it is better to link with libmimalloc or to preload it: then libraries take part, too, and a block that one
// file allocates is never freed with another allocator's free.
#pragma once
#ifndef MIMALLOC_OVERRIDE_H
#define MIMALLOC_OVERRIDE_H

// First all headers that declare the names which are macros below; later they would declare something else.
#include <stdlib.h>
#include <string.h>
#if defined(__cplusplus)
#include <cstdlib>
#include <cstring>
#endif
#if defined(__linux__) || defined(_WIN32)
#include <malloc.h>
#endif
#if defined(_WIN32)
#include <wchar.h>
#include <mbstring.h>
#endif
#include "mimalloc.h"

// C
#undef malloc
#undef calloc
#undef realloc
#undef free
#define malloc(n) mi_malloc(n)
#define calloc(n, c) mi_calloc(n, c)
#define realloc(p, n) mi_realloc(p, n)
#define free(p) mi_free(p)

// C23
#undef free_sized
#undef free_aligned_sized
#define free_sized(p, n) mi_free_size(p, n)
#define free_aligned_sized(p, a, n) mi_free_size_aligned(p, n, a)

#undef strdup
#undef strndup
#undef realpath
#define strdup(s) mi_strdup(s)
#define strndup(s, n) mi_strndup(s, n)
#define realpath(f, n) mi_realpath(f, n)

// POSIX, the BSDs and other Unixes
#undef reallocf
#undef malloc_size
#undef malloc_usable_size
#undef malloc_good_size
#undef cfree
#undef valloc
#undef pvalloc
#undef reallocarray
#undef reallocarr
#undef memalign
#undef aligned_alloc
#undef posix_memalign
#undef _posix_memalign
#define reallocf(p, n) mi_reallocf(p, n)
#define malloc_size(p) mi_usable_size(p)
#define malloc_usable_size(p) mi_usable_size(p)
#define malloc_good_size(n) mi_malloc_good_size(n)
#define cfree(p) mi_free(p)
#define valloc(n) mi_valloc(n)
#define pvalloc(n) mi_pvalloc(n)
#define reallocarray(p, c, n) mi_reallocarray(p, c, n)
#define reallocarr(p, c, n) mi_reallocarr(p, c, n)
#define memalign(a, n) mi_memalign(a, n)
#define aligned_alloc(a, n) mi_aligned_alloc(a, n)
#define posix_memalign(p, a, n) mi_posix_memalign(p, a, n)
#define _posix_memalign(p, a, n) mi_posix_memalign(p, a, n)

// Microsoft
#undef _expand
#undef _msize
#undef _recalloc
#undef _strdup
#undef _strndup
#undef _wcsdup
#undef _mbsdup
#undef _dupenv_s
#undef _wdupenv_s
#define _expand(p, n) mi_expand(p, n)
#define _msize(p) mi_usable_size(p)
#define _recalloc(p, c, n) mi_recalloc(p, c, n)
#define _strdup(s) mi_strdup(s)
#define _strndup(s, n) mi_strndup(s, n)
#define _wcsdup(s) mi_wcsdup((const wchar_t*)(s))
#define _mbsdup(s) mi_mbsdup(s)
#define _dupenv_s(b, n, v) mi_dupenv_s(b, n, v)
#define _wdupenv_s(b, n, v) mi_wdupenv_s(b, n, v)

#undef _aligned_malloc
#undef _aligned_realloc
#undef _aligned_recalloc
#undef _aligned_msize
#undef _aligned_free
#undef _aligned_offset_malloc
#undef _aligned_offset_realloc
#undef _aligned_offset_recalloc
#define _aligned_malloc(n, a) mi_malloc_aligned(n, a)
#define _aligned_realloc(p, n, a) mi_realloc_aligned(p, n, a)
#define _aligned_recalloc(p, c, s, a) mi_aligned_recalloc(p, c, s, a)
#define _aligned_msize(p, a, o) mi_usable_size(p)
#define _aligned_free(p) mi_free(p)
#define _aligned_offset_malloc(n, a, o) mi_malloc_aligned_at(n, a, o)
#define _aligned_offset_realloc(p, n, a, o) mi_realloc_aligned_at(p, n, a, o)
#define _aligned_offset_recalloc(p, c, s, a, o) mi_recalloc_aligned_at(p, c, s, a, o)

#endif
