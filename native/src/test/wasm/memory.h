#pragma once
#include <stddef.h>

/// 0, or the line in memory.c of what is not so.
int test_memory(void);

/// Memory of a module that is not the allocator's, as libraries with one of their own take it; NULL if there is none.
void* take_pages(size_t count);
